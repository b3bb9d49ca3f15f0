import pytest
import torch
from torch import nn
from torch.testing import assert_close

from divekit.errors import UsageError
from divekit.models import LeNet
from divekit.nn import AvgPool2dScratch, Conv2dScratch, MaxPool2dScratch


def test_it_is_the_books_network():
    """Compose it of functions, with the same weights."""
    model = LeNet()
    images = torch.randn(2, 1, 28, 28)
    w = list(model.parameters())
    hidden = torch.conv2d(images, w[0], w[1], padding=2).sigmoid()
    hidden = nn.functional.avg_pool2d(hidden, 2)
    hidden = torch.conv2d(hidden, w[2], w[3]).sigmoid()
    hidden = nn.functional.avg_pool2d(hidden, 2).reshape(2, 400)
    hidden = (hidden @ w[4].T + w[5]).sigmoid()
    hidden = (hidden @ w[6].T + w[7]).sigmoid()
    assert_close(model(images), hidden @ w[8].T + w[9])
    assert sum(parameter.numel() for parameter in w) == 61_706


def test_layers_from_scratch_give_the_same_scores_and_gradients():
    concise = LeNet(2, 5, (17, 12)).double()
    scratch = LeNet(2, 5, (17, 12), pooling=AvgPool2dScratch)
    scratch.features[0] = Conv2dScratch(2, 6, 5, padding=2)
    scratch.features[3] = Conv2dScratch(6, 16, 5)
    scratch.double().load_state_dict(concise.state_dict())
    images = torch.randn(3, 2, 17, 12, dtype=torch.float64)
    for model in (concise, scratch):
        model(images).square().sum().backward()
    assert_close(scratch(images), concise(images))
    for ours, theirs in zip(scratch.parameters(), concise.parameters(), strict=True):
        assert_close(ours.grad, theirs.grad)


@pytest.mark.parametrize(("height", "width"), [(12, 12), (13, 40), (28, 28), (31, 14), (96, 96)])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size_from_twelve_and_any_channels(height, width, channels):
    model = LeNet(channels, 7, (height, width), activation=nn.ReLU, pooling=MaxPool2dScratch)
    assert model(torch.randn(2, channels, height, width)).shape == (2, 7)


@pytest.mark.parametrize("size", [11, (28, 11), (8, 8)])
def test_images_that_are_too_small_are_refused_with_both_sizes(size):
    with pytest.raises(UsageError, match=r"\d x \d+ pixels .* needs 12 x 12; data.resize=28"):
        LeNet(image_size=size)


def test_weights_begin_as_xavier_would_have_them():
    model = LeNet(3, 10, 64)
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            places = layer.weight[0, 0].numel()  # a convolution has one weight for each place
            inputs, outputs = layer.weight.shape[1] * places, layer.weight.shape[0] * places
            bound = (6 / (inputs + outputs)) ** 0.5
            assert 0.9 * bound < layer.weight.abs().max() <= bound
