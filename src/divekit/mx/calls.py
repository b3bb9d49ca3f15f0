"""How a function of tensors becomes an operator on arrays.

``apply`` calls any function: arrays among its arguments become tensors, tensors among its results
become arrays, and nothing is recorded outside ``record()``. ``operator`` does so for a function
that is written once and called by name, with ``out=`` and errors that name the shapes.
"""

import functools
import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy
import torch
from torch import Tensor

from divekit.errors import DivekitError
from divekit.mx.array import (
    as_plain,
    check_same_place,
    ndarray,
    uncleared,
    without_grad,
    wrap,
    write,
)
from divekit.mx.dtypes import torch_dtype
from divekit.mx.errors import AxisError, MXNetError, ShapeError
from divekit.mx.state import STATE, Tape


def apply(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function of tensors with arrays; lists, tuples and dicts are looked into.

    Results are arrays on the device, and of the class, of the first array among the arguments.
    """
    arrays: list[ndarray] = []
    plain = [_unwrapped(arg, arrays) for arg in args]
    named = {name: _unwrapped(arg, arrays) for name, arg in kwargs.items()} if kwargs else kwargs
    for other in arrays[1:]:
        check_same_place(arrays[0], other)
    if STATE.recording:
        result = function(*plain, **named)
    else:
        result = without_grad(lambda: function(*plain, **named))
    return wrapped(result, arrays)


def _unwrapped(value: Any, arrays: list[ndarray]) -> Any:
    if isinstance(value, ndarray):
        arrays.append(value)
        return uncleared(value) if STATE.recording else value.tensor
    kind = type(value)
    if kind is list or kind is tuple:
        return kind(_unwrapped(item, arrays) for item in value)
    if kind is dict:
        return {name: _unwrapped(item, arrays) for name, item in value.items()}
    return value


def wrapped(result: Any, arrays: list[ndarray], tape: Tape | None = None) -> Any:
    """Make arrays of the tensors that a function gave for these arrays."""
    if isinstance(result, Tensor):
        if result.requires_grad and not STATE.recording:
            result = result.detach()  # a view of a leaf
        array = wrap(result, arrays[0]._context, type(arrays[0])) if arrays else wrap(result)
        if result.requires_grad and not result.is_leaf:
            array._tape = tape or _joined(arrays)
        return array
    if isinstance(result, list | tuple):
        tape = tape or _joined(arrays)  # one graph, so one tape
        items = [wrapped(item, arrays, tape) for item in result]
        if isinstance(result, list):
            return items
        # torch's named results, such as those of torch.max, become plain tuples.
        return tuple(items)
    return result


def _joined(arrays: list[ndarray]) -> Tape:
    tapes = [array._tape for array in arrays if array._tape is not None]
    if not tapes:
        return Tape()
    tape = tapes[0].root()
    for other in tapes[1:]:
        tape = tape.join(other)
    return tape


def operator(arrays: int = 1) -> Callable[[Callable[..., Any]], Any]:
    """Make an operator of a function whose first ``arrays`` parameters are tensors.

    Those may be given as arrays, tensors, NumPy's arrays, numbers or lists. With -1 the first
    parameter is a sequence of them. The operator also takes ``out``.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        names = list(inspect.signature(function).parameters)

        @functools.wraps(function)
        def call(*args: Any, out: ndarray | None = None, **kwargs: Any) -> Any:
            plain = _simple(args, kwargs, arrays) if out is None else None
            if plain is not None:
                try:
                    result = function(*plain, **kwargs)
                except (RuntimeError, IndexError) as error:
                    raise explained(function.__name__, error, args) from None
                if isinstance(result, Tensor) and not result.requires_grad:
                    return wrap(result, args[0]._context)
                return wrapped(result, list(args[:arrays]))
            if arrays < 0:
                args = (as_sequence(args[0]), *args[1:]) if args else args
                if not args and names[0] in kwargs:
                    kwargs[names[0]] = as_sequence(kwargs[names[0]])
            else:
                args = tuple(
                    as_operand(arg) if place < arrays else arg for place, arg in enumerate(args)
                )
                for name in names[:arrays]:
                    if name in kwargs:
                        kwargs[name] = as_operand(kwargs[name])
            try:
                result = apply(function, *args, **kwargs)
            except (RuntimeError, IndexError) as error:
                raise explained(function.__name__, error, [*args, *kwargs.values()]) from None
            return result if out is None else stored(out, result)

        vars(call)["__signature__"] = _with_out(function)
        call.__module__ = function.__module__
        return call

    return decorate


_SIMPLE = (int, float, bool, str, type(None))


def _simple(args: tuple[Any, ...], kwargs: dict[str, Any], arrays: int) -> list[Any] | None:
    """Give the tensors of a call in which nothing is converted, moved or to be cut off, else None.

    Most calls are such, and this is several times quicker than ``apply``.
    """
    if len(args) < arrays or arrays < 1:
        return None
    recording = STATE.recording
    plain: list[Any] = []
    for place, arg in enumerate(args):
        if place < arrays:
            # Only plain arrays of one device; what is computed from another class is of that class.
            if type(arg) is not ndarray or arg._context is not args[0]._context:
                return None
            tensor = arg.tensor
            if tensor.requires_grad:
                if not recording:
                    return None
                tensor = uncleared(arg)
            plain.append(tensor)
        elif type(arg) in _SIMPLE or (type(arg) is tuple and _is_simple(arg)):
            plain.append(arg)
        else:
            return None
    return plain if _is_simple(kwargs.values()) else None


def _is_simple(values: Any) -> bool:
    return all([type(value) in _SIMPLE for value in values])  # noqa: C419  (a list is quicker)


def _with_out(function: Callable[..., Any]) -> inspect.Signature:
    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())
    if parameters and parameters[-1].kind is inspect.Parameter.VAR_KEYWORD:
        return signature
    out = inspect.Parameter("out", inspect.Parameter.KEYWORD_ONLY, default=None)
    return signature.replace(parameters=[*parameters, out])


def as_operand(value: Any) -> Any:
    """Give an array, or a tensor of something that numbers can be read from."""
    if isinstance(value, ndarray | Tensor) or value is None:
        return value
    if isinstance(value, numpy.ndarray):
        return as_plain(value)
    return from_python(value)


def as_sequence(value: Any) -> Any:
    """Give a list of operands; an array is the list of what it holds along its first axis."""
    if isinstance(value, ndarray):
        return list(value)
    return [as_operand(item) for item in value]


def from_python(value: Any, dtype: Any = None) -> Tensor:
    """Make a tensor of numbers and nested lists, which may hold arrays; float32 unless told."""
    wanted = torch_dtype(dtype, _own_dtype(value))
    if isinstance(value, int | float | bool):
        return torch.tensor(value, dtype=wanted)
    try:
        numbers = numpy.array(_readable(value))
    except ValueError as error:
        raise TypeError(f"an array is made of lists of equal lengths ({error})") from None
    if numbers.dtype.kind not in "biuf":
        raise TypeError(f"an array holds numbers, not {value!r:.60}")
    kind = {torch.bool: "?"}.get(wanted) or str(wanted).removeprefix("torch.")
    if numbers.dtype.kind == "f" and not wanted.is_floating_point and wanted is not torch.bool:
        return torch.from_numpy(numbers).to(wanted)
    return torch.from_numpy(numbers.astype(kind))


def _own_dtype(value: Any) -> torch.dtype:
    own = getattr(value, "dtype", None)
    return torch.float32 if own is None else torch_dtype(own)


_NUMBERS = {int, float, bool}


def _readable(value: Any) -> Any:
    if isinstance(value, list | tuple):
        # A list of many numbers is common, and looking at each of them is what takes time.
        return value if _NUMBERS.issuperset(map(type, value)) else [_readable(i) for i in value]
    if isinstance(value, ndarray):
        return value.asnumpy()
    return value.detach().cpu().numpy() if isinstance(value, Tensor) else value


def stored(out: Any, result: Any) -> ndarray:
    """Write a result into the array given as ``out``."""
    if not isinstance(out, ndarray):
        raise TypeError(f"out is an array of mx.np, not {type(out).__name__}")
    if not isinstance(result, ndarray):
        raise TypeError("out is for operators with one result")
    if out.shape != result.shape:
        raise ShapeError(f"the result has shape {result.shape}, out has {out.shape}")
    if result.dtype is not out.dtype and not numpy.can_cast(result.dtype, out.dtype, "same_kind"):
        raise MXNetError(f"the result is {result.dtype.__name__}, out is {out.dtype.__name__}")
    write(out, lambda tensor, new: tensor.copy_(new), result)
    return out


_AXIS = re.compile(r"Dimension out of range|dim\w* .*out of range", re.IGNORECASE)
_SHAPE = re.compile(r"size|shape|dimension|expand|broadcast", re.IGNORECASE)


def explained(name: str, error: Exception, inputs: Any) -> Exception:
    """Say in one line which operator failed, on which shapes and types."""
    if isinstance(error, DivekitError):
        return error
    said = (str(error).splitlines() or [""])[0].rstrip(".")
    shapes = ", ".join(_described(inputs)) or "no array"
    if _AXIS.search(said):
        return AxisError(f"{name}: no such axis in {shapes} ({said})")
    if isinstance(error, IndexError):
        return IndexError(f"{name}: {said} ({shapes})")
    kind = ShapeError if _SHAPE.search(said) else MXNetError
    return kind(
        f"{name}: {shapes} do not fit together ({said})"
        if kind is ShapeError
        else f"{name} of {shapes}: {said}"
    )


def _described(inputs: Any) -> list[str]:
    found = []
    for value in inputs:
        if isinstance(value, ndarray | Tensor | numpy.ndarray):
            found.append(
                f"{tuple(value.shape)} {str(value.dtype).split('.')[-1].strip(chr(39) + '>')}"
            )
        elif isinstance(value, list | tuple):
            found += _described(value)
    return found
