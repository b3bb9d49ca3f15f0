"""Several processes train one model: each takes its part of every batch, gradients are averaged.

``torchrun --standalone --nproc-per-node 2 -m divekit train softmax_regression`` starts the
processes; each calls ``workers()``. One batch is shared by all, so the run is that of a
single process with the same ``batch_size``, up to rounding.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor, distributed, nn

from divekit.train.means import Means, divide
from divekit.train.recipe import Batch, BatchesLike, Record

if TYPE_CHECKING:
    from divekit.train.state import State


@contextmanager
def workers() -> Iterator[int]:
    """Join the processes that torchrun started, and give this one's number, from 0.

    Without torchrun there is one process, number 0. Threads are shared out evenly.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield 0
        return
    on_gpu = torch.cuda.is_available()
    local = int(os.environ.get("LOCAL_WORLD_SIZE", os.environ["WORLD_SIZE"]))
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // local))
    if on_gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if on_gpu else "gloo")
    try:
        yield distributed.get_rank()
    finally:
        distributed.destroy_process_group()


def size() -> int:
    """Give the number of processes that train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def device() -> torch.device | None:
    """Give this process's own device where several train together, else None."""
    if size() == 1:
        return None
    if torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("cpu")


def replica(model: nn.Module) -> nn.Module:
    """Give the model whose gradients are averaged over the processes."""
    if size() == 1:
        return model
    return nn.parallel.DistributedDataParallel(model)


def shared(batches: BatchesLike, state: "State") -> Iterable[Batch]:
    """Give this process's part of each batch, and keep ``state.share`` true to it."""
    return batches if size() == 1 else _Part(batches, state)


def read(means: Means) -> Record:
    """Give the means over the examples of all processes."""
    sums = means.sums()
    if size() == 1:
        return divide(sums)
    totals = torch.stack(list(sums.values()))
    if torch.cuda.is_available():
        totals = totals.cuda()  # nccl knows no CPU
    distributed.all_reduce(totals)
    return divide(dict(zip(sums, totals.cpu().unbind(), strict=True)))


class _Part:
    """Batches cut into equal parts, one for each process.

    Parts differ by an example where they must, so each one's loss weighs what it holds; a
    batch smaller than the number of processes gives some an example of weight zero.
    """

    def __init__(self, batches: BatchesLike, state: "State") -> None:
        self._batches = batches
        self._state = state

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        rank, processes = distributed.get_rank(), size()
        for batch in self._batches:
            count = len(batch[0])
            first, last = count * rank // processes, count * (rank + 1) // processes
            # DistributedDataParallel divides the sum of the gradients by the processes.
            self._state.share = (last - first) * processes / count
            yield tuple(part[first : max(last, first + 1)] for part in batch)
