"""Data sets: examples by their number."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy
import torch
from torch import Tensor

from divekit.mx.array import ndarray, wrap
from divekit.mx.dtypes import TO_TORCH
from divekit.mx.errors import ShapeError


class Dataset:
    """The base of all data sets; subclasses write ``__getitem__`` and ``__len__``."""

    def __getitem__(self, idx: Any) -> Any:
        raise NotImplementedError("a data set writes __getitem__(self, idx)")

    def __len__(self) -> int:
        raise NotImplementedError("a data set writes __len__(self)")

    def filter(self, fn: Callable[[Any], Any]) -> "Dataset":
        """Keep the examples of which ``fn`` says so; each is read once, now."""
        return _Chosen(self, [place for place in range(len(self)) if fn(self[place])])

    def shard(self, num_shards: int, index: int) -> "Dataset":
        """Give one of ``num_shards`` parts; the first ones are an example longer if need be."""
        if not 0 <= index < num_shards:
            raise ValueError(f"there is no part {index} of {num_shards}")
        size, more = divmod(len(self), num_shards)
        start = size * index + min(index, more)
        return _Chosen(self, range(start, start + size + (index < more)))

    def take(self, count: int | None) -> "Dataset":
        """Give the first ``count`` examples."""
        return _Chosen(self, range(len(self) if count is None else min(count, len(self))))

    def sample(self, sampler: Any) -> "Dataset":
        """Give the examples that a sampler names."""
        return _Chosen(self, list(sampler))

    def transform(self, fn: Callable[..., Any], lazy: bool = True) -> "Dataset":
        """Give ``fn(*example)`` for each example; ``lazy`` when it is asked for, else now."""
        changed = _Transformed(self, fn, first=False)
        return changed if lazy else SimpleDataset([changed[place] for place in range(len(self))])

    def transform_first(self, fn: Callable[..., Any], lazy: bool = True) -> "Dataset":
        """Apply ``fn`` to the first part of each example, which are the images, say."""
        changed = _Transformed(self, fn, first=True)
        return changed if lazy else SimpleDataset([changed[place] for place in range(len(self))])

    def batch(self, places: Sequence[int]) -> Any:
        """Give many examples as one batch, or None where they must be read one by one."""
        return None


class SimpleDataset(Dataset):
    """A list of examples."""

    def __init__(self, data: Any) -> None:
        self._data = data

    def __getitem__(self, idx: Any) -> Any:
        return self._data[idx]

    def __len__(self) -> int:
        return len(self._data)


class _Chosen(Dataset):
    """Some examples of another data set."""

    def __init__(self, data: Dataset, places: Sequence[int]) -> None:
        self._data, self._places = data, places

    def __getitem__(self, idx: Any) -> Any:
        return self._data[self._places[idx]]

    def __len__(self) -> int:
        return len(self._places)

    def batch(self, places: Sequence[int]) -> Any:
        return self._data.batch([self._places[place] for place in places])


class _Transformed(Dataset):
    """Examples that a function has changed, all of them or their first part."""

    def __init__(self, data: Dataset, function: Callable[..., Any], first: bool) -> None:
        self._data, self._function, self._first = data, function, first

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, idx: Any) -> Any:
        example = self._data[idx]
        if not isinstance(example, tuple):
            return self._function(example)
        if self._first:
            return (self._function(example[0]), *example[1:])
        return self._function(*example)

    def batch(self, places: Sequence[int]) -> Any:
        # Functions that do the same to each example of a batch say so.
        if not (self._first and getattr(self._function, "takes_batches", False)):
            return None
        parts = self._data.batch(places)
        if isinstance(parts, list):
            return [self._function(parts[0]), *parts[1:]]
        return None if parts is None else self._function(parts)


class ArrayDataset(Dataset):
    """Examples put together of arrays, lists or data sets of equal lengths."""

    def __init__(self, *args: Any) -> None:
        if not args:
            raise ValueError("an ArrayDataset needs an array at least")
        lengths = [len(part) for part in args]
        if len(set(lengths)) > 1:
            raise ShapeError(f"arrays of different lengths: {', '.join(map(str, lengths))}")
        self._length = lengths[0]
        # Numbers come out as NumPy's, which is what MXNet gave.
        self._data = [
            part.asnumpy() if isinstance(part, ndarray) and part.ndim == 1 else part
            for part in args
        ]
        self._whole = [_as_tensor(part) for part in self._data]

    def __getitem__(self, idx: Any) -> Any:
        if len(self._data) == 1:
            return self._data[0][idx]
        return tuple(part[idx] for part in self._data)

    def __len__(self) -> int:
        return self._length

    def batch(self, places: Sequence[int]) -> Any:
        if any(whole is None for whole in self._whole):
            return None
        chosen = torch.as_tensor(places)
        return gathered(
            [
                (whole, part._context if isinstance(part, ndarray) else None)
                for whole, part in zip(self._whole, self._data, strict=True)
                if whole is not None
            ],
            chosen,
        )


def gathered(parts: list[tuple[Tensor, Any]], places: Tensor) -> Any:
    """Give the rows of each tensor as an array: a list of them, or one alone."""
    arrays = [wrap(whole[places.to(whole.device)], context) for whole, context in parts]
    return arrays if len(arrays) > 1 else arrays[0]


def _as_tensor(part: Any) -> Tensor | None:
    if isinstance(part, ndarray):
        return part.tensor.detach()
    if isinstance(part, numpy.ndarray) and part.dtype.kind in "biuf":
        return torch.from_numpy(part.copy()) if part.dtype.type in TO_TORCH else None
    return None
