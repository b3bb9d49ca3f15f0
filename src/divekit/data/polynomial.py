"""Points around a known polynomial, with its powers of x as features.

Book: 4.4 Model Selection, Underfitting, and Overfitting
Shapes: N examples, B examples in a batch, D features
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from divekit.data.batches import Batches
from divekit.data.dataset import Card, DataSet, Facts, Opened
from divekit.data.draws import draw_generator
from divekit.errors import UsageError


@dataclass(frozen=True)
class Polynomial(DataSet):
    """Batches of (features, targets): (B, D) and (B, 1), float32; D is the degree on offer.

    Feature i is x^i / i!, i from 1: a model's bias stands for the constant. How many powers the
    model is offered (``degree``) and how many the data have (``coefficients``) are two things.
    """

    name: ClassVar[str] = "polynomial"
    card: ClassVar[Card] = Card(
        title="Points around a cubic",
        about="y = 5 + 1.2 x - 3.4 x²/2! + 5.6 x³/3! and noise, x from N(0, 1); made on the spot",
        shapes="features D = 3 (the degree on offer), 100 to train on and 100 to test on",
        size="nothing to download",
        licence="made here",
        source="divekit.data.Polynomial",
    )

    degree: int = 3
    """The highest power among the features."""
    coefficients: tuple[float, ...] = (5.0, 1.2, -3.4, 5.6)
    """Of x^i / i!, beginning with the constant."""
    noise: float = 0.1
    """Standard deviation of the Gaussian noise on y."""
    num_train: int = 100
    num_test: int = 100
    batch_size: int = 10
    draw: int = 0
    """Which draw of the points: the seed of the data, not of the training."""

    @property
    def facts(self) -> Facts:
        """What models need to know."""
        return Facts(self.name, input_shape=(self.degree,))

    def load(self, seed: int) -> Opened:
        """Draw the data."""
        if self.degree < 1 or not self.coefficients:
            raise UsageError("degree must be at least 1, and coefficients at least one number")
        if min(self.num_train, self.num_test) < 1 or self.noise < 0:
            raise UsageError("num_train and num_test must be at least 1 and noise at least 0")
        generator = draw_generator(self.draw)
        # Test points first: they are then the same for every num_train.
        test, train = (
            polynomial_data(self.coefficients, self.noise, number, generator)
            for number in (self.num_test, self.num_train)
        )
        train = polynomial_features(train[0], self.degree), train[1]
        test = polynomial_features(test[0], self.degree), test[1]
        return Opened(
            self.facts,
            Batches(*train, batch_size=self.batch_size, shuffle=True, seed=seed),
            # Whole: in small batches, testing would take longer than an epoch of training.
            Batches(*test, batch_size=self.num_test),
        )


def polynomial_features(x: Tensor, degree: int) -> Tensor:
    """Turn numbers (N,) into their powers x, x^2/2!, ..., x^D/D!: (N, D), D the degree."""
    # Each is the one before times x/i. Powers first and factorials afterwards would divide one
    # huge number by another.
    return (x[:, None] / torch.arange(1, degree + 1)).cumprod(dim=1)


def polynomial_data(
    coefficients: tuple[float, ...], noise: float, num_examples: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Draw x (N,) from N(0, 1) and targets (N, 1): the polynomial, and noise from N(0, noise^2).

    ``coefficients`` are those of x^i / i!, beginning with the constant.
    """
    x = torch.randn(num_examples, generator=generator)
    constant, *others = coefficients
    targets = constant + polynomial_features(x, len(others)) @ torch.tensor(others)
    targets += noise * torch.randn(num_examples, generator=generator)
    return x, targets[:, None]  # a column, as predictions are: (N, 1)
