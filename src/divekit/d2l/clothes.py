"""Fashion-MNIST for both editions."""

from typing import Any

import torch

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
