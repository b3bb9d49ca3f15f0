"""Data sets of pictures: (H, W, C) bytes and a label.

Book: 3.5, 13.1 and 18.9. Files come from ``divekit.data``'s places, and are checked there.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import torch
from torch import Tensor

from divekit.data.fashion_mnist import FILES
from divekit.data.folders import Archive, fetch_folder
from divekit.data.hub import Form, Remote, fetch
from divekit.data.idx import read_idx
from divekit.errors import BadDataError
from divekit.mx import image
from divekit.mx.array import wrap
from divekit.mx.gluon.data.dataset import Dataset, gathered


class _InMemory(Dataset):
    """Pictures (N, H, W, C) uint8 and labels (N,) int32, all in memory.

    Slices give several at once. ``transform(data, label)`` is applied to what is asked for.
    """

    def __init__(self, pixels: Tensor, labels: Tensor, transform: Any) -> None:
        self._transform = transform
        self._data = wrap(pixels)
        self._label = labels.to(torch.int32).numpy()

    def __getitem__(self, idx: Any) -> Any:
        example = self._data[idx], self._label[idx]
        return example if self._transform is None else self._transform(*example)

    def __len__(self) -> int:
        return len(self._label)

    def batch(self, places: Any) -> Any:
        if self._transform is not None:
            return None
        whole = (self._data.tensor, None), (torch.from_numpy(self._label), None)
        return gathered(list(whole), torch.as_tensor(places))


def _mnist_file(stem: str, size: int, sha256: str) -> Remote:
    return Remote(
        f"MNIST {stem}",
        urls=(
            f"https://ossci-datasets.s3.amazonaws.com/mnist/{stem}-ubyte.gz",
            f"https://storage.googleapis.com/cvdf-datasets/mnist/{stem}-ubyte.gz",
        ),
        licence="CC BY-SA 3.0",
        forms=(Form(f"mnist/{stem}-ubyte.gz", size, sha256), Form(f"mnist/{stem}-ubyte")),
    )


MNIST_FILES = {
    "train images": _mnist_file(
        "train-images-idx3",
        9912422,
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    ),
    "train labels": _mnist_file(
        "train-labels-idx1",
        28881,
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    ),
    "test images": _mnist_file(
        "t10k-images-idx3",
        1648877,
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    ),
    "test labels": _mnist_file(
        "t10k-labels-idx1",
        4542,
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ),
}


class MNIST(_InMemory):
    """Handwritten digits: 60,000 to train on and 10,000 to test, 28 by 28, grey.

    ``root`` is not used: files come from ``DIVEKIT_DATA``, the cache, or the network.
    """

    _files = MNIST_FILES

    def __init__(
        self, root: Any = None, train: bool = True, transform: Callable[..., Any] | None = None
    ) -> None:
        part = "train" if train else "test"
        image_file, label_file = (fetch(self._files[f"{part} {w}"]) for w in ("images", "labels"))
        pixels, labels = read_idx(image_file.path), read_idx(label_file.path)
        if pixels.ndim != 3 or pixels.shape[1:] != (28, 28) or labels.shape != pixels.shape[:1]:
            raise BadDataError(
                f"{image_file.path} and {label_file.path}: not pictures of 28 by 28 and as many "
                "labels"
            )
        super().__init__(pixels.unsqueeze(-1), labels, transform)


class FashionMNIST(MNIST):
    """Clothing in ten classes, in the form of MNIST."""

    _files = FILES


def _cifar(name: str, size: int, sha256: str, top: str, files: tuple[str, ...]) -> Archive:
    return Archive(
        name=name,
        urls=(f"https://www.cs.toronto.edu/~kriz/{name.lower()}-binary.tar.gz",),
        licence="none stated",
        forms=(Form(f"{name.lower()}/{name.lower()}-binary.tar.gz", size, sha256, top=top),),
        holds=files,
        unpacked=(f"{name.lower()}/{top}",),
    )


_CIFAR10_TRAIN = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
CIFAR10_FILES = _cifar(
    "CIFAR-10",
    170052171,
    "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    "cifar-10-batches-bin",
    (*_CIFAR10_TRAIN, "test_batch.bin"),
)


class CIFAR10(_InMemory):
    """Objects in ten classes: 50,000 to train on and 10,000 to test, 32 by 32, in colour.

    ``root`` is not used: files come from ``DIVEKIT_DATA``, the cache, or the network.
    """

    def __init__(
        self, root: Any = None, train: bool = True, transform: Callable[..., Any] | None = None
    ) -> None:
        folder = fetch_folder(CIFAR10_FILES).path
        names = _CIFAR10_TRAIN if train else ("test_batch.bin",)
        every = torch.cat([_records(folder / name) for name in names])
        pixels = every[:, 1:].reshape(-1, 3, 32, 32).permute(0, 2, 3, 1).contiguous()
        super().__init__(pixels, every[:, 0], transform)


def _records(path: Path) -> Tensor:
    data = numpy.fromfile(path, dtype=numpy.uint8)
    if data.size == 0 or data.size % 3073 or data[::3073].max() > 9:
        raise BadDataError(f"{path}: not CIFAR-10's records of 3,073 bytes")
    return torch.from_numpy(data.reshape(-1, 3073))


class ImageFolderDataset(Dataset):
    """Pictures in one folder for each class: ``root/cat/1.jpg``.

    ``flag`` is 1 for colour, 0 for grey. ``synsets`` names the classes, in order, ``items`` lists
    files and labels; what is not a picture by its name is passed over.
    """

    _endings = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif", ".tif", ".tiff")

    def __init__(self, root: str | os.PathLike[str], flag: int = 1, transform: Any = None) -> None:
        folder = Path(os.path.expanduser(root))
        if not folder.is_dir():
            raise BadDataError(f"{folder}: no such folder")
        self._flag, self._transform = flag, transform
        classes = sorted(one for one in folder.iterdir() if one.is_dir())
        self.synsets = [one.name for one in classes]
        self.items = [
            (str(file), label)
            for label, one in enumerate(classes)
            for file in sorted(one.iterdir())
            if file.suffix.lower() in self._endings
        ]
        if not self.items:
            raise BadDataError(f"{folder}: no folder in it has pictures; make one for each class")

    def __getitem__(self, idx: Any) -> Any:
        file, label = self.items[idx]
        picture = image.imread(file, self._flag)
        return (picture, label) if self._transform is None else self._transform(picture, label)

    def __len__(self) -> int:
        return len(self.items)
