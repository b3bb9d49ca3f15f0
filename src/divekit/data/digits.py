"""Handwritten digits that come with scikit-learn: the sample that stands in for larger image sets.

Source: Alpaydin and Kaynak, 1998, https://doi.org/10.24432/C50P49
Shapes: N examples, B examples in a batch, H height, W width
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from divekit.data.augmentation import movement
from divekit.data.dataset import Card, DataSet, Facts, Opened
from divekit.data.images import image_transform
from divekit.errors import MissingExtraError

FILE = "data/digits.csv.gz"  # below scikit-learn's datasets
SIDE = 8
NUM_TEST = 360
# The split is part of the data set, so it has a seed of its own.
SPLIT_SEED = 0


@dataclass(frozen=True)
class Digits(DataSet):
    """Batches of (images, labels): (B, 1, H, W) float32 in 0-1, and (B,) int64."""

    name: ClassVar[str] = "digits"
    card: ClassVar[Card] = Card(
        title="Handwritten digits (scikit-learn)",
        about="1,797 grey pictures of the digits 0 to 9; comes with scikit-learn, no download",
        shapes="images 1 x 8 x 8, 1,437 to train on and 360 to test on",
        size="nothing to download",
        licence="CC BY 4.0 (UCI Machine Learning Repository)",
        source="https://archive.ics.uci.edu/dataset/80",
    )

    batch_size: int = 32
    resize: int | None = None
    """Side of the images in pixels; as they are (8) when none."""
    shift: int = 0
    """Pixels at most by which each training image is moved at random, either way."""

    @property
    def facts(self) -> Facts:
        """What models need to know; nothing is read for it."""
        side = self.resize or SIDE
        return Facts(
            self.name, (1, side, side), class_names=tuple(str(digit) for digit in range(10))
        )

    def load(self, seed: int) -> Opened:
        """Read the digits out of scikit-learn."""
        table = torch.from_numpy(_read())  # (N, 65): 64 pixels and the label
        # 0-16 grey levels -> uint8 0-255 (N, 1, 8, 8), as other images are kept.
        images = (table[:, :-1] * (255 / 16)).round().to(torch.uint8).view(-1, 1, SIDE, SIDE)
        labels = table[:, -1].long()
        order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(SPLIT_SEED))
        test, train = order[:NUM_TEST], order[NUM_TEST:]
        return Opened.from_tensors(
            self.facts,
            (images[train], labels[train]),
            (images[test], labels[test]),
            batch_size=self.batch_size,
            seed=seed,
            transform=image_transform(self.resize),
            augment=movement(self.shift),
        )


def _read() -> np.ndarray:
    """Read the table that ``load_digits`` gives, (N, 65) float64, without importing scikit-learn.

    The import takes longer than the training of most samples. Should a later version keep the file
    elsewhere, its own function knows where.
    """
    spec = find_spec("sklearn")
    if spec is None or spec.origin is None:
        raise MissingExtraError("the digits data set", "data")
    file = Path(spec.origin).with_name("datasets") / FILE
    if file.exists():
        return np.loadtxt(file, delimiter=",")
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return np.column_stack([bunch.data, bunch.target])
