"""Python's operators on arrays: ``+``, ``@``, ``==``, ``+=`` and the others, from one table.

This is the path that every line of a notebook takes, so it is written for few Python
instructions; anything unusual falls through to slower code.
"""

from collections.abc import Callable
from typing import Any

import numpy
import torch
from torch import Tensor

from divekit.mx.array import as_plain, ndarray, uncleared, write
from divekit.mx.calls import apply, explained, from_python, wrapped
from divekit.mx.state import STATE, set_grad_enabled

_NUMBERS = (float, int, bool)


def floor_divide(x1: Any, x2: Any) -> Tensor:
    """Divide and round down."""
    return torch.div(x1, x2, rounding_mode="floor")


def matmul(x1: Any, x2: Any) -> Tensor:
    """Multiply matrices; types that differ are brought to the wider one."""
    if not isinstance(x1, Tensor) or not isinstance(x2, Tensor) or not x1.ndim or not x2.ndim:
        raise ValueError("matmul takes arrays with axes; to scale by a number, use *")
    if x1.dtype is x2.dtype and x1.dtype is not torch.bool:
        return torch.matmul(x1, x2)
    common = torch.promote_types(x1.dtype, x2.dtype)
    if common is torch.bool:
        return torch.matmul(x1.to(torch.uint8), x2.to(torch.uint8)).bool()
    return torch.matmul(x1.to(common), x2.to(common))


def _matmul_in_place(x1: Tensor, x2: Any) -> Tensor:
    return x1.copy_(matmul(x1, x2))


# Python's method, what does it, and what does it in place; these also take a number first.
ARITHMETIC: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "add": (torch.add, Tensor.add_),
    "sub": (torch.sub, Tensor.sub_),
    "mul": (torch.mul, Tensor.mul_),
    "truediv": (torch.true_divide, Tensor.true_divide_),
    "floordiv": (floor_divide, Tensor.floor_divide_),
    "mod": (torch.remainder, Tensor.remainder_),
    "pow": (torch.pow, Tensor.pow_),
    "matmul": (matmul, _matmul_in_place),
    "and": (torch.bitwise_and, Tensor.bitwise_and_),
    "or": (torch.bitwise_or, Tensor.bitwise_or_),
    "xor": (torch.bitwise_xor, Tensor.bitwise_xor_),
    "lshift": (torch.bitwise_left_shift, Tensor.bitwise_left_shift_),
    "rshift": (torch.bitwise_right_shift, Tensor.bitwise_right_shift_),
}
COMPARISONS: dict[str, Callable[..., Any]] = {
    "eq": torch.eq,
    "ne": torch.ne,
    "lt": torch.lt,
    "le": torch.le,
    "gt": torch.gt,
    "ge": torch.ge,
}
UNARY: dict[str, Callable[..., Any]] = {
    "neg": torch.neg,
    "pos": torch.positive,
    "abs": torch.abs,
    "invert": torch.bitwise_not,
}

_new = object.__new__


def equalized(left: Any, right: Any) -> tuple[Any, Any]:
    """Bring arrays of two types to the wider one where torch would not look at one without axes."""
    if (
        isinstance(left, Tensor)
        and isinstance(right, Tensor)
        and (left.ndim == 0) != (right.ndim == 0)
    ):
        common = torch.promote_types(left.dtype, right.dtype)
        return left.to(common), right.to(common)
    return left, right


def _binary(name: str, function: Callable[..., Any], reflected: bool) -> Callable[..., Any]:
    def method(self: ndarray, other: Any) -> Any:
        left = self.tensor
        kind = type(other)
        if kind is ndarray:
            right = other.tensor
            if right.dtype is not left.dtype or other._context is not self._context:
                return _slowly(name, function, self, other, reflected)
            tracked = left.requires_grad or right.requires_grad
        elif kind in _NUMBERS:
            right = other
            tracked = left.requires_grad
        else:
            return _slowly(name, function, self, other, reflected)
        if tracked and STATE.recording:
            left = uncleared(self)
            right = uncleared(other) if kind is ndarray else other
            try:
                result = function(right, left) if reflected else function(left, right)
            except RuntimeError as error:
                raise explained(name, error, (self, other)) from None
            return wrapped(result, [self, other] if kind is ndarray else [self])
        guarded = tracked and torch.is_grad_enabled()
        if guarded:
            set_grad_enabled(False)
        try:
            result = function(right, left) if reflected else function(left, right)
        except RuntimeError as error:
            raise explained(name, error, (self, other)) from None
        finally:
            if guarded:
                set_grad_enabled(True)
        array = _new(type(self))
        array.tensor = result
        array._context = self._context
        array._tape = None
        return array

    return method


def _slowly(
    name: str, function: Callable[..., Any], array: ndarray, other: Any, reflected: bool
) -> Any:
    """Do a binary operation where something is recorded, converted or moved."""
    if not isinstance(other, ndarray):
        if not isinstance(
            other, Tensor | numpy.ndarray | numpy.generic | bool | int | float | list | tuple
        ):
            return NotImplemented
        if isinstance(other, list | tuple):
            other = from_python(other)
        other = as_plain(other)
        if isinstance(other, Tensor):
            other = other.to(array.tensor.device)
    pair = (other, array) if reflected else (array, other)
    try:
        return apply(lambda x1, x2: function(*equalized(x1, x2)), *pair)
    except RuntimeError as error:
        raise explained(name, error, pair) from None


def _reflected(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    return _binary(name, _NUMBER_FIRST.get(name) or number_first(function), True)


def number_first(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a number stand first, which most of torch's functions do not take."""

    def call(x1: Any, x2: Any) -> Any:
        if isinstance(x1, Tensor):
            return function(x1, x2)
        # A tensor without axes counts as a number in torch's promotion, as it should here.
        return function(torch.tensor(x1, device=x2.device), x2)

    return call


# Quicker ways to take a number first.
_NUMBER_FIRST: dict[str, Callable[..., Any]] = {
    "add": lambda x1, x2: torch.add(x2, x1),
    "mul": lambda x1, x2: torch.mul(x2, x1),
    "sub": lambda x1, x2: torch.sub(x1, x2) if isinstance(x1, Tensor) else torch.rsub(x2, x1),
    "pow": torch.pow,
}


def _in_place(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: ndarray, other: Any) -> Any:
        kind = type(other)
        try:
            if not STATE.recording and not self.tensor.requires_grad:
                if kind in _NUMBERS:
                    function(self.tensor, other)
                    return self
                if kind is ndarray and other._context is self._context:
                    function(self.tensor, other.tensor.detach())
                    return self
            if kind is list or kind is tuple:
                other = from_python(other)
            elif not isinstance(
                other, ndarray | Tensor | numpy.ndarray | numpy.generic | float | int
            ):
                return NotImplemented
            write(self, function, other)
        except RuntimeError as error:
            raise explained(name, error, (self, other)) from None
        return self

    return method


def _unary(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: ndarray) -> Any:
        tensor = self.tensor
        if tensor.requires_grad:
            return apply(function, self)
        try:
            return type(self)(function(tensor), self._context)
        except RuntimeError as error:
            raise explained(name, error, (self,)) from None

    return method


def _attach() -> None:
    for name, (function, in_place) in ARITHMETIC.items():
        _set(f"__{name}__", _binary(name, function, False))
        _set(f"__r{name}__", _reflected(name, function))
        _set(f"__i{name}__", _in_place(name, in_place))
    for name, function in COMPARISONS.items():
        _set(f"__{name}__", _binary(name, function, False))
    for name, function in UNARY.items():
        _set(f"__{name}__", _unary(name, function))
    _set("__divmod__", lambda self, other: (self // other, self % other))
    _set("__rdivmod__", lambda self, other: (other // self, other % self))


def _set(name: str, method: Callable[..., Any]) -> None:
    method.__name__ = name
    method.__qualname__ = f"ndarray.{name}"
    setattr(ndarray, name, method)


_attach()
