"""How examples become a batch."""

from collections.abc import Callable
from typing import Any

import numpy
import torch
import torch.nn.functional as F
from torch import Tensor

from divekit.mx import np
from divekit.mx.array import ndarray, wrap
from divekit.mx.errors import ShapeError


def default_batchify_fn(data: Any) -> Any:
    """Stack arrays; of tuples make a list of batches; numbers keep NumPy's type."""
    first = data[0]
    if isinstance(first, ndarray):
        return _stacked(data)
    if isinstance(first, tuple):
        return [default_batchify_fn(part) for part in zip(*data, strict=True)]
    try:
        numbers = numpy.asarray(data)
    except ValueError as error:
        raise ShapeError(f"examples of different shapes make no batch ({error})") from None
    return np.array(numbers)


default_mp_batchify_fn = default_batchify_fn


def _stacked(data: Any) -> ndarray:
    shapes = {array.shape for array in data}
    if len(shapes) > 1:
        some = ", ".join(map(str, sorted(shapes)[:3]))
        raise ShapeError(f"examples of different shapes make no batch: {some}; see batchify.Pad")
    return wrap(torch.stack([array.tensor.detach() for array in data]), data[0]._context)


class Stack:
    """Stack examples, which must have one shape."""

    def __init__(self, use_shared_mem: bool = False) -> None:
        pass

    def __call__(self, data: Any) -> Any:
        """Make a batch."""
        return default_batchify_fn(data)


class Pad:
    """Fill examples up to the longest along ``axis`` with ``val``, and stack them.

    ``ret_length`` gives the lengths as well; ``round_to`` makes the length a multiple.
    """

    def __init__(
        self,
        axis: int = 0,
        val: float = 0,
        ret_length: bool = False,
        dtype: Any = None,
        round_to: int | None = None,
        use_shared_mem: bool = False,
    ) -> None:
        self._axis, self._value, self._ret_length = axis, val, ret_length
        self._dtype, self._round_to = dtype, round_to

    def __call__(self, data: Any) -> Any:
        """Make a batch."""
        arrays = [one if isinstance(one, ndarray) else np.array(numpy.asarray(one)) for one in data]
        axis = self._axis % arrays[0].ndim
        lengths = [array.shape[axis] for array in arrays]
        longest = max(lengths)
        if self._round_to:
            longest = -(-longest // self._round_to) * self._round_to
        batch = _stacked([wrap(self._filled(one.tensor, axis, longest)) for one in arrays])
        batch = batch if self._dtype is None else batch.astype(self._dtype)
        return (batch, np.array(lengths, dtype="int32")) if self._ret_length else batch

    def _filled(self, tensor: Tensor, axis: int, length: int) -> Tensor:
        widths = [0, 0] * (tensor.ndim - 1 - axis) + [0, length - tensor.shape[axis]]
        return F.pad(tensor, widths, value=self._value)


class AsList:
    """Leave the examples as a list."""

    def __call__(self, data: Any) -> list[Any]:
        """Make a list."""
        return list(data)


class Group:
    """Make a batch of each part of the examples, each in its own way."""

    def __init__(self, fn: Any, *args: Callable[[Any], Any]) -> None:
        self._functions = [*fn, *args] if isinstance(fn, list | tuple) else [fn, *args]

    def __call__(self, data: Any) -> tuple[Any, ...]:
        """Make the batches."""
        if len(data[0]) != len(self._functions):
            raise ShapeError(f"{len(self._functions)} functions for {len(data[0])} parts")
        parts = zip(*data, strict=True)
        return tuple(fn(list(part)) for fn, part in zip(self._functions, parts, strict=True))


Tuple = Group
