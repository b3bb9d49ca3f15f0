"""Pictures of what they are handed: curves, images. They need the extra ``plot`` (matplotlib)."""

from divekit.plot.beside import side_by_side
from divekit.plot.cells import tables
from divekit.plot.charts import curves, draw_line, lines, points
from divekit.plot.graphs import graph
from divekit.plot.grids import images
from divekit.plot.picture import (
    COLOURS,
    INK,
    add_legend,
    hide_axes,
    is_picture,
    new_picture,
    save,
    style_axes,
)
from divekit.plot.spread import bands
from divekit.plot.terminal import text_curves

__all__ = [
    "COLOURS",
    "INK",
    "add_legend",
    "bands",
    "curves",
    "draw_line",
    "graph",
    "hide_axes",
    "images",
    "is_picture",
    "lines",
    "new_picture",
    "points",
    "save",
    "side_by_side",
    "style_axes",
    "tables",
    "text_curves",
]
