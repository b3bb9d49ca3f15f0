import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.testing import assert_close

from divekit.errors import UsageError
from divekit.evaluate import summarise
from divekit.models import AlexNet


def test_it_is_the_books_network():
    """Compose it of functions, with the same weights."""
    model = AlexNet(2, 5, 96, width=0.1, hidden=20).double().eval()
    images = torch.randn(3, 2, 96, 96, dtype=torch.float64)
    w = list(model.parameters())
    hidden = F.max_pool2d(F.relu(F.conv2d(images, w[0], w[1], stride=4, padding=1)), 3, 2)
    hidden = F.max_pool2d(F.relu(F.conv2d(hidden, w[2], w[3], padding=2)), 3, 2)
    for layer in (4, 6, 8):
        hidden = F.relu(F.conv2d(hidden, w[layer], w[layer + 1], padding=1))
    hidden = F.max_pool2d(hidden, 3, 2).reshape(3, -1)
    hidden = F.relu(hidden @ w[10].T + w[11])
    hidden = F.relu(hidden @ w[12].T + w[13])
    assert_close(model(images), hidden @ w[14].T + w[15])
    assert [len(weight) for weight in w[::2]] == [10, 26, 38, 38, 26, 20, 20, 5]


@pytest.mark.parametrize(
    ("in_channels", "num_classes", "expected"), [(1, 10, 46_764_746), (3, 1000, None)]
)
def test_parameters_in_the_books_form(in_channels, num_classes, expected):
    def convolution(inputs, outputs, side):
        return outputs * (inputs * side**2 + 1)

    def dense(inputs, outputs):
        return outputs * (inputs + 1)

    by_hand = (
        convolution(in_channels, 96, 11)
        + convolution(96, 256, 5)
        + convolution(256, 384, 3)
        + convolution(384, 384, 3)
        + convolution(384, 256, 3)
        + dense(256 * 5 * 5, 4096)
        + dense(4096, 4096)
        + dense(4096, num_classes)
    )
    with torch.device("meta"):
        model = AlexNet(in_channels, num_classes)
    assert sum(parameter.numel() for parameter in model.parameters()) == by_hand
    assert expected in (None, by_hand)


def test_sides_at_224_pixels():
    with torch.device("meta"):
        layers = summarise(AlexNet(), torch.empty(1, 1, 224, 224)).layers
    sides = [layer.output_shape[-1] for layer in layers if layer.kind in ("Conv2d", "MaxPool2d")]
    assert sides == [54, 26, 26, 12, 12, 12, 12, 5]


@pytest.mark.parametrize(("height", "width"), [(65, 65), (65, 200), (96, 80), (131, 97)])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size_from_65_and_any_channels(height, width, channels):
    model = AlexNet(channels, 7, (height, width), width=0.02, hidden=3)
    assert model(torch.randn(2, channels, height, width)).shape == (2, 7)


@pytest.mark.parametrize("size", [64, (224, 64), (28, 28)])
def test_images_that_are_too_small_are_refused_with_both_sizes(size):
    with pytest.raises(
        UsageError, match=r"\d x \d+ pixels .* AlexNet, .* 65 x 65; data.resize=224"
    ):
        AlexNet(image_size=size)


@pytest.mark.parametrize("width", [0, -1.0, float("nan")])
def test_a_width_that_leaves_nothing_is_refused(width):
    with pytest.raises(UsageError, match=r"width is .* more than 0"):
        AlexNet(width=width)


def test_weights_and_activation_are_those_asked_for():
    model = AlexNet(3, 10, 65, width=0.1, hidden=9, activation=nn.Tanh, initial=nn.init.ones_)
    kinds = [type(layer) for layer in model.modules()]
    assert (kinds.count(nn.Tanh), kinds.count(nn.ReLU)) == (7, 0)
    weights = [
        layer.weight for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)
    ]
    assert all(bool((weight == 1).all()) for weight in weights)


def test_dropout_works_in_training_alone():
    model = AlexNet(image_size=65, width=0.1, hidden=64)
    images = torch.rand(2, 1, 65, 65)
    assert not torch.equal(model(images), model(images))
    model.eval()
    assert torch.equal(model(images), model(images))
