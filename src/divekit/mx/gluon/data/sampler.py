"""Samplers: in which order examples are taken, and how many at a time."""

from collections.abc import Callable, Iterator
from typing import Any

import torch


class Sampler:
    """The base of all samplers; subclasses write ``__iter__`` and ``__len__``."""

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError("a sampler writes __iter__(self)")

    def __len__(self) -> int:
        raise NotImplementedError("a sampler writes __len__(self)")


class SequentialSampler(Sampler):
    """From ``start`` on, one after the other."""

    def __init__(self, length: int, start: int = 0) -> None:
        self._length, self._start = length, start

    def __iter__(self) -> Iterator[int]:
        return iter(range(self._start, self._start + self._length))

    def __len__(self) -> int:
        return self._length


class RandomSampler(Sampler):
    """Every example once, in an order drawn anew each time; ``mx.random.seed`` repeats it."""

    def __init__(self, length: int) -> None:
        self._length = length

    def __iter__(self) -> Iterator[int]:
        return iter(torch.randperm(self._length).tolist())

    def __len__(self) -> int:
        return self._length


class IntervalSampler(Sampler):
    """0, ``interval``, twice that, ...; with ``rollover`` then 1, ``interval`` + 1, ..."""

    def __init__(self, length: int, interval: int, rollover: bool = True) -> None:
        if interval > length:
            raise ValueError(f"interval is {interval}, but there are {length} examples")
        self._length, self._interval, self._rollover = length, interval, rollover

    def __iter__(self) -> Iterator[int]:
        for start in range(self._interval if self._rollover else 1):
            yield from range(start, self._length, self._interval)

    def __len__(self) -> int:
        return self._length if self._rollover else -(-self._length // self._interval)


class FilterSampler(Sampler):
    """The examples of a data set of which ``fn`` says so."""

    def __init__(self, fn: Callable[[Any], Any], dataset: Any) -> None:
        self._places = [place for place in range(len(dataset)) if fn(dataset[place])]

    def __iter__(self) -> Iterator[int]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


class BatchSampler(Sampler):
    """Lists of ``batch_size`` of what another sampler gives.

    A shorter rest is a batch (``keep``), left out (``discard``) or the beginning of the next time
    round (``rollover``).
    """

    def __init__(self, sampler: Any, batch_size: int, last_batch: str = "keep") -> None:
        if last_batch not in ("keep", "discard", "rollover"):
            raise ValueError(f"last_batch is keep, discard or rollover, not {last_batch!r}")
        if batch_size < 1:
            raise ValueError(f"batch_size is at least 1, not {batch_size}")
        self._sampler, self._batch_size, self._last_batch = sampler, batch_size, last_batch
        self._rest: list[Any] = []

    def __iter__(self) -> Iterator[list[Any]]:
        batch, self._rest = self._rest, []
        for place in self._sampler:
            batch.append(place)
            if len(batch) == self._batch_size:
                yield batch
                batch = []
        if batch and self._last_batch == "keep":
            yield batch
        elif self._last_batch == "rollover":
            self._rest = batch

    def __len__(self) -> int:
        count = len(self._sampler)
        if self._last_batch == "keep":
            return -(-count // self._batch_size)
        return (count + len(self._rest)) // self._batch_size
