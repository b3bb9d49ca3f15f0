"""Curves as text, for a terminal: dots of braille letters, eight to a letter.

Shapes: a letter is 2 dots wide and 4 high; dots are counted from the upper left.
"""

import itertools
import math
from collections.abc import Mapping, Sequence

from divekit.plot.charts import panels_of, series_of, spans_decades
from divekit.plot.picture import COLOURS, INK

Pieces = list[tuple[str, str]]
"""A line of text in pieces, each with its colour."""

# The bits of a braille letter: BITS[row][column].
BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
BRAILLE = 0x2800
LABEL = 8  # letters of the numbers beside an axis
PANEL = 30  # letters that a panel needs at least
WIDEST = 52


def text_curves(
    history: Sequence[Mapping[str, float]], *, width: int, height: int = 6, epochs: int = 0
) -> list[Pieces]:
    """Draw a run's history as lines of coloured text: as many panels of ``curves`` as fit.

    Args:
        history: ``run.history``.
        width: letters in a line.
        height: letters from the least to the greatest value.
        epochs: how many the axis makes room for; those in the history when fewer.
    """
    panels = list(panels_of(history).values())
    panels = panels[: max(1, width // PANEL)]
    wide = min(WIDEST, width // len(panels))
    legends = [_legend(history, names, wide) for names in panels]
    tallest = max(len(legend) for legend in legends)
    drawn = [
        _padded([*[[]] * (tallest - len(legend)), *legend, *chart], wide)
        for legend, chart in zip(
            legends, (_chart(history, names, wide, height, epochs) for names in panels), strict=True
        )
    ]
    return [[piece for part in parts for piece in part] for parts in zip(*drawn, strict=True)]


def _legend(
    history: Sequence[Mapping[str, float]], names: Sequence[str], width: int
) -> list[Pieces]:
    """Give each name with its newest value, on as many lines as that takes."""
    lines: list[Pieces] = [[]]
    for number, name in enumerate(names):
        text = f"{name.replace('_', ' ')} {series_of(history, name)[1][-1]:.4g}  "
        if lines[-1] and sum(len(piece) for piece, _ in lines[-1]) + len(text) > width:
            lines.append([])
        lines[-1].append((text, COLOURS[number % len(COLOURS)]))
    return lines


def _chart(
    history: Sequence[Mapping[str, float]],
    names: Sequence[str],
    width: int,
    height: int,
    epochs: int,
) -> list[Pieces]:
    """Draw lines between axes: ``height`` lines of text, and one for the epochs."""
    columns = width - LABEL - 3  # an axis on the left, an empty letter at both ends
    values = [value for name in names for value in series_of(history, name)[1]]
    finite = [value for value in values if math.isfinite(value)]
    last = max(epochs, int(history[-1]["epoch"]), 2)
    low, high = (min(finite), max(finite)) if finite else (math.nan, math.nan)
    scale = math.log if spans_decades(values) else float
    dots: dict[tuple[int, int], int] = {}  # (row, column) of a dot: the number of its line
    for number, name in enumerate(names):
        points = [
            (
                (epoch - 1) / (last - 1) * (2 * columns - 1),
                _part(scale(value), scale(low), scale(high)) * (4 * height - 1),
            )
            for epoch, value in zip(*series_of(history, name), strict=True)
            if math.isfinite(value)
        ]
        dashed = name.startswith(("test", "validation")) and len(points) > 1
        dots |= {
            (row, column): number
            for row, column in _dots_of(points)
            if not dashed or column % 4 < 2
        }
    lines: list[Pieces] = []
    for row in range(height):
        end = {height - 1: low, 0: high}.get(row)
        label = "" if end is None else f"{end:.3g}"
        lines.append([(f"{label:>{LABEL}} │", INK), *_letters(dots, row, columns)])
    return [*lines, [(f"{'':>{LABEL}}  1{last:>{columns - 1}}", INK)]]


def _part(value: float, low: float, high: float) -> float:
    """Give how far a value lies below ``high``, as a part of the way down to ``low``."""
    # Halved: the way between the two largest floats is no float.
    return (high / 2 - value / 2) / ((high / 2 - low / 2) or 1)


def _dots_of(points: Sequence[tuple[float, float]]) -> set[tuple[int, int]]:
    """Give the dots (row, column) of a line through points (x, y), counted in dots."""
    found = {(round(y), round(x)) for x, y in points[:1]}
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        steps = max(1, round(max(abs(x1 - x0), abs(y1 - y0))))
        for step in range(steps + 1):
            share = step / steps
            found.add((round(y0 + share * (y1 - y0)), round(x0 + share * (x1 - x0))))
    return found


def _letters(dots: Mapping[tuple[int, int], int], row: int, columns: int) -> Pieces:
    """Give one row of letters; where lines meet in a letter, it has the colour of the last."""
    pieces: Pieces = []
    for column in range(columns):
        bits, through = 0, 0
        for down in range(4):
            for across in range(2):
                line = dots.get((4 * row + down, 2 * column + across))
                if line is not None:
                    bits |= BITS[down][across]
                    through = max(through, line)
        letter = chr(BRAILLE + bits) if bits else " "
        colour = COLOURS[through % len(COLOURS)]
        if pieces and (not bits or pieces[-1][1] == colour):
            pieces[-1] = (pieces[-1][0] + letter, pieces[-1][1])
        else:
            pieces.append((letter, colour))
    return pieces


def _padded(lines: Sequence[Pieces], width: int) -> list[Pieces]:
    """Give lines, each filled up, or cut, to ``width`` letters."""
    filled = []
    for line in lines:
        room = width
        pieces: Pieces = []
        for text, colour in line:
            pieces.append((text[:room], colour))
            room -= len(pieces[-1][0])
        filled.append([*pieces, (" " * room, INK)])
    return filled
