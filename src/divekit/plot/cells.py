"""Small tables, drawn entry by entry.

Shapes: R rows, K columns
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from divekit.plot.picture import COLOURS, INK, hide_axes, new_picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def tables(
    entries: Mapping[str, Any],
    colours: Mapping[str, Any] | None = None,
    *,
    line: int = 12,
    cell: tuple[float, float] = (0.36, 0.36),
) -> "Figure":
    """Draw small tables beside each other, every entry in a cell.

    Args:
        entries: tables by title, each (R, K): a tensor, an array or lists, of numbers or words.
        colours: for the titles of your choice, (R, K) whole numbers: the house colour of each
            cell, from 0; below 0 the cell is left pale. A table without any is pale.
        line: how many columns stand beside each other before a line is full; a table that no
            longer fits begins the next one.
        cell: width and height of a cell, in inches.
    """
    colours = colours or {}
    if not entries:
        raise ValueError("there are no tables to draw")
    if strangers := set(colours) - set(entries):
        raise ValueError(f"no table is called {min(strangers)!r}")
    gap, head = 0.9, 0.9  # space between tables and over them, in cells
    right = top = deepest = 0.0
    places = []
    for title, table in entries.items():
        rows, columns = _rows(table), len(_rows(table)[0])
        if right and right + columns > line:
            right, top, deepest = 0.0, top + deepest, 0.0
        tint = _rows(colours.get(title, [[-1] * columns] * len(rows)))
        if [len(row) for row in tint] != [len(row) for row in rows]:
            raise ValueError(f"the colours of {title!r} are not of the shape of its entries")
        places.append((title, rows, tint, right, top + head))
        right, deepest = right + columns + gap, max(deepest, len(rows) + head)
    width = max(left + len(rows[0]) for _, rows, _, left, _ in places)
    height = top + deepest
    picture = new_picture(width=cell[0] * (width + 0.2), height=cell[1] * (height + 0.2))
    axes = picture.subplots()
    for title, rows, tint, left, upper in places:
        axes.text(left, upper - 0.2, title, fontsize=9, color=INK, va="bottom")
        for i, row in enumerate(rows):
            for k, entry in enumerate(row):
                own = tint[i][k] >= 0
                colour = COLOURS[int(tint[i][k]) % len(COLOURS)] if own else "none"
                x, y = left + k, upper + i
                outline = [x, x + 1, x + 1, x], [y, y, y + 1, y + 1]
                axes.fill(*outline, facecolor=colour, edgecolor=INK, linewidth=0.6)
                ink = "white" if own else INK
                middle = (x + 0.5, y + 0.5)
                axes.text(*middle, str(entry), fontsize=9, color=ink, ha="center", va="center")
    axes.set(xlim=(-0.1, width + 0.1), ylim=(height + 0.1, -0.1))
    hide_axes(axes)
    return picture


def _rows(table: Any) -> list[list[Any]]:
    """Turn a tensor, an array or lists into lists; numbers that are whole lose their point."""
    rows = table.tolist() if hasattr(table, "tolist") else [list(row) for row in table]
    if not rows or not isinstance(rows[0], list) or not rows[0]:
        raise ValueError("a table must have rows and columns")
    return [
        [int(entry) if isinstance(entry, float) and entry.is_integer() else entry for entry in row]
        for row in rows
    ]
