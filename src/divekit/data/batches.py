"""Batches from tensors in memory: one permutation per epoch, then slices.

Shapes: N examples, B examples in a batch
"""

from collections.abc import Callable, Iterator, Sized

import torch
from torch import Tensor

from divekit.errors import UsageError

# Small rows are gathered for many batches at once, up to this many bytes: fewer calls, and
# memory that stays in the processor's cache.
GATHER_BYTES = 2**18

Augment = Callable[[Tensor, torch.Generator], Tensor]
"""Changes a batch of inputs at random; every draw comes from the generator."""


class Batches(Sized):
    """Iterate over batches of tensors that share their first axis.

    Every iteration is one epoch. With ``shuffle``, epoch ``e`` goes through the examples
    in an order that depends on ``(seed, e)`` alone, so setting ``epoch`` is all it takes
    to continue where an earlier process stopped. Without ``shuffle`` and ``transform`` a
    batch is a view of the data: writing into it writes into the data.

    Args:
        tensors: each (N, ...); a batch is a tuple of (B, ...), the last one may be smaller.
        batch_size: B.
        shuffle: a new order each epoch; otherwise the order of the tensors.
        seed: of the order.
        transform: applied to the first tensor of each batch, on the device of the data:
            scaling of uint8 images, resizing.
        augment: applied before that, with a generator that depends on ``(seed, epoch)`` alone:
            random changes of images that are trained on.
    """

    def __init__(
        self,
        *tensors: Tensor,
        batch_size: int,
        shuffle: bool = False,
        seed: int = 0,
        transform: Callable[[Tensor], Tensor] | None = None,
        augment: Augment | None = None,
    ) -> None:
        lengths = {len(tensor) for tensor in tensors}
        if len(lengths) != 1:
            raise ValueError(f"tensors have different lengths: {sorted(lengths)}")
        if batch_size < 1:
            raise UsageError(f"batch_size is {batch_size}; it must be at least 1")
        self.tensors = tensors
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.transform = transform
        self.augment = augment
        self.epoch = 0

    def __len__(self) -> int:
        """Give the number of batches in an epoch."""
        return -(-self.num_examples // self.batch_size)

    @property
    def num_examples(self) -> int:
        """N."""
        return len(self.tensors[0])

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        order = self.order(self.epoch) if self.shuffle else None
        # Of another stream than the order, which would otherwise say how each image is changed.
        generator = self._generator(-1 - self.epoch)
        self.epoch += 1
        for inputs, *others in self._slices(order):
            if self.augment is not None:
                inputs = self.augment(inputs, generator)
            if self.transform is not None:
                inputs = self.transform(inputs)
            yield (inputs, *others)

    def order(self, epoch: int) -> Tensor:
        """Give the order of the examples in an epoch: a permutation (N,)."""
        return torch.randperm(self.num_examples, generator=self._generator(epoch))

    def inputs_of(self, examples: Tensor) -> Tensor:
        """Give the inputs of some examples (R,) as a model is given them, not augmented."""
        inputs = self.tensors[0][examples.to(self.tensors[0].device)]  # (R, ...)
        return inputs if self.transform is None else self.transform(inputs)

    def to(self, device: torch.device | str) -> "Batches":
        """Give the same batches with the whole data on a device."""
        moved = Batches(
            *(tensor.to(device) for tensor in self.tensors),
            batch_size=self.batch_size,
            shuffle=self.shuffle,
            seed=self.seed,
            transform=self.transform,
            augment=self.augment,
        )
        moved.epoch = self.epoch
        return moved

    def _generator(self, epoch: int) -> torch.Generator:
        # SplitMix64's odd constant keeps (seed, epoch) pairs apart.
        mixed = (self.seed * 0x9E3779B97F4A7C15 + epoch) % 2**63
        return torch.Generator().manual_seed(mixed)

    def _slices(self, order: Tensor | None) -> Iterator[tuple[Tensor, ...]]:
        if not self.num_examples:
            return  # split() would give one batch of nothing
        if order is None:
            yield from zip(*(tensor.split(self.batch_size) for tensor in self.tensors), strict=True)
            return
        bytes_per_example = max(
            tensor[:1].numel() * tensor.element_size() for tensor in self.tensors
        )
        batches_at_once = max(1, GATHER_BYTES // max(1, bytes_per_example * self.batch_size))
        for rows in order.split(batches_at_once * self.batch_size):
            # (R,) row numbers, then (R, ...) gathered rows, cut into (B, ...).
            rows = rows.to(self.tensors[0].device)
            gathered = [tensor.index_select(0, rows) for tensor in self.tensors]
            yield from zip(*(part.split(self.batch_size) for part in gathered), strict=True)
