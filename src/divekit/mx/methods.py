"""The methods of arrays that are functions of ``mx.np`` with the array put first."""

import functools
from collections.abc import Callable
from typing import Any

from divekit.mx import np
from divekit.mx.array import ndarray

# Those that are called as the function is: x.sum(0) is np.sum(x, 0).
_NAMES = """
abs all any argmax argmin argsort around cumprod cumsum diagonal dot expand_dims flip max mean
min nonzero prod ptp ravel repeat round squeeze std sum swapaxes take tile trace var split exp log
sqrt square sin cos tanh sign floor ceil broadcast_to fliplr flipud diag log2 log10 log1p expm1 sinh
cosh tan arcsin arccos arctan arcsinh arccosh arctanh reciprocal rint fix trunc cbrt degrees radians
nansum nanprod
"""


def _method(name: str) -> Callable[..., Any]:
    function = getattr(np, name)

    @functools.wraps(function)
    def call(self: ndarray, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    call.__qualname__ = f"ndarray.{name}"
    return call


def _reshape(self: ndarray, *newshape: Any, **kwargs: Any) -> Any:
    """Arrange the elements in another shape; sizes one by one or as a tuple."""
    if "shape" in kwargs or "newshape" in kwargs:
        newshape = (kwargs.pop("newshape", None) or kwargs.pop("shape"),)
    if len(newshape) == 1 and isinstance(newshape[0], list | tuple):
        newshape = tuple(newshape[0])
    return np.reshape(self, newshape, **kwargs)


def _transpose(self: ndarray, *axes: Any) -> Any:
    """Reorder the axes, one by one or as a tuple; without any reverse them."""
    if len(axes) == 1 and (axes[0] is None or isinstance(axes[0], list | tuple)):
        return np.transpose(self, axes[0])
    return np.transpose(self, axes or None)


def _flatten(self: ndarray, order: str = "C") -> Any:
    """Copy all elements into a vector."""
    return np.ravel(self, order).copy()


def _clip(self: ndarray, min: Any = None, max: Any = None, out: Any = None) -> Any:
    """Bring elements below ``min`` and above ``max`` to these bounds."""
    return np.clip(self, min, max, out=out)


def _sort(self: ndarray, axis: Any = -1) -> None:
    """Sort in place, as NumPy's method does."""
    self[...] = np.sort(self, axis)


def _fill(self: ndarray, value: Any) -> None:
    """Set every element."""
    self[...] = value


def _view(self: ndarray) -> Any:
    """Give another array over the same numbers."""
    return self[...]


def _broadcast_like(self: ndarray, other: ndarray) -> Any:
    """Broadcast to another array's shape."""
    return np.broadcast_to(self, other.shape)


def _reshape_like(self: ndarray, other: ndarray) -> Any:
    """Arrange the elements in another array's shape."""
    return np.reshape(self, other.shape)


def _attach() -> None:
    for name in _NAMES.split():
        setattr(ndarray, name, _method(name))
    for method in (
        _reshape, _transpose, _flatten, _clip, _sort, _fill, _view, _broadcast_like, _reshape_like,
    ):  # fmt: skip
        method.__name__ = method.__name__[1:]
        method.__qualname__ = f"ndarray.{method.__name__}"
        setattr(ndarray, method.__name__, method)


_attach()
