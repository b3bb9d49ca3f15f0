from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.testing import assert_close

from divekit.errors import UsageError
from divekit.evaluate import summarise
from divekit.models import VGG, VGG11, VGG13, VGG16, VGG19, vgg_block
from divekit.nn import receptive_fields


@pytest.mark.parametrize("blocks", [VGG11, VGG19, ((3, 8), (1, 16))])
def test_it_is_convolutions_poolings_and_three_dense_layers(blocks):
    """Compose it of functions, with the same weights."""
    model = VGG(2, 5, (40, 33), blocks=blocks, width=0.1, hidden=20).double().eval()
    images = hidden = torch.randn(3, 2, 40, 33, dtype=torch.float64)
    parameters = iter(model.parameters())
    for number, _ in blocks:
        for _ in range(number):
            hidden = F.relu(F.conv2d(hidden, next(parameters), next(parameters), padding=1))
        hidden = F.max_pool2d(hidden, 2)
    hidden = hidden.flatten(1)
    hidden = F.relu(F.linear(hidden, next(parameters), next(parameters)))
    hidden = F.relu(F.linear(hidden, next(parameters), next(parameters)))
    assert_close(model(images), F.linear(hidden, next(parameters), next(parameters)))
    assert list(parameters) == []


# Of the paper's networks, for ImageNet's 1000 classes of colour images; torchvision documents the
# same numbers.
@pytest.mark.parametrize(
    ("blocks", "layers", "parameters"),
    [
        (VGG11, 11, 132_863_336),
        (VGG13, 13, 133_047_848),
        (VGG16, 16, 138_357_544),
        (VGG19, 19, 143_667_240),
    ],
)
def test_layers_and_parameters_in_the_papers_form(blocks, layers, parameters):
    with torch.device("meta"):
        model = VGG(3, 1000, blocks=blocks)
    assert sum(isinstance(one, nn.Conv2d | nn.Linear) for one in model.modules()) == layers
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters


@pytest.mark.parametrize(("width", "expected"), [(1.0, 128_806_154), (0.25, 43_093_322)])
def test_parameters_in_the_books_form(width, expected):
    with torch.device("meta"):
        model = VGG(width=width)
    channels = [1, *(int(width * number) for number in (64, 128, 256, 256, 512, 512, 512, 512))]
    by_hand = sum(c_out * (9 * c_in + 1) for c_in, c_out in pairwise(channels))
    by_hand += 4096 * (channels[-1] * 49 + 1) + 4096 * 4097 + 10 * 4097
    assert sum(parameter.numel() for parameter in model.parameters()) == by_hand == expected


def test_each_block_halves_the_sides():
    with torch.device("meta"):
        layers = summarise(VGG(), torch.empty(1, 1, 224, 224)).layers
    shapes = [layer.output_shape[1:] for layer in layers if layer.kind == "MaxPool2d"]
    assert shapes == [
        (64, 112, 112), (128, 56, 56), (256, 28, 28), (512, 14, 14), (512, 7, 7)
    ]  # fmt: skip


def test_convolutions_of_a_block_see_as_far_as_one_larger_one():
    for number in (1, 2, 3):
        rows, columns = receptive_fields(vgg_block(number, 2, 3)[:-1])[-1]
        assert rows.size == columns.size == 2 * number + 1


@pytest.mark.parametrize(("height", "width"), [(32, 32), (32, 100), (63, 47), (96, 64)])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size_from_32_and_any_channels(height, width, channels):
    model = VGG(channels, 7, (height, width), width=0.02, hidden=3)
    assert model(torch.randn(2, channels, height, width)).shape == (2, 7)


@pytest.mark.parametrize("size", [31, (224, 31), (28, 28)])
def test_images_that_are_too_small_are_refused_with_both_sizes(size):
    with pytest.raises(UsageError, match=r"\d x \d+ pixels .* VGG, .* 32 x 32; data.resize=224"):
        VGG(image_size=size)


def test_fewer_blocks_take_smaller_images():
    model = VGG(1, 3, 8, blocks=VGG16[:3], width=0.05, hidden=4)
    assert model(torch.randn(2, 1, 8, 8)).shape == (2, 3)
    with pytest.raises(UsageError, match="needs 8 x 8"):
        VGG(1, 3, 7, blocks=VGG16[:3])
