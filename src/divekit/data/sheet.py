"""Tables as text, column by column: a CSV file, or rows handed over in Python.

Python's own csv module reads the files. It says on which line a record begins, takes every
cell as it is written, and is strict about quotes where it is told to be; a reader that
guesses types while it reads has lost the row by the time a cell turns out to be wrong.

Rows are counted as a text editor counts lines: the header is row 1.
"""

import csv
import difflib
import hashlib
import io
import math
import numbers
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from divekit.errors import BadDataError, UsageError

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
# What pandas reads as a gap, and its own words for one.
MISSING = frozenset((
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "NaT", "None", "n/a", "nan", "null",
))  # fmt: skip
# Text in memory takes some ten times the space of the file.
MOST_BYTES = 2**30
SNIFFED_RECORDS = 20
# How other files than text begin, and what to say of them.
MAGIC = (
    (b"PK\x03\x04", "a zip archive or a spreadsheet; save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet; save the sheet as CSV"),
    (b"\x1f\x8b", "gzipped; unpack it first"),
    (b"PAR1", "a Parquet file; write it as CSV"),
    (b"\xff\xfe", "UTF-16; save it as UTF-8"),
    (b"\xfe\xff", "UTF-16; save it as UTF-8"),
)


@dataclass(frozen=True)
class Sheet:
    """Cells by column, all of them text without the blanks around it."""

    source: str
    """What errors call it: the path of a file, or ``the rows given``."""
    columns: dict[str, list[str]]
    lines: list[int]
    """The row number of each record: in a file, the line on which it begins."""
    delimiter: str = ","
    fingerprint: str = ""
    """SHA-256 of the file."""

    def __len__(self) -> int:
        return len(self.lines)

    def cell(self, row: int, name: str) -> str:
        """Say where a cell is: ``houses.csv, row 7, column rooms``."""
        return f"{self.source}, row {self.lines[row]}, column {name}"

    def take(self, rows: Sequence[int]) -> "Sheet":
        """Give some of the rows, by their index from 0."""
        columns = {name: [cells[row] for row in rows] for name, cells in self.columns.items()}
        lines = [self.lines[row] for row in rows]
        return Sheet(self.source, columns, lines, self.delimiter, self.fingerprint)

    def column(self, name: str) -> list[str]:
        """Give a column's cells; a name that is not there is an error with the nearest."""
        if name not in self.columns:
            raise BadDataError(f"{self.source}: no column is called {name!r}; {self.nearest(name)}")
        return self.columns[name]

    def nearest(self, name: str) -> str:
        """Say which columns are named like ``name``, or what the columns are."""
        # Case is the first thing to go wrong in a name, and no reason to be far off.
        folded = {known.casefold(): known for known in self.columns}
        near = difflib.get_close_matches(name.casefold(), folded, n=3, cutoff=0.5)
        if near:
            return "did you mean " + " or ".join(repr(folded[word]) for word in near) + "?"
        if len(self.columns) == 1:
            (only,) = self.columns
            return f"the only column is {only!r} (commas, semicolons and tabs separate columns)"
        return f"the columns are {some(self.columns)}"


def read_sheet(path: str | Path, delimiter: str | None = None) -> Sheet:
    """Read a CSV file with a header: UTF-8, columns separated by commas, semicolons or tabs.

    Args:
        path: the file.
        delimiter: ``,``, ``;`` or a tab; the one that fits the first records best unless given.

    Blanks around cells are taken off; rows without anything in them are passed over. Raises
    BadDataError, naming file and row, for all that is not such a file.
    """
    data = _read_bytes(Path(path))
    text = _decode(path, data)
    if not text.strip():
        raise BadDataError(f"{path}: the file is empty")
    delimiter = delimiter or _sniff(text)
    records = _records(path, text, delimiter)
    line, header = next(records)
    names = _names(path, line, header)
    rows, lines = [], []
    for line, record in records:
        if len(record) != len(names):
            raise BadDataError(
                f"{path}, row {line}: {len(record)} cells, the header has {len(names)} "
                f"(separated by {DELIMITERS[delimiter]})"
            )
        rows.append(record)
        lines.append(line)
    if not rows:
        raise BadDataError(f"{path}: a header, and no rows below it")
    columns = {
        name: [cell.strip() for cell in cells]
        for name, cells in zip(names, zip(*rows, strict=True), strict=True)
    }
    return Sheet(str(path), columns, lines, delimiter, hashlib.sha256(data).hexdigest())


def read_text(path: str | Path) -> str:
    """Read a file as text; BadDataError, with the row, for what is not UTF-8."""
    return _decode(path, _read_bytes(Path(path)))


def sheet_of(rows: Any) -> Sheet:
    """Make a sheet of rows in Python: a data frame, a dict of columns, a dict or dicts of cells.

    ``{"rooms": [2, 3], "alley": ["Pave", None]}`` is two rows, ``{"rooms": 2, "alley": "Pave"}``
    is one, and so is each dict of a list. None and NaN are gaps.
    """
    source = "the rows given"
    if isinstance(rows, Mapping):
        if not any(_is_column(cells) for cells in rows.values()):
            rows = {name: [cell] for name, cell in rows.items()}
        if not all(_is_column(cells) for cells in rows.values()):
            raise UsageError(f"{source}: either all columns are lists or none is")
        columns = {str(name): [_text(cell) for cell in cells] for name, cells in rows.items()}
    elif hasattr(rows, "columns") and hasattr(rows, "itertuples"):
        names = [str(name) for name in rows.columns]
        _refuse_twins(source, names)
        columns = {
            name: [_text(cell) for cell in rows.iloc[:, place].tolist()]
            for place, name in enumerate(names)
        }
    elif isinstance(rows, list | tuple) and rows and all(isinstance(row, Mapping) for row in rows):
        names = list(dict.fromkeys(str(name) for row in rows for name in row))
        columns = {name: [_text(row.get(name)) for row in rows] for name in names}
    else:
        raise UsageError(
            "a model of a table predicts rows with named columns: give a data frame, "
            f"a dict of lists or a CSV file, not {type(rows).__name__}"
        )
    lengths = {len(cells) for cells in columns.values()}
    if len(lengths) != 1:
        raise UsageError(f"{source}: columns have different lengths: {sorted(lengths)}")
    (length,) = lengths
    return Sheet(source, columns, list(range(1, length + 1)))


def to_numbers(
    cells: Sequence[str], missing: Iterable[str] = (), decimal: str = "."
) -> tuple[np.ndarray, list[int]]:
    """Read cells as numbers.

    Gives the values (float64, NaN where the cell is missing or is no number) and the indices
    of the cells that are neither.
    """
    gaps = MISSING.union(missing)
    written = ["nan" if cell in gaps else cell for cell in cells]
    if decimal != ".":
        # A point then stands between thousands, if anywhere: better refused than misread.
        written = [cell.replace(".", "_").replace(decimal, ".") for cell in written]
    try:
        # All at once where all are numbers; an underscore is Python's, not a table's.
        if not any("_" in cell for cell in written):
            values = np.array(written, dtype=np.float64)
            # NAN and +nan, which Python reads, are none of the words for a gap.
            strange = np.flatnonzero(np.isnan(values)).tolist()
            return values, [index for index in strange if written[index] != "nan"]
    except ValueError:
        pass  # some are not: below, each different one by itself; words come again and again
    known: dict[str, float] = {}
    for cell in set(written):
        with suppress(ValueError):
            if "_" not in cell and (cell == "nan" or not math.isnan(float(cell))):
                known[cell] = float(cell)
    values = np.array([known.get(cell, np.nan) for cell in written], dtype=np.float64)
    return values, [index for index, cell in enumerate(written) if cell not in known]


def number_text(value: float) -> str:
    """Write a number in one way: 20 for 20.0."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def some(names: Iterable[object], most: int = 8) -> str:
    """Name a few of many: ``a, b, c and 5 more``."""
    written = [str(name) for name in names]
    rest = len(written) - most
    return ", ".join(written[:most]) + (f" and {rest} more" if rest > 0 else "")


def _read_bytes(path: Path) -> bytes:
    if path.is_dir():
        raise BadDataError(f"{path}: a folder, not a CSV file")
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise BadDataError(f"{path}: no such file") from None
    except OSError as error:
        raise BadDataError(f"{path}: cannot be read ({error.strerror})") from error
    if len(data) > MOST_BYTES:
        raise BadDataError(f"{path}: larger than {MOST_BYTES:,} bytes; train on a part of it")
    return data


def _decode(path: str | Path, data: bytes) -> str:
    for magic, what in MAGIC:
        if data.startswith(magic):
            raise BadDataError(f"{path}: not a CSV file but {what}")
    if b"\0" in data:
        row = data[: data.index(b"\0")].count(b"\n") + 1
        raise BadDataError(f"{path}, row {row}: not a text file (it holds a zero byte)")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        raise BadDataError(
            f"{path}, row {row}: not UTF-8 (byte {data[error.start]:#04x}); save the file as UTF-8"
        ) from None


def _sniff(text: str) -> str:
    """Give the delimiter with which most of the first records are as wide as the header."""

    def fit(delimiter: str) -> tuple[int, int]:
        widths = []
        try:
            for record in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
                if record:
                    widths.append(len(record))
                if len(widths) == SNIFFED_RECORDS:
                    break
        except csv.Error:
            pass  # said with its row when the file is read
        width = widths[0] if widths else 0
        return (widths.count(width), width) if width > 1 else (0, 0)

    return max(DELIMITERS, key=fit)  # commas, where none fits better


def _records(path: str | Path, text: str, delimiter: str) -> Any:
    """Give the line on which each record begins, and its cells; rows of nothing are left out."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    while True:
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise BadDataError(
                f"{path}, row {line}: {error}; is a quote not closed, or not doubled?"
            ) from None
        # Spreadsheets leave rows of bare delimiters below the table.
        if any(cell and not cell.isspace() for cell in record):
            yield line, record
        line = reader.line_num + 1


def _names(path: str | Path, line: int, header: list[str]) -> list[str]:
    names = [name.strip() for name in header]
    written = [name for name in names if name]
    if not to_numbers(written)[1]:
        raise BadDataError(
            f"{path}, row {line}: numbers where the names of the columns should be; "
            "put a row of names on top"
        )
    _refuse_twins(f"{path}, row {line}", names)
    return [name or f"column {place}" for place, name in enumerate(names, start=1)]


def _refuse_twins(where: str, names: list[str]) -> None:
    places: dict[str, int] = {}
    for place, name in enumerate(names, start=1):
        first = places.setdefault(name, place)
        if name and first != place:
            raise BadDataError(f"{where}: columns {first} and {place} are both called {name!r}")


def _is_column(cells: Any) -> bool:
    return hasattr(cells, "__len__") and not isinstance(cells, str | bytes)


def _text(cell: Any) -> str:
    cell = cell.item() if hasattr(cell, "item") else cell  # of NumPy or torch
    if isinstance(cell, numbers.Real) and not isinstance(cell, bool | numbers.Integral):
        return number_text(float(cell))
    return str(cell).strip()
