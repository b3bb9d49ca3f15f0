"""Linear models that fit too little, too much, or about right.

Book: 4.4 (polynomials), 4.5 (weight decay)
"""

from typing import Any

import torch
from torch import Tensor, nn

from divekit.data import Polynomial, WideRegression
from divekit.models import LinearRegression, LinearRegressionScratch
from divekit.nn import l2_penalty, squared_loss, squared_loss_scratch
from divekit.optim import SGD
from divekit.train import Batch, Goal, Metrics, Recipe, State, Step, recipe


@recipe
def polynomial_regression(
    degree: int = 3,
    num_train: int = 100,
    lr: float = 0.1,
    epochs: int = 100,
    batch_size: int = 10,
    seed: int = 0,
) -> Recipe:
    """A polynomial of some degree, fitted to points around a cubic (book 4.4)."""
    return Recipe(
        data=Polynomial(degree=degree, num_train=num_train, batch_size=batch_size),
        model=lambda facts: LinearRegression(facts.num_features),
        loss=squared_loss,
        optimizer=lambda model: torch.optim.SGD(model.parameters(), lr=lr),
        epochs=epochs,
        seed=seed,
        # The noise alone is 0.005.
        goals=(Goal("test_loss", at_most=0.01, on="polynomial"),),
    )


@recipe
def weight_decay_scratch(
    decay: float = 3.0,
    lr: float = 0.02,
    epochs: int = 200,
    batch_size: int = 5,
    seed: int = 0,
) -> Recipe:
    """Linear regression with a penalty on the weights in the loss (book 4.5)."""
    return Recipe(
        data=WideRegression(batch_size=batch_size),
        model=lambda facts: LinearRegressionScratch(facts.num_features, sigma=1.0),
        loss=squared_loss_scratch,
        step=_step_with_penalty(decay),
        optimizer=lambda model: SGD(model.parameters(), lr=lr),
        epochs=epochs,
        seed=seed,
        # Answering the mean of the training targets, whatever the features, comes to 0.0129.
        goals=(Goal("test_loss", at_most=0.0115, on="wide_regression"),),
    )


def _step_with_penalty(decay: float) -> Step:
    """Make the step that descends the loss and the penalty, and reports the loss."""

    def step(model: nn.Module, batch: Batch, state: State) -> tuple[Tensor, Metrics]:
        inputs, targets = batch
        loss = squared_loss_scratch(model(inputs), targets)
        # Of the weight alone: the bias stays free.
        state.update(loss + decay * l2_penalty(model.get_parameter("weight")))
        return loss.detach(), {}

    return step


@recipe
def weight_decay(
    decay: float = 3.0,
    lr: float = 0.02,
    epochs: int = 200,
    batch_size: int = 5,
    seed: int = 0,
) -> Recipe:
    """Linear regression with the weight decay of torch's optimizer (book 4.5)."""
    return Recipe(
        data=WideRegression(batch_size=batch_size),
        model=lambda facts: LinearRegression(facts.num_features, sigma=1.0),
        loss=squared_loss,
        optimizer=lambda model: torch.optim.SGD(_decayed_and_free(model, decay), lr=lr),
        epochs=epochs,
        seed=seed,
        goals=(Goal("test_loss", at_most=0.0115, on="wide_regression"),),
    )


def _decayed_and_free(model: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Give the model's parameters in two groups, for an optimizer: decay for the weight alone."""
    return [
        {"params": [model.get_parameter("linear.weight")], "weight_decay": decay},
        {"params": [model.get_parameter("linear.bias")]},
    ]
