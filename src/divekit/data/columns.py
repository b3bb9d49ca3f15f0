"""How a table becomes numbers: learned on the training rows, kept with the model, used on others.

Book: 2.2 Data Preprocessing, 4.10 Predicting House Prices on Kaggle
Shapes: B rows, D numbers that stand for a row
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from divekit.data.sheet import MISSING, Sheet, number_text, some, to_numbers
from divekit.errors import BadDataError, UsageError

Kind = Literal["number", "category", "left out"]
# Numbers as people write them, and no program reads them: 1,200.50  $5  12 %  3,14
DRESSED = re.compile(
    r"[-+]?[$€£¥]?\s?[-+]?(\d{1,3}([,' ]\d{3})+|\d+)([.,]\d+)?\s?[%$€£¥]?", re.ASCII
)
SHOWN_COLUMNS = 12


@dataclass(frozen=True)
class Column:
    """What was learned of one column on the training rows."""

    name: str
    kind: Kind
    mean: float = 0.0
    """Of a number: what a gap is filled with."""
    spread: float = 1.0
    """Of a number: its standard deviation, by which it is divided."""
    values: tuple[str, ...] = ()
    """Of a category: each becomes a column of zeros and ones."""
    gaps: bool = False
    """Whether a gap has a column of zeros and ones, too; training rows had gaps then."""
    why: str = ""
    """Of a column that is left out."""

    @property
    def width(self) -> int:
        """How many numbers stand for it."""
        values = {"number": 1, "category": len(self.values), "left out": 0}[self.kind]
        return values + self.gaps

    def __str__(self) -> str:
        gaps = " and missing" * self.gaps
        if self.kind == "number":
            return f"{self.name}: number{gaps} (mean {self.mean:.6g}, spread {self.spread:.4g})"
        if self.kind == "category":
            count = len(self.values)
            return f"{self.name}: category ({count} value{'s' * (count != 1)}{gaps})"
        return f"{self.name}: left out ({self.why})"


@dataclass(frozen=True)
class TableForm:
    """How rows become numbers, and predictions the label's units. Stored with the model."""

    columns: tuple[Column, ...]
    label: str
    """Name of the column to predict."""
    label_mean: float = 0.0
    label_spread: float = 1.0
    """Of the label, in regression: the model is trained on (label - mean) / spread."""
    missing: tuple[str, ...] = ()
    """Words for a gap, beside the usual ones."""
    decimal: str = "."
    label_log: bool = False
    """Whether mean and spread are those of the label's logarithm, and it is what is predicted."""

    @property
    def width(self) -> int:
        """D."""
        return sum(column.width for column in self.columns)

    def encode(self, sheet: Sheet) -> tuple[Tensor, list[str]]:
        """Turn rows into numbers (B, D), float32; and say what was unknown in them.

        Columns are found by name; others are not looked at. A gap in a number becomes the
        training rows' mean, a category that they did not have becomes zeros in its columns.
        Raises BadDataError for a missing column, and for text where a number must be.
        """
        used = [column for column in self.columns if column.kind != "left out"]
        absent = [column.name for column in used if column.name not in sheet.columns]
        if absent:
            others = f" ({some(absent)} are missing)" if len(absent) > 1 else ""
            raise BadDataError(
                f"{sheet.source}: no column is called {absent[0]!r}{others}, and the model needs "
                f"it; {sheet.nearest(absent[0])}"
            )
        blocks, unknown = [np.zeros((len(sheet), 0), np.float32)], []
        for column in used:
            if column.kind == "number":
                values = self.numbers(sheet, column.name)
                filled = np.where(np.isnan(values), column.mean, values)
                with np.errstate(over="ignore"):
                    block = ((filled - column.mean) / column.spread).astype(np.float32)[:, None]
                if not np.isfinite(block).all():
                    row = int(np.flatnonzero(~np.isfinite(block))[0])
                    raise BadDataError(
                        f"{sheet.cell(row, column.name)}: {sheet.columns[column.name][row]} is "
                        f"too far from the training rows (mean {column.mean:.4g})"
                    )
                if column.gaps:
                    gap = np.isnan(values).astype(np.float32)[:, None]
                    block = np.concatenate([block, gap], axis=1)  # (B, 1) -> (B, 2)
            else:
                block, strangers = self._one_hot(sheet, column)
                if strangers:
                    words = {sheet.columns[column.name][row] or "a gap" for row in strangers}
                    where = some((sheet.lines[row] for row in strangers), most=3)
                    unknown.append(f"{column.name}: {some(sorted(words), most=3)} (row {where})")
            blocks.append(block)
        return torch.from_numpy(np.concatenate(blocks, axis=1)), unknown

    def numbers(self, sheet: Sheet, name: str) -> np.ndarray:
        """Read a column that must hold numbers: float64, NaN for gaps."""
        values, texts = to_numbers(sheet.columns[name], self.missing, self.decimal)
        texts += np.flatnonzero(np.isinf(values)).tolist()
        if texts:
            row, more = min(texts), len(texts) - 1
            others = f" (and {more} more in this column)" if more else ""
            raise BadDataError(
                f"{sheet.cell(row, name)}: {sheet.columns[name][row]!r} is not a number{others}"
            )
        return values

    def learn_label(self, sheet: Sheet, train: Sequence[int], *, log: bool = False) -> "TableForm":
        """Give this form with the mean and the spread of a label that is a number.

        With ``log`` they are those of its logarithm. Raises BadDataError where the label is
        missing, has no logarithm, or is the same in every training row.
        """
        self.refuse_missing_labels(sheet)
        values = replace(self, label_log=log)._label_values(sheet)[list(train)]
        # Scaled down first, so that squares of large numbers stay finite.
        scale = float(abs(values).max()) or 1.0
        mean, spread = float((values / scale).mean() * scale), float((values / scale).std() * scale)
        if not spread > 0:
            raise BadDataError(
                f"{sheet.source}, column {self.label}: every training row says "
                f"{sheet.columns[self.label][train[0]]}; there is nothing to learn"
            )
        return replace(self, label_mean=mean, label_spread=spread, label_log=log)

    def targets(self, sheet: Sheet) -> Tensor:
        """Give what a model is trained to predict in regression: (B, 1), float32."""
        self.refuse_missing_labels(sheet)
        with np.errstate(over="ignore"):
            scaled = (self._label_values(sheet) - self.label_mean) / self.label_spread
            targets = scaled.astype(np.float32)
        if not np.isfinite(targets).all():
            row = int(np.flatnonzero(~np.isfinite(targets))[0])
            raise BadDataError(
                f"{sheet.cell(row, self.label)}: {sheet.columns[self.label][row]} is too far from "
                f"the training rows (mean {self.label_mean:.4g})"
            )
        return torch.from_numpy(targets)[:, None]  # (B,) -> (B, 1)

    def in_units(self, outputs: Tensor) -> Tensor:
        """Turn what a model predicts in regression into the label's units."""
        values = outputs * self.label_spread + self.label_mean
        return values.exp() if self.label_log else values

    def _label_values(self, sheet: Sheet) -> np.ndarray:
        """Give the label as the numbers that are standardised: its logarithm, perhaps."""
        values = self.numbers(sheet, self.label)
        if not self.label_log:
            return values
        if not (values > 0).all():
            row = int(np.flatnonzero(~(values > 0))[0])
            raise BadDataError(
                f"{sheet.cell(row, self.label)}: {sheet.columns[self.label][row]} has no "
                "logarithm; a label on a logarithmic scale must be above zero"
            )
        return np.asarray(np.log(values))

    def refuse_missing_labels(self, sheet: Sheet) -> None:
        """Raise a BadDataError that names the first row without a label, if there is one."""
        cells = sheet.column(self.label)
        gaps = [row for row, cell in enumerate(cells) if self.is_gap(cell)]
        if gaps:
            raise BadDataError(
                f"{sheet.cell(gaps[0], self.label)}: the label is missing"
                + (f", as in {len(gaps) - 1} more rows" if len(gaps) > 1 else "")
                + "; fill it in or take the row out"
            )

    def is_gap(self, cell: str) -> bool:
        """Tell whether a cell says that there is no value."""
        return cell in MISSING or cell in self.missing

    def _one_hot(self, sheet: Sheet, column: Column) -> tuple[np.ndarray, list[int]]:
        """Give zeros and ones (B, width), and the rows for which there are only zeros."""
        place = {value: index for index, value in enumerate(column.values)}
        also = {alike(value): index for value, index in place.items()}
        gap = len(place) if column.gaps else -1
        cells = sheet.columns[column.name]
        found = {}  # each different cell is looked up once
        for cell in set(cells):
            if self.is_gap(cell):
                found[cell] = gap
            elif cell in place:
                found[cell] = place[cell]
            else:
                found[cell] = also.get(alike(cell), -1)
        places = np.array([found[cell] for cell in cells], dtype=np.int64)  # (B,), -1: unknown
        block = (places[:, None] == np.arange(column.width)).astype(np.float32)  # (B, width)
        return block, np.flatnonzero(places < 0).tolist()

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "TableForm":
        """Read what ``dataclasses.asdict`` gave and JSON has turned into lists."""
        columns = tuple(
            Column(
                name=str(column["name"]),
                kind=column["kind"],
                mean=float(column["mean"]),
                spread=float(column["spread"]),
                values=tuple(str(value) for value in column["values"]),
                gaps=bool(column["gaps"]),
                why=str(column["why"]),
            )
            for column in fields["columns"]
        )
        return cls(
            columns,
            label=str(fields["label"]),
            label_mean=float(fields["label_mean"]),
            label_spread=float(fields["label_spread"]),
            label_log=bool(fields.get("label_log", False)),  # runs of earlier versions lack it
            missing=tuple(str(word) for word in fields["missing"]),
            decimal=str(fields["decimal"]),
        )


def learn_columns(
    sheet: Sheet,
    train: Sequence[int],
    label: str = "",
    *,
    categories: Iterable[str] = (),
    numbers: Iterable[str] = (),
    left_out: Iterable[str] = (),
    missing: tuple[str, ...] = (),
    decimal: str = ".",
    mark_gaps: bool = False,
) -> tuple[Column, ...]:
    """Learn how each column but the label becomes numbers.

    What kind a column is, is read off all rows: it is a matter of the file's form. Every
    mean, spread and list of values is that of the training rows alone.

    Args:
        sheet: all rows.
        train: the indices of the training rows.
        label: the column to predict.
        categories: columns that are categories, whatever they look like.
        numbers: columns that are numbers and must not be left out.
        left_out: columns not to use.
        missing: words for a gap, beside the usual ones.
        decimal: what stands before the decimals.
        mark_gaps: give numbers that have gaps a second column, which says where they were.
    """
    form = TableForm((), label, missing=missing, decimal=decimal)
    chosen = {"category": set(categories), "number": set(numbers), "leave_out": set(left_out)}
    for setting, names in chosen.items():
        for name in names:
            if name not in sheet.columns:
                raise UsageError(
                    f"data.{setting}: {sheet.source} has no column {name!r}; {sheet.nearest(name)}"
                )
    learned = []
    for name in sheet.columns:
        if name == label:
            continue
        if name in chosen["leave_out"]:
            column = Column(name, "left out", why="as you said")
        elif name in chosen["category"]:
            column = _category(form, sheet, train, name, keep=True)
        elif _holds_numbers(form, sheet, name) or name in chosen["number"]:
            column = _number(form, sheet, train, name, keep=name in chosen["number"])
        else:
            column = _category(form, sheet, train, name, keep=False)
        if mark_gaps and column.kind == "number":
            gaps = any(form.is_gap(sheet.columns[name][row]) for row in train)
            column = replace(column, gaps=gaps)
        learned.append(column)
    return tuple(learned)


def describe(columns: Sequence[Column]) -> list[str]:
    """Say what was learned: a line for each column, or a summary where they are many."""
    if len(columns) <= SHOWN_COLUMNS:
        return [str(column) for column in columns]
    by_kind: dict[str, list[Column]] = {"number": [], "category": [], "left out": []}
    for column in columns:
        by_kind[column.kind].append(column)
    values = sum(column.width for column in by_kind["category"])
    lines = [
        f"numbers: {len(by_kind['number'])} columns ({_names(by_kind['number'])})",
        f"categories: {len(by_kind['category'])} columns, {values} values with those for gaps "
        f"({_names(by_kind['category'])})",
        *(str(column) for column in by_kind["left out"]),
    ]
    return [line for line in lines if "()" not in line]


def alike(cell: str) -> str:
    """Give what two spellings of one value share: 20 and 20.0, True and TRUE."""
    values, texts = to_numbers([cell])
    if not texts and np.isfinite(values[0]):
        return number_text(float(values[0]))
    return cell.casefold() if cell.casefold() in ("true", "false") else cell


def _holds_numbers(form: TableForm, sheet: Sheet, name: str) -> bool:
    """Tell numbers from words; a column with more numbers than words must be all numbers."""
    cells = sheet.columns[name]
    _, texts = to_numbers(cells, form.missing, form.decimal)
    if not texts:
        return True
    first, present = texts[0], sum(not form.is_gap(cell) for cell in cells)
    if 2 * len(texts) < present:
        raise BadDataError(
            f"{sheet.cell(first, name)}: {cells[first]!r} is not a number, and "
            f"{present - len(texts)} of {present} values are; mend it, or say "
            f"data.missing={cells[first]} if it means a gap, data.category={name} or "
            f"data.leave_out={name}"
        )
    dressed = sum(DRESSED.fullmatch(cells[row]) is not None for row in texts)
    if 2 * dressed > len(texts):
        raise BadDataError(
            f"{sheet.cell(first, name)}: {cells[first]!r} looks like a number but cannot be read "
            "as one; write it plainly (1200.5), say data.decimal=, if commas stand before the "
            f"decimals, or data.category={name} if it is a name"
        )
    return False


def _number(form: TableForm, sheet: Sheet, train: Sequence[int], name: str, keep: bool) -> Column:
    values = form.numbers(sheet, name)[list(train)]
    known = values[~np.isnan(values)]
    if not len(known):
        return Column(name, "left out", why="no values in the training rows")
    if known.min() == known.max():
        return Column(name, "left out", why=f"constant: {number_text(float(known[0]))}")
    with np.errstate(over="ignore"):
        steps = np.diff(values - np.asarray(train))
    if not keep and len(known) == len(values) > 2 and not steps.any():
        return Column(name, "left out", why="it counts the rows")
    # Scaled down first, so that squares of large numbers stay finite.
    scale = float(abs(known).max())
    mean, spread = float((known / scale).mean() * scale), float((known / scale).std() * scale)
    if not spread > 0:
        return Column(name, "left out", why=f"constant: {number_text(mean)}")
    return Column(name, "number", mean=mean, spread=spread)


def _category(form: TableForm, sheet: Sheet, train: Sequence[int], name: str, keep: bool) -> Column:
    cells = [sheet.columns[name][row] for row in train]
    known = [cell for cell in cells if not form.is_gap(cell)]
    values, gaps = sorted(set(known)), len(known) < len(cells)
    if not values:
        return Column(name, "left out", why="no values in the training rows")
    if len(values) == 1 and not gaps:
        return Column(name, "left out", why=f"constant: {values[0]}")
    if not keep and 2 * len(values) > len(cells):
        why = f"text like a name: {len(values)} different ones in {len(cells)} rows"
        return Column(name, "left out", why=why)
    return Column(name, "category", values=tuple(values), gaps=gaps)


def _names(columns: Sequence[Column]) -> str:
    return some((column.name for column in columns), most=5)
