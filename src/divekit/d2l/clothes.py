"""Fashion-MNIST for both editions."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from divekit.data import Batches, FashionMNIST


def class_names(labels: Any) -> list[str]:
    """Give the names of labels: ``t-shirt`` for 0."""
    names = FashionMNIST().facts.class_names
    return [names[int(label)] for label in labels]


def fashion_mnist(batch_size: int, resize: int | None) -> tuple[Batches, Batches]:
    """Open the data for training and testing; the order follows torch's random numbers."""
    seed = int(torch.randint(2**31, ()))
    opened = FashionMNIST(batch_size=batch_size, resize=resize).open(seed)
    assert isinstance(opened.train, Batches)
    assert isinstance(opened.test, Batches)
    return opened.train, opened.test


class Examples(Dataset[tuple[Tensor, int]]):
    """The examples of batches one by one: an image (1, H, W) as a net is given it, its label."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches

    def __len__(self) -> int:
        return self._batches.num_examples

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        number = range(len(self))[index]  # raises IndexError, and counts from the end
        images = self._batches.inputs_of(torch.tensor([number]))  # (1, 1, H, W)
        return images[0], int(self._batches.tensors[1][number])


class Loader:
    """Batches, with what programs ask of torch's DataLoader: ``dataset`` and ``batch_size``."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches
        self.dataset = Examples(batches)
        self.batch_size = batches.batch_size

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        return iter(self._batches)
