"""Transforms of pictures (H, W, C), most of them also of batches (N, H, W, C).

``ToTensor`` and ``Normalize`` make the (C, H, W) floats that networks take.
"""

from typing import Any

import torch
from torch import Tensor

from divekit.mx import image
from divekit.mx.calls import apply
from divekit.mx.errors import ShapeError
from divekit.mx.gluon.block import Block
from divekit.mx.gluon.hybrid import HybridBlock
from divekit.mx.gluon.sequential import HybridSequential, Sequential


class Compose(Sequential):
    """Transforms one after the other."""

    def __init__(self, transforms: Any) -> None:
        super().__init__()
        self.add(*transforms)

    def __getitem__(self, key: Any) -> Any:
        found = list(self._children.values())[key]
        return type(self)(found) if isinstance(found, list) else found

    @property
    def takes_batches(self) -> bool:
        """Whether all of them do the same to each picture of a batch."""
        return all(getattr(one, "takes_batches", False) for one in self._children.values())


class HybridCompose(Compose, HybridSequential):
    """Transforms one after the other."""


class _Same(HybridBlock):
    """A transform that does the same to every picture."""

    takes_batches = True


class Cast(_Same):
    """Change the type of the elements."""

    def __init__(self, dtype: Any = "float32") -> None:
        super().__init__()
        self._dtype = dtype

    def forward(self, x: Any) -> Any:
        """Cast."""
        return x.astype(self._dtype)


class ToTensor(_Same):
    """Turn pictures (H, W, C) of 0 to 255 into float32 (C, H, W) of 0 to 1."""

    def forward(self, x: Any) -> Any:
        """Turn one picture, or a batch of them."""
        return apply(_to_tensor, x)


def _to_tensor(pictures: Tensor) -> Tensor:
    if pictures.ndim not in (3, 4):
        raise ShapeError(f"ToTensor takes (H, W, C) or (N, H, W, C), not {tuple(pictures.shape)}")
    # Dividing the bytes as they lie is quicker than after they are moved.
    return torch.div(pictures, 255.0).movedim(-1, -3).contiguous()


class Normalize(_Same):
    """Subtract each channel's ``mean`` and divide by its ``std``, in (C, H, W)."""

    def __init__(self, mean: Any = 0.0, std: Any = 1.0) -> None:
        super().__init__()
        self._mean, self._std = (
            torch.as_tensor(value, dtype=torch.float32).reshape(-1, 1, 1) for value in (mean, std)
        )

    def forward(self, x: Any) -> Any:
        """Normalise one picture, or a batch of them."""
        return apply(self._normed, x)

    def _normed(self, pictures: Tensor) -> Tensor:
        if pictures.ndim not in (3, 4) or pictures.shape[-3] not in (1, 3):
            raise ShapeError(
                f"Normalize takes (C, H, W) with 1 or 3 channels, not {tuple(pictures.shape)}; "
                "put ToTensor before it"
            )
        mean, std = (value.to(pictures.device) for value in (self._mean, self._std))
        return (pictures - mean) / std


def _pair(size: Any) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else tuple(size)


class Resize(_Same):
    """Resize to ``size``, (width, height) or one number for both.

    With ``keep_ratio`` one number is the shorter side. Pictures are not smoothed before they are
    shrunk, as in MXNet.
    """

    def __init__(self, size: Any, keep_ratio: bool = False, interpolation: int = 1) -> None:
        super().__init__()
        self._size, self._keep, self._interpolation = size, keep_ratio, interpolation

    def forward(self, x: Any) -> Any:
        """Resize one picture, or a batch of them."""
        height, width = x.shape[-3:-1]
        if isinstance(self._size, int) and self._keep:
            shorter = min(height, width)
            wanted = (width * self._size // shorter, height * self._size // shorter)
        else:
            wanted = _pair(self._size)
        return apply(image.resized, x, *wanted, self._interpolation)


class CenterCrop(_Same):
    """Cut ``size``, (width, height) or one number, out of the middle; small ones are enlarged."""

    def __init__(self, size: Any, interpolation: int = 1) -> None:
        super().__init__()
        self._size, self._interpolation = _pair(size), interpolation

    def forward(self, x: Any) -> Any:
        """Cut one picture, or each of a batch."""
        return apply(self._cut, x)

    def _cut(self, pictures: Tensor) -> Tensor:
        height, width = pictures.shape[-3:-1]
        new_width, new_height = image.scale_down((width, height), self._size)
        x0, y0 = (width - new_width) // 2, (height - new_height) // 2
        cut = pictures[..., y0 : y0 + new_height, x0 : x0 + new_width, :]
        return image.resized(cut, *self._size, self._interpolation)


class CropResize(_Same):
    """Cut ``width`` by ``height`` out from (x, y), and resize to ``size`` if given."""

    def __init__(
        self, x: int, y: int, width: int, height: int, size: Any = None, interpolation: int = 1
    ) -> None:
        super().__init__()
        self._box = (x, y, width, height)
        self._size, self._interpolation = size, interpolation

    def forward(self, data: Any) -> Any:
        """Cut one picture, or each of a batch."""
        x, y, width, height = self._box
        if data.shape[-3] < y + height or data.shape[-2] < x + width:
            raise ShapeError(f"the box {self._box} reaches out of a picture {data.shape}")
        cut = data[..., y : y + height, x : x + width, :]
        if self._size is None:
            return cut
        return apply(image.resized, cut, *_pair(self._size), self._interpolation)


class _Draw(Block):
    """A transform that draws for each picture."""


class RandomResizedCrop(_Draw):
    """Cut out a part of random area and proportions, resized to ``size``."""

    def __init__(
        self,
        size: Any,
        scale: Any = (0.08, 1.0),
        ratio: tuple[float, float] = (3.0 / 4.0, 4.0 / 3.0),
        interpolation: int = 1,
    ) -> None:
        super().__init__()
        self._args = (_pair(size), scale, ratio, interpolation)

    def forward(self, x: Any) -> Any:
        """Cut."""
        return image.random_size_crop(x, *self._args)[0]


class RandomCrop(_Draw):
    """Cut ``size`` out anywhere, after filling the edges with ``pad`` black pixels."""

    def __init__(self, size: Any, pad: int | None = None, interpolation: int = 1) -> None:
        super().__init__()
        self._size, self._pad, self._interpolation = _pair(size), pad, interpolation

    def forward(self, x: Any) -> Any:
        """Cut."""
        if self._pad:
            x = apply(torch.nn.functional.pad, x, (0, 0) + (self._pad,) * 4)
        return image.random_crop(x, self._size, self._interpolation)[0]


class _Flip(_Draw):
    _axis = -2

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self._p = p

    def forward(self, x: Any) -> Any:
        """Flip or not."""
        if image.uniform(0, 1) >= self._p:
            return x
        return apply(torch.flip, x, (self._axis,))


class RandomFlipLeftRight(_Flip):
    """Mirror with probability ``p``."""


class RandomFlipTopBottom(_Flip):
    """Turn upside down with probability ``p``."""

    _axis = -3


class RandomApply(_Draw):
    """Apply a transform with probability ``p``."""

    def __init__(self, transforms: Any, p: float = 0.5) -> None:
        super().__init__()
        self.transforms, self._p = transforms, p

    def forward(self, x: Any) -> Any:
        """Apply it or not."""
        return self.transforms(x) if image.uniform(0, 1) < self._p else x
