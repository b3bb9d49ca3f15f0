"""Four clouds of points in the plane, one class in each pair of opposite corners.

Book: 4.1 Multilayer Perceptrons (data of our own)
Shapes: N examples, B examples in a batch
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from divekit.data.dataset import Card, DataSet, Facts, Opened
from divekit.errors import UsageError


@dataclass(frozen=True)
class XOR(DataSet):
    """Batches of (points, labels): (B, 2) float32 and (B,) int64."""

    name: ClassVar[str] = "xor"
    card: ClassVar[Card] = Card(
        title="Exclusive or, with noise",
        about="clouds around the corners (±1, ±1); the class is whether the signs differ",
        shapes="points in the plane, 1,000 to train on and 1,000 to test on",
        size="nothing to download",
        licence="made here",
        source="divekit.data.XOR",
    )

    noise: float = 0.4
    """Standard deviation of the clouds; their centres are 2 apart."""
    num_examples: int = 1000
    """To train on, and again as many to test on."""
    batch_size: int = 32
    draw: int = 0
    """Which draw of the points: the seed of the data, not of the training."""

    @property
    def facts(self) -> Facts:
        """What models need to know."""
        return Facts(self.name, input_shape=(2,), class_names=("signs agree", "signs differ"))

    def load(self, seed: int) -> Opened:
        """Draw the data."""
        if self.num_examples < 1 or self.noise < 0:
            raise UsageError("num_examples must be at least 1 and noise at least 0")
        generator = torch.Generator().manual_seed(self.draw)
        train = xor_data(self.noise, self.num_examples, generator)
        test = xor_data(self.noise, self.num_examples, generator)
        return Opened.from_tensors(self.facts, train, test, batch_size=self.batch_size, seed=seed)


def xor_data(noise: float, num_examples: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw points (N, 2) around random corners (±1, ±1); the label (N,) says if signs differ."""
    corners = torch.randint(0, 2, (num_examples, 2), generator=generator)
    labels = (corners[:, 0] != corners[:, 1]).long()  # (N, 2) -> (N,)
    scatter = noise * torch.randn(num_examples, 2, generator=generator)
    return 2.0 * corners - 1.0 + scatter, labels
