"""Which pixels a number deep inside a network can see: worked out, and found by gradients.

Book: 6.2 Convolutions for Images, 6.3 Padding and Stride, 6.5 Pooling
Shapes: C channels, H height, W width
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from divekit.nn.convolution import Conv2dScratch, padding_of_sides, pair
from divekit.nn.pooling import AvgPool2dScratch, MaxPool2dScratch

SLIDING = (
    nn.Conv2d,
    nn.MaxPool2d,
    nn.AvgPool2d,
    Conv2dScratch,
    MaxPool2dScratch,
    AvgPool2dScratch,
)
"""Layers that lay a window on every place of an image."""
PIXELWISE = (
    nn.Identity,
    nn.ReLU,
    nn.PReLU,
    nn.LeakyReLU,
    nn.GELU,
    nn.Sigmoid,
    nn.Tanh,
    nn.Dropout,
    nn.Dropout2d,
    nn.BatchNorm2d,
)
"""Layers after which a number has seen no other pixels than before. (While it trains, batch
normalisation does take its means from everywhere; as it predicts it does not.)"""


@dataclass(frozen=True)
class Field:
    """The receptive fields of one layer's outputs, along one side of the image."""

    size: int = 1
    """Pixels from the first to the last that an output can see."""
    stride: int = 1
    """Pixels between the fields of neighbours."""
    start: int = 0
    """First pixel of the field of output 0; padding comes before pixel 0."""

    def after(self, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> "Field":
        """Give the fields after one more layer, which has ``padding`` before its first pixel."""
        return Field(
            size=self.size + dilation * (kernel - 1) * self.stride,
            stride=self.stride * stride,
            start=self.start - padding * self.stride,
        )

    def of(self, place: int, length: int) -> range:
        """Give the pixels that output ``place`` can see on a side of ``length`` pixels."""
        first = self.start + place * self.stride
        return range(max(0, first), min(length, first + self.size))


def receptive_fields(layers: Iterable[nn.Module]) -> list[tuple[Field, Field]]:
    """Work out the receptive fields after each layer of a chain: (rows, columns) for each.

    Takes convolutions and pooling, torch's or ours, layers that work pixel by pixel, and
    ``nn.Sequential`` of such. Any other layer is an error: its way of looking is not known.
    With dilation or with a stride longer than the kernel, pixels inside a field may be skipped.
    """
    fields = []
    rows = columns = Field()
    for layer in _flat(layers):
        if isinstance(layer, SLIDING):
            (height, width), (down, across), (top, left), (row_gap, column_gap) = _geometry(layer)
            rows = rows.after(height, down, top, row_gap)
            columns = columns.after(width, across, left, column_gap)
        elif not isinstance(layer, PIXELWISE):
            raise ValueError(f"the receptive field of {type(layer).__name__} is not known")
        fields.append((rows, columns))
    return fields


def pixels_seen(model: Callable[[Tensor], Tensor], image: Tensor, place: tuple[int, int]) -> Tensor:
    """Find by gradients which pixels count: those that a small change of which is felt.

    Takes an image (C, H, W) and the (row, column) of an output of ``model``, which maps
    (1, C, H, W) to (1, C', H', W'). Gives (H, W), true where any channel's gradient is not zero.
    The largest of a window hides the others, so with maxima this is a part of the field.
    """
    pixels = image.detach()[None].requires_grad_()  # (1, C, H, W)
    seen = torch.zeros(image.shape[1:], dtype=torch.bool, device=image.device)
    # Channel by channel: in their sum, equal and opposite gradients would cancel.
    for output in model(pixels)[0, :, place[0], place[1]]:
        (gradient,) = torch.autograd.grad(output, pixels, retain_graph=True)
        seen |= (gradient[0] != 0).any(dim=0)  # (C, H, W) -> (H, W)
    return seen


def _flat(layers: Iterable[nn.Module]) -> Iterable[nn.Module]:
    for layer in layers:
        if isinstance(layer, nn.Sequential):
            yield from _flat(layer)
        else:
            yield layer


def _geometry(layer: Any) -> tuple[tuple[int, int], ...]:
    """Give a layer's kernel, stride, padding before the first pixel, and dilation."""
    kernel, stride = layer.kernel_size, layer.stride
    dilation = getattr(layer, "dilation", 1)  # averages have none
    (top, _), (left, _) = padding_of_sides(layer.padding, kernel, stride, dilation)
    return pair(kernel), pair(stride), (top, left), pair(dilation)
