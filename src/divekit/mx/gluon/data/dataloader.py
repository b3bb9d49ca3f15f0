"""``DataLoader``: batches of a data set, one after the other."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from divekit.mx.gluon.data.batchify import default_batchify_fn
from divekit.mx.gluon.data.dataset import Dataset
from divekit.mx.gluon.data.sampler import BatchSampler, RandomSampler, SequentialSampler


class DataLoader:
    """Batches of ``batch_size`` examples, in order, or in a new random order each time.

    ``last_batch`` says what becomes of a shorter rest: ``keep``, ``discard`` or ``rollover``.
    ``batchify_fn`` makes a batch of a list of examples. ``num_workers`` threads prepare batches
    ahead: reading files and torch's functions run side by side, Python code does not, and data
    sets may be defined anywhere. ``sampler`` or ``batch_sampler`` give the order in other ways.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = None,
        shuffle: bool = False,
        sampler: Any = None,
        last_batch: str | None = None,
        batch_sampler: Any = None,
        batchify_fn: Callable[[Any], Any] | None = None,
        num_workers: int = 0,
        pin_memory: bool = False,
        pin_device_id: int = 0,
        prefetch: int | None = None,
        thread_pool: bool = False,
        timeout: float = 120,
        try_nopython: bool | None = None,
    ) -> None:
        if batch_sampler is None:
            if batch_size is None:
                raise ValueError("a DataLoader needs batch_size, or batch_sampler")
            if sampler is None:
                kind = RandomSampler if shuffle else SequentialSampler
                sampler = kind(len(dataset))
            elif shuffle:
                raise ValueError("shuffle and sampler say two things: leave one out")
            batch_sampler = BatchSampler(sampler, batch_size, last_batch or "keep")
        elif batch_size is not None or shuffle or sampler is not None or last_batch is not None:
            raise ValueError(
                "batch_sampler stands alone, without batch_size, shuffle, sampler and last_batch"
            )
        self._dataset, self._batch_sampler = dataset, batch_sampler
        self._batchify = batchify_fn or default_batchify_fn
        self._whole = isinstance(dataset, Dataset) and batchify_fn is None
        self._workers = max(0, num_workers)
        self._prefetch = max(0, 2 * self._workers if prefetch is None else prefetch)

    def __len__(self) -> int:
        return len(self._batch_sampler)

    def __iter__(self) -> Iterator[Any]:
        return self._ahead() if self._workers else map(self._load, self._batch_sampler)

    def _load(self, places: list[int]) -> Any:
        if self._whole:
            batch = self._dataset.batch(places)
            if batch is not None:
                return batch
        return self._batchify([self._dataset[place] for place in places])

    def _ahead(self) -> Iterator[Any]:
        """Prepare batches in threads, and give them in order."""
        waiting: deque[Future[Any]] = deque()
        places = iter(self._batch_sampler)
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="DataLoader")
        try:
            for batch in places:
                waiting.append(pool.submit(self._load, batch))
                if len(waiting) > self._prefetch:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            # Also when the loop over the batches is left early.
            pool.shutdown(wait=False, cancel_futures=True)
