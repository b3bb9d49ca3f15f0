"""Convolution from its definition: in loops for the eye, and as one matrix product for use.

Book: 6.2 Convolutions for Images, 6.3 Padding and Stride, 6.4 Multiple Channels
Shapes: B images, C channels in, O channels out, H height, W width, (h, w) kernel,
(H', W') height and width of the output, G groups

What deep learning calls a convolution is a cross-correlation: the kernel is not flipped.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Pair = int | tuple[int, int]
"""A number for the height and one for the width, or one for both."""
Padding = Pair | tuple[tuple[int, int], tuple[int, int]] | Literal["same", "valid"]
"""Pixels around an image: one number for all sides; (rows, columns) on either side;
((top, bottom), (left, right)); ``valid`` for none, ``same`` for as many as keep the size."""

WIDE = 64
"""Weights in a row from which another layout in memory pays; measured."""


def cross_correlate(image: Tensor, kernel: Tensor) -> Tensor:
    """Lay the kernel (h, w) on every place of the image (H, W), multiply and add up.

    Gives (H - h + 1, W - w + 1), one number for each place.
    """
    height, width = kernel.shape
    rows, columns = image.shape[0] - height + 1, image.shape[1] - width + 1
    if min(rows, columns) < 1:
        raise ValueError(f"a kernel {height} x {width} finds no place on {tuple(image.shape)}")
    output = image.new_zeros(rows, columns)
    for i in range(rows):
        for j in range(columns):
            output[i, j] = (image[i : i + height, j : j + width] * kernel).sum()
    return output


def convolve(image: Tensor, kernel: Tensor) -> Tensor:
    """Convolve as mathematics defines it: cross-correlate with the kernel turned by 180 degrees."""
    return cross_correlate(image, kernel.flip(0, 1))


def cross_correlate_channels(image: Tensor, kernels: Tensor) -> Tensor:
    """Cross-correlate an image of many channels: (C, H, W) with (O, C, h, w) is (O, H', W').

    Each of the O outputs has a kernel for each channel, and adds up what they give.
    """
    if image.shape[0] != kernels.shape[1]:
        raise ValueError(f"{image.shape[0]} channels and kernels for {kernels.shape[1]}")
    return torch.stack(
        [
            torch.stack([cross_correlate(*pair) for pair in zip(image, kernel, strict=True)]).sum(0)
            for kernel in kernels
        ]
    )


def output_size(
    size: int, kernel: int, *, padding: int = 0, stride: int = 1, dilation: int = 1
) -> int:
    """Count the places of a kernel along one side: floor((n + p - d(k - 1) - 1) / s) + 1.

    ``padding`` is p, the pixels added at both ends together. Fewer than one place is an error.
    """
    reach = dilation * (kernel - 1) + 1  # from the first to the last pixel under the kernel
    places = (size + padding - reach) // stride + 1
    if places < 1:
        raise ValueError(
            f"a kernel that reaches over {reach} pixels finds no place on {size}"
            + f" and a padding of {padding}" * bool(padding)
        )
    return places


def windows(
    images: Tensor,
    kernel: Pair,
    *,
    stride: Pair = 1,
    padding: Padding = 0,
    dilation: Pair = 1,
    fill: float = 0.0,
) -> Tensor:
    """Gather what lies under the kernel at each of its places: (C, h * w, H', W', B).

    Takes images (B, C, H, W). ``fill`` is what the pixels of the padding hold. The images come
    last, so that a whole batch is copied at once for each pixel: several times faster.
    """
    height, width = pair(kernel)
    down, across = pair(stride)
    row_gap, column_gap = pair(dilation)
    if min(height, width, down, across, row_gap, column_gap) < 1:
        raise ValueError("kernel, stride and dilation must be at least 1")
    (top, bottom), (left, right) = padding_of_sides(padding, kernel, stride, dilation)
    rows = output_size(images.shape[2], height, padding=top + bottom, stride=down, dilation=row_gap)
    columns = output_size(
        images.shape[3], width, padding=left + right, stride=across, dilation=column_gap
    )
    padded = F.pad(images, (left, right, top, bottom), value=fill)
    flat = padded.permute(1, 2, 3, 0).flatten(1, 2)  # (B, C, H, W) -> (C, H * W, B)
    # Under weight a, at place i, lies pixel stride * i + dilation * a: (h, H') and (w, W').
    row = row_gap * torch.arange(height)[:, None] + down * torch.arange(rows)
    column = column_gap * torch.arange(width)[:, None] + across * torch.arange(columns)
    pixel = row[:, None, :, None] * padded.shape[3] + column[None, :, None, :]  # (h, w, H', W')
    gathered = flat.index_select(1, pixel.flatten().to(images.device))  # (C, h*w*H'*W', B)
    return gathered.view(images.shape[1], height * width, rows, columns, images.shape[0])


def conv2d_scratch(
    images: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    stride: Pair = 1,
    padding: Padding = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Tensor:
    """Convolve images (B, C, H, W) with weight (O, C / G, h, w) by one matrix product.

    Gives (B, O, H', W'). The windows are laid out as columns; each row of the weight matrix
    meets all of them. With G groups, each meets the windows of its own channels only.
    """
    channels, outputs = images.shape[1], weight.shape[0]
    if channels != weight.shape[1] * groups or outputs % groups:
        raise ValueError(
            f"images of {channels} channels and weight {tuple(weight.shape)} do not fit in "
            f"{groups} group(s)"
        )
    kernel = (weight.shape[2], weight.shape[3])
    under = windows(images, kernel, stride=stride, padding=padding, dilation=dilation)
    places = under.shape[2:]  # (H', W', B)
    columns = under.view(groups, -1, places.numel())  # (G, C/G * h*w, H'*W'*B)
    rows = weight.reshape(groups, outputs // groups, -1)  # (G, O/G, C/G * h*w)
    if rows.shape[-1] > WIDE:
        # The gradient of a matrix that lies in memory column by column is computed so too, and
        # where its rows are wide that takes half the time.
        rows = rows.mT.contiguous().mT
    products = torch.cat([row @ column for row, column in zip(rows, columns, strict=True)])
    products = products.view(outputs, *places)
    if bias is not None:
        products = products + bias[:, None, None, None]
    return products.permute(3, 0, 1, 2)  # (O, H', W', B) -> (B, O, H', W')


class Conv2dScratch(nn.Module):
    """A convolutional layer on bare tensors: (B, C, H, W) to (B, O, H', W').

    Takes what ``nn.Conv2d`` takes, begins as it does, and has the same names in its state.
    Padding may differ from side to side as well; see ``Padding``.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        *,
        stride: Pair = 1,
        padding: Padding = 0,
        dilation: Pair = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if in_channels % groups or out_channels % groups:
            raise ValueError(
                f"{in_channels} and {out_channels} channels cannot form {groups} groups"
            )
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.dilation, self.groups = dilation, groups
        height, width = pair(kernel_size)
        bound = (in_channels // groups * height * width) ** -0.5  # 1 over root of the inputs
        self.weight = nn.Parameter(
            torch.empty(out_channels, in_channels // groups, height, width).uniform_(-bound, bound)
        )
        self.bias = (
            nn.Parameter(torch.empty(out_channels).uniform_(-bound, bound)) if bias else None
        )

    def forward(self, images: Tensor) -> Tensor:
        return conv2d_scratch(
            images,
            self.weight,
            self.bias,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=self.groups,
        )


def padding_of_sides(
    padding: Padding, kernel: Pair, stride: Pair = 1, dilation: Pair = 1
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Spell a padding out: ((top, bottom), (left, right)).

    ``same`` adds d(k - 1) pixels, the odd one at the end. It keeps the size with stride 1 only,
    so another stride is an error, as it is in torch.
    """
    if padding == "valid":
        return (0, 0), (0, 0)
    if padding == "same":
        if pair(stride) != (1, 1):
            raise ValueError("padding 'same' keeps the size with stride 1 only; give numbers")
        totals = [gap * (size - 1) for gap, size in zip(pair(dilation), pair(kernel), strict=True)]
        rows, columns = ((total // 2, total - total // 2) for total in totals)
        return rows, columns
    if isinstance(padding, str):
        raise ValueError(f"padding is {padding!r}; the words for it are 'same' and 'valid'")
    both = (padding, padding) if isinstance(padding, int) else padding
    rows, columns = (pair(side) for side in both)
    if min(*rows, *columns) < 0:
        raise ValueError(f"padding is {padding}; it must not be negative")
    return rows, columns


def pair(value: Pair) -> tuple[int, int]:
    """Give the number for the height and the one for the width."""
    return (value, value) if isinstance(value, int) else value
