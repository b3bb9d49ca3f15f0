"""Measures of memory: what a computation holds at its height, and what waits for the way back.

Book: 4.7 Forward Propagation, Backward Propagation, and Computational Graphs

Counted are the bytes of tensors, of their storage, once each. What an operation uses within itself
is not seen, nor what the allocator rounds up.
"""

import weakref
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


def kept_for_backward(compute: Callable[[], Any], *, besides: Iterable[Tensor] = ()) -> int:
    """Give the bytes that autograd keeps for the way back while ``compute`` runs.

    Args:
        compute: what to measure; it takes nothing, and what it gives is dropped.
        besides: tensors not to count, since they are there anyway: parameters, inputs.
    """
    there = {_key(tensor) for tensor in besides}
    kept: dict[int, int] = {}
    held = []  # a storage that were freed could lend its address to the next

    def pack(tensor: Tensor) -> Tensor:
        if _key(tensor) not in there:
            kept[_key(tensor)] = tensor.untyped_storage().nbytes()
            held.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        compute()
    return sum(kept.values())


def peak_memory(compute: Callable[[], Any]) -> int:
    """Give the most bytes that were held at one time by tensors made while ``compute`` ran."""
    watch = _Watch()
    with watch:
        compute()
    return watch.peak


class _Watch(TorchDispatchMode):
    """Sees every operation, on the way back too; a storage tells when it is freed."""

    def __init__(self) -> None:
        super().__init__()
        self.held = self.peak = 0
        self._seen: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        before = {_key(leaf) for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)}
        results = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(results):
            if isinstance(leaf, Tensor) and _key(leaf) not in before | self._seen:
                storage = leaf.untyped_storage()
                self._seen.add(_key(leaf))
                self.held += storage.nbytes()
                weakref.finalize(storage, self._freed, _key(leaf), storage.nbytes())
        self.peak = max(self.peak, self.held)
        return results

    def _freed(self, key: int, size: int) -> None:
        self._seen.discard(key)
        self.held -= size


def _key(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata
