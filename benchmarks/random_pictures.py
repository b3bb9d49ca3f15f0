"""Random pictures in the shapes of Fashion-MNIST: in memory, so opening them takes no time.

Shapes: N examples, H height, W width
"""

from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import torch
from torch import Tensor

from divekit.data import Card, DataSet, FashionMNIST, Opened
from divekit.data.fashion_mnist import CLASS_NAMES, SIDE
from divekit.data.images import image_transform


@dataclass(frozen=True)
class RandomPictures(DataSet):
    """Batches of (images, labels), kept and prepared as ``FashionMNIST`` does it."""

    name: ClassVar[str] = "random_pictures"
    card: ClassVar[Card] = Card(
        title="Random pictures",
        about="uint8 noise with random labels",
        shapes=f"images 1 x {SIDE} x {SIDE}",
        size="nothing to download",
        licence="made here",
        source="drawn on the spot",
    )

    num_train: int = 60_000
    num_test: int = 10_000
    batch_size: int = 256
    resize: int | None = None

    def load(self, seed: int) -> Opened:
        """Give the pictures, drawn on the first call."""
        (train_images, train_labels), (test_images, test_labels) = (
            draw(self.num_train),
            draw(self.num_test),
        )
        return Opened.from_tensors(
            FashionMNIST(resize=self.resize).facts,
            (train_images[:, None], train_labels),  # (N, H, W) -> (N, 1, H, W)
            (test_images[:, None], test_labels),
            batch_size=self.batch_size,
            seed=seed,
            transform=image_transform(self.resize),
        )


@cache
def draw(number: int) -> tuple[Tensor, Tensor]:
    """Draw images (N, H, W) uint8 and labels (N,) int64."""
    generator = torch.Generator().manual_seed(number)
    images = torch.randint(256, (number, SIDE, SIDE), dtype=torch.uint8, generator=generator)
    return images, torch.randint(len(CLASS_NAMES), (number,), generator=generator)
