import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from divekit.evaluate import summarise
from divekit.models import INCEPTIONS, GoogLeNet, Inception

# Channels that leave each block, from table 1 of the paper.
OUTPUTS = [256, 480, 512, 512, 512, 528, 832, 832, 1024]


def inception(maps, w):
    """Do what a block does, with its twelve parameters."""
    return torch.cat(
        (
            F.relu(F.conv2d(maps, w[0], w[1])),
            F.relu(F.conv2d(F.relu(F.conv2d(maps, w[2], w[3])), w[4], w[5], padding=1)),
            F.relu(F.conv2d(F.relu(F.conv2d(maps, w[6], w[7])), w[8], w[9], padding=2)),
            F.relu(F.conv2d(F.max_pool2d(maps, 3, 1, 1), w[10], w[11])),
        ),
        dim=1,
    )


def test_it_is_the_books_network():
    """Compose it of functions, with the same weights."""
    model = GoogLeNet(2, 5, width=0.1).double()
    images = torch.randn(3, 2, 65, 50, dtype=torch.float64)
    w = list(model.parameters())
    hidden = F.max_pool2d(F.relu(F.conv2d(images, w[0], w[1], stride=2, padding=3)), 3, 2, 1)
    hidden = F.relu(F.conv2d(F.relu(F.conv2d(hidden, w[2], w[3])), w[4], w[5], padding=1))
    for block in range(9):
        if block in (0, 2, 7):
            hidden = F.max_pool2d(hidden, 3, 2, 1)
        hidden = inception(hidden, w[6 + 12 * block : 18 + 12 * block])
    assert hidden.shape == (3, 102, 3, 2)
    assert_close(model(images), hidden.mean(dim=(2, 3)) @ w[-2].T + w[-1])
    assert len(w) == 6 + 9 * 12 + 2


def test_a_block_is_four_paths_side_by_side():
    block = Inception(3, 4, (2, 5), (2, 6), 3)
    maps = torch.randn(2, 3, 7, 1)
    assert_close(block(maps), inception(maps, list(block.parameters())))
    assert block(maps).shape == (2, 4 + 5 + 6 + 3, 7, 1)


def test_blocks_give_the_channels_of_the_papers_table():
    with torch.device("meta"):
        layers = GoogLeNet().inceptions
        maps, channels = torch.empty(1, 192, 24, 24), []
        for group in layers:
            for layer in group:
                maps = layer(maps)
                if isinstance(layer, Inception):
                    channels.append(maps.shape[1])
    assert channels == OUTPUTS


def test_parameters_in_the_books_form():
    def convolution(inputs, outputs, side):
        return outputs * (inputs * side**2 + 1)

    channels = 192
    by_hand = convolution(1, 64, 7) + convolution(64, 64, 1) + convolution(64, 192, 3)
    for group in INCEPTIONS:
        for c1, c2, c3, c4 in group:
            by_hand += convolution(channels, c1, 1) + convolution(channels, c4, 1)
            by_hand += convolution(channels, c2[0], 1) + convolution(c2[0], c2[1], 3)
            by_hand += convolution(channels, c3[0], 1) + convolution(c3[0], c3[1], 5)
            channels = c1 + c2[1] + c3[1] + c4
    by_hand += 10 * (channels + 1)
    with torch.device("meta"):
        model = GoogLeNet()
    assert sum(parameter.numel() for parameter in model.parameters()) == by_hand == 5_977_530


def test_shapes_at_96_pixels():
    with torch.device("meta"):
        model = GoogLeNet().stem, GoogLeNet().inceptions
        stem = summarise(model[0], torch.empty(1, 1, 96, 96)).layers[-1].output_shape
        maps = torch.empty(stem)
        shapes = [stem]
        for group in model[1]:
            maps = group(maps)
            shapes.append(tuple(maps.shape))
    assert shapes == [(1, 192, 24, 24), (1, 480, 12, 12), (1, 832, 6, 6), (1, 1024, 3, 3)]


@pytest.mark.parametrize(("height", "width"), [(1, 1), (28, 28), (8, 33), (97, 5)])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size_and_any_channels(height, width, channels):
    model = GoogLeNet(channels, 7, width=0.02)
    assert model(torch.randn(2, channels, height, width)).shape == (2, 7)
