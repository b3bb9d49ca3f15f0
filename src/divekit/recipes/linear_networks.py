"""Linear and softmax regression.

Book: 3.2, 3.3 (linear regression), 3.6, 3.7 (softmax regression)
"""

import torch

from divekit.data import FashionMNIST, SyntheticRegression
from divekit.evaluate import accuracy
from divekit.models import (
    LinearRegression,
    LinearRegressionScratch,
    SoftmaxRegression,
    SoftmaxRegressionScratch,
)
from divekit.nn import cross_entropy, cross_entropy_scratch, squared_loss, squared_loss_scratch
from divekit.optim import SGD
from divekit.train import Goal, Recipe, recipe


@recipe
def linear_regression_scratch(
    lr: float = 0.03, epochs: int = 3, batch_size: int = 10, seed: int = 0
) -> Recipe:
    """Linear regression on synthetic data, everything from scratch (book 3.2)."""
    return Recipe(
        data=SyntheticRegression(batch_size=batch_size),
        model=lambda facts: LinearRegressionScratch(facts.num_features, facts.num_outputs),
        loss=squared_loss_scratch,
        optimizer=lambda model: SGD(model.parameters(), lr=lr),
        epochs=epochs,
        seed=seed,
        goals=(Goal("train_loss", at_most=2e-4, on="synthetic_regression"),),
    )


@recipe
def linear_regression(
    lr: float = 0.03, epochs: int = 3, batch_size: int = 10, seed: int = 0
) -> Recipe:
    """Linear regression on synthetic data with torch's layer and optimizer (book 3.3)."""
    return Recipe(
        data=SyntheticRegression(batch_size=batch_size),
        model=lambda facts: LinearRegression(facts.num_features, facts.num_outputs),
        loss=squared_loss,
        optimizer=lambda model: torch.optim.SGD(model.parameters(), lr=lr),
        epochs=epochs,
        seed=seed,
        goals=(Goal("train_loss", at_most=2e-4, on="synthetic_regression"),),
    )


@recipe
def softmax_regression_scratch(
    lr: float = 0.1, epochs: int = 10, batch_size: int = 256, seed: int = 0
) -> Recipe:
    """Softmax regression on Fashion-MNIST, everything from scratch (book 3.6)."""
    return Recipe(
        data=FashionMNIST(batch_size=batch_size),
        model=lambda facts: SoftmaxRegressionScratch(facts.num_features, facts.num_classes),
        loss=cross_entropy_scratch,
        optimizer=lambda model: SGD(model.parameters(), lr=lr),
        metrics={"accuracy": accuracy},
        epochs=epochs,
        seed=seed,
        goals=(
            Goal("test_accuracy", at_least=0.81, on="fashion_mnist"),
            Goal("test_accuracy", at_least=0.9, on="digits"),
        ),
    )


@recipe
def softmax_regression(
    lr: float = 0.1, epochs: int = 10, batch_size: int = 256, seed: int = 0
) -> Recipe:
    """Softmax regression on Fashion-MNIST with torch's layer and optimizer (book 3.7)."""
    return Recipe(
        data=FashionMNIST(batch_size=batch_size),
        model=lambda facts: SoftmaxRegression(facts.num_features, facts.num_classes),
        loss=cross_entropy,
        optimizer=lambda model: torch.optim.SGD(model.parameters(), lr=lr),
        metrics={"accuracy": accuracy},
        epochs=epochs,
        seed=seed,
        goals=(
            Goal("test_accuracy", at_least=0.81, on="fashion_mnist"),
            Goal("test_accuracy", at_least=0.9, on="digits"),
        ),
    )
