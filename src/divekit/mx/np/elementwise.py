"""Operators that work number by number: two tables, and the few that torch has otherwise."""

from collections.abc import Callable
from typing import Any

import numpy
import torch
from torch import Tensor

from divekit.mx.arithmetic import equalized, floor_divide, number_first
from divekit.mx.array import ndarray
from divekit.mx.calls import apply, as_operand, explained, operator, stored
from divekit.mx.dtypes import torch_dtype
from divekit.mx.errors import NotHereError

_NUMBERS = (int, float, bool, numpy.generic)


def _cbrt(x: Tensor) -> Tensor:
    return torch.sign(x) * torch.pow(torch.abs(x), 1 / 3)


def _sign(x: Tensor) -> Tensor:
    # torch.sign makes 0 of nan.
    return torch.where(x.isnan(), x, torch.sign(x)) if x.is_floating_point() else torch.sign(x)


def _abs(x: Tensor) -> Tensor:
    return x.clone() if x.dtype is torch.bool else torch.abs(x)


def _negative(x: Tensor) -> Tensor:
    if x.dtype is torch.bool:
        raise TypeError("negative of a bool array; use logical_not or ~")
    return torch.neg(x)


def _floating(function: Callable[..., Any]) -> Callable[..., Any]:
    """Bring integers to float32 first, for functions of torch's that refuse them."""

    def call(*inputs: Any) -> Any:
        common = torch.result_type(*inputs) if len(inputs) > 1 else inputs[0].dtype
        kind = common if common.is_floating_point else torch.float32
        return function(*(torch.as_tensor(x).to(kind) for x in inputs))

    return call


def _whole(function: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Leave integers and booleans as they are: they are round already."""
    return lambda x: function(x) if x.is_floating_point() else x.clone()


# The name in mx.np, and the function of tensors.
UNARY: dict[str, Callable[[Tensor], Tensor]] = {
    "abs": _abs,
    "fabs": _floating(torch.abs),
    "sign": _sign,
    "negative": _negative,
    "positive": torch.positive,
    "sqrt": torch.sqrt,
    "cbrt": _floating(_cbrt),
    "square": torch.square,
    "reciprocal": torch.reciprocal,
    "exp": torch.exp,
    "expm1": torch.expm1,
    "exp2": torch.exp2,
    "log": torch.log,
    "log2": torch.log2,
    "log10": torch.log10,
    "log1p": torch.log1p,
    "sin": torch.sin,
    "cos": torch.cos,
    "tan": torch.tan,
    "arcsin": torch.asin,
    "arccos": torch.acos,
    "arctan": torch.atan,
    "sinh": torch.sinh,
    "cosh": torch.cosh,
    "tanh": torch.tanh,
    "arcsinh": torch.asinh,
    "arccosh": torch.acosh,
    "arctanh": torch.atanh,
    "degrees": _floating(torch.rad2deg),
    "radians": _floating(torch.deg2rad),
    "floor": _whole(torch.floor),
    "ceil": _whole(torch.ceil),
    "trunc": _whole(torch.trunc),
    "fix": _whole(torch.trunc),
    "rint": _floating(torch.round),
    "sinc": _floating(torch.sinc),
    "i0": _floating(torch.special.i0),
    "logical_not": torch.logical_not,
    "bitwise_not": torch.bitwise_not,
    "isnan": torch.isnan,
    "isinf": torch.isinf,
    "isfinite": torch.isfinite,
    "isposinf": torch.isposinf,
    "isneginf": torch.isneginf,
    "signbit": torch.signbit,
}


class _Larger(torch.autograd.Function):
    """The larger of two; where they are equal the whole gradient goes to the first, as in MXNet."""

    @staticmethod
    def forward(ctx: Any, x1: Tensor, x2: Tensor, function: Any, first_wins: Any) -> Tensor:
        ctx.save_for_backward(first_wins(x1, x2) | x1.isnan())
        ctx.shapes = (x1.shape, x2.shape)
        return function(x1, x2)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        (first,) = ctx.saved_tensors
        zero = torch.zeros((), dtype=gradient.dtype, device=gradient.device)
        parts = torch.where(first, gradient, zero), torch.where(first, zero, gradient)
        return (
            *(part.sum_to_size(shape) for part, shape in zip(parts, ctx.shapes, strict=True)),
            None,
            None,
        )


def _extreme(function: Any, first_wins: Any) -> Callable[[Any, Any], Tensor]:
    def call(x1: Any, x2: Any) -> Tensor:
        x1, x2 = _same_type(x1, x2)
        if torch.is_grad_enabled() and (x1.requires_grad or x2.requires_grad):
            return _Larger.apply(x1, x2, function, first_wins)
        return function(x1, x2)

    return call


def _same_type(x1: Any, x2: Any) -> tuple[Tensor, Tensor]:
    if isinstance(x1, Tensor) and isinstance(x2, Tensor) and x1.dtype is x2.dtype:
        return x1, x2
    common = torch.result_type(x1, x2)
    device = x1.device if isinstance(x1, Tensor) else x2.device
    return (
        torch.as_tensor(x1, device=device).to(common),
        torch.as_tensor(x2, device=device).to(common),
    )


def _shift(function: Any) -> Callable[[Any, Any], Tensor]:
    return lambda x1, x2: function(*_same_type(x1, x2))


def _power(x1: Any, x2: Any) -> Tensor:
    return torch.pow(x1, x2)


def _subtract(x1: Any, x2: Any) -> Tensor:
    return torch.rsub(x2, x1) if not isinstance(x1, Tensor) else torch.sub(x1, x2)


def _heaviside(x1: Tensor, x2: Tensor) -> Tensor:
    return torch.where(x1.isnan(), x1, torch.heaviside(x1, x2))  # torch gives 0 for nan


def _both_tensors(function: Any) -> Callable[[Any, Any], Tensor]:
    return lambda x1, x2: function(*_same_type(x1, x2))


BINARY: dict[str, Callable[[Any, Any], Tensor]] = {
    "add": number_first(torch.add),
    "subtract": _subtract,
    "multiply": number_first(torch.mul),
    "true_divide": number_first(torch.true_divide),
    "floor_divide": number_first(floor_divide),
    "mod": number_first(torch.remainder),
    "fmod": number_first(torch.fmod),
    "power": _power,
    "maximum": _extreme(torch.maximum, torch.ge),
    "minimum": _extreme(torch.minimum, torch.le),
    "fmax": _both_tensors(torch.fmax),
    "fmin": _both_tensors(torch.fmin),
    "hypot": _floating(torch.hypot),
    "arctan2": _floating(torch.atan2),
    "copysign": _floating(torch.copysign),
    "ldexp": lambda x1, x2: x1 * torch.pow(2.0, torch.as_tensor(x2)),
    "logaddexp": _floating(torch.logaddexp),
    "logaddexp2": _floating(torch.logaddexp2),
    "heaviside": _floating(_heaviside),
    "nextafter": _floating(torch.nextafter),
    "float_power": lambda x1, x2: torch.float_power(x1, x2),
    "gcd": _both_tensors(torch.gcd),
    "lcm": _both_tensors(torch.lcm),
    "bitwise_and": _both_tensors(torch.bitwise_and),
    "bitwise_or": _both_tensors(torch.bitwise_or),
    "bitwise_xor": _both_tensors(torch.bitwise_xor),
    "left_shift": _shift(torch.bitwise_left_shift),
    "right_shift": _shift(torch.bitwise_right_shift),
    "logical_and": _both_tensors(torch.logical_and),
    "logical_or": _both_tensors(torch.logical_or),
    "logical_xor": _both_tensors(torch.logical_xor),
    "equal": number_first(torch.eq),
    "not_equal": number_first(torch.ne),
    "less": number_first(torch.lt),
    "less_equal": number_first(torch.le),
    "greater": number_first(torch.gt),
    "greater_equal": number_first(torch.ge),
}

# Second names that NumPy has for the same operator.
ALIASES = {
    "absolute": "abs",
    "divide": "true_divide",
    "remainder": "mod",
    "pow": "power",
    "rad2deg": "degrees",
    "deg2rad": "radians",
    "invert": "bitwise_not",
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "bitwise_left_shift": "left_shift",
    "bitwise_right_shift": "right_shift",
}


def make_unary(name: str, function: Callable[[Tensor], Tensor]) -> Callable[..., Any]:
    """Make the operator ``name(x, out=None)``; for a number it gives a number, NumPy's."""
    numbers = getattr(numpy, name, None)

    def call(x: Any, out: ndarray | None = None) -> Any:
        if numbers is not None and isinstance(x, _NUMBERS):
            return numbers(x).item()
        try:
            if type(x) is ndarray and not x.tensor.requires_grad:
                result = ndarray(function(x.tensor), x._context)
            else:
                result = apply(function, as_operand(x))
        except RuntimeError as error:
            raise explained(name, error, (x,)) from None
        return result if out is None else stored(out, result)

    return _named(call, name, f"Give {name} of each element; ``out`` takes the result.")


def make_binary(name: str, function: Callable[[Any, Any], Tensor]) -> Callable[..., Any]:
    """Make the operator ``name(x1, x2, out=None)`` over arrays that broadcast, and numbers."""
    numbers = getattr(numpy, name, None)

    def call(x1: Any, x2: Any, out: ndarray | None = None) -> Any:
        if numbers is not None and isinstance(x1, _NUMBERS) and isinstance(x2, _NUMBERS):
            return numbers(x1, x2).item()
        if out is None and type(x1) is ndarray and type(x2) is ndarray:
            left, right = x1.tensor, x2.tensor
            alike = left.dtype is right.dtype and x1._context is x2._context
            if alike and not left.requires_grad and not right.requires_grad:
                try:
                    return ndarray(function(left, right), x1._context)
                except RuntimeError as error:
                    raise explained(name, error, (x1, x2)) from None
        pair = _operand(x1), _operand(x2)
        try:
            result = apply(lambda a, b: function(*equalized(a, b)), *pair)
        except RuntimeError as error:
            raise explained(name, error, pair) from None
        return result if out is None else stored(out, result)

    return _named(call, name, f"Give {name} of each pair of elements; ``out`` takes the result.")


def _operand(value: Any) -> Any:
    if isinstance(value, numpy.generic):
        return value.item()
    return value if isinstance(value, int | float | bool) else as_operand(value)


def _named(call: Callable[..., Any], name: str, about: str) -> Callable[..., Any]:
    call.__name__ = call.__qualname__ = name
    call.__doc__ = about
    call.__module__ = "mxnet.numpy"
    return call


def operators() -> dict[str, Callable[..., Any]]:
    """Make every operator of the tables."""
    made = {name: make_unary(name, function) for name, function in UNARY.items()}
    made |= {name: make_binary(name, function) for name, function in BINARY.items()}
    return made | {second: made[first] for second, first in ALIASES.items()}


@operator()
def clip(a: Any, a_min: Any = None, a_max: Any = None) -> Tensor:
    """Bring elements below ``a_min`` and above ``a_max`` to these bounds; None is no bound."""
    if a_min is None and a_max is None:
        raise ValueError("clip needs a_min or a_max")
    return torch.clamp(a, _bound(a_min, a), _bound(a_max, a)).to(a.dtype)


def _bound(bound: Any, a: Tensor) -> Any:
    return (
        torch.as_tensor(bound).to(a) if isinstance(bound, list | tuple | numpy.ndarray) else bound
    )


@operator()
def around(a: Any, decimals: int = 0) -> Tensor:
    """Round to a number of decimals; halves go to the even neighbour."""
    if a.is_floating_point():
        return torch.round(a, decimals=decimals)
    if decimals >= 0:
        return a.clone()
    return torch.round(a.double(), decimals=decimals).to(a.dtype)


@operator()
def nan_to_num(
    x: Any, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None
) -> Tensor:
    """Put numbers in the place of nan and the infinities."""
    if not copy:
        raise NotHereError("nan_to_num with copy=False; write x[...] = np.nan_to_num(x)")
    return torch.nan_to_num(x, nan, posinf, neginf)


@operator(3)
def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """Choose from ``x`` where the condition holds, else from ``y``; alone, give where it holds."""
    if (x is None) != (y is None):
        raise ValueError("where takes both x and y, or neither")
    if x is None:
        return condition.nonzero(as_tuple=True)
    return torch.where(condition.bool(), *_same_type(x, y))


@operator(2)
def isclose(
    a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Tensor:
    """Tell where two arrays agree up to ``atol + rtol * |b|``."""
    left, right = torch.broadcast_tensors(*_same_type(a, b))
    return torch.isclose(left, right, rtol, atol, equal_nan)


@operator()
def astype(x: Any, dtype: Any) -> Tensor:
    """Give the elements as another type."""
    return x.to(torch_dtype(dtype), copy=True)
