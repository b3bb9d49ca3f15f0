"""A run: what training came to. And what is kept of it: the trained model in a folder."""

import json
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from divekit.errors import BadDataError, GoalMissedError, UsageError
from divekit.train.recipe import FactsLike, Goal, OpenedLike, Recipe, Record
from divekit.train.state import State

WEIGHTS, DESCRIPTION = "model.safetensors", "run.json"
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

        Images may be uint8 (0-255) or floats (0-1). Raises UsageError naming both shapes
        where they do not fit.
        """
        device = next((parameter.device for parameter in self.model.parameters()), "cpu")
        prepared = self.facts.prepare(torch.as_tensor(inputs)).to(device)
        was_training = self.model.training
        self.model.eval()
        try:
            outputs = self.model(prepared)
        finally:
            self.model.train(was_training)
        return Predictions(outputs.float().cpu(), self.facts.class_names)


@dataclass
class Run(Trained):
    """A training run: the recipe, the opened data, the model, and the history by epoch."""

    recipe: Recipe = field(kw_only=True)
    data: OpenedLike = field(kw_only=True)
    state: State = field(kw_only=True)
    history: list[Record] = field(default_factory=list, kw_only=True)

    @property
    def metrics(self) -> Record:
        """Give the record of the last epoch."""
        if not self.history:
            raise UsageError("the run has not finished an epoch")
        return self.history[-1]

    @property
    def goals(self) -> list[Goal]:
        """Give the recipe's goals that were measured on this run's data set."""
        return list(self.recipe.goals_on(self.facts.name))

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

        The folder is written beside its final place and then renamed, so it is there whole
        or not at all. An existing run is never overwritten; ``numbered`` finds a free name.
        """
        from safetensors.torch import save_file

        folder = Path(folder)
        if (folder / DESCRIPTION).exists():
            raise UsageError(f"{folder} holds a run already; choose another folder")
        folder.mkdir(parents=True, exist_ok=True)
        description = {
            "format": FORMAT,
            "recipe": self.recipe.name,
            "overrides": dict(self.recipe.overrides),
            "facts": self.facts.to_json(),
            "history": self.history,
        }
        text = json.dumps(description, indent=1)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".saving-") as temporary:
            # Contiguous on the CPU: a file is the same whatever the layout in memory was.
            tensors = {
                name: tensor.detach().cpu().contiguous()
                for name, tensor in self.model.state_dict().items()
            }
            save_file(tensors, Path(temporary) / WEIGHTS)
            os.replace(Path(temporary) / WEIGHTS, folder / WEIGHTS)
            (Path(temporary) / DESCRIPTION).write_text(text, encoding="utf-8")
            # Last: a folder with this file is a whole run.
            os.replace(Path(temporary) / DESCRIPTION, folder / DESCRIPTION)
        return folder


def read_description(folder: str | Path) -> dict[str, Any]:
    """Read what is known of a saved run: recipe, overrides, facts and history."""
    path = Path(folder) / DESCRIPTION
    if not path.is_file():
        raise BadDataError(f"{folder} is not a saved run: it holds no {DESCRIPTION}")
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadDataError(f"{path}: not valid JSON ({error})") from error
    missing = {"format", "recipe", "overrides", "facts", "history"} - set(description)
    if missing or description["format"] != FORMAT:
        raise BadDataError(f"{path}: not a run of format {FORMAT}")
    return description


def load_weights(folder: str | Path, model: nn.Module) -> None:
    """Load a saved run's weights into a model of the same shape. Nothing in a run is executed."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = Path(folder) / WEIGHTS
    try:
        model.load_state_dict(load_file(path))
    except (OSError, SafetensorError) as error:
        raise BadDataError(f"{path}: cannot be read ({error})") from error
    except RuntimeError as error:
        brief = " ".join(str(error).split())
        raise BadDataError(f"{path}: the weights do not fit the model: {brief}") from error


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
