"""Multilayer perceptrons.

Book: 4.1
"""

from typing import Literal

import torch

from divekit.data import XOR
from divekit.evaluate import accuracy
from divekit.models import MLP
from divekit.nn import ACTIVATIONS, cross_entropy
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
