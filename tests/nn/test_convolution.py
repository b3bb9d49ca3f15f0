import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close

from divekit.nn import (
    Conv2dScratch,
    conv2d_scratch,
    convolve,
    cross_correlate,
    cross_correlate_channels,
    output_size,
    windows,
)
from divekit.nn.convolution import WIDE

signal = pytest.importorskip("scipy.signal")

ARANGE = torch.arange(9.0).view(3, 3)
KERNEL = torch.arange(4.0).view(2, 2)


def doubles(*shape, **kwargs):
    return torch.randn(*shape, dtype=torch.float64, **kwargs)


def test_cross_correlation_by_hand():
    # 0*0 + 1*1 + 3*2 + 4*3 = 19 in the upper left corner, and so on.
    assert cross_correlate(ARANGE, KERNEL).tolist() == [[19, 25], [37, 43]]


def test_channels_by_hand():
    image = torch.stack([ARANGE, ARANGE + 1])
    kernel = torch.stack([KERNEL, KERNEL + 1])
    kernels = torch.stack([kernel, kernel + 1, kernel + 2])
    expected = [[[56, 72], [104, 120]], [[76, 100], [148, 172]], [[96, 128], [192, 224]]]
    assert cross_correlate_channels(image, kernels).tolist() == expected
    assert conv2d_scratch(image[None], kernels)[0].tolist() == expected


def test_loops_equal_scipy():
    image, kernel = doubles(7, 9), doubles(3, 2)
    correlated = signal.correlate2d(image.numpy(), kernel.numpy(), mode="valid")
    assert_close(cross_correlate(image, kernel).numpy(), correlated)
    convolved = signal.convolve2d(image.numpy(), kernel.numpy(), mode="valid")
    assert_close(convolve(image, kernel).numpy(), convolved)


def test_loops_and_matrix_product_agree():
    images, weight = doubles(2, 3, 6, 5), doubles(4, 3, 2, 3)
    loops = torch.stack([cross_correlate_channels(image, weight) for image in images])
    assert_close(conv2d_scratch(images, weight), loops)


def test_convolution_is_commutative_and_cross_correlation_is_not():
    image, kernel = doubles(4, 4), doubles(4, 4)
    assert_close(convolve(image, kernel), convolve(kernel, image))
    two, other = F.pad(image, (3, 3, 3, 3)), F.pad(kernel, (3, 3, 3, 3))
    assert_close(convolve(two, kernel), convolve(other, image))
    assert not torch.allclose(cross_correlate(two, kernel), cross_correlate(other, image))


pairs = st.tuples(st.integers(1, 4), st.integers(1, 4))


@settings(max_examples=60, deadline=None)
@given(
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    kernel=pairs,
    stride=pairs,
    padding=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    dilation=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    channels=st.integers(1, 3),
    outputs=st.integers(1, 3),
    groups=st.integers(1, 2),
    seed=st.integers(0, 1000),
)
def test_values_and_gradients_equal_torchs(
    size, kernel, stride, padding, dilation, channels, outputs, groups, seed
):
    reach = [gap * (k - 1) + 1 for gap, k in zip(dilation, kernel, strict=True)]
    assume(all(n + 2 * p >= r for n, p, r in zip(size, padding, reach, strict=True)))
    torch.manual_seed(seed)
    images = doubles(2, channels * groups, *size, requires_grad=True)
    weight = doubles(outputs * groups, channels, *kernel, requires_grad=True)
    bias = doubles(outputs * groups, requires_grad=True)
    settings_ = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    ours = conv2d_scratch(images, weight, bias, **settings_)
    theirs = F.conv2d(images, weight, bias, **settings_)
    assert_close(ours, theirs)
    pull = torch.randn_like(theirs)
    leaves = (images, weight, bias)
    for own, other in zip(
        torch.autograd.grad(ours, leaves, pull),
        torch.autograd.grad(theirs, leaves, pull),
        strict=True,
    ):
        assert_close(own, other)


@pytest.mark.parametrize("kernel", [1, 2, 3, (4, 5)])
@pytest.mark.parametrize("dilation", [1, 2, (3, 1)])
def test_padding_in_words_equals_torchs(kernel, dilation):
    height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
    images, weight = doubles(2, 3, 11, 12), doubles(4, 3, height, width)
    for words in ("same", "valid"):
        ours = conv2d_scratch(images, weight, padding=words, dilation=dilation)
        assert_close(ours, F.conv2d(images, weight, padding=words, dilation=dilation))
    assert conv2d_scratch(images, weight, padding="same").shape[2:] == images.shape[2:]


def test_padding_may_differ_from_side_to_side():
    images, weight = doubles(2, 3, 5, 6), doubles(4, 3, 3, 3)
    ours = conv2d_scratch(images, weight, padding=((2, 0), (1, 3)))
    assert_close(ours, F.conv2d(F.pad(images, (1, 3, 2, 0)), weight))
    ours = conv2d_scratch(images, weight, padding=(2, (0, 1)))
    assert_close(ours, F.conv2d(F.pad(images, (0, 1, 2, 2)), weight))


def test_gradients_by_finite_differences():
    images, weight = (
        doubles(2, 4, 5, 4, requires_grad=True),
        doubles(2, 2, 3, 2, requires_grad=True),
    )
    bias = doubles(2, requires_grad=True)

    def function(*inputs):
        return conv2d_scratch(
            *inputs, stride=(2, 1), padding=((1, 0), (0, 2)), dilation=(1, 2), groups=2
        )

    assert torch.autograd.gradcheck(function, (images, weight, bias))


def test_many_weights_for_each_output():
    """Wide rows take another way through memory, and must come to the same."""
    images, weight = (
        doubles(2, 16, 6, 6, requires_grad=True),
        doubles(4, 8, 3, 3, requires_grad=True),
    )
    ours, theirs = conv2d_scratch(images, weight, groups=2), F.conv2d(images, weight, groups=2)
    assert weight[0].numel() > WIDE
    assert_close(ours, theirs)
    pull = torch.randn_like(theirs)
    for own, other in zip(
        torch.autograd.grad(ours, (images, weight), pull),
        torch.autograd.grad(theirs, (images, weight), pull),
        strict=True,
    ):
        assert_close(own, other)


def test_any_layout_in_memory_will_do():
    images, weight = doubles(2, 4, 7, 7), doubles(6, 4, 3, 3)
    expected = conv2d_scratch(images, weight)
    for other in (
        images.to(memory_format=torch.channels_last),
        images.permute(3, 2, 1, 0).contiguous().permute(3, 2, 1, 0),
    ):
        assert_close(conv2d_scratch(other, weight.to(memory_format=torch.channels_last)), expected)
        assert_close(conv2d_scratch(other, weight.mT), F.conv2d(images, weight.mT))


def test_a_kernel_of_one_pixel_is_a_matrix_product_over_channels():
    images, weight = doubles(2, 3, 4, 5), doubles(6, 3, 1, 1)
    product = torch.einsum("oc,bchw->bohw", weight[:, :, 0, 0], images)
    assert_close(conv2d_scratch(images, weight), product)


def test_shifting_the_image_shifts_the_output():
    images, weight = doubles(1, 2, 12, 12), doubles(3, 2, 3, 3)
    before, after = (
        conv2d_scratch(image, weight) for image in (images, images.roll((2, 1), (2, 3)))
    )
    assert_close(after[:, :, 2:, 1:], before[:, :, :-2, :-1])


@pytest.mark.parametrize(
    ("size", "kernel", "how", "expected"),
    [  # the book's four examples on a side of 8; padding is that of both ends
        (8, 3, {"padding": 2}, 8),
        (8, 5, {"padding": 4}, 8),
        (8, 3, {"padding": 2, "stride": 2}, 4),
        (8, 3, {"stride": 3}, 2),
        (8, 5, {"padding": 2, "stride": 4}, 2),
        (10, 3, {"dilation": 3}, 4),
    ],
)
def test_output_sizes_by_hand(size, kernel, how, expected):
    assert output_size(size, kernel, **how) == expected


def test_windows_by_hand():
    found = windows(ARANGE.view(1, 1, 3, 3), 2, stride=(1, 2), padding=((0, 0), (1, 0)), fill=9)
    # (C, h * w, H', W', B): two rows of places, two columns; the left one begins in the padding
    assert found.shape == (1, 4, 2, 2, 1)
    assert found[0, :, 0, 0, 0].tolist() == [9, 0, 9, 3]
    assert found[0, :, 1, 1, 0].tolist() == [4, 5, 7, 8]


@pytest.mark.parametrize(
    "settings_",
    [
        {},
        {"stride": 2, "padding": 1, "groups": 2},
        {"padding": "same", "dilation": (2, 1), "bias": False},
    ],
)
def test_the_layer_takes_torchs_state_and_agrees_with_it(settings_):
    ours, theirs = Conv2dScratch(4, 6, (3, 2), **settings_), nn.Conv2d(4, 6, (3, 2), **settings_)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    images = torch.randn(2, 4, 7, 7)
    assert_close(ours(images), theirs(images))


def test_the_layer_begins_as_torchs_does():
    ours, theirs = (kind(32, 64, 5) for kind in (Conv2dScratch, nn.Conv2d))
    for name in ("weight", "bias"):
        one, other = getattr(ours, name), getattr(theirs, name)
        assert one.abs().max() <= (32 * 25) ** -0.5
        assert_close(one.abs().max(), other.abs().max(), rtol=0.1, atol=0)
        assert_close(one.std(), other.std(), rtol=0.2, atol=0)


def test_the_layer_compiles_and_exports():
    layer, images = Conv2dScratch(2, 3, 3, padding="same"), torch.randn(2, 2, 5, 5)
    torch.compiler.reset()
    assert_close(torch.compile(layer, backend="eager", fullgraph=True)(images), layer(images))
    assert_close(torch.export.export(layer, (images,)).module()(images), layer(images))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cross_correlate(ARANGE, torch.ones(4, 4)), "finds no place"),
        (lambda: cross_correlate_channels(ARANGE[None], torch.ones(1, 2, 2, 2)), "kernels for 2"),
        (lambda: output_size(3, 5, padding=1), "reaches over 5 pixels finds no place on 3"),
        (lambda: output_size(4, 3, dilation=2), "reaches over 5 pixels"),
        (lambda: conv2d_scratch(torch.ones(1, 3, 4, 4), torch.ones(2, 2, 2, 2)), "3 channels"),
        (lambda: conv2d_scratch(torch.ones(1, 4, 4, 4), torch.ones(3, 2, 2, 2), groups=2), "group"),
        (lambda: windows(torch.ones(1, 1, 4, 4), 2, stride=0), "at least 1"),
        (lambda: windows(torch.ones(1, 1, 4, 4), 2, padding=-1), "not be negative"),
        (lambda: windows(torch.ones(1, 1, 4, 4), 2, padding="full"), "'same' and 'valid'"),
        (lambda: windows(torch.ones(1, 1, 4, 4), 2, padding="same", stride=2), "stride 1 only"),
        (lambda: Conv2dScratch(3, 4, 2, groups=2), "cannot form 2 groups"),
    ],
)
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
