"""A folder of your own pictures, one folder in it for each class: ``data=images:photos/``.

Shapes: N images, B images in a batch, C channels, H height, W width
"""

import hashlib
import logging
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from divekit.data.augmentation import movement
from divekit.data.batches import Batches
from divekit.data.dataset import Card, DataSet, Facts, Opened
from divekit.data.images import scale_pixels
from divekit.data.photos import SUFFIXES, read_photos
from divekit.data.progress import human_size
from divekit.data.sheet import some
from divekit.data.splits import split
from divekit.errors import BadDataError, UsageError

log = logging.getLogger("divekit")

SIDE = 64
DEEPEST = 100
TRAIN = ("train", "training")
# In the order in which they are taken for validation, where there are several.
VALIDATION = ("validation", "valid", "val", "test", "testing")
CLUTTER = frozenset(("thumbs.db", "desktop.ini", "__macosx"))


@dataclass
class Listing:
    """The images below a folder, by class, and what else lies there."""

    photos: dict[str, list[Path]] = field(default_factory=dict)
    others: list[Path] = field(default_factory=list)
    """Files that are no images by their suffix."""


@dataclass(frozen=True)
class ImageFolder(DataSet):
    """Batches of (images, labels): (B, C, H, W) float32 in 0-1, and (B,) int64.

    ``folder/class/photo.jpg``, and folders within those. Or with a split of your own:
    ``folder/train/class/...`` and ``folder/validation/class/...`` (or ``val``, or ``test``).
    The short side is resized to ``resize`` pixels and the middle of the long side taken. The
    pixels stay uint8 in memory.
    """

    name: ClassVar[str] = "images"
    card: ClassVar[Card] = Card(
        title="A folder of your own images",
        about="pictures, in a folder for each class",
        shapes="images channels x side x side",
        size="your files",
        licence="yours",
        source="data=images:FOLDER",
    )

    path: str = ""
    resize: int | None = None
    """Side of the images in pixels; 64 when none."""
    channels: Literal[1, 3] | None = None
    """1 for grey; by the pixels unless given: 1 where no image has a colour."""
    validation: float = 0.2
    """Share of each class to validate on, where the folder is not split."""
    split_seed: int = 0
    """Seed of the draw of those images."""
    batch_size: int = 32
    skip_unreadable: bool = False
    """Leave out images that cannot be read, and say how many, in place of stopping."""
    memory: float = 4.0
    """Gigabytes that the pixels may take."""
    shift: int = 0
    """Pixels at most by which each training image is moved at random, either way."""
    mirror: bool = False
    """Whether half of the training images, at random, have left and right exchanged."""

    @property
    def facts(self) -> Facts:
        """What models need to know; the images are read for it, once."""
        (pixels, _), _ = self._pixels, self._split
        return Facts(
            f"images:{self.path}",
            input_shape=tuple(pixels.shape[1:]),
            class_names=tuple(self._parts[0].photos),
            fingerprint=self.fingerprint,
        )

    def sample(self) -> "DataSet":
        """Refuse: nothing stands in for your own data."""
        raise UsageError(f"images:{self.path} is your own data; there is no sample of it")

    def load(self, seed: int) -> Opened:
        """Read the images and say what was found."""
        (pixels, labels), (train, validation) = self._pixels, self._split
        log.info("\n".join([*self.describe(), self._describe_pixels()]))
        return Opened.from_tensors(
            self.facts,
            (pixels[train], labels[train]),
            (pixels[validation], labels[validation]) if validation else None,
            batch_size=self.batch_size,
            seed=seed,
            transform=scale_pixels,
            augment=movement(self.shift, self.mirror),
        )

    def measured_on(self, facts: Facts, *, held_out: bool) -> Batches | None:
        """Give batches to measure a model on that was trained with ``facts``.

        With ``held_out`` the images that were not trained on, None where there are none; all
        images otherwise.
        """
        if len(facts.input_shape) != 3 or not facts.class_names:
            raise UsageError(f"the model was trained on {facts.name}, which has no images")
        strangers = [name for name in self._parts[0].photos if name not in facts.class_names]
        if strangers:
            raise BadDataError(
                f"{self.path}: {strangers[0]!r} is not one of the classes that the model knows "
                f"({some(facts.class_names)})"
            )
        pixels, labels = self._pixels
        rows = self._measured(held_out)
        if not rows:
            return None
        place = torch.tensor([facts.class_names.index(name) for name in self._parts[0].photos])
        return Batches(
            pixels[rows], place[labels[rows]], batch_size=self.batch_size, transform=scale_pixels
        )

    def files_measured_on(self, *, held_out: bool) -> list[Path]:
        """Give the file of each example of ``measured_on``, in its order."""
        paths, (_, kept) = self._listed[0], self._read
        return [paths[kept[row]] for row in self._measured(held_out)]

    def _measured(self, held_out: bool) -> list[int]:
        return self._split[1] if held_out else list(range(len(self._read[1])))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the names and sizes of all files."""
        digest = hashlib.sha256()
        for path in self._listed[0]:
            digest.update(f"{path.relative_to(self.path)}\0{path.stat().st_size}\n".encode())
        return digest.hexdigest()

    def describe(self) -> list[str]:
        """Say what the folder holds, by name; no image is read for it."""
        train, given = self._parts
        images = sum(len(paths) for paths in train.photos.values())
        counts = (f"{name} ({len(paths):,})" for name, paths in train.photos.items())
        lines = [f"images:{self.path}: {images:,} images of {len(train.photos)} classes"]
        if given is not None:
            folder, listing = given
            held_out = sum(len(paths) for paths in listing.photos.values())
            lines[0] += f" to train on, and {held_out:,} in {folder.name}/ to validate on"
            lines += [
                f"  not used: {other}/ (divekit eval RUN data=images:{Path(self.path, other)})"
                for other in self._folders
                if other not in (folder.name, *TRAIN)
            ]
        elif self.validation:
            lines[0] += f", of which {self.validation:g} to validate on"
        lines.insert(1, f"  classes: {some(counts, most=12)}")
        others = train.others + (given[1].others if given else [])
        if others:
            names = some((path.name for path in others), most=3)
            lines.append(f"  no images by their names, so left alone: {names}")
        return lines

    def _describe_pixels(self) -> str:
        pixels, _ = self._pixels
        channels, height, width = pixels.shape[1:]
        kind = "grey" if channels == 1 else "colour"
        size = human_size(pixels.numel())
        return f"  read as {kind}, {channels} x {height} x {width}, {size} in memory"

    @cached_property
    def _folders(self) -> list[str]:
        root = Path(self.path)
        if not root.is_dir():
            what = "a file, not a folder" if root.exists() else "no such folder"
            raise BadDataError(f"{self.path}: {what}")
        return sorted(entry.name for entry in _entries(root) if entry.is_dir())

    @cached_property
    def _parts(self) -> tuple[Listing, tuple[Path, Listing] | None]:
        """Give the images to train on, and where the folder is split, its other part."""
        root, names = Path(self.path), self._folders
        ours = [name for name in names if name.lower() in TRAIN]
        theirs = [name for wanted in VALIDATION for name in names if name.lower() == wanted]
        # A class may be called train, with buses beside it: a split has nothing else in it.
        if len(ours) != 1 or not theirs or len(names) > 1 + len(theirs):
            return _classes(root), None
        train, held_out = _classes(root / ours[0]), _classes(root / theirs[0])
        for name, paths in held_out.photos.items():
            if name not in train.photos:
                raise BadDataError(
                    f"{paths[0].parent}: a class that {root / ours[0]} does not have "
                    f"({some(train.photos)})"
                )
        return train, (root / theirs[0], held_out)

    @cached_property
    def _listed(self) -> tuple[list[Path], list[int]]:
        """Give every image and the number of its class; those of a split's other part last."""
        train, given = self._parts
        place = {name: index for index, name in enumerate(train.photos)}
        paths, labels = [], []
        for listing in (train, *([given[1]] if given else [])):
            for name, photos in listing.photos.items():
                paths += photos
                labels += [place[name]] * len(photos)
        return paths, labels

    @cached_property
    def _read(self) -> tuple[Tensor, list[int]]:
        """Give the images that could be read (N, C, H, W), uint8, and their places in the list."""
        paths, _ = self._listed
        side = SIDE if self.resize is None else self.resize
        if side < 1:
            raise UsageError(f"data.resize is {side}; it must be at least 1")
        shape = (len(paths), self.channels or 3, side, side)
        size = math.prod(shape)
        if size > self.memory * 1e9:
            raise UsageError(
                f"{self.path}: {len(paths):,} images of {shape[1]} x {side} x {side} take "
                f"{human_size(size)}, over data.memory={self.memory:g} gigabytes; "
                f"data.resize={side // 2} takes a quarter"
            )
        pixels = np.empty(shape, dtype=np.uint8)
        errors: list[str] | None = [] if self.skip_unreadable else None
        kept: list[int] = []
        coloured = False
        for place, photo in enumerate(read_photos(paths, side, side, self.channels, errors=errors)):
            if photo is not None:
                pixels[len(kept)] = photo  # grey goes into all three channels
                coloured = coloured or len(photo) == 3
                kept.append(place)
        if errors:
            log.warning(f"left out, since unreadable: {len(errors):,} images; {errors[0]}")
        if not kept:
            raise BadDataError(f"{self.path}: none of the {len(paths):,} images can be read")
        read = pixels[: len(kept)]
        if self.channels is None and not coloured:
            read = read[:, :1].copy()
        return torch.from_numpy(read), kept

    @cached_property
    def _pixels(self) -> tuple[Tensor, Tensor]:
        """Give the images (N, C, H, W) uint8, and their labels (N,)."""
        pixels, kept = self._read
        return pixels, torch.tensor(self._listed[1])[kept]

    @cached_property
    def _split(self) -> tuple[list[int], list[int]]:
        """Give which images to train on, and which to validate on."""
        train, given = self._parts
        if len(train.photos) == 1:
            raise BadDataError(
                f"{self.path}: only one class, {next(iter(train.photos))!r}; there must be two "
                "folders at least"
            )
        _, kept = self._read
        labels = [self._listed[1][place] for place in kept]
        names = list(train.photos)
        if given is not None:
            border = sum(len(paths) for paths in train.photos.values())
            first = sum(place < border for place in kept)
            rows = list(range(first)), list(range(first, len(kept)))
        else:
            rows = split(labels, self.validation, self.split_seed)
        counts = Counter(labels[row] for row in rows[0])
        needed = 2 if given is None and self.validation else 1
        for label, name in enumerate(names):
            if labels.count(label) < needed or not counts[label]:
                raise BadDataError(
                    f"{self._listed[0][self._listed[1].index(label)].parent}: "
                    f"{labels.count(label)} image of class {name!r} that can be read; "
                    "one is needed to train on and one to validate on"
                )
        return rows


def _classes(folder: Path) -> Listing:
    """List the images in each class folder, in order of names."""
    listing = Listing()
    for entry in _entries(folder):
        if not entry.is_dir():
            if entry.suffix.lower() in SUFFIXES:
                raise BadDataError(f"{entry}: an image outside of a class; put it into a folder")
            listing.others.append(entry)
            continue
        others = len(listing.others)
        photos = list(_photos(entry, listing.others, {_identity(entry)}))
        if not photos:
            found = some((path.name for path in listing.others[others:]), most=3)
            what = f"; it holds {found}" if found else ""
            raise BadDataError(
                f"{entry}: no image in this class ({', '.join(sorted(SUFFIXES))}){what}"
            )
        listing.photos[entry.name] = photos
    if not listing.photos:
        raise BadDataError(f"{folder}: no folder in it; put images into a folder for each class")
    return listing


def _photos(
    folder: Path, others: list[Path], seen: set[tuple[int, int]], depth: int = 1
) -> Iterator[Path]:
    """Find the images below a folder; none is entered twice, whatever links lead to it."""
    if depth > DEEPEST:
        raise BadDataError(f"{folder}: more than {DEEPEST} folders in each other")
    for entry in _entries(folder):
        if entry.is_dir():
            if _identity(entry) not in seen:
                seen.add(_identity(entry))
                yield from _photos(entry, others, seen, depth + 1)
        elif entry.suffix.lower() not in SUFFIXES:
            others.append(entry)
        elif entry.is_file():
            yield entry
        else:
            raise BadDataError(f"{entry}: not a file that can be read (a link that leads nowhere?)")


def _entries(folder: Path) -> Sequence[Path]:
    """Give what lies in a folder, by name, without hidden files and file managers' clutter."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise BadDataError(f"{folder}: cannot be read ({error.strerror})") from error
    found = [
        entry
        for entry in entries
        if not entry.name.startswith(".") and entry.name.lower() not in CLUTTER
    ]
    for entry in found:
        # Python stands in for bytes that are no text by what cannot be written anywhere.
        if any("\ud800" <= letter <= "\udfff" for letter in entry.name):
            raise BadDataError(f"{entry}: the name is not text in UTF-8; rename it")
    return found


def _identity(folder: Path) -> tuple[int, int]:
    found = folder.stat()
    return found.st_dev, found.st_ino
