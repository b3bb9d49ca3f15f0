"""Dropout.

Book: 4.6
"""

import torch

from divekit.data import FashionMNIST
from divekit.evaluate import accuracy
from divekit.models import DropoutMLP, DropoutMLPScratch
from divekit.nn import cross_entropy, cross_entropy_scratch
from divekit.optim import SGD
from divekit.train import Goal, Recipe, recipe

DIGITS = (
    Goal("test_accuracy", at_least=0.85, on="digits"),
    # On so few pixels a frozen random layer is nearly as good in the test. It is not in training.
    Goal("train_accuracy", at_least=0.88, on="digits"),
)


@recipe
def mlp_dropout_scratch(
    dropout1: float = 0.2,
    dropout2: float = 0.5,
    lr: float = 0.5,
    epochs: int = 10,
    batch_size: int = 256,
    seed: int = 0,
) -> Recipe:
    """Two hidden layers with dropout on Fashion-MNIST, everything from scratch (book 4.6)."""
    return Recipe(
        data=FashionMNIST(batch_size=batch_size),
        model=lambda facts: DropoutMLPScratch(
            facts.num_features, facts.num_classes, dropout=(dropout1, dropout2)
        ),
        loss=cross_entropy_scratch,
        optimizer=lambda model: SGD(model.parameters(), lr=lr),
        metrics={"accuracy": accuracy},
        epochs=epochs,
        seed=seed,
        goals=(
            Goal("test_accuracy", at_least=0.82, on="fashion_mnist"),
            *DIGITS,
        ),
    )


@recipe
def mlp_dropout(
    dropout1: float = 0.2,
    dropout2: float = 0.5,
    lr: float = 0.5,
    epochs: int = 10,
    batch_size: int = 256,
    seed: int = 0,
) -> Recipe:
    """Two hidden layers with dropout on Fashion-MNIST with torch's layers (book 4.6)."""
    return Recipe(
        data=FashionMNIST(batch_size=batch_size),
        model=lambda facts: DropoutMLP(
            facts.num_features, facts.num_classes, dropout=(dropout1, dropout2)
        ),
        loss=cross_entropy,
        optimizer=lambda model: torch.optim.SGD(model.parameters(), lr=lr),
        metrics={"accuracy": accuracy},
        epochs=epochs,
        seed=seed,
        goals=(
            Goal("test_accuracy", at_least=0.82, on="fashion_mnist"),
            *DIGITS,
        ),
    )
