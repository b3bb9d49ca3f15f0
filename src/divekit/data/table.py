"""A table of your own: ``data=csv:houses.csv data.label=price``.

Book: 2.2 Data Preprocessing, 4.10 Predicting House Prices
Shapes: N examples, B examples in a batch, D numbers that stand for a row
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

import torch
from torch import Tensor

from divekit.data.batches import Batches
from divekit.data.columns import Column, TableForm, alike, describe, learn_columns
from divekit.data.dataset import Card, DataSet, Facts, Opened
from divekit.data.progress import human_size
from divekit.data.sheet import DELIMITERS, Sheet, read_sheet, some, to_numbers
from divekit.data.splits import split
from divekit.errors import BadDataError, UsageError

log = logging.getLogger("divekit")

Task = Literal["classification", "regression"]
# Whole numbers are classes when they are few, and come up often.
MOST_WHOLE_CLASSES, ROWS_PER_CLASS = 10, 3


@dataclass(frozen=True)
class Table(DataSet):
    """Batches of (rows, targets): (B, D) float32, and labels (B,) int64 or numbers (B, 1).

    Numbers are standardised, categories are one-hot, gaps are filled; what that takes is
    learned on the training rows and kept in the facts. In regression the targets are
    standardised, too, so that a learning rate fits whatever the units are; predictions are in
    the label's own units.
    """

    name: ClassVar[str] = "csv"
    card: ClassVar[Card] = Card(
        title="A table of your own",
        about="a CSV file with a header; one column is what to predict",
        shapes="a number for each column of numbers, one for each value of a category",
        size="your file",
        licence="yours",
        source="data=csv:FILE data.label=COLUMN",
    )

    path: str = ""
    label: str = ""
    """The column to predict."""
    task: Task | None = None
    """Classes or a number; by the looks of the label unless given."""
    validation: float = 0.2
    """Share of the rows to validate on."""
    split_seed: int = 0
    """Seed of the draw of those rows."""
    batch_size: int = 32
    category: tuple[str, ...] = ()
    """Columns that are categories, though they look like numbers."""
    number: tuple[str, ...] = ()
    """Columns that are numbers and stay, though they count the rows."""
    leave_out: tuple[str, ...] = ()
    """Columns not to use."""
    missing: tuple[str, ...] = ()
    """Words for a gap, beside the usual ones (nothing, NA, NaN, null, ...)."""
    decimal: Literal[".", ","] = "."
    delimiter: Literal[",", ";", "tab"] | None = None
    """What separates columns; the one that fits the first rows best unless given."""
    memory: float = 2.0
    """Gigabytes that the prepared rows may take."""
    mark_gaps: bool = False
    """Whether a number with gaps gets a second column, which says where they were."""
    log_label: bool = False
    """Whether the label, a number above zero, is learned on a logarithmic scale."""

    @property
    def facts(self) -> Facts:
        """What models need to know; the file is read for it, once."""
        return self._facts

    def sample(self) -> "DataSet":
        """Refuse: nothing stands in for your own data."""
        raise UsageError(f"csv:{self.path} is your own data; there is no sample of it")

    def load(self, seed: int) -> Opened:
        """Read the file and say what was made of it."""
        train, validation = self._split
        facts = self.facts
        log.info("\n".join(self.describe()))
        return Opened.from_tensors(
            facts,
            self._tensors(facts, train),
            self._tensors(facts, validation) if validation else None,
            batch_size=self.batch_size,
            seed=seed,
        )

    def measured_on(self, facts: Facts, *, held_out: bool) -> Batches | None:
        """Give batches to measure a model on that was trained with ``facts``.

        With ``held_out`` the rows that were not trained on, None where there are none; all rows
        of the file otherwise.
        """
        rows = self._split[1] if held_out else range(len(self._sheet))
        if not rows:
            return None
        return Batches(*self._tensors(facts, rows), batch_size=self.batch_size)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the file."""
        return self._sheet.fingerprint

    def describe(self) -> list[str]:
        """Say what the file holds and what is made of it; without a label, of its columns."""
        sheet = self._sheet
        lines = [
            f"csv:{self.path}: {len(sheet):,} rows, {len(sheet.columns)} columns separated by "
            f"{DELIMITERS[sheet.delimiter]}"
        ]
        if self.label:
            train, validation = self._split
            lines[0] += f"; {len(train):,} rows to train on, {len(validation):,} to validate on"
            lines.append(self._describe_label())
        return lines + [f"  {line}" for line in describe(self._columns)]

    def _describe_label(self) -> str:
        facts, why = self._facts, "" if self.task else f", {self._task[1]}"
        if facts.class_names:
            counts = Counter(self._labels)
            shown = some((f"{name} ({counts[name]:,})" for name in facts.class_names), most=6)
            return f"label {self.label}: {facts.num_classes} classes{why}: {shown}"
        assert facts.table is not None
        scale = " of its logarithm" * self.log_label
        return (
            f"label {self.label}: a number{why}; mean{scale} {facts.table.label_mean:,.6g}, spread "
            f"{facts.table.label_spread:,.4g}; losses count in spreads, absolute_error in "
            f"units of {self.label}"
        )

    @cached_property
    def _sheet(self) -> Sheet:
        delimiter = "\t" if self.delimiter == "tab" else self.delimiter
        return read_sheet(self.path, delimiter)

    @cached_property
    def _task(self) -> tuple[Task, str]:
        """Give the task, and why it is taken to be that."""
        sheet, form = self._sheet, TableForm((), self.label, missing=self.missing)
        if not self.label:
            raise UsageError(
                f"data=csv:{self.path} needs data.label=COLUMN, the one to predict; "
                f"the columns are {some(sheet.columns)}"
            )
        cells = sheet.column(self.label)
        form.refuse_missing_labels(sheet)
        values, texts = to_numbers(cells, self.missing, self.decimal)
        if self.task:
            return self.task, ""
        if 2 * len(texts) < len(cells) and texts:
            raise BadDataError(
                f"{sheet.cell(texts[0], self.label)}: {cells[texts[0]]!r} is not a number, and "
                f"{len(cells) - len(texts)} of {len(cells)} labels are; mend it, or say "
                "data.task=classification"
            )
        if texts:
            return "classification", "since it is text"
        different = set(values.tolist())
        whole = all(value.is_integer() for value in different)
        few = len(different) <= MOST_WHOLE_CLASSES
        if whole and few and len(cells) >= ROWS_PER_CLASS * len(different):
            return "classification", (
                "since it holds few different whole numbers (data.task=regression to predict "
                "the number)"
            )
        if whole and few:
            return "regression", (
                "since most of its whole numbers are rare (data.task=classification for classes)"
            )
        return "regression", f"since it holds {len(different):,} different numbers"

    @cached_property
    def _labels(self) -> list[str]:
        """Give each row's label as the name of a class, or as it is in regression."""
        cells = self._sheet.column(self.label)
        if self._task[0] == "regression":
            return cells
        if not to_numbers(cells, self.missing, self.decimal)[1]:
            return [alike(cell) for cell in cells]  # 1 and 1.0 are one class
        return cells

    @cached_property
    def _split(self) -> tuple[list[int], list[int]]:
        sheet, classes = self._sheet, self._task[0] == "classification"
        if len(sheet) < 2:
            raise BadDataError(f"{sheet.source}: one row is too little to learn from")
        if not classes:
            return split([0] * len(sheet), self.validation, self.split_seed)
        counts = Counter(self._labels)
        if len(counts) == 1:
            raise BadDataError(
                f"{sheet.source}, column {self.label}: every row says {self._labels[0]!r}; "
                "classes must be two at least"
            )
        for row, name in enumerate(self._labels):
            if counts[name] == 1 and self.validation:
                alone = [name for name, count in counts.items() if count == 1]
                others = f" (so are {some(alone[1:], most=3)})" if len(alone) > 1 else ""
                number = to_numbers([name])[1] == [] and "; or say data.task=regression"
                raise BadDataError(
                    f"{sheet.cell(row, self.label)}: {name!r} is the only row of its class{others}"
                    "; one is needed to train on and one to validate on: add some, take it "
                    f"out, or merge classes{number or ''}"
                )
        return split(self._labels, self.validation, self.split_seed)

    @cached_property
    def _columns(self) -> tuple[Column, ...]:
        sheet = self._sheet
        return learn_columns(
            sheet,
            self._split[0] if self.label else range(len(sheet)),
            self.label,
            categories=self.category,
            numbers=self.number,
            left_out=self.leave_out,
            missing=self.missing,
            decimal=self.decimal,
            mark_gaps=self.mark_gaps,
        )

    @cached_property
    def _facts(self) -> Facts:
        sheet, (train, _) = self._sheet, self._split
        form = TableForm(self._columns, self.label, missing=self.missing, decimal=self.decimal)
        if not form.width:
            why = "; ".join(str(column) for column in form.columns) or "the label is all there is"
            raise BadDataError(f"{sheet.source}: no column to learn from: {why}")
        self._refuse_too_large(form)
        classes: tuple[str, ...] = ()
        if self._task[0] == "classification":
            if self.log_label:
                raise UsageError(
                    f"data.log_label=true is for numbers, and {self.label} has classes"
                )
            classes = _in_order({self._labels[row] for row in train})
        else:
            form = form.learn_label(sheet, train, log=self.log_label)
        return Facts(
            f"csv:{self.path}",
            input_shape=(form.width,),
            class_names=classes,
            table=form,
            fingerprint=sheet.fingerprint,
        )

    def _refuse_too_large(self, form: TableForm) -> None:
        size = 4 * form.width * len(self._sheet)
        if size > self.memory * 1e9:
            widest = max(form.columns, key=lambda column: column.width)
            raise UsageError(
                f"{self._sheet.source}: {len(self._sheet):,} rows of {form.width:,} numbers take "
                f"{human_size(size)}, over data.memory={self.memory:g} gigabytes; the widest is "
                f"{widest}: data.leave_out={widest.name}"
            )

    def _tensors(self, facts: Facts, rows: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Give prepared rows (N, D), and labels (N,) or standardised numbers (N, 1)."""
        form = facts.table
        if form is None:
            raise UsageError(f"the model was trained on {facts.name}, which is no table")
        sheet = self._sheet.take(rows)
        inputs, unknown = form.encode(sheet)
        warn_of_unknown(sheet.source, unknown)
        if not facts.class_names:
            return inputs, form.targets(sheet)
        form.refuse_missing_labels(sheet)
        cells = sheet.column(form.label)
        place = {name: index for index, name in enumerate(facts.class_names)}
        also = {alike(name): index for name, index in place.items()}
        labels = []
        for row, cell in enumerate(cells):
            index = place.get(cell, also.get(alike(cell)))
            if index is None:
                raise BadDataError(
                    f"{sheet.cell(row, form.label)}: {cell!r} is not one of the classes "
                    f"({some(facts.class_names)})"
                )
            labels.append(index)
        return inputs, torch.tensor(labels)


def warn_of_unknown(source: str, unknown: Sequence[str]) -> None:
    """Say in one line which categories the training rows did not have."""
    if unknown:
        log.warning(
            f"{source}: not among the training rows, so taken as none of the known: "
            + "; ".join(unknown)
        )


def _in_order(names: set[str]) -> tuple[str, ...]:
    """Sort the names of classes: as numbers where all are."""
    values, texts = to_numbers(sorted(names))
    if texts:
        return tuple(sorted(names))
    return tuple(name for _, name in sorted(zip(values.tolist(), sorted(names), strict=True)))
