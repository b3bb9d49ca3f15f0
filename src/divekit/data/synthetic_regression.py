"""Synthetic data for linear regression: y = Xw + b + noise, with w and b known.

Book: 3.2 Linear Regression Implementation from Scratch
Shapes: N examples, B examples in a batch, D features
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from divekit.data.dataset import Card, DataSet, Facts, Opened
from divekit.errors import UsageError


@dataclass(frozen=True)
class SyntheticRegression(DataSet):
    """Batches of (features, targets): (B, D) and (B, 1), float32, features from N(0, 1)."""

    name: ClassVar[str] = "synthetic_regression"
    card: ClassVar[Card] = Card(
        title="Synthetic linear regression",
        about="points drawn around a known plane y = Xw + b; made on the spot",
        shapes="features D = 2 (as many as weights are given), 1,000 to train on",
        size="nothing to download",
        licence="made here",
        source="divekit.data.SyntheticRegression",
    )

    weights: tuple[float, ...] = (2.0, -3.4)
    bias: float = 4.2
    noise: float = 0.01
    """Standard deviation of the Gaussian noise on y."""
    num_examples: int = 1000
    batch_size: int = 10
    draw: int = 0
    """Which draw of the features and the noise: the seed of the data, not of the training."""

    @property
    def facts(self) -> Facts:
        """What models need to know."""
        return Facts(self.name, input_shape=(len(self.weights),))

    def load(self, seed: int) -> Opened:
        """Draw the data."""
        if not self.weights:
            raise UsageError("weights must hold at least one number")
        if self.num_examples < 1 or self.noise < 0:
            raise UsageError("num_examples must be at least 1 and noise at least 0")
        generator = torch.Generator().manual_seed(self.draw)
        points = linear_data(self.weights, self.bias, self.noise, self.num_examples, generator)
        return Opened.from_tensors(self.facts, points, batch_size=self.batch_size, seed=seed)


def linear_data(
    weights: tuple[float, ...],
    bias: float,
    noise: float,
    num_examples: int,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Draw features (N, D) from N(0, 1) and targets (N, 1): Xw + b + noise from N(0, noise^2)."""
    features = torch.randn(num_examples, len(weights), generator=generator)
    targets = features @ torch.tensor(weights) + bias  # (N, D) @ (D,) -> (N,)
    targets += noise * torch.randn(num_examples, generator=generator)
    return features, targets[:, None]  # a column, as predictions are: (N, 1)
