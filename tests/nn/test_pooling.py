import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from divekit.nn import (
    AvgPool2dScratch,
    MaxPool2dScratch,
    avg_pool2d_scratch,
    conv2d_scratch,
    max_pool2d_scratch,
)

NINE = torch.arange(9.0).view(1, 1, 3, 3)
SIXTEEN = torch.arange(16.0).view(1, 1, 4, 4)


def test_by_hand():
    assert max_pool2d_scratch(NINE, 2, stride=1).tolist() == [[[[4, 5], [7, 8]]]]
    assert avg_pool2d_scratch(NINE, 2, stride=1).tolist() == [[[[2, 3], [5, 6]]]]
    assert max_pool2d_scratch(SIXTEEN, 3).tolist() == [[[[10]]]]  # windows touch: one fits
    assert max_pool2d_scratch(SIXTEEN, 3, padding=1, stride=2).tolist() == [[[[5, 7], [13, 15]]]]
    assert max_pool2d_scratch(SIXTEEN, (2, 3), padding=(0, 1)).tolist() == [[[[5, 7], [13, 15]]]]


def test_each_channel_is_pooled_by_itself():
    both = torch.cat([SIXTEEN, SIXTEEN + 1], dim=1)
    pooled = max_pool2d_scratch(both, 3, padding=1, stride=2)
    assert pooled.tolist() == [[[[5, 7], [13, 15]], [[6, 8], [14, 16]]]]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_values_and_gradients_equal_torchs(data):
    size = data.draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    kernel = data.draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    stride = data.draw(st.none() | st.tuples(st.integers(1, 4), st.integers(1, 4)))
    padding = tuple(data.draw(st.integers(0, k // 2)) for k in kernel)
    dilation = data.draw(st.sampled_from([1, 2]))
    for n, p, k, step in zip(size, padding, kernel, stride or kernel, strict=True):
        assume(n + 2 * p >= dilation * (k - 1) + 1)
        # Under a window of padding alone torch takes a pixel outside of the image, and its
        # gradient is then written into memory that belongs to others.
        starts = range(-p, n + p - dilation * (k - 1), step)
        assume(all(any(0 <= start + dilation * a < n for a in range(k)) for start in starts))
    # Whole numbers, so that there are ties: the gradient must go to the same pixel as in torch.
    whole = data.draw(st.booleans())
    torch.manual_seed(data.draw(st.integers(0, 1000)))
    images = torch.randn(2, 3, *size, dtype=torch.float64)
    images = (images.round() if whole else images).requires_grad_()
    chosen = {"stride": stride, "padding": padding}
    pairs = [
        (
            max_pool2d_scratch(images, kernel, dilation=dilation, **chosen),
            F.max_pool2d(images, kernel, dilation=dilation, **chosen),
        )
    ]
    if dilation == 1:
        pairs.append(
            (avg_pool2d_scratch(images, kernel, **chosen), F.avg_pool2d(images, kernel, **chosen))
        )
    for ours, theirs in pairs:
        assert_close(ours, theirs)
        pull = torch.randn_like(theirs)
        assert_close(*(torch.autograd.grad(values, images, pull)[0] for values in (ours, theirs)))


def test_padding_never_wins():
    assert max_pool2d_scratch(-1 - NINE, 3, padding=1, stride=2).max() == -1 - 0
    assert (max_pool2d_scratch(-1 - NINE, 3, padding=1, stride=2) < 0).all()


def test_the_mean_is_a_convolution_of_each_channel():
    images = torch.randn(2, 3, 6, 6)
    mean = torch.full((3, 1, 2, 2), 1 / 4)
    assert_close(avg_pool2d_scratch(images, 2), conv2d_scratch(images, mean, stride=2, groups=3))


def test_gradients_by_finite_differences():
    images = torch.randn(2, 2, 5, 4, dtype=torch.float64, requires_grad=True)
    for function in (max_pool2d_scratch, avg_pool2d_scratch):
        assert torch.autograd.gradcheck(
            lambda x, function=function: function(x, 3, padding=1, stride=(2, 1)), images
        )


def test_the_layers_call_the_functions():
    images = torch.randn(2, 3, 8, 8)
    layer = MaxPool2dScratch((3, 2), 2, padding=(1, 0), dilation=2)
    expected = F.max_pool2d(images, (3, 2), 2, padding=(1, 0), dilation=2)
    assert_close(layer(images), expected)
    assert_close(AvgPool2dScratch(3, padding=1)(images), F.avg_pool2d(images, 3, padding=1))


def test_a_window_of_padding_alone_is_refused():
    for function in (max_pool2d_scratch, avg_pool2d_scratch):
        with pytest.raises(ValueError, match="more than half of a window of 2"):
            function(NINE, (4, 2), padding=(2, 2))
