"""Multilayer perceptrons.

Book: 4.1 (exclusive or), 4.2, 4.3 (Fashion-MNIST)
"""

from typing import Literal

import torch

from divekit.data import XOR, FashionMNIST
from divekit.evaluate import accuracy
from divekit.models import MLP, MLPScratch
from divekit.nn import ACTIVATIONS, cross_entropy, cross_entropy_scratch
from divekit.optim import SGD
from divekit.train import Goal, Recipe, recipe


@recipe
def mlp_xor(
    num_hidden: int = 8,
    activation: Literal["relu", "sigmoid", "tanh", "none"] = "relu",
    lr: float = 0.3,
    epochs: int = 20,
    batch_size: int = 32,
    seed: int = 0,
) -> Recipe:
    """One hidden layer on four clouds that no straight line separates (book 4.1)."""
    return Recipe(
        data=XOR(batch_size=batch_size),
        model=lambda facts: MLP(
            facts.num_features, num_hidden, facts.num_classes, ACTIVATIONS[activation]
        ),
        loss=cross_entropy,
        optimizer=lambda model: torch.optim.SGD(model.parameters(), lr=lr),
        metrics={"accuracy": accuracy},
        epochs=epochs,
        seed=seed,
        goals=(Goal("test_accuracy", at_least=0.97, on="xor"),),
    )


@recipe
def mlp_scratch(
    num_hidden: int = 256,
    lr: float = 0.1,
    epochs: int = 10,
    batch_size: int = 256,
    seed: int = 0,
) -> Recipe:
    """One hidden layer on Fashion-MNIST, everything from scratch (book 4.2)."""
    return Recipe(
        data=FashionMNIST(batch_size=batch_size),
        model=lambda facts: MLPScratch(facts.num_features, num_hidden, facts.num_classes),
        loss=cross_entropy_scratch,
        optimizer=lambda model: SGD(model.parameters(), lr=lr),
        metrics={"accuracy": accuracy},
        epochs=epochs,
        seed=seed,
        goals=(
            Goal("test_accuracy", at_least=0.83, on="fashion_mnist"),
            Goal("test_accuracy", at_least=0.9, on="digits"),
        ),
    )


@recipe
def mlp(
    num_hidden: int = 256,
    lr: float = 0.1,
    epochs: int = 10,
    batch_size: int = 256,
    seed: int = 0,
) -> Recipe:
    """One hidden layer on Fashion-MNIST with torch's layers and optimizer (book 4.3)."""
    return Recipe(
        data=FashionMNIST(batch_size=batch_size),
        model=lambda facts: MLP(facts.num_features, num_hidden, facts.num_classes, sigma=0.01),
        loss=cross_entropy,
        optimizer=lambda model: torch.optim.SGD(model.parameters(), lr=lr),
        metrics={"accuracy": accuracy},
        epochs=epochs,
        seed=seed,
        goals=(
            Goal("test_accuracy", at_least=0.83, on="fashion_mnist"),
            Goal("test_accuracy", at_least=0.9, on="digits"),
        ),
    )
