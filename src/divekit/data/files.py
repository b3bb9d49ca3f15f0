"""Files of the user's own, read as inputs of a trained model.

Shapes: B examples, C channels, H height, W width, D features
"""

import csv
from pathlib import Path

import torch
from torch import Tensor

from divekit.data.dataset import Facts
from divekit.errors import BadDataError, MissingExtraError


def read_inputs(path: Path, facts: Facts) -> Tensor:
    """Read a file as inputs (B, *input_shape): an image for images, else a CSV of numbers.

    An image is turned to as many channels as the data have, and resized. Raises
    BadDataError naming the file, and the row of a CSV.
    """
    if not path.is_file():
        raise BadDataError(f"{path}: no such file")
    if len(facts.input_shape) == 3:
        return _read_image(path, facts)
    return _read_table(path, facts)


def _read_image(path: Path, facts: Facts) -> Tensor:
    try:
        import numpy as np
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise MissingExtraError("reading images", "data") from error
    channels, height, width = facts.input_shape
    try:
        with Image.open(path) as image:
            converted = image.convert("L" if channels == 1 else "RGB").resize((width, height))
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError) as error:
        raise BadDataError(f"{path}: not an image that can be read ({error})") from error
    pixels = torch.from_numpy(np.array(converted)).view(height, width, channels)
    return facts.prepare(pixels.permute(2, 0, 1)[None])  # (H, W, C) -> (1, C, H, W)


def _read_table(path: Path, facts: Facts) -> Tensor:
    rows = []
    with path.open(newline="", encoding="utf-8") as file:
        for line, cells in enumerate(csv.reader(file), start=1):
            if not cells:
                continue
            try:
                rows.append([float(cell) for cell in cells])
            except ValueError as error:
                if line == 1:
                    continue  # a header
                raise BadDataError(f"{path}, row {line}: {error}") from None
            if len(cells) != facts.num_features:
                raise BadDataError(
                    f"{path}, row {line}: {len(cells)} columns, "
                    f"{facts.name} has {facts.num_features}"
                )
    if not rows:
        raise BadDataError(f"{path}: no rows of numbers")
    return torch.tensor(rows).view(-1, *facts.input_shape)
