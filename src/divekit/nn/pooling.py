"""Pooling from its definition: the largest or the mean pixel of every window.

Book: 6.5 Pooling
Shapes: B images, C channels, H height, W width, (H', W') height and width of the output

Every channel is pooled by itself, and nothing is learned.
"""

import math

from torch import Tensor, nn

from divekit.nn.convolution import Padding, Pair, padding_of_sides, pair, windows


def max_pool2d_scratch(
    images: Tensor,
    kernel: Pair,
    *,
    stride: Pair | None = None,
    padding: Padding = 0,
    dilation: Pair = 1,
) -> Tensor:
    """Take the largest pixel under each window: (B, C, H, W) to (B, C, H', W').

    Windows touch unless a ``stride`` is given. Padding never wins. The gradient goes to the pixel
    that was taken, the first of equal ones.
    """
    under = windows(
        images,
        kernel,
        stride=kernel if stride is None else stride,
        padding=_at_most_half(padding, kernel),
        dilation=dilation,
        fill=-math.inf,
    )  # (C, h * w, H', W', B)
    return under.max(dim=1).values.permute(3, 0, 1, 2)  # (C, H', W', B) -> (B, C, H', W')


def avg_pool2d_scratch(
    images: Tensor, kernel: Pair, *, stride: Pair | None = None, padding: Padding = 0
) -> Tensor:
    """Take the mean of each window: (B, C, H, W) to (B, C, H', W').

    Windows touch unless a ``stride`` is given. Padding counts as pixels of zero, as in torch.
    """
    under = windows(
        images,
        kernel,
        stride=kernel if stride is None else stride,
        padding=_at_most_half(padding, kernel),
    )  # (C, h * w, H', W', B)
    return under.mean(dim=1).permute(3, 0, 1, 2)  # (C, H', W', B) -> (B, C, H', W')


class MaxPool2dScratch(nn.Module):
    """Take the largest pixel of every window, as ``nn.MaxPool2d`` does."""

    def __init__(
        self,
        kernel_size: Pair,
        stride: Pair | None = None,
        padding: Padding = 0,
        dilation: Pair = 1,
    ) -> None:
        super().__init__()
        self.kernel_size, self.padding, self.dilation = kernel_size, padding, dilation
        self.stride = kernel_size if stride is None else stride

    def forward(self, images: Tensor) -> Tensor:
        return max_pool2d_scratch(
            images,
            self.kernel_size,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
        )


class AvgPool2dScratch(nn.Module):
    """Take the mean of every window, as ``nn.AvgPool2d`` does."""

    def __init__(self, kernel_size: Pair, stride: Pair | None = None, padding: Padding = 0) -> None:
        super().__init__()
        self.kernel_size, self.padding = kernel_size, padding
        self.stride = kernel_size if stride is None else stride

    def forward(self, images: Tensor) -> Tensor:
        return avg_pool2d_scratch(
            images, self.kernel_size, stride=self.stride, padding=self.padding
        )


def _at_most_half(padding: Padding, kernel: Pair) -> tuple[tuple[int, int], tuple[int, int]]:
    """Spell the padding out; a window of padding alone would have nothing to pool."""
    sides = padding_of_sides(padding, kernel)
    for size, ends in zip(pair(kernel), sides, strict=True):
        if max(ends) > size // 2:
            raise ValueError(f"a padding of {max(ends)} is more than half of a window of {size}")
    return sides
