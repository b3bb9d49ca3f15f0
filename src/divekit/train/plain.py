"""Nested values as JSON and tensors, and back: what is saved of optimizers and loops.

A value may be built of dicts, lists, tuples, text, numbers, None and tensors. Tensors are
put aside under names, everything else becomes JSON that keeps the difference between lists
and tuples and between keys 1 and "1". Nothing else is taken, so nothing can be executed when
it is read back.
"""

from collections import Counter, OrderedDict, defaultdict
from typing import Any

import torch
from torch import Tensor

from divekit.errors import BadDataError, UsageError

_DICTS = (dict, OrderedDict, defaultdict, Counter)


def flatten(value: Any, name: str = "state") -> tuple[Any, dict[str, Tensor]]:
    """Split a nested value into JSON and tensors by name, which says where each stood.

    Raises UsageError, which names the place, for a value of any other kind.
    """
    tensors: dict[str, Tensor] = {}

    def walk(item: Any, place: str) -> Any:
        if item is None or isinstance(item, bool | int | float | str):
            return item
        if isinstance(item, Tensor):
            while place in tensors:  # keys 0 and "0" are spelled alike
                place += "'"
            tensors[place] = item
            return {"tensor": place}
        if type(item) in _DICTS:
            pairs = [[walk_key(key), walk(part, below(place, key))] for key, part in item.items()]
            return {"counter" if isinstance(item, Counter) else "dict": pairs}
        if isinstance(item, list | tuple):
            parts = [walk(part, below(place, index)) for index, part in enumerate(item)]
            return parts if isinstance(item, list) else {"tuple": parts}
        if isinstance(item, torch.dtype):
            return {"dtype": str(item).removeprefix("torch.")}
        raise UsageError(
            f"{place or 'this'} is a {type(item).__name__}, which cannot be saved; "
            "numbers, text, tensors, and lists and dicts of them can"
        )

    def below(place: str, key: Any) -> str:
        return f"{place}.{key}" if place else str(key)

    def walk_key(key: Any) -> Any:
        if not isinstance(key, bool | int | float | str):
            raise UsageError(
                f"{name or 'this'}: a key of type {type(key).__name__} cannot be saved"
            )
        return key

    return walk(value, name), tensors


def unflatten(value: Any, tensors: dict[str, Tensor]) -> Any:
    """Build the nested value that ``flatten`` split. Raises BadDataError for anything else."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [unflatten(part, tensors) for part in value]
    try:
        ((kind, content),) = value.items()
        if kind == "tensor":
            return tensors[content]
        if kind == "tuple":
            return tuple(unflatten(part, tensors) for part in content)
        if kind == "dtype":
            return _dtype(content)
        if kind in ("dict", "counter"):
            pairs = {key: unflatten(part, tensors) for key, part in content}
            return Counter(pairs) if kind == "counter" else pairs
    except (AttributeError, ValueError, TypeError, KeyError) as error:
        raise BadDataError(f"the saved state is damaged ({error})") from None
    raise BadDataError(f"the saved state is damaged (unknown kind {kind!r})")


def _dtype(name: str) -> torch.dtype:
    dtype = getattr(torch, name, None)
    if not isinstance(dtype, torch.dtype):
        raise BadDataError(f"the saved state is damaged (no type {name!r})")
    return dtype
