"""Making arrays: from values, filled, counted, and from files of text.

Everything is float32 unless told otherwise, but what has a type of its own keeps it. ``ctx`` and
``device`` both name the device; without them it is the current one.
"""

from typing import Any

import numpy
import torch
from torch import Tensor

from divekit.mx.array import as_plain, ndarray, virtual, without_grad, wrap
from divekit.mx.calls import as_operand, from_python, operator, stored
from divekit.mx.context import as_context
from divekit.mx.dtypes import torch_dtype
from divekit.mx.errors import NotHereError

# NumPy's annotations know fewer kinds of arguments than its functions take.
_onp: Any = numpy


def _place(ctx: Any, device: Any) -> Any:
    if ctx is not None and device is not None and as_context(ctx) != as_context(device):
        raise ValueError(f"ctx is {ctx}, device is {device}: name one")
    return as_context(device if ctx is None else ctx)


def _made(tensor: Tensor, ctx: Any, device: Any, out: ndarray | None = None) -> ndarray:
    context = _place(ctx, device)
    array = wrap(without_grad(lambda: tensor.to(context.place())), virtual(context))
    return array if out is None else stored(out, array)


def _only_c(order: str) -> None:
    if order not in ("C", "K", "A"):
        raise NotHereError("arrays are stored in C order")


def shape_of(shape: Any) -> tuple[int, ...]:
    """Read a shape given as a number or several."""
    sizes = tuple(int(size) for size in shape) if isinstance(shape, list | tuple) else (int(shape),)
    if any(size < 0 for size in sizes):
        raise ValueError(f"a shape has no negative sizes, as {sizes} does")
    return sizes


def array(object: Any, dtype: Any = None, ctx: Any = None, *, device: Any = None) -> ndarray:
    """Copy values into an array. Lists become float32, arrays and tensors keep their type."""
    if isinstance(object, ndarray) and ctx is None and device is None:
        ctx = object.ctx
    tensor = object.tensor if isinstance(object, ndarray) else object
    if isinstance(tensor, numpy.ndarray | numpy.generic):
        kind = torch_dtype(dtype, torch_dtype(tensor.dtype))
        values = numpy.array(tensor)
        # Torch has no negative strides.
        tensor = torch.from_numpy(numpy.ascontiguousarray(values).reshape(values.shape)).to(kind)
    elif isinstance(tensor, Tensor):
        kind = torch_dtype(dtype, tensor.dtype)
        tensor = without_grad(lambda: tensor.detach().to(kind, copy=True))
    else:
        tensor = from_python(_with_arrays(object), dtype)
    return _made(tensor, ctx, device)


def _with_arrays(object: Any) -> Any:
    if hasattr(object, "__array__") and not isinstance(object, list | tuple):
        return numpy.asarray(object)  # pandas' columns and their kind
    if isinstance(object, set | dict | str) or not isinstance(
        object, list | tuple | int | float | bool | range
    ):
        raise TypeError(f"an array is made of numbers, lists and arrays, not of {object!r:.60}")
    return list(object) if isinstance(object, range) else object


def asarray(a: Any, dtype: Any = None, *, ctx: Any = None, device: Any = None) -> ndarray:
    """Give an array as it is where nothing need be changed, else as ``array`` does."""
    if isinstance(a, ndarray) and (dtype is None or torch_dtype(dtype) is a.tensor.dtype):
        return a if ctx is None and device is None else a.as_in_ctx(_place(ctx, device))
    return array(a, dtype, ctx, device=device)


def empty(
    shape: Any, dtype: Any = None, order: str = "C", ctx: Any = None, *, device: Any = None
) -> ndarray:
    """Make an array without setting its elements."""
    _only_c(order)
    return _made(torch.empty(shape_of(shape), dtype=torch_dtype(dtype)), ctx, device)


def zeros(
    shape: Any, dtype: Any = None, order: str = "C", ctx: Any = None, *, device: Any = None
) -> ndarray:
    """Make an array of zeros."""
    _only_c(order)
    return _made(torch.zeros(shape_of(shape), dtype=torch_dtype(dtype)), ctx, device)


def ones(
    shape: Any, dtype: Any = None, order: str = "C", ctx: Any = None, *, device: Any = None
) -> ndarray:
    """Make an array of ones."""
    _only_c(order)
    return _made(torch.ones(shape_of(shape), dtype=torch_dtype(dtype)), ctx, device)


def full(
    shape: Any,
    fill_value: Any,
    dtype: Any = None,
    order: str = "C",
    ctx: Any = None,
    out: ndarray | None = None,
    *,
    device: Any = None,
) -> ndarray:
    """Make an array of one number, or of a given array broadcast."""
    _only_c(order)
    if isinstance(fill_value, int | float | bool | numpy.generic):
        tensor = torch.full(shape_of(shape), as_plain(fill_value), dtype=torch_dtype(dtype))
    else:
        operand = as_operand(fill_value)
        given = operand.tensor.detach() if isinstance(operand, ndarray) else operand
        tensor = given.to(torch_dtype(dtype, given.dtype)).expand(shape_of(shape)).clone()
    return _made(tensor, ctx, device, out)


def _like(a: Any, value: Any, dtype: Any, order: str, ctx: Any, device: Any, out: Any) -> ndarray:
    _only_c(order)
    model = asarray(a)
    tensor = torch.full(model.shape, value, dtype=torch_dtype(dtype, model.tensor.dtype))
    return _made(tensor, model.ctx if ctx is None and device is None else ctx, device, out)


def zeros_like(
    a: Any,
    dtype: Any = None,
    order: str = "C",
    ctx: Any = None,
    out: ndarray | None = None,
    *,
    device: Any = None,
) -> ndarray:
    """Make zeros of the shape, type and device of ``a``."""
    return _like(a, 0, dtype, order, ctx, device, out)


def ones_like(
    a: Any,
    dtype: Any = None,
    order: str = "C",
    ctx: Any = None,
    out: ndarray | None = None,
    *,
    device: Any = None,
) -> ndarray:
    """Make ones of the shape, type and device of ``a``."""
    return _like(a, 1, dtype, order, ctx, device, out)


def full_like(
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    order: str = "C",
    ctx: Any = None,
    out: ndarray | None = None,
    *,
    device: Any = None,
) -> ndarray:
    """Make an array of one number, of the shape, type and device of ``a``."""
    return _like(a, fill_value, dtype, order, ctx, device, out)


def empty_like(
    prototype: Any, dtype: Any = None, order: str = "C", *, ctx: Any = None, device: Any = None
) -> ndarray:
    """Make an array of the shape, type and device of ``prototype`` without setting its elements."""
    return _like(prototype, 0, dtype, order, ctx, device, None)


def arange(
    start: Any,
    stop: Any = None,
    step: Any = 1,
    dtype: Any = None,
    ctx: Any = None,
    *,
    device: Any = None,
) -> ndarray:
    """Count from ``start`` (0 if only one number is given) below ``stop``; float32 unless told."""
    bounds = (0, start, step) if stop is None else (start, stop, step)
    values = _onp.arange(*(float(x) if isinstance(x, ndarray) else x for x in bounds))
    return _made(torch.from_numpy(values).to(torch_dtype(dtype)), ctx, device)


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    ctx: Any = None,
    *,
    device: Any = None,
) -> Any:
    """Give ``num`` numbers from ``start`` to ``stop`` at equal distances."""
    ends = (float(x) if isinstance(x, ndarray) and x.ndim == 0 else x for x in (start, stop))
    values, step = _onp.linspace(*ends, num, endpoint=endpoint, retstep=True, axis=axis)
    made = _made(torch.from_numpy(values).to(torch_dtype(dtype)), ctx, device)
    return (made, float(step)) if retstep else made


def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10.0,
    dtype: Any = None,
    axis: int = 0,
    ctx: Any = None,
    *,
    device: Any = None,
) -> ndarray:
    """Give ``num`` powers of ``base``, the exponents at equal distances."""
    values = _onp.logspace(start, stop, num, endpoint=endpoint, base=base, axis=axis)
    return _made(torch.from_numpy(values).to(torch_dtype(dtype)), ctx, device)


def eye(
    N: int,
    M: int | None = None,
    k: int = 0,
    dtype: Any = None,
    *,
    ctx: Any = None,
    device: Any = None,
) -> ndarray:
    """Make a matrix with ones on diagonal ``k``."""
    return _made(torch.from_numpy(_onp.eye(N, M, k)).to(torch_dtype(dtype)), ctx, device)


def identity(n: int, dtype: Any = None, ctx: Any = None, *, device: Any = None) -> ndarray:
    """Make the identity matrix."""
    return eye(n, dtype=dtype, ctx=ctx, device=device)


def tri(
    N: int,
    M: int | None = None,
    k: int = 0,
    dtype: Any = None,
    ctx: Any = None,
    *,
    device: Any = None,
) -> ndarray:
    """Make a matrix with ones on and below diagonal ``k``."""
    return _made(torch.from_numpy(_onp.tri(N, M, k)).to(torch_dtype(dtype)), ctx, device)


def indices(dimensions: Any, dtype: Any = None, ctx: Any = None, *, device: Any = None) -> ndarray:
    """Give, for each axis, the place of every element of a grid; int64 unless told."""
    values = torch.from_numpy(_onp.indices(shape_of(dimensions)))
    return _made(values.to(torch_dtype(dtype, torch.int64)), ctx, device)


def _window(name: str) -> Any:
    def make(M: int, dtype: Any = None, ctx: Any = None, *, device: Any = None) -> ndarray:
        values = torch.from_numpy(getattr(numpy, name)(M))
        return _made(values.to(torch_dtype(dtype)), ctx, device)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"Give the {name.capitalize()} window of ``M`` points."
    return make


blackman, hamming, hanning = _window("blackman"), _window("hamming"), _window("hanning")


def genfromtxt(
    *args: Any, dtype: Any = numpy.float32, ctx: Any = None, device: Any = None, **kwargs: Any
) -> ndarray:
    """Read a table of numbers out of a text file, as NumPy does."""
    return array(_onp.genfromtxt(*args, dtype=dtype, **kwargs), ctx=ctx, device=device)


def loadtxt(
    *args: Any, dtype: Any = numpy.float32, ctx: Any = None, device: Any = None, **kwargs: Any
) -> ndarray:
    """Read a table of numbers out of a text file without gaps, as NumPy does."""
    return array(_onp.loadtxt(*args, dtype=dtype, **kwargs), ctx=ctx, device=device)


@operator()
def copy(a: Any) -> Tensor:
    """Copy an array."""
    return a.clone()


def meshgrid(
    *xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy"
) -> list[ndarray]:
    """Spread vectors over a grid; ``xy`` turns the first two axes, ``ij`` does not."""
    return _meshgrid(xi, sparse=sparse, indexing=indexing, copy=copy)


@operator(-1)
def _meshgrid(xi: Any, sparse: bool, indexing: str, copy: bool) -> list[Tensor]:
    if indexing not in ("xy", "ij"):
        raise ValueError(f"indexing is 'xy' or 'ij', not {indexing!r}")
    shaped = [
        x.reshape([-1 if a == place else 1 for a in range(len(xi))]) for place, x in enumerate(xi)
    ]
    if not sparse:
        shaped = list(torch.broadcast_tensors(*shaped)) if shaped else []
    if indexing == "xy" and len(shaped) > 1:
        shaped = [x.transpose(0, 1) for x in shaped]
    return [x.clone() for x in shaped] if copy else shaped
