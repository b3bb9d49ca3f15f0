"""Functions that NumPy itself does, on the CPU: rare in lessons, and without a gradient.

MXNet did the same. Arrays are copied to NumPy and back; float64 results of float32 arrays become
float32 again. Inside ``record()`` an array that needs a gradient is refused, for its gradient
would be lost without a word.
"""

from collections.abc import Callable
from typing import Any

import numpy
import torch

from divekit.mx.array import ndarray, wrap
from divekit.mx.errors import MXNetError
from divekit.mx.state import STATE

_NAMES = """
allclose apply_along_axis apply_over_axes argpartition array_equal array_equiv array_repr array_str
bartlett choose compress convolve corrcoef correlate cov diag_indices_from divmod extract
fill_diagonal frexp geomspace gradient histogram histogram2d histogram_bin_edges in1d interp
intersect1d isin isscalar iterable ix_ kaiser lexsort modf nanargmax nanargmin nancumprod nancumsum
nanmedian nanpercentile nanquantile nanstd nanvar ndim partition piecewise place poly polyadd
polyder polydiv polyfit polyint polymul polysub promote_types put_along_axis putmask
ravel_multi_index resize result_type roots select setdiff1d setxor1d shape size spacing trapezoid
trapz tril_indices tril_indices_from trim_zeros triu_indices triu_indices_from union1d unwrap vander
"""

# In NumPy under another name since 2.0.
_RENAMED = {"trapz": "trapezoid", "in1d": "isin", "trapezoid": "trapz"}
# These change their first argument.
_IN_PLACE = ("fill_diagonal", "place", "put_along_axis", "putmask")


def operators() -> dict[str, Callable[..., Any]]:
    """Make all of them."""
    made = {}
    for name in _NAMES.split():
        function = getattr(numpy, name, None) or getattr(numpy, _RENAMED[name])
        made[name] = _on_host(name, function)
    return made


def _on_host(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        arrays: list[ndarray] = []
        plain = [_plain(arg, arrays) for arg in args]
        named = {key: _plain(value, arrays) for key, value in kwargs.items()}
        if STATE.recording and any(array.tensor.requires_grad for array in arrays):
            raise MXNetError(
                f"np.{name} has no gradient; call it outside autograd.record(), or on x.detach()"
            )
        result = function(*plain, **named)
        if name in _IN_PLACE:
            args[0][...] = plain[0]
        return _arrays(result, arrays)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"Do what NumPy's ``{name}`` does, on the CPU and without a gradient."
    call.__module__ = "mxnet.numpy"
    return call


def _plain(value: Any, arrays: list[ndarray]) -> Any:
    if isinstance(value, ndarray):
        arrays.append(value)
        return value.asnumpy()
    if isinstance(value, list | tuple):
        return type(value)(_plain(item, arrays) for item in value)
    return value


def _arrays(result: Any, arrays: list[ndarray]) -> Any:
    if isinstance(result, numpy.ndarray) or (isinstance(result, numpy.generic) and arrays):
        if result.dtype.kind not in "biuf":
            return result
        values = numpy.array(result)
        doubles = any(array.tensor.dtype is torch.float64 for array in arrays)
        if values.dtype == numpy.float64 and not doubles:
            values = values.astype(numpy.float32)
        tensor = torch.from_numpy(numpy.ascontiguousarray(values).reshape(values.shape))
        if not arrays:
            return wrap(tensor)
        return wrap(tensor.to(arrays[0].tensor.device), arrays[0]._context)
    if isinstance(result, numpy.generic):
        return result.item()
    if isinstance(result, list | tuple):
        items = [_arrays(item, arrays) for item in result]
        return items if isinstance(result, list) else tuple(items)
    return result
