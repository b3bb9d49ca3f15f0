"""Transforms of colours, drawn for each picture (H, W, C), red first.

Bytes are rounded and kept between 0 and 255; floats are left as they come out.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from divekit.mx.calls import apply
from divekit.mx.gluon.block import Block
from divekit.mx.image import uniform

# How bright red, green and blue look.
_GREY = (0.299, 0.587, 0.114)
# The main directions of colours in ImageNet, scaled, as MXNet has them.
_LIGHTING = (
    (55.46 * -0.5675, 4.794 * 0.7192, 1.148 * 0.4009),
    (55.46 * -0.5808, 4.794 * -0.0045, 1.148 * -0.8140),
    (55.46 * -0.5836, 4.794 * -0.6948, 1.148 * 0.4203),
)


def _colored(change: Callable[[Tensor], Tensor], picture: Any) -> Any:
    """Apply a change to floats, and give the picture's own type back."""

    def call(pixels: Tensor) -> Tensor:
        changed = change(pixels.float() if not pixels.is_floating_point() else pixels)
        if pixels.is_floating_point():
            return changed
        return changed.round().clamp(0, 255).to(pixels.dtype)

    return apply(call, picture)


def _grey(pixels: Tensor) -> Tensor:
    if pixels.shape[-1] == 1:
        return pixels
    return (pixels * pixels.new_tensor(_GREY)).sum(-1, keepdim=True)


def brightened(pixels: Tensor, by: float) -> Tensor:
    """Multiply all by ``by``."""
    return pixels * by


def contrasted(pixels: Tensor, by: float) -> Tensor:
    """Move all away from the mean grey."""
    return pixels * by + _grey(pixels).mean() * (1 - by)


def saturated(pixels: Tensor, by: float) -> Tensor:
    """Move each pixel away from its own grey."""
    return pixels * by + _grey(pixels) * (1 - by)


def hue_turned(pixels: Tensor, by: float) -> Tensor:
    """Turn the hue by a share of the circle; the extent of the colours stays."""
    if pixels.shape[-1] == 1:
        return pixels
    red, green, blue = pixels.unbind(-1)
    top, bottom = pixels.amax(-1), pixels.amin(-1)
    extent = top - bottom
    safe = torch.where(extent > 0, extent, torch.ones_like(extent))
    hue = torch.where(
        top == red,
        (green - blue) / safe,
        torch.where(top == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    hue = hue + 6 * by

    def channel(start: float) -> Tensor:
        place = (hue + start) % 6
        return top - extent * torch.minimum(place, 4 - place).clamp(0, 1)

    return torch.stack([channel(5), channel(3), channel(1)], -1)


class _Jitter(Block):
    """Change colours by a factor drawn between 1 - ``amount`` and 1 + ``amount``, from 0."""

    _change: Any = staticmethod(brightened)

    def __init__(self, amount: float) -> None:
        super().__init__()
        if amount < 0:
            raise ValueError(f"{type(self).__name__} takes an amount of 0 or more, not {amount}")
        self._bounds = (max(0.0, 1 - amount), 1 + amount)

    def forward(self, x: Any) -> Any:
        """Draw and change."""
        by = uniform(*self._bounds)
        return _colored(lambda pixels: self._change(pixels, by), x)


class RandomBrightness(_Jitter):
    """Multiply by a factor drawn around 1."""

    def __init__(self, brightness: float) -> None:
        super().__init__(brightness)


class RandomContrast(_Jitter):
    """Move away from, or towards, the mean grey."""

    _change = staticmethod(contrasted)

    def __init__(self, contrast: float) -> None:
        super().__init__(contrast)


class RandomSaturation(_Jitter):
    """Move each pixel away from, or towards, its own grey."""

    _change = staticmethod(saturated)

    def __init__(self, saturation: float) -> None:
        super().__init__(saturation)


class RandomHue(_Jitter):
    """Turn the hue by up to ``hue`` of the circle, either way."""

    _change = staticmethod(hue_turned)

    def __init__(self, hue: float) -> None:
        super().__init__(hue)


class RandomColorJitter(Block):
    """Brightness, contrast, saturation and hue, in an order that is drawn too."""

    def __init__(
        self,
        brightness: float = 0,
        contrast: float = 0,
        saturation: float = 0,
        hue: float = 0,
    ) -> None:
        super().__init__()
        kinds = (RandomBrightness, RandomContrast, RandomSaturation, RandomHue)
        amounts = (brightness, contrast, saturation, hue)
        for kind, amount in zip(kinds, amounts, strict=True):
            if amount:
                self.register_child(kind(amount))

    def forward(self, x: Any) -> Any:
        """Change."""
        jitters = list(self._children.values())
        for place in torch.randperm(len(jitters)).tolist():
            x = jitters[place](x)
        return x


class RandomLighting(Block):
    """Add noise along the main directions of colours, of standard deviation ``alpha``."""

    def __init__(self, alpha: float) -> None:
        super().__init__()
        self._alpha = alpha

    def forward(self, x: Any) -> Any:
        """Add."""
        noise = torch.tensor(_LIGHTING) @ (torch.randn(3) * self._alpha)
        return _colored(lambda pixels: pixels + noise.to(pixels), x)


class RandomGray(Block):
    """Turn into grey, in three equal channels, with probability ``p``."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self._p = p

    def forward(self, x: Any) -> Any:
        """Turn or not."""
        if uniform(0, 1) >= self._p:
            return x
        return _colored(lambda pixels: _grey(pixels).expand_as(pixels), x)
