"""``mx.kv``: a store of arrays by key, summed when they are pushed; on one machine."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from divekit.mx.array import ndarray, wrap, write
from divekit.mx.errors import MXNetError, not_here

_LOCAL = (
    "local",
    "device",
    "nccl",
    "local_update_cpu",
    "local_allreduce_cpu",
    "local_allreduce_device",
)


def summed(tensors: list[Tensor]) -> Tensor:
    """Add tensors of several devices up, on the first one's; a new tensor."""
    total = tensors[0].detach().clone()
    for tensor in tensors[1:]:
        total += tensor.detach().to(total.device)
    return total


class KVStore:
    """Arrays by key. ``push`` sums what it is given, ``pull`` copies the array out.

    With an updater, or an optimizer, a push changes the stored array by it; else it replaces it.
    """

    def __init__(self, kind: str) -> None:
        self.type = kind
        self._stored: dict[Any, ndarray] = {}
        self._updater: Callable[[Any, ndarray, ndarray], Any] | None = None

    rank = 0
    num_workers = 1

    def __repr__(self) -> str:
        return f"KVStore({self.type!r}, {len(self._stored)} keys)"

    def init(self, key: Any, value: Any) -> None:
        """Store arrays under new keys."""
        for one, arrays in _pairs(key, value):
            if one in self._stored:
                raise MXNetError(f"key {one!r} is there already; push changes it")
            self._stored[one] = _merged(arrays)

    def push(self, key: Any, value: Any, priority: int = 0) -> None:
        """Sum the arrays of each key, and update or replace the stored one."""
        for one, arrays in _pairs(key, value):
            stored, merged = self._of(one), _merged(arrays)
            merged = wrap(merged.tensor.to(stored.tensor.device), stored._context)
            if self._updater is not None:
                self._updater(one, merged, stored)
            else:
                write(stored, lambda tensor, new: tensor.copy_(new), merged)

    def pull(
        self, key: Any, out: Any = None, priority: int = 0, ignore_sparse: bool = True
    ) -> None:
        """Copy the stored array of each key into ``out``, one array or a list of them."""
        if out is None:
            raise ValueError("pull needs out: the arrays to copy into")
        for one, arrays in _pairs(key, out):
            stored = self._of(one)
            for array in arrays:
                here = wrap(stored.tensor.to(array.tensor.device), array._context)
                write(array, lambda tensor, new: tensor.copy_(new), here)

    def pushpull(self, key: Any, value: Any, out: Any = None, priority: int = 0) -> None:
        """Push, then pull into ``out``, or into ``value`` itself."""
        self.push(key, value)
        self.pull(key, value if out is None else out)

    def broadcast(self, key: Any, value: Any, out: Any, priority: int = 0) -> None:
        """Store arrays under new keys and copy them into ``out``."""
        self.init(key, value)
        self.pull(key, out)

    def set_optimizer(self, optimizer: Any) -> None:
        """Update by an optimizer from now on."""
        from divekit.mx.optimizer import get_updater

        self._updater = get_updater(optimizer)

    def set_updater(self, updater: Callable[[Any, ndarray, ndarray], Any]) -> None:
        """Call ``updater(key, pushed, stored)`` at each push from now on."""
        self._updater = updater

    _set_updater = set_updater

    def barrier(self) -> None:
        """Wait for the other workers, of which there are none."""

    def set_gradient_compression(self, compression_params: Any) -> None:
        """Refuse: nothing leaves this machine."""
        raise not_here("set_gradient_compression", "torch.distributed's gradient hooks")

    def row_sparse_pull(self, *args: Any, **kwargs: Any) -> None:
        """Refuse: arrays are dense."""
        raise not_here("row_sparse_pull", "pull, then take the rows")

    def _of(self, key: Any) -> ndarray:
        if key not in self._stored:
            raise MXNetError(f"key {key!r} is not there; init it first")
        return self._stored[key]


def create(name: str = "local") -> KVStore:
    """Make a store; all kinds on one machine are the same."""
    if name in _LOCAL:
        return KVStore(name)
    if isinstance(name, str) and (name.startswith(("dist", "p3")) or name in ("horovod", "byteps")):
        raise not_here(f"kvstore {name!r}", "torch.distributed with DistributedDataParallel")
    raise ValueError(f"no kvstore is called {name!r}; there is {', '.join(_LOCAL)}")


def _pairs(key: Any, value: Any) -> list[tuple[Any, list[ndarray]]]:
    if not isinstance(key, list | tuple):
        return [(key, list(value) if isinstance(value, list | tuple) else [value])]
    if len(key) != len(value):
        raise MXNetError(f"{len(key)} keys, but {len(value)} values")
    return [
        (one, list(arrays) if isinstance(arrays, list | tuple) else [arrays])
        for one, arrays in zip(key, value, strict=True)
    ]


def _merged(arrays: list[ndarray]) -> ndarray:
    with torch.no_grad():
        return wrap(summed([array.tensor for array in arrays]), arrays[0]._context)
