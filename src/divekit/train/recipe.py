"""A recipe: which data, model, loss, optimizer and settings go together, and the goal to reach.

A recipe is a typed function that returns a ``Recipe``. Nothing is read, built or
downloaded to describe one: data sets are settings until they are opened, and the model is
a function of the opened data's facts.
"""

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, Protocol

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from divekit.errors import UsageError

if TYPE_CHECKING:
    from divekit.train.state import State

Batch = tuple[Tensor, ...]
"""What a step works on: (inputs, targets) in supervised training."""
Metrics = dict[str, Tensor]
"""Means over a batch by name, still on the device."""
Metric = Callable[[Tensor, Tensor], Tensor]
"""A figure by which a model is measured: ``metric(outputs, targets)``, a mean over the batch."""
Record = dict[str, Any]
"""What one epoch came to: ``{"epoch": 1, "train_loss": 0.78, "test_accuracy": 0.79, ...}``."""
Precision = Literal["fp32", "bf16"]
Parameters = ParamSpec("Parameters")


class FactsLike(Protocol):
    """What models and checkpoints read of a data set; ``divekit.data.Facts`` is one."""

    @property
    def name(self) -> str: ...
    @property
    def input_shape(self) -> tuple[int, ...]: ...
    @property
    def class_names(self) -> tuple[str, ...]: ...
    @property
    def num_features(self) -> int: ...
    @property
    def num_classes(self) -> int: ...
    @property
    def num_outputs(self) -> int: ...
    def prepare(self, inputs: Any) -> Tensor: ...
    def in_units(self, outputs: Tensor) -> Tensor: ...
    def to_json(self) -> dict[str, Any]: ...


class BatchesLike(Protocol):
    """An epoch of batches per iteration, and a place on a device."""

    epoch: int

    def __iter__(self) -> Any: ...
    def __len__(self) -> int: ...
    def to(self, device: torch.device | str) -> "BatchesLike": ...


class OpenedLike(Protocol):
    """Opened data: facts, batches to train on and perhaps to test on."""

    @property
    def facts(self) -> FactsLike: ...
    @property
    def train(self) -> BatchesLike: ...
    @property
    def test(self) -> BatchesLike | None: ...


class DataSetLike(Protocol):
    """Settings of a data set; ``divekit.data.DataSet`` is one."""

    def open(self, seed: int = 0) -> OpenedLike: ...


Step = Callable[[nn.Module, Batch, "State"], tuple[Tensor, Metrics]]
"""One training step: ``step(model, batch, state) -> loss, metrics``; it updates through
``state.update`` and returns means over the batch."""


@dataclass(frozen=True)
class Goal:
    """A bound that a metric must reach, and the data it was measured on.

    The default settings of the recipe reach it; a run with weaker ones may not.
    """

    metric: str
    """As in the history: ``test_accuracy``."""
    on: str
    """Name of the data set the bound was measured on. It says nothing about other data."""
    at_least: float | None = None
    at_most: float | None = None

    def reached(self, value: float) -> bool:
        """Tell whether a value is within the bound. NaN never is."""
        low = -float("inf") if self.at_least is None else self.at_least
        high = float("inf") if self.at_most is None else self.at_most
        return low <= value <= high

    def __str__(self) -> str:
        bounds = []
        if self.at_least is not None:
            bounds.append(f"at least {self.at_least:g}")
        if self.at_most is not None:
            bounds.append(f"at most {self.at_most:g}")
        return f"{self.metric} {' and '.join(bounds)} on {self.on}"


@dataclass(frozen=True)
class Recipe:
    """Everything that a training run depends on. The same recipe gives the same run.

    Args:
        data: settings of a data set.
        model: makes the model from the facts of the opened data.
        optimizer: makes the optimizer of a model, or a dict of them by name.
        loss: ``loss(outputs, targets)``, a mean over the batch. Training is then supervised:
            batches are (inputs, targets).
        step: a training step of another kind. With a loss beside it the step trains, and the
            loss measures on the test data; without, nothing is measured there.
        metrics: ``metric(outputs, targets)`` by name, means over the batch; for ``loss``. Under a
            name that ends in ``rmse`` stands a mean of squares, and its root is shown.
        schedule: makes torch's learning-rate scheduler for the optimizer; it takes a step
            after every epoch or every update, as ``schedule_every`` says.
        epochs: passes over the training data.
        seed: of the initial weights, the order of the batches and every other draw.
        precision: ``bf16`` computes large products in bfloat16 (autocast).
        clip: upper bound on the norm of the gradient.
        validate_every: measure on the test batches after every so many epochs, and the last.
        patience: stop early when ``monitor`` has not improved for so many measurements.
        monitor: the figure of the history by which the best epoch is chosen; unless given,
            that of the goal on this data, else the loss on the test batches.
        goals: what a run with these settings reaches, per data set.
        metrics_of: makes more metrics from the facts of the opened data: in its units, say.
        name, overrides: set by ``@recipe``; a saved run is rebuilt from them.
    """

    data: DataSetLike
    model: Callable[[Any], nn.Module]
    optimizer: Callable[[nn.Module], Optimizer | Mapping[str, Optimizer]]
    loss: Callable[[Tensor, Tensor], Tensor] | None = None
    step: Step | None = None
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    schedule: Callable[[Optimizer], LRScheduler] | None = None
    schedule_every: Literal["epoch", "update"] = "epoch"
    epochs: int = 10
    seed: int = 0
    precision: Precision = "fp32"
    clip: float | None = None
    validate_every: int = 1
    patience: int | None = None
    monitor: str | None = None
    goals: tuple[Goal, ...] = ()
    metrics_of: Callable[[Any], Mapping[str, Metric]] | None = None
    name: str = ""
    overrides: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.loss is None and self.step is None:
            raise UsageError("a recipe needs a loss or a step")
        if self.epochs < 1:
            raise UsageError(f"epochs is {self.epochs}; it must be at least 1")
        if self.precision not in ("fp32", "bf16"):
            raise UsageError(f"precision is {self.precision!r}; it must be 'fp32' or 'bf16'")
        for name in ("validate_every", "patience"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"{name} is {value}; it must be at least 1")

    def knowing(self, facts: FactsLike) -> "Recipe":
        """Give this recipe with the metrics that its data's facts make known."""
        if self.metrics_of is None:
            return self
        return replace(self, metrics={**self.metrics, **self.metrics_of(facts)}, metrics_of=None)

    def goals_on(self, data_name: str) -> Iterable[Goal]:
        """Give the goals that were measured on a data set."""
        return (goal for goal in self.goals if goal.on == data_name)


def recipe(function: Callable[Parameters, Recipe]) -> Callable[Parameters, Recipe]:
    """Mark a function as a recipe: what it returns then knows its name and its arguments."""
    signature = inspect.signature(function)
    # A recipe of the reader's own (in a notebook, say) must not pass for the library's.
    ours = function.__module__.startswith("divekit.recipes.")
    name = function.__name__ if ours else f"{function.__module__}.{function.__name__}"

    @functools.wraps(function)
    def named(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Recipe:
        overrides = signature.bind(*args, **kwargs).arguments
        return replace(function(*args, **kwargs), name=name, overrides=dict(overrides))

    named.is_recipe = True  # type: ignore[attr-defined]
    return named


def is_recipe(value: object) -> bool:
    """Tell whether a value is a function marked by ``@recipe``."""
    return getattr(value, "is_recipe", False) is True
