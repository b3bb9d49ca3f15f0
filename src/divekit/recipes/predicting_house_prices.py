"""The price of a house: a linear model, and networks that vote.

Book: 4.10 Predicting House Prices on Kaggle
"""

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from divekit.data import HousePrices
from divekit.evaluate import squared_log_error
from divekit.models import LinearRegression, MLPEnsemble
from divekit.nn import squared_loss
from divekit.optim import cosine
from divekit.recipes.on_sample import on_sample
from divekit.train import Batch, Goal, Metrics, Recipe, State, recipe
from divekit.train.recipe import Metric


# Fifty steps of 5 dollars each go nowhere near a price.
@on_sample(lr=400.0, epochs=5, batch_size=32)
@recipe
def house_prices_linear(
    lr: float = 5.0,
    decay: float = 0.0,
    epochs: int = 100,
    batch_size: int = 64,
    fold: int | None = 0,
    seed: int = 0,
) -> Recipe:
    """A linear model of house prices in dollars, with Adam (book 4.10)."""
    return Recipe(
        data=HousePrices(fold=fold, target="price", batch_size=batch_size),
        model=lambda facts: LinearRegression(facts.num_features, facts.num_outputs),
        loss=squared_loss,
        optimizer=lambda model: torch.optim.Adam(model.parameters(), lr=lr, weight_decay=decay),
        metrics_of=_log_error_of_prices,
        epochs=epochs,
        seed=seed,
        goals=_goals(real=0.18, invented=0.18),
    )


@on_sample(lr=0.004, epochs=8, batch_size=32)
@recipe
def house_prices_mlp(
    num_hidden: int = 64,
    num_members: int = 5,
    dropout: float = 0.1,
    lr: float = 0.003,
    decay: float = 1.0,
    epochs: int = 20,
    batch_size: int = 64,
    fold: int | None = 0,
    seed: int = 0,
) -> Recipe:
    """Five networks that vote on the logarithm of a house's price (book 4.10)."""
    return Recipe(
        data=HousePrices(fold=fold, batch_size=batch_size),
        model=lambda facts: MLPEnsemble(
            facts.num_features, facts.num_outputs, num_hidden, num_members, dropout
        ),
        loss=squared_loss,
        step=_step_of_each_member,
        optimizer=lambda model: torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=decay),
        schedule=lambda optimizer: LambdaLR(optimizer, cosine(epochs)),
        metrics_of=_log_error_of_prices,
        epochs=epochs,
        seed=seed,
        goals=_goals(real=0.16, invented=0.14),
    )


def _step_of_each_member(model: nn.Module, batch: Batch, state: State) -> tuple[Tensor, Metrics]:
    """Let each member of an ensemble descend its own loss; give the mean of the losses.

    Against the mean of the members they would learn to mend each other's errors, and none would be
    of use alone.
    """
    inputs, targets = batch
    with state.autocast():
        each = cast(MLPEnsemble, model).each(inputs)  # (M, B, O)
        loss = squared_loss(each, targets.expand_as(each))
    # A mean over M has gradients M times smaller, which to Adam is all one.
    state.update(loss)
    return loss.detach(), {}


def _log_error_of_prices(facts: Any) -> Mapping[str, Metric]:
    """Give the figure that Kaggle ranks by, for data in which a price is what is predicted."""
    form = facts.table
    if form is None or form.label != "SalePrice":
        return {}

    def log_rmse(outputs: Tensor, targets: Tensor) -> Tensor:
        return squared_log_error(form.in_units(outputs), form.in_units(targets))

    return {"log_rmse": log_rmse}


def _goals(real: float, invented: float) -> tuple[Goal, ...]:
    return (
        Goal("test_log_rmse", at_most=real, on="house_prices"),
        Goal("test_log_rmse", at_most=invented, on="made_houses"),
    )
