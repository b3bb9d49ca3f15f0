"""Files of the user's own, read as inputs of a trained model.

Shapes: B examples, C channels, H height, W width, D features
"""

import csv
import io
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from divekit.data.columns import TableForm
from divekit.data.dataset import Facts
from divekit.data.photos import read_photo
from divekit.data.sheet import Sheet, read_sheet, read_text, sheet_of, some
from divekit.data.table import log, warn_of_unknown
from divekit.errors import BadDataError

LARGEST = torch.finfo(torch.float32).max


def read_inputs(path: Path, facts: Facts) -> Tensor:
    """Read a file as inputs (B, *input_shape): an image for images, else a CSV file.

    An image is turned to as many channels as the data have; its short side is resized, and the
    middle of the long one taken. For a model of a table the CSV has a header, and columns are
    found by name; for other data it holds numbers only, in the order of the features. Raises
    BadDataError naming the file, and the row of a CSV.
    """
    if path.is_dir():
        raise BadDataError(f"{path}: a folder; name the files in it")
    if facts.table is not None:
        return prepare_rows(read_sheet(path), facts.table)
    if len(facts.input_shape) == 3:
        channels, height, width = facts.input_shape
        # A copy: torch wants memory that may be written.
        pixels = torch.from_numpy(read_photo(path, height, width, channels).copy())
        return facts.prepare(pixels[None])  # (C, H, W) -> (1, C, H, W)
    return _read_numbers(path, facts)


def prepare_rows(rows: Any, form: TableForm) -> Tensor:
    """Turn rows with named columns (a sheet, a data frame, a dict of lists) into numbers (B, D).

    The order of the columns is free. Columns that the model does not know are passed over
    with a word, and so are values of categories that it never met.
    """
    sheet = rows if isinstance(rows, Sheet) else sheet_of(rows)
    inputs, unknown = form.encode(sheet)
    known = {form.label, *(column.name for column in form.columns)}
    extra = [name for name in sheet.columns if name not in known]
    if extra:
        log.info(f"{sheet.source}: not used: {some(extra)}")
    warn_of_unknown(sheet.source, unknown)
    return inputs


def _read_numbers(path: Path, facts: Facts) -> Tensor:
    rows = []
    reader = csv.reader(io.StringIO(read_text(path), newline=""))
    try:
        for cells in reader:
            if not cells:
                continue
            where = f"{path}, row {reader.line_num}"
            try:
                rows.append([float(cell) for cell in cells])
            except ValueError as error:
                if reader.line_num == 1:
                    continue  # a header
                raise BadDataError(f"{where}: {error}") from None
            if len(cells) != facts.num_features:
                raise BadDataError(
                    f"{where}: {len(cells)} columns, {facts.name} has {facts.num_features}"
                )
            # NaN compares with nothing, so it is refused too.
            if not all(abs(number) <= LARGEST for number in rows[-1]):
                raise BadDataError(
                    f"{where}: every cell must be a finite number, {LARGEST:.3g} at most"
                )
    except csv.Error as error:
        raise BadDataError(f"{path}, row {reader.line_num}: {error}") from None
    if not rows:
        raise BadDataError(f"{path}: no rows of numbers")
    return torch.tensor(rows).view(-1, *facts.input_shape)
