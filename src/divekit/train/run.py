"""A run: what training came to. And what is kept of it: the trained model in a folder."""

import json
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from divekit.errors import BadDataError, GoalMissedError, UsageError
from divekit.train.best import best_record, measurements_since_best
from divekit.train.disk import DISK, remove_leftovers, write_file
from divekit.train.recipe import FactsLike, Goal, OpenedLike, Recipe, Record
from divekit.train.state import State
from divekit.train.weights import all_finite, fill, read_tensors, weights_of

WEIGHTS, BEST, DESCRIPTION = "model.safetensors", "best.safetensors", "run.json"
FORMAT = 1


@dataclass(frozen=True)
class Predictions:
    """What a model says about B inputs."""

    outputs: Tensor
    """Scores (B, K) of classes, or predicted numbers (B, O); on the CPU."""
    class_names: tuple[str, ...] = ()

    @property
    def probabilities(self) -> Tensor:
        """Give the probability of each class: (B, K)."""
        if not self.class_names:
            raise UsageError("a model for regression predicts numbers: see .outputs")
        return self.outputs.softmax(dim=1)

    @property
    def labels(self) -> list[str]:
        """Give the name of the likeliest class of each input."""
        best = self.probabilities.argmax(dim=1).tolist()
        return [self.class_names[index] for index in best]

    def to_json(self) -> list[dict[str, Any]]:
        """Give one plain dict for each input."""
        if not self.class_names:
            return [{"value": row[0] if len(row) == 1 else row} for row in self.outputs.tolist()]
        return [
            {"label": label, "probabilities": dict(zip(self.class_names, row, strict=True))}
            for label, row in zip(self.labels, self.probabilities.tolist(), strict=True)
        ]


@dataclass
class Trained:
    """A trained model with the facts of its data: all that predicting takes."""

    model: nn.Module
    facts: FactsLike

    @torch.no_grad()
    def predict(self, inputs: Any) -> Predictions:
        """Predict for one input or a batch: a tensor or an array in the form of the data.

        Images may be uint8 (0-255) or floats (0-1). The path of an image or a CSV file is
        read; for a model of a table, rows may be a data frame or a dict of lists. Raises
        UsageError naming both shapes where they do not fit.
        """
        device = next((parameter.device for parameter in self.model.parameters()), "cpu")
        prepared = self.facts.prepare(inputs).to(device)
        was_training = self.model.training
        self.model.eval()
        try:
            outputs = self.model(prepared)
        finally:
            self.model.train(was_training)
        in_units = self.facts.in_units(outputs.float().cpu())
        return Predictions(in_units, self.facts.class_names)


@dataclass
class Run(Trained):
    """A training run: the recipe, the opened data, the model, and the history by epoch."""

    recipe: Recipe = field(kw_only=True)
    data: OpenedLike = field(kw_only=True)
    state: State = field(kw_only=True)
    history: list[Record] = field(default_factory=list, kw_only=True)
    best_weights: dict[str, Tensor] | None = field(default=None, kw_only=True, repr=False)
    """Of the best epoch, on the CPU; kept where the run is saved or may stop early."""
    keeps_best: bool = field(default=False, kw_only=True)
    generators: dict[str, Tensor] | None = field(default=None, kw_only=True, repr=False)
    """States of the random generators that a continued run has yet to take over."""

    @property
    def best(self) -> Record | None:
        """Give the record of the best epoch by the recipe's monitor; None without test data."""
        return best_record(self.recipe, self.facts.name, self.history)

    @property
    def finished(self) -> bool:
        """Tell whether all epochs are done, or the recipe's patience is at its end."""
        recipe = self.recipe
        if self.state.epoch >= recipe.epochs:
            return True
        if recipe.patience is None or self.state.step:
            return False
        waited = measurements_since_best(recipe, self.facts.name, self.history)
        return waited >= recipe.patience

    def require_finite(self) -> None:
        """Raise DivergedError when a loss of the running epoch, or a weight, is NaN or infinite."""
        if (bad := self.state.means.first_bad_step()) is not None:
            raise self.state.diverged(*bad)
        if not all_finite(self.model):
            raise self.state.diverged(self.state.step, float("nan"))

    @property
    def metrics(self) -> Record:
        """Give the record of the last epoch."""
        if not self.history:
            raise UsageError("the run has not finished an epoch")
        return self.history[-1]

    @property
    def goals(self) -> list[Goal]:
        """Give the recipe's goals that were measured on this run's data set.

        Without test data there are no test figures, and no goals for them.
        """
        goals = self.recipe.goals_on(self.facts.name)
        untested = self.data.test is None
        return [goal for goal in goals if not (untested and goal.metric.startswith("test_"))]

    @property
    def reached(self) -> bool | None:
        """Tell whether every goal was reached; None when no goal is known on this data set."""
        if not self.goals:
            return None
        return all(goal.reached(self.metrics[goal.metric]) for goal in self.goals)

    def check(self) -> str:
        """Hold the run against its recipe's goals; say what was reached.

        Raises GoalMissedError when a goal for this data set was missed, UsageError when
        none is known for it: a check that checks nothing would be worse than none.
        """
        if not self.goals:
            if any(self.recipe.goals_on(self.facts.name)):
                raise UsageError("nothing was held out to test on, so there is no goal to reach")
            known = ", ".join(goal.on for goal in self.recipe.goals) or "no data"
            raise UsageError(
                f"no goal is known on {self.facts.name}; the recipe's goals are on {known}"
            )
        values = {goal: f"{goal.metric} {self.metrics[goal.metric]:.4g}" for goal in self.goals}
        for goal, value in values.items():
            if not goal.reached(self.metrics[goal.metric]):
                raise GoalMissedError(f"goal missed: {value}; the goal is {goal}")
        return "; ".join(f"{value} reaches the goal ({goal})" for goal, value in values.items())

    def save(self, folder: str | Path) -> Path:
        """Save the trained model with all that ``divekit.load`` needs; give the folder.

        Each file is written beside its place and then renamed, ``run.json`` last: a folder
        with that file is a whole run. One is never overwritten; ``numbered`` finds a free name.
        """
        folder = Path(folder)
        if (folder / DESCRIPTION).exists():
            raise UsageError(f"{folder} holds a run already; choose another folder")
        folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder)
        files = {WEIGHTS: weights_of(self.model)}
        if self.best_weights is not None:
            files[BEST] = self.best_weights
        for name, tensors in files.items():
            write_file(folder / name, partial(DISK.write_tensors, tensors=tensors))
        description = {"format": FORMAT, **describe(self), "best": self.best}
        text = json.dumps(description, indent=1).encode()
        write_file(folder / DESCRIPTION, partial(DISK.write, content=text))
        return folder


def describe(run: Run) -> dict[str, Any]:
    """Say in plain values what a run is: its recipe, settings, data and history."""
    try:
        json.dumps(overrides := dict(run.recipe.overrides))
    except TypeError as error:
        raise UsageError(f"the recipe's settings cannot be saved: {error}") from None
    return {
        "recipe": run.recipe.name,
        "overrides": overrides,
        "facts": run.facts.to_json(),
        "history": run.history,
    }


def read_description(folder: str | Path) -> dict[str, Any]:
    """Read what is known of a saved run: recipe, overrides, facts and history."""
    path = Path(folder) / DESCRIPTION
    if not path.is_file():
        raise BadDataError(f"{folder} is not a saved run: it holds no {DESCRIPTION}")
    description = read_json(path)
    missing = {"format", "recipe", "overrides", "facts", "history"} - set(description)
    if missing or description["format"] != FORMAT:
        raise BadDataError(f"{path}: not a run of format {FORMAT}")
    check_kinds(path, description)
    return description


def check_kinds(path: Path, content: dict[str, Any]) -> None:
    """Raise BadDataError where what ``describe`` gave is no longer of the kind that it was."""
    kinds = {"recipe": str, "overrides": dict, "facts": dict, "history": list}
    for name, kind in kinds.items():
        if not isinstance(content.get(name), kind):
            raise BadDataError(f"{path}: its {name} is not as it was saved")
    if not all(isinstance(record, dict) for record in content["history"]):
        raise BadDataError(f"{path}: its history is not as it was saved")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds an object. Raises BadDataError for anything else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadDataError(f"{path}: cannot be read ({error})") from error
    except (ValueError, RecursionError) as error:
        raise BadDataError(f"{path}: not valid JSON ({error})") from error
    if not isinstance(content, dict):
        raise BadDataError(f"{path}: not a JSON object")
    return content


def load_weights(folder: str | Path, model: nn.Module, *, best: bool = False) -> None:
    """Load a saved run's weights into a model of the same shapes. Nothing in a run is executed.

    In place of a run's folder, a single file of weights will do, as ``save_weights`` writes it.
    With ``best``, those of a run's best epoch in place of the last. Raises BadDataError, which
    lists what differs, where the weights do not fit; the model is then as it was.
    """
    folder = Path(folder)
    if not folder.is_dir() and not best:
        fill(model, read_tensors(folder), folder)
        return
    if best and not (folder / BEST).exists():
        raise UsageError(
            f"{folder} holds no weights of a best epoch: there were no test data to choose it by"
        )
    path = folder / (BEST if best else WEIGHTS)
    fill(model, read_tensors(path), path)


def numbered(parent: str | Path) -> Path:
    """Make and give the next free folder ``parent/1``, ``parent/2``, ...; none is used twice."""
    parent = Path(parent)
    parent.mkdir(parents=True, exist_ok=True)
    taken = [int(child.name) for child in parent.iterdir() if child.name.isdecimal()]
    number = max(taken, default=0) + 1
    while True:
        try:
            # mkdir fails if another process was quicker: then the next number is tried.
            (parent / str(number)).mkdir()
            return parent / str(number)
        except FileExistsError:
            number += 1
