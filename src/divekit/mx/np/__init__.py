"""``mx.np``: NumPy's functions on arrays that know devices and derivatives.

Each file holds one kind; those that are torch's own under another name are in the tables of
``elementwise``, and those that NumPy does itself are listed in ``fallback``.
"""

from typing import Any

import numpy as _numpy
from numpy import (
    bool_,
    dtype,
    e,
    euler_gamma,
    finfo,
    float16,
    float32,
    float64,
    get_printoptions,
    iinfo,
    inf,
    int8,
    int16,
    int32,
    int64,
    issubdtype,
    nan,
    newaxis,
    pi,
    printoptions,
    set_printoptions,
    uint8,
)

from divekit.mx.array import ndarray
from divekit.mx.errors import no_attribute as _no_attribute
from divekit.mx.np import (
    creation,
    elementwise,
    fallback,
    linalg,
    products,
    random,
    reductions,
    selection,
    shapes,
)

bool = bool_
NaN = NAN = nan
Inf = PINF = Infinity = inf
NINF, PZERO, NZERO = -inf, 0.0, -0.0

_PARTS = (creation, shapes, reductions, selection, products, elementwise)
_PRIVATE = ("operators", "make_unary", "make_binary", "shape_of", "axes_of", "promoted")


def _names() -> dict[str, Any]:
    found: dict[str, Any] = fallback.operators() | elementwise.operators()
    for part in _PARTS:
        for name, value in vars(part).items():
            own = (
                callable(value)
                and not isinstance(value, type)
                and getattr(value, "__module__", "")
                in (
                    part.__name__,
                    "mxnet.numpy",
                )
            )
            if own and not name.startswith("_") and name not in _PRIVATE:
                found[name] = value
    return found


_operators = _names()
globals().update(_operators)
globals().update(
    amax=reductions.max,
    amin=reductions.min,
    round=elementwise.around,
    round_=elementwise.around,
    row_stack=shapes.vstack,
    concat=shapes.concatenate,
    permute_dims=shapes.transpose,
    matrix_transpose=lambda x: shapes.swapaxes(x, -1, -2),
    cumulative_sum=reductions.cumsum,
    may_share_memory=lambda a, b: _shares(a, b),
    shares_memory=lambda a, b: _shares(a, b),
)


def _shares(a: ndarray, b: ndarray) -> Any:
    first, second = a.tensor.untyped_storage(), b.tensor.untyped_storage()
    return first.data_ptr() == second.data_ptr()


def __getattr__(name: str) -> Any:
    numpys = hasattr(_numpy, name) and not name.startswith("_")
    raise _no_attribute("mxnet.np", name, f"numpy.{name}(x.asnumpy())" if numpys else None)
