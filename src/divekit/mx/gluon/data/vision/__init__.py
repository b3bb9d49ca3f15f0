"""``gluon.data.vision``: data sets of pictures, and what is done to pictures."""

from typing import Any

from divekit.mx.errors import no_attribute
from divekit.mx.gluon.data.vision import datasets, transforms
from divekit.mx.gluon.data.vision.datasets import (
    CIFAR10,
    MNIST,
    FashionMNIST,
    ImageFolderDataset,
)

__all__ = ["CIFAR10", "MNIST", "FashionMNIST", "ImageFolderDataset", "datasets", "transforms"]


def __getattr__(name: str) -> Any:
    pictures = name in ("CIFAR100", "ImageRecordDataset", "ImageListDataset")
    instead = "the pictures in a folder, and ImageFolderDataset" if pictures else None
    raise no_attribute("mxnet.gluon.data.vision", name, instead)
