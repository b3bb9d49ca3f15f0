"""Linear regression with many more features than examples.

Book: 4.5 Weight Decay
Shapes: N examples, B examples in a batch, D features
"""

from dataclasses import dataclass
from typing import ClassVar

from divekit.data.batches import Batches
from divekit.data.dataset import Card, DataSet, Facts, Opened
from divekit.data.draws import draw_generator
from divekit.data.synthetic_regression import linear_data
from divekit.errors import UsageError


@dataclass(frozen=True)
class WideRegression(DataSet):
    """Batches of (features, targets): (B, D) and (B, 1), float32, features from N(0, 1).

    Every feature counts, and each a little: y = bias + weight * (x_1 + ... + x_D) + noise.
    """

    name: ClassVar[str] = "wide_regression"
    card: ClassVar[Card] = Card(
        title="Wide linear regression",
        about="a known plane over many features, and few points of it; made on the spot",
        shapes="features D = 200, 20 to train on and 100 to test on",
        size="nothing to download",
        licence="made here",
        source="divekit.data.WideRegression",
    )

    num_features: int = 200
    weight: float = 0.01
    """Of every feature."""
    bias: float = 0.05
    noise: float = 0.01
    """Standard deviation of the Gaussian noise on y."""
    num_train: int = 20
    num_test: int = 100
    batch_size: int = 5
    draw: int = 0
    """Which draw of the features and the noise: the seed of the data, not of the training."""

    @property
    def facts(self) -> Facts:
        """What models need to know."""
        return Facts(self.name, input_shape=(self.num_features,))

    def load(self, seed: int) -> Opened:
        """Draw the data."""
        if min(self.num_features, self.num_train, self.num_test) < 1 or self.noise < 0:
            raise UsageError(
                "num_features, num_train and num_test must be at least 1 and noise at least 0"
            )
        generator = draw_generator(self.draw)
        weights = (self.weight,) * self.num_features
        # Test points first: they are then the same for every num_train.
        test, train = (
            linear_data(weights, self.bias, self.noise, number, generator)
            for number in (self.num_test, self.num_train)
        )
        return Opened(
            self.facts,
            Batches(*train, batch_size=self.batch_size, shuffle=True, seed=seed),
            # Whole: in small batches, testing would take longer than an epoch of training.
            Batches(*test, batch_size=self.num_test),
        )
