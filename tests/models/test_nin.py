import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.testing import assert_close

from divekit.errors import UsageError
from divekit.evaluate import summarise
from divekit.models import NiN, nin_block


@pytest.mark.parametrize("last_relu", [True, False])
def test_it_is_the_books_network(last_relu):
    """Compose it of functions, with the same weights; 1 x 1 convolutions are matrix products."""
    model = NiN(2, 5, (99, 110), width=0.1, last_relu=last_relu).double().eval()
    images = hidden = torch.randn(3, 2, 99, 110, dtype=torch.float64)
    w = list(model.parameters())
    for block, (stride, padding) in enumerate([(4, 0), (1, 2), (1, 1), (1, 1)]):
        first, second, third = (w[i : i + 2] for i in range(6 * block, 6 * block + 6, 2))
        hidden = F.relu(F.conv2d(hidden, *first, stride=stride, padding=padding))
        for weight, bias in (second, third):
            hidden = torch.einsum("oi,bihw->bohw", weight[:, :, 0, 0], hidden)
            hidden = hidden + bias[:, None, None]
            if block < 3 or last_relu or weight is second[0]:
                hidden = F.relu(hidden)
        if block < 3:
            hidden = F.max_pool2d(hidden, 3, 2)
    assert hidden.shape[2:] == (2, 2)
    assert_close(model(images), hidden.mean(dim=(2, 3)))
    assert [len(weight) for weight in w[::6]] == [10, 26, 38, 5]
    assert len(w) == 24


def test_a_block_is_the_same_dense_network_at_every_pixel():
    block = nin_block(3, 6, kernel_size=1)
    dense = nn.Sequential(
        nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 6), nn.ReLU()
    )
    dense.load_state_dict(
        {
            name: value.reshape(dense.state_dict()[name].shape)
            for name, value in block.state_dict().items()
        }
    )
    images = torch.randn(2, 3, 4, 5)
    pixels = images.permute(0, 2, 3, 1)  # a dense layer works on the last axis
    assert_close(block(images), dense(pixels).permute(0, 3, 1, 2))


def test_parameters_in_the_books_form():
    by_hand = 0
    for c_in, c_out, side in ((1, 96, 11), (96, 256, 5), (256, 384, 3), (384, 10, 3)):
        by_hand += c_out * (c_in * side**2 + 1) + 2 * c_out * (c_out + 1)
    with torch.device("meta"):
        model = NiN()
    assert sum(parameter.numel() for parameter in model.parameters()) == by_hand == 1_992_166


def test_shapes_at_224_pixels():
    with torch.device("meta"):
        layers = summarise(NiN(), torch.empty(1, 1, 224, 224)).layers
    shapes = [layer.output_shape[1:] for layer in layers if "Pool" in layer.kind]
    assert shapes == [(96, 26, 26), (256, 12, 12), (384, 5, 5), (10, 1, 1)]


@pytest.mark.parametrize(("height", "width"), [(67, 67), (67, 150), (99, 131)])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size_from_67_and_any_channels(height, width, channels):
    model = NiN(channels, 7, width=0.02)  # made for 224 pixels: no size is built in
    assert model(torch.randn(2, channels, height, width)).shape == (2, 7)


@pytest.mark.parametrize("size", [66, (224, 66), (28, 28)])
def test_images_that_are_too_small_are_refused_with_both_sizes(size):
    with pytest.raises(UsageError, match=r"\d x \d+ pixels .* NiN, .* 67 x 67; data.resize=224"):
        NiN(image_size=size)


def test_a_class_without_a_positive_pixel_is_lost_to_the_last_relu():
    """No gradient reaches the weights of its map, so nothing can bring it back."""
    for last_relu in (True, False):
        model = NiN(1, 3, 67, width=0.1, last_relu=last_relu, initial=nn.init.kaiming_normal_)
        last = model.classifier[1][4]
        with torch.no_grad():
            last.bias[1] = -100.0
        scores = model(torch.rand(4, 1, 67, 67))
        F.cross_entropy(scores, torch.tensor([1, 1, 1, 0])).backward()
        assert bool((last.weight.grad[1] == 0).all()) == last_relu
        assert bool(last.bias.grad[1] == 0) == last_relu
        assert bool((scores[:, 1] == 0).all()) == last_relu
