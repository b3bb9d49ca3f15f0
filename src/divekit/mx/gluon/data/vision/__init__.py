"""``gluon.data.vision``: data sets of pictures, and what is done to pictures."""

from typing import Any

from divekit.mx.errors import MissingNameError
from divekit.mx.gluon.data.vision import datasets, transforms
from divekit.mx.gluon.data.vision.datasets import (
    CIFAR10,
    MNIST,
    FashionMNIST,
    ImageFolderDataset,
)

__all__ = ["CIFAR10", "MNIST", "FashionMNIST", "ImageFolderDataset", "datasets", "transforms"]


def __getattr__(name: str) -> Any:
    if name in ("CIFAR100", "ImageRecordDataset", "ImageListDataset"):
        raise MissingNameError(
            f"vision.{name} is not part of divekit.mx; ImageFolderDataset reads pictures"
        )
    raise AttributeError(f"module 'mxnet.gluon.data.vision' has no attribute {name!r}")
