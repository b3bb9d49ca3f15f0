"""``gluon.data``: data sets, and batches of them."""

import importlib
from typing import TYPE_CHECKING, Any

from divekit.mx.errors import no_attribute
from divekit.mx.gluon.data import batchify
from divekit.mx.gluon.data.dataloader import DataLoader
from divekit.mx.gluon.data.dataset import ArrayDataset, Dataset, SimpleDataset
from divekit.mx.gluon.data.sampler import (
    BatchSampler,
    FilterSampler,
    IntervalSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
)

if TYPE_CHECKING:
    from divekit.mx.gluon.data import vision

__all__ = [
    "ArrayDataset",
    "BatchSampler",
    "DataLoader",
    "Dataset",
    "FilterSampler",
    "IntervalSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SimpleDataset",
    "batchify",
    "vision",
]


def __getattr__(name: str) -> Any:
    if name == "vision":
        return importlib.import_module("divekit.mx.gluon.data.vision")
    instead = "the records unpacked into files, once" if name == "RecordFileDataset" else None
    raise no_attribute("mxnet.gluon.data", name, instead)
