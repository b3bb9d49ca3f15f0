"""Python's operators on arrays: ``+``, ``@``, ``==``, ``+=`` and the others, from one table.

This is the path that every line of a notebook takes, so it is written for few Python
instructions; anything unusual falls through to slower code.
"""

from collections.abc import Callable
from typing import Any

import numpy
import torch
from torch import Tensor

from divekit.mx.array import (
    as_plain,
    ndarray,
    write,
)
from divekit.mx.calls import apply, explained

_NUMBERS = (float, int, bool)


def floor_divide(x1: Any, x2: Any) -> Tensor:
    """Divide and round down."""
    return torch.div(x1, x2, rounding_mode="floor")


def matmul(x1: Any, x2: Any) -> Tensor:
    """Multiply matrices; types that differ are brought to the wider one."""
    if not isinstance(x1, Tensor) or not isinstance(x2, Tensor) or not x1.ndim or not x2.ndim:
        raise ValueError("matmul takes arrays with axes; to scale by a number, use *")
    common = torch.promote_types(x1.dtype, x2.dtype)
    if common is torch.bool:
        return torch.matmul(x1.to(torch.uint8), x2.to(torch.uint8)).bool()
    return torch.matmul(x1.to(common), x2.to(common))


# Python's method, what does it, and whether it has a form for `number - array` and `array -= ...`.
BINARY: dict[str, tuple[Callable[..., Any], bool, bool]] = {
    "add": (torch.add, True, True),
    "sub": (torch.sub, True, True),
    "mul": (torch.mul, True, True),
    "truediv": (torch.true_divide, True, True),
    "floordiv": (floor_divide, True, True),
    "mod": (torch.remainder, True, True),
    "pow": (torch.pow, True, True),
    "matmul": (matmul, True, True),
    "and": (torch.bitwise_and, True, True),
    "or": (torch.bitwise_or, True, True),
    "xor": (torch.bitwise_xor, True, True),
    "lshift": (torch.bitwise_left_shift, True, True),
    "rshift": (torch.bitwise_right_shift, True, True),
    "eq": (torch.eq, False, False),
    "ne": (torch.ne, False, False),
    "lt": (torch.lt, False, False),
    "le": (torch.le, False, False),
    "gt": (torch.gt, False, False),
    "ge": (torch.ge, False, False),
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
        if tracked:
            return _slowly(name, function, self, other, reflected)
        try:
            result = function(right, left) if reflected else function(left, right)
        except RuntimeError as error:
            raise explained(name, error, (self, other)) from error
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
            from divekit.mx.calls import from_python

            other = from_python(other)
        other = as_plain(other)
        if isinstance(other, Tensor):
            other = other.to(array.tensor.device)
    pair = (other, array) if reflected else (array, other)
    try:
        return apply(lambda x1, x2: function(*equalized(x1, x2)), *pair)
    except RuntimeError as error:
        raise explained(name, error, pair) from error


def _reflected(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    if name in ("matmul", "add", "mul", "truediv", "sub"):
        numbers_first: dict[str, Callable[..., Any]] = {
            "sub": lambda x1, x2: torch.rsub(x2, x1) if type(x1) in _NUMBERS else torch.sub(x1, x2),
            "truediv": torch.true_divide,
            "add": lambda x1, x2: torch.add(x2, x1),
            "mul": lambda x1, x2: torch.mul(x2, x1),
            "matmul": function,
        }
        function = numbers_first[name]
    return _binary(name, _tensor_first(function), True)


def _tensor_first(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a number stand first, which most of torch's functions do not take."""

    def call(x1: Any, x2: Any) -> Any:
        if isinstance(x1, Tensor):
            return function(x1, x2)
        # A tensor without axes counts as a number in torch's promotion, as it should here.
        return function(torch.tensor(x1, device=x2.device), x2)

    return call


def _in_place(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: ndarray, other: Any) -> ndarray:
        def change(tensor: Tensor, value: Any) -> None:
            result = function(*equalized(tensor, value))
            if result.shape != tensor.shape:
                raise RuntimeError("the result has another shape than the array changed in place")
            if not numpy.can_cast(str(result.dtype)[6:], str(tensor.dtype)[6:], "same_kind"):
                raise RuntimeError(
                    f"the result is {str(result.dtype)[6:]}, which an array of "
                    f"{str(tensor.dtype)[6:]} cannot hold"
                )
            tensor.copy_(result)

        if isinstance(other, list | tuple):
            from divekit.mx.calls import from_python

            other = from_python(other)
        try:
            write(self, change, other)
        except RuntimeError as error:
            raise explained(name, error, (self, other)) from error
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
            raise explained(name, error, (self,)) from error

    return method


def _attach() -> None:
    for name, (function, has_reflected, has_in_place) in BINARY.items():
        _set(f"__{name}__", _binary(name, function, False))
        if has_reflected:
            _set(f"__r{name}__", _reflected(name, function))
        if has_in_place:
            _set(f"__i{name}__", _in_place(name, function))
    for name, function in UNARY.items():
        _set(f"__{name}__", _unary(name, function))
    _set("__divmod__", lambda self, other: (self // other, self % other))
    _set("__rdivmod__", lambda self, other: (other // self, other % self))


def _set(name: str, method: Callable[..., Any]) -> None:
    method.__name__ = name
    method.__qualname__ = f"ndarray.{name}"
    setattr(ndarray, name, method)


_attach()
