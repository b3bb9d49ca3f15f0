"""How good a trained model is: measured on data, class by class, with its surest mistakes.

Shapes: B examples, M mistakes, K classes
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from divekit import plot
from divekit.data import DATA_SETS, Batches, DataSet, Facts, ImageFolder, Opened, Table
from divekit.errors import UsageError, unknown_name
from divekit.evaluate import confident_mistakes, confusion
from divekit.runs import (
    data_of,
    data_settings,
    description_of,
    in_label_units,
    load,
    own_data,
    recipe_of,
)
from divekit.train import Run, State, Trained, evaluate, pick_device

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# More would not be readable.
MOST_DRAWN_CLASSES = 12
MOST_MISTAKES = 18
LISTED_MISTAKES = 3


@dataclass(frozen=True)
class Mistake:
    """An example that a model took for another class."""

    example: int
    """Its place in the data, from 0."""
    answer: str
    truth: str
    probability: float
    """What the model gave to its wrong answer."""
    file: str | None = None
    """Where it lies, when it has a file of its own."""

    def __str__(self) -> str:
        where = self.file or f"example {self.example}"
        return f"{where}: {self.answer} {self.probability:.1%}, is {self.truth}"


@dataclass(frozen=True)
class Measured:
    """What a trained model came to on some data."""

    on: str
    """Which data, in words."""
    examples: int
    figures: dict[str, float]
    """Loss and metrics as in the history; in regression on a table also in the label's units."""
    class_names: tuple[str, ...] = ()
    counts: Tensor | None = None
    """(K, K): how many of each class were taken for which."""
    label: str = ""
    """The column of a table that is predicted."""
    mistakes: tuple[Mistake, ...] = ()
    """The surest of the wrong answers, that one first."""
    mistaken: Tensor | None = None
    """(M, ...): the inputs of those mistakes, as the model saw them."""

    @property
    def classes(self) -> list[dict[str, Any]]:
        """Give, for each class, its examples and the share of them that was recognised."""
        if self.counts is None:
            return []
        return [
            {
                "class": name,
                "examples": sum(row),
                "recall": row[index] / sum(row) if sum(row) else None,
            }
            for index, (name, row) in enumerate(
                zip(self.class_names, self.counts.tolist(), strict=True)
            )
        ]

    def to_json(self) -> dict[str, Any]:
        """Give everything as plain data."""
        counts = None if self.counts is None else self.counts.tolist()
        return {
            "on": self.on,
            "examples": self.examples,
            "metrics": self.figures,
            "classes": self.classes,
            "confusion": counts,
            "mistakes": [asdict(mistake) for mistake in self.mistakes],
        }

    def __str__(self) -> str:
        lines = [f"{self.on}: {self.examples:,} examples"]
        for name, value in self.figures.items():
            unit = f" ({self.label})" if self.label and name.endswith("error") else ""
            lines.append(f"{name.replace('_', ' '):<26}{value:.4g}{unit}")
        if self.counts is not None:
            largest = int(self.counts.sum(dim=1).max())
            lines.append(f"{'largest class alone':<26}{largest / self.examples:.4g}")
            width = max(12, *(len(name) + 2 for name in self.class_names))
            lines += ["", f"{'class':<{width}}{'examples':>9}{'recall':>9}  most taken for"]
            lines += [self._class_line(index, width) for index in range(len(self.class_names))]
        if self.mistakes:
            lines += ["", "surest mistakes", *map(str, self.mistakes[:LISTED_MISTAKES])]
        return "\n".join(lines)

    def _class_line(self, index: int, width: int) -> str:
        assert self.counts is not None
        row = self.classes[index]
        recall = "-" if row["recall"] is None else f"{row['recall']:.1%}"
        wrong = self.counts[index].clone()
        wrong[index] = 0
        other = f"{self.class_names[int(wrong.argmax())]} ({int(wrong.max())})"
        line = f"{row['class']:<{width}}{row['examples']:>9,}{recall:>9}"
        return f"{line}  {other}" if wrong.any() else line


def measure(
    folder: str | Path, texts: Mapping[str, str], device: str = "auto", *, best: bool = False
) -> Measured:
    """Measure a saved run on the data that it was validated on, or on others of the same form.

    Args:
        folder: of the run.
        texts: ``data`` and settings of the data as text, ``{"data": "csv:other.csv"}``; empty for
            the run's own test or validation data. Of the user's own data all examples count.
        device: as in ``fit``.
        best: measure the weights of the best epoch, not of the last.
    """
    chosen = pick_device(device)
    trained, (description, _) = load(folder, str(chosen), best=best), description_of(folder)
    facts = cast(Facts, trained.facts)
    recipe = in_label_units(recipe_of(description, folder).knowing(facts), facts)
    if "data" in texts:
        batches, on, files = _other_data(facts, texts)
    elif texts:
        raise UsageError(f"{next(iter(texts))}: settings of the data go with data=..., the data")
    else:
        batches, on, files = _data_of_its_own(facts, data_of(description, recipe), recipe.seed)
    run = Run(
        trained.model,
        facts,
        recipe=recipe,
        data=Opened(facts, batches, batches),
        state=State(recipe, trained.model, chosen),
    )
    batches = batches.to(chosen)
    figures = evaluate(run, batches)
    outputs, targets = _outputs(trained, batches)
    measured = Measured(on, len(targets), figures, facts.class_names)
    if facts.class_names and outputs.ndim == 2 and targets.ndim == 1:
        surest = confident_mistakes(outputs, targets, MOST_MISTAKES)
        return replace(
            measured,
            counts=confusion(outputs, targets),
            mistakes=_mistakes(surest, outputs, targets, facts.class_names, files),
            mistaken=batches.inputs_of(surest).cpu(),
        )
    if facts.table is None:
        return measured
    guesses, truth = facts.in_units(outputs), facts.in_units(targets)  # (B, 1)
    squared = (guesses - truth).square().mean().item()
    variance = truth.var(correction=0).item()
    figures["root_mean_squared_error"] = squared**0.5
    if variance > 0:
        figures["r_squared"] = 1 - squared / variance
    return replace(measured, label=facts.table.label)


def _mistakes(
    places: Tensor,
    outputs: Tensor,
    targets: Tensor,
    class_names: Sequence[str],
    files: Sequence[Path],
) -> tuple[Mistake, ...]:
    probability, answer = outputs[places].softmax(dim=1).max(dim=1)  # (M,) each
    return tuple(
        Mistake(
            example=place,
            answer=class_names[said],
            truth=class_names[was],
            probability=sure,
            file=str(files[place]) if files else None,
        )
        for place, said, was, sure in zip(
            places.tolist(),
            answer.tolist(),
            targets[places].tolist(),
            probability.tolist(),
            strict=True,
        )
    )


def draw(measured: Measured) -> dict[str, "Figure"]:
    """Draw the confusion of few classes, and the surest mistakes where the inputs are images."""
    pictures = {}
    if measured.counts is not None and len(measured.class_names) <= MOST_DRAWN_CLASSES:
        pictures["confusion"] = _draw_confusion(measured, measured.counts)
    if measured.mistakes and measured.mistaken is not None and measured.mistaken.ndim == 4:
        pictures["mistakes"] = _draw_mistakes(measured, measured.mistaken)
    return pictures


def _draw_mistakes(measured: Measured, inputs: Tensor) -> "Figure":
    """Draw the images that the model was surest of, and wrong: what it said, and what they are."""
    captions = [f"{mistake.answer} {mistake.probability:.0%}" for mistake in measured.mistakes]
    return plot.images(inputs, captions, truth=[mistake.truth for mistake in measured.mistakes])


def _draw_confusion(measured: Measured, counts: Tensor) -> "Figure":
    """Draw who was taken for whom: a row for each true class, a column for each answer."""
    names = [name if len(name) <= 10 else f"{name[:9]}…" for name in measured.class_names]
    rows = counts.tolist()
    entries = [["is \\ seen as", *names]]
    entries += [[name, *row] for name, row in zip(names, rows, strict=True)]
    # Green where it was right, red where it was wrong, pale where nothing was.
    colours = [[-1] * (len(names) + 1)]
    for index, row in enumerate(rows):
        tint = [(2 if place == index else 5) if count else -1 for place, count in enumerate(row)]
        colours.append([-1, *tint])
    return plot.tables(
        {measured.on: entries}, {measured.on: colours}, line=len(names) + 1, cell=(0.95, 0.36)
    )


Examples = tuple[Batches, str, Sequence[Path]]
"""What to measure on, which data it is in words, and its files, where each example has one."""


def _data_of_its_own(facts: Facts, data: DataSet, seed: int) -> Examples:
    """Give the examples that a run kept apart when it was trained."""
    if isinstance(data, Table | ImageFolder):
        if data.fingerprint != facts.fingerprint:
            raise UsageError(
                f"{facts.name} has changed since the run was trained, so which of it was kept "
                f"apart is not known; to measure on all of it: data={facts.name}"
            )
        held_out = data.measured_on(facts, held_out=True)
        on = f"{facts.name}, what was not trained on"
    else:
        held_out, on = data.load(seed).test, f"{facts.name}, its test data"
    if held_out is None:
        raise UsageError(f"{facts.name} has nothing that was not trained on; name other data=...")
    return held_out, on, _files(data, held_out=True)


def _other_data(facts: Facts, texts: Mapping[str, str]) -> Examples:
    """Give all examples of the user's own data, or the test data of a named set."""
    name = texts["data"]
    data: DataSet | None = own_data(name, texts)
    if isinstance(data, ImageFolder) and len(facts.input_shape) == 3:
        channels, height, width = facts.input_shape
        if height != width:
            raise UsageError(f"{facts.name}: images of {height} x {width} pixels are not square")
        data = replace(data, resize=height, channels=cast(Any, channels))
    if isinstance(data, Table | ImageFolder):
        batches = data.measured_on(facts, held_out=False)
        assert batches is not None
        return batches, name, _files(data, held_out=False)
    if name not in DATA_SETS:
        raise unknown_name("data set", name, [*DATA_SETS, "csv:PATH", "images:PATH"])
    if facts.table is not None:
        raise UsageError(
            f"{name} is not of the form of {facts.name}, a table with named columns; "
            "measure on data=csv:FILE"
        )
    kind = DATA_SETS[name]
    named = kind(**data_settings(kind, texts))
    theirs = cast(Any, named).facts
    if (theirs.input_shape, theirs.class_names) != (facts.input_shape, facts.class_names):
        raise UsageError(f"{name} is not of the form of {facts.name}: its shape or classes differ")
    opened = named.open()
    return opened.test or opened.train, f"{name}, its test data", ()


def _files(data: DataSet, *, held_out: bool) -> Sequence[Path]:
    return data.files_measured_on(held_out=held_out) if isinstance(data, ImageFolder) else ()


@torch.no_grad()
def _outputs(trained: Trained, batches: Batches) -> tuple[Tensor, Tensor]:
    """Give the outputs for all examples and their targets, on the CPU."""
    outputs, targets = [], []
    for inputs, target in batches:
        outputs.append(trained.model(inputs).float().cpu())
        targets.append(target.cpu())
    return torch.cat(outputs), torch.cat(targets)
