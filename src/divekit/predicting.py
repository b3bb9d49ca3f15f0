"""Trained models at work on files: images, rows of tables.

Shapes: B examples
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from divekit.data import Facts
from divekit.data.sheet import Sheet, read_sheet
from divekit.errors import UsageError
from divekit.train import Trained


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
