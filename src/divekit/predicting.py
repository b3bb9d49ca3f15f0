"""Trained models at work: on files to predict on, and on data to be measured by.

Shapes: B examples, K classes, O numbers predicted for each example
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from divekit import plot
from divekit.data import DATA_SETS, Batches, DataSet, Facts, ImageFolder, Opened, Table
from divekit.data.sheet import Sheet, read_sheet
from divekit.errors import UsageError, unknown_name
from divekit.evaluate import confusion
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
        batches, on = _other_data(facts, texts)
    elif texts:
        raise UsageError(f"{next(iter(texts))}: settings of the data go with data=..., the data")
    else:
        batches, on = _data_of_its_own(facts, data_of(description, recipe), recipe.seed)
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
        return replace(measured, counts=confusion(outputs, targets))
    if facts.table is None:
        return measured
    guesses, truth = facts.in_units(outputs), facts.in_units(targets)  # (B, 1)
    squared = (guesses - truth).square().mean().item()
    variance = truth.var(correction=0).item()
    figures["root_mean_squared_error"] = squared**0.5
    if variance > 0:
        figures["r_squared"] = 1 - squared / variance
    return replace(measured, label=facts.table.label)


def draw_confusion(measured: Measured) -> "Figure":
    """Draw who was taken for whom: a row for each true class, a column for each answer."""
    if measured.counts is None or len(measured.class_names) > MOST_DRAWN_CLASSES:
        raise UsageError(f"confusion is drawn for 2 to {MOST_DRAWN_CLASSES} classes")
    names = [name if len(name) <= 10 else f"{name[:9]}…" for name in measured.class_names]
    rows = measured.counts.tolist()
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


def predict_files(trained: Trained, files: Sequence[Path]) -> list[dict[str, Any]]:
    """Predict on images or CSV files: a plain dict with ``file`` and ``row`` for each example.

    Rows of a file with a header are counted as in errors: the header is row 1.
    """
    answers = []
    for file in files:
        sheet = _sheet(trained, file)
        predictions = trained.predict(file if sheet is None else sheet).to_json()
        rows = range(1, len(predictions) + 1) if sheet is None else sheet.lines
        answers += [
            {"file": str(file), "row": row, **answer}
            for row, answer in zip(rows, predictions, strict=True)
        ]
    return answers


def predictions_text(trained: Trained, answers: Sequence[Mapping[str, Any]]) -> str:
    """Write what ``predict_files`` gave, a line for each example."""
    facts = cast(Facts, trained.facts)
    lines = []
    for answer in answers:
        rows = len(facts.input_shape) != 3
        where = f"{answer['file']}, row {answer['row']}" if rows else answer["file"]
        if "label" in answer:
            top = sorted(answer["probabilities"].items(), key=lambda item: -item[1])[:3]
            ranked = ", ".join(f"{label} {probability:.1%}" for label, probability in top)
            lines.append(f"{where}: {answer['label']}  ({ranked})")
        elif facts.table is not None:
            lines.append(f"{where}: {facts.table.label} {answer['value']:.6g}")
        else:
            lines.append(f"{where}: {answer['value']}")
    return "\n".join(lines)


def write_predictions(
    trained: Trained, files: Sequence[Path], answers: Sequence[Mapping[str, Any]], path: Path
) -> None:
    """Write a CSV file: of a table its rows with the prediction beside them, else the files' names.

    A file that is there is not overwritten.
    """
    facts = cast(Facts, trained.facts)
    sheet = None
    if facts.table is not None:
        if len(files) != 1:
            raise UsageError("--out takes one CSV file at a time")
        sheet = _sheet(trained, files[0])
    columns: dict[str, Sequence[Any]] = (
        dict(sheet.columns)
        if sheet
        else {key: [a[key] for a in answers] for key in ("file", "row")}
    )
    name = f"predicted_{facts.table.label}" if facts.table else "prediction"
    if taken := {name, "probability"} & set(columns):
        raise UsageError(f"{files[0]} has a column {taken.pop()} already; take it out for --out")
    if facts.class_names:
        columns[name] = [answer["label"] for answer in answers]
        columns["probability"] = [max(answer["probabilities"].values()) for answer in answers]
    else:
        columns[name] = [answer["value"] for answer in answers]
    _write_columns(columns, path)


def write_submission(trained: Trained, rows: Sheet | Path, path: Path, *, key: str = "Id") -> None:
    """Write what Kaggle asks for: a CSV file with the rows' own key and the predicted label.

    Args:
        trained: a model of a table, for regression.
        rows: what to predict, with a column ``key``.
        path: of the new file; one that is there is not overwritten.
        key: the column by which rows are known.
    """
    facts = cast(Facts, trained.facts)
    if facts.table is None or facts.class_names:
        raise UsageError(f"{facts.name}: a submission holds numbers predicted for rows of a table")
    sheet = rows if isinstance(rows, Sheet) else read_sheet(rows)
    predicted = trained.predict(sheet).outputs[:, 0]  # (B, 1) -> (B,)
    if not predicted.isfinite().all():
        row = int((~predicted.isfinite()).nonzero()[0])
        raise UsageError(f"row {sheet.lines[row]}: the model predicts {predicted[row]:g}")
    _write_columns({key: sheet.column(key), facts.table.label: predicted.tolist()}, path)


def _write_columns(columns: Mapping[str, Sequence[Any]], path: Path) -> None:
    """Write columns as a new CSV file."""
    try:
        with path.open("x", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))
    except FileExistsError:
        raise UsageError(f"{path} is there already; nothing is overwritten") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror})") from error


def _sheet(trained: Trained, file: Path) -> Sheet | None:
    return read_sheet(file) if cast(Facts, trained.facts).table is not None else None


def _data_of_its_own(facts: Facts, data: DataSet, seed: int) -> tuple[Batches, str]:
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
    return held_out, on


def _other_data(facts: Facts, texts: Mapping[str, str]) -> tuple[Batches, str]:
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
        return batches, name
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
    return opened.test or opened.train, f"{name}, its test data"


@torch.no_grad()
def _outputs(trained: Trained, batches: Batches) -> tuple[Tensor, Tensor]:
    """Give the outputs for all examples and their targets, on the CPU."""
    outputs, targets = [], []
    for inputs, target in batches:
        outputs.append(trained.model(inputs).float().cpu())
        targets.append(target.cpu())
    return torch.cat(outputs), torch.cat(targets)
