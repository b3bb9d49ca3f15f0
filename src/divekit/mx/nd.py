"""``mx.nd``: the few names of MXNet's older arrays that the book still uses.

``NDArray`` is an array that prints the old way and has at least one axis; what is computed from
one is one. For everything else there is ``mx.np``.
"""

from typing import Any

from divekit.mx import files, np, npx
from divekit.mx.array import ndarray, wrap
from divekit.mx.errors import no_attribute
from divekit.mx.np import creation
from divekit.mx.npx import switches

__all__ = [
    "NDArray",
    "arange",
    "array",
    "load",
    "max",
    "mean",
    "min",
    "nansum",
    "np",
    "npx",
    "ones",
    "prod",
    "save",
    "sum",
    "waitall",
    "zeros",
]

load, save = files.load, files.save
waitall = switches.waitall


class NDArray(ndarray):
    """An array of the older kind; ``as_np_ndarray`` makes one of ``mx.np`` of it."""

    __slots__ = ()

    def __repr__(self) -> str:
        sizes = "x".join(str(size) for size in self.shape)
        return f"\n{self.asnumpy()!s}\n<NDArray {sizes} @{self.ctx}>"

    __str__ = __repr__

    def __reduce__(self) -> tuple[Any, ...]:
        return array, (self.asnumpy(), self.ctx)


NDArray.__module__ = "mxnet.ndarray.ndarray"


def _old(array: ndarray) -> NDArray:
    tensor = array.tensor if array.ndim else array.tensor.reshape(1)
    result = wrap(tensor, array._context, NDArray)
    result._tape = array._tape
    assert isinstance(result, NDArray)
    return result


def array(source_array: Any, ctx: Any = None, dtype: Any = None) -> NDArray:
    """Copy values into an array; float32 unless they come from NumPy."""
    return _old(creation.array(source_array, dtype, ctx))


def zeros(shape: Any, ctx: Any = None, dtype: Any = None) -> NDArray:
    """Make an array of zeros."""
    return _old(creation.zeros(shape, dtype, ctx=ctx))


def ones(shape: Any, ctx: Any = None, dtype: Any = None) -> NDArray:
    """Make an array of ones."""
    return _old(creation.ones(shape, dtype, ctx=ctx))


def arange(
    start: Any, stop: Any = None, step: Any = 1, ctx: Any = None, dtype: Any = None
) -> NDArray:
    """Count from ``start`` below ``stop``."""
    return _old(creation.arange(start, stop, step, dtype, ctx))


def _reduction(name: str) -> Any:
    def call(data: Any, axis: Any = None, keepdims: bool = False) -> NDArray:
        whole = None if axis == () else axis
        return _old(getattr(np, name)(data, axis=whole, keepdims=keepdims))

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"Do ``np.{name}``; the result has at least one axis."
    return call


sum, mean, nansum, max, min, prod = map(_reduction, ("sum", "mean", "nansum", "max", "min", "prod"))


def __getattr__(name: str) -> Any:
    homes = (home for home, part in (("np", np), ("npx", npx)) if hasattr(part, name))
    home = next(homes, None)
    raise no_attribute("mxnet.nd", name, f"{home}.{name}, of today's arrays" if home else None)
