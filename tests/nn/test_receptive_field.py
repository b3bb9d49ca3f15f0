import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from divekit.models import LeNet
from divekit.nn import (
    AvgPool2dScratch,
    Conv2dScratch,
    Field,
    MaxPool2dScratch,
    pixels_seen,
    receptive_fields,
)


def test_by_hand():
    # Each 3 x 3 layer sees one pixel more on either side.
    three = [nn.Conv2d(1, 1, 3) for _ in range(3)]
    assert [rows.size for rows, _ in receptive_fields(three)] == [3, 5, 7]
    # A pooling in between doubles what the next layer reaches: 3 + 1, then + 2 * 2.
    pooled = [nn.Conv2d(1, 1, 3, padding=1), nn.MaxPool2d(2), nn.Conv2d(1, 1, 3)]
    rows, columns = receptive_fields(pooled)[-1]
    assert rows == columns == Field(size=8, stride=2, start=-1)
    assert rows.of(1, length=28) == range(1, 9)
    assert rows.of(0, length=28) == range(7)  # what lies in the padding is cut off


def test_lenet():
    fields = receptive_fields(LeNet().features)
    assert [rows.size for rows, _ in fields] == [5, 5, 6, 14, 14, 16]
    assert fields[-1][0] == Field(size=16, stride=4, start=-2)


layer = st.builds(
    lambda kind, kernel, stride, padding, dilation: (kind, kernel, stride, padding, dilation),
    st.sampled_from(["conv", "pool"]),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(0, 1),
    st.integers(1, 2),
)


def build(kind, kernel, stride, padding, dilation):
    if kind == "pool":
        return AvgPool2dScratch(kernel, stride, min(padding, kernel // 2))
    # Rows and columns differ, so that they cannot be taken for each other.
    return Conv2dScratch(
        1, 1, (kernel, 2), stride=(stride, 1), padding=((padding, 0), (0, 1)), dilation=dilation
    )


@settings(max_examples=40, deadline=None)
@given(chain=st.lists(layer, min_size=1, max_size=4), seed=st.integers(0, 100))
def test_it_is_the_pixels_whose_gradient_is_not_zero(chain, seed):
    torch.manual_seed(seed)
    layers = nn.Sequential(*(build(*one) for one in chain), nn.Tanh()).double()
    image = torch.randn(1, 33, 30, dtype=torch.float64)
    try:
        height, width = layers(image[None]).shape[2:]
    except ValueError:
        return  # the chain leaves nothing of the image
    rows, columns = receptive_fields(layers)[-1]
    for place in {(0, 0), (height // 2, width // 2), (height - 1, width - 1)}:
        seen = pixels_seen(layers, image, place)
        for field, axis, index, length in ((rows, 1, place[0], 33), (columns, 0, place[1], 30)):
            found = seen.any(dim=axis).nonzero().flatten().tolist()
            expected = field.of(index, length)
            if not found:  # a stride past the last pixel: the windows lie in the padding
                continue
            assert set(found) <= set(expected)
            inside = field.start + index * field.stride
            if inside >= 0 and inside + field.size <= length:
                # Whole inside the image: the ends are seen, whatever dilation skips between.
                assert (found[0], found[-1]) == (expected[0], expected[-1])


def test_opposite_channels_do_not_hide_a_pixel():
    model = nn.Conv2d(1, 2, 1, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([1.0, -1.0]).view(2, 1, 1, 1))
    assert pixels_seen(model, torch.zeros(1, 3, 3), (1, 2)).nonzero().tolist() == [[1, 2]]


def test_what_any_channel_sees_is_seen():
    model = nn.Conv2d(1, 2, (1, 3), bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]).view(2, 1, 1, 3))
    found = pixels_seen(model, torch.zeros(1, 3, 5), (1, 1))
    assert found.nonzero().tolist() == [[1, 1], [1, 3]]


def test_the_largest_hides_the_others():
    image = torch.arange(16.0).view(1, 4, 4)
    for pooling in (nn.MaxPool2d(2), MaxPool2dScratch(2)):
        assert pixels_seen(pooling, image, (0, 0)).nonzero().tolist() == [[1, 1]]


def test_torchs_layers_and_ours_are_read_alike():
    theirs = [
        nn.Conv2d(1, 1, (3, 5), padding="same", dilation=(1, 2)),
        nn.MaxPool2d(3, 2, padding=1, dilation=2),
        nn.AvgPool2d((2, 3)),
    ]
    ours = [
        Conv2dScratch(1, 1, (3, 5), padding="same", dilation=(1, 2)),
        MaxPool2dScratch(3, 2, padding=1, dilation=2),
        AvgPool2dScratch((2, 3)),
    ]
    assert receptive_fields(theirs) == receptive_fields([nn.Sequential(*ours)])


def test_a_layer_that_sees_everything_is_refused():
    with pytest.raises(ValueError, match="Linear is not known"):
        receptive_fields([nn.Flatten(), nn.Linear(3, 3)][1:])
