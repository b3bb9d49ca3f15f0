"""Pooling over one, two and three axes, and padding by reflection.

Shapes: N examples, C channels; the spatial axes follow
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from divekit.mx.gluon.hybrid import Layer
from divekit.mx.gluon.nn.conv import LAYOUTS, check_layout, sizes

_MAX: dict[int, Any] = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
_AVG: dict[int, Any] = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


class _Pooling(Layer):
    """The largest element or the mean of each window."""

    _count = 2
    _type = "max"
    _global = False

    def __init__(
        self,
        pool_size: Any,
        strides: Any,
        padding: Any,
        ceil_mode: bool,
        layout: str | None,
        count_include_pad: bool,
        prefix: str | None,
        params: Any,
    ) -> None:
        super().__init__(prefix, params)
        check_layout(layout, self._count)
        self._size = sizes("pool_size", pool_size, self._count)
        self._strides = sizes("strides", pool_size if strides is None else strides, self._count)
        self._padding = sizes("padding", padding, self._count)
        self._ceil, self._count_include_pad = ceil_mode, count_include_pad

    def _alias(self) -> str:
        return "pool"

    def forward(self, x: Any) -> Any:
        """Pool."""
        return self.compute(self._pooled, x)

    def _pooled(self, x: Tensor) -> Tensor:
        if x.ndim != self._count + 2:
            raise RuntimeError(f"the shape of the input has {self._count + 2} axes")
        if self._global:
            axes = tuple(range(2, x.ndim))
            return x.mean(axes, keepdim=True) if self._type == "avg" else x.amax(axes, keepdim=True)
        padding: Any = self._padding
        if any(2 * pad > size for pad, size in zip(padding, self._size, strict=True)):
            # Torch pads by at most half a window.
            empty = -torch.inf if self._type == "max" else 0.0
            x = F.pad(x, [pad for pad in reversed(padding) for _ in (0, 1)], value=empty)
            padding = (0,) * self._count
        if self._type == "max":
            return _MAX[self._count](x, self._size, self._strides, padding, ceil_mode=self._ceil)
        return _AVG[self._count](
            x, self._size, self._strides, padding, self._ceil, self._count_include_pad
        )

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(size={self._size}, stride={self._strides}, "
            f"padding={self._padding}, ceil_mode={self._ceil}, global_pool={self._global}, "
            f"pool_type={self._type}, layout={LAYOUTS[self._count]})"
        )


def _max(count: int) -> Any:
    class Pooling(_Pooling):
        _count = count

        def __init__(
            self,
            pool_size: Any = 2,
            strides: Any = None,
            padding: Any = 0,
            layout: str | None = None,
            ceil_mode: bool = False,
            prefix: str | None = None,
            params: Any = None,
        ) -> None:
            super().__init__(pool_size, strides, padding, ceil_mode, layout, True, prefix, params)

    return _called(Pooling, f"MaxPool{count}D", "the largest element of each window")


def _avg(count: int) -> Any:
    class Pooling(_Pooling):
        _count = count
        _type = "avg"

        def __init__(
            self,
            pool_size: Any = 2,
            strides: Any = None,
            padding: Any = 0,
            ceil_mode: bool = False,
            layout: str | None = None,
            count_include_pad: bool = True,
            prefix: str | None = None,
            params: Any = None,
        ) -> None:
            super().__init__(
                pool_size, strides, padding, ceil_mode, layout, count_include_pad, prefix, params
            )

    return _called(Pooling, f"AvgPool{count}D", "the mean of each window")


def _whole(count: int, pool_type: str) -> Any:
    class Pooling(_Pooling):
        _count = count
        _type = pool_type
        _global = True

        def __init__(
            self, layout: str | None = None, prefix: str | None = None, params: Any = None
        ) -> None:
            super().__init__(1, None, 0, True, layout, True, prefix, params)

    name = f"Global{pool_type.capitalize()}Pool{count}D"
    what = "the largest element" if pool_type == "max" else "the mean"
    return _called(Pooling, name, f"{what} of each channel, with spatial axes of size 1")


def _called(kind: type, name: str, what: str) -> type:
    kind.__name__ = kind.__qualname__ = name
    kind.__doc__ = f"Give {what}; the stride is the window's size unless given."
    return kind


MaxPool1D, MaxPool2D, MaxPool3D = map(_max, (1, 2, 3))
AvgPool1D, AvgPool2D, AvgPool3D = map(_avg, (1, 2, 3))
GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = (_whole(count, "max") for count in (1, 2, 3))
GlobalAvgPool1D, GlobalAvgPool2D, GlobalAvgPool3D = (_whole(count, "avg") for count in (1, 2, 3))


class ReflectionPad2D(Layer):
    """Continue images beyond their edges by their mirror image.

    ``padding`` is one number, or the eight of MXNet (N, C, H and W, before and after each).
    """

    def __init__(self, padding: Any = 0, prefix: str | None = None, params: Any = None) -> None:
        super().__init__(prefix, params)
        given = (0, 0, 0, 0) + (padding,) * 4 if isinstance(padding, int) else tuple(padding)
        if len(given) != 8 or any(given[:4]):
            raise ValueError(
                f"padding is one number or (0, 0, 0, 0, above, below, left, right), not {padding!r}"
            )
        self._padding = given

    def forward(self, x: Any) -> Any:
        """Pad."""
        above, below, left, right = self._padding[4:]
        return self.compute(_reflected, x, [left, right, above, below])


def _reflected(x: Tensor, padding: list[int]) -> Tensor:
    return F.pad(x, padding, mode="reflect")
