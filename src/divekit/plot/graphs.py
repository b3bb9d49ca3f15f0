"""Computational graphs: values, operations, and what flows between them in either direction."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from divekit.plot.picture import COLOURS, INK, hide_axes, new_picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Arrow = tuple[str, str]
FORWARD, BACKWARD = COLOURS[0], COLOURS[1]
# In steps of the grid: how far each arrow of a pair runs from the line between its nodes, how long
# before the middle of a node it ends, and how far beside it its text stands.
APART, GAP, BESIDE = 0.085, 0.27, 0.07


def graph(
    nodes: Mapping[str, tuple[float, float]],
    arrows: Sequence[Arrow],
    back: Mapping[Arrow, str] | None = None,
    *,
    operations: Collection[str] = (),
    texts: Mapping[str, str] | None = None,
    meaning: str = "forward",
    cell: tuple[float, float] = (1.05, 0.95),
) -> "Figure":
    """Draw nodes on a grid and arrows between them; gradients go against the arrows.

    Args:
        nodes: (column, row) of each node by name, rows counted downwards. Values are drawn as
            bare text.
        arrows: pairs of names (from, to).
        back: for the arrows that a gradient comes back along, what to write beside it. It is drawn
            from the second name to the first, in another colour.
        operations: names of the nodes that are operations; they get a circle.
        texts: what to write in a node, where that is not its name; ``$...$`` is a formula.
        meaning: what an arrow stands for, written above the picture.
        cell: width and height of a step on the grid, in inches.
    """
    back, texts = back or {}, texts or {}
    mentioned = {name for arrow in (*arrows, *back) for name in arrow} | set(operations)
    if strangers := (mentioned | set(texts)) - set(nodes):
        raise ValueError(f"no node is called {min(strangers)!r}")
    if loose := set(back) - set(arrows):
        raise ValueError(f"a gradient comes back along {min(loose)}, which is no arrow")
    if not nodes:
        raise ValueError("there are no nodes to draw")
    for start, end in arrows:
        if tuple(nodes[start]) == tuple(nodes[end]):
            raise ValueError(f"{end} stands where {start} does: there is no arrow between them")
    columns, rows = zip(*nodes.values(), strict=True)
    left, right, top, bottom = min(columns), max(columns), min(rows), max(rows)
    picture = new_picture(cell[0] * (right - left + 1), cell[1] * (bottom - top + 1) + 0.3)
    axes = picture.subplots()
    hide_axes(axes)
    axes.set(xlim=(left - 0.5, right + 0.5), ylim=(bottom + 0.5, top - 0.5))

    def draw(start: str, end: str, aside: float, colour: str, text: str = "") -> None:
        """Draw an arrow on the left of the way from start to end, and text on its left."""
        (x0, y0), (x1, y1) = nodes[start], nodes[end]
        length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        along = ((x1 - x0) / length, (y1 - y0) / length)
        left = (along[1], -along[0])  # rows are counted downwards
        tail, head = (
            tuple(place[i] + GAP * sign * along[i] + aside * left[i] for i in (0, 1))
            for place, sign in (((x0, y0), 1), ((x1, y1), -1))
        )
        style = {"arrowstyle": "-|>", "color": colour, "lw": 1.4, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", head, tail, arrowprops=style)
        x, y = ((tail[i] + head[i]) / 2 + BESIDE * left[i] for i in (0, 1))
        # Anchored at the side or corner that looks at the arrow.
        across = "left" if left[0] > 0.35 else "right" if left[0] < -0.35 else "center"
        down = "top" if left[1] > 0.35 else "bottom" if left[1] < -0.35 else "center"
        axes.text(x, y, text, color=colour, fontsize=9, ha=across, va=down)

    for start, end in arrows:
        draw(start, end, APART if (start, end) in back else 0.0, FORWARD)
    for (start, end), text in back.items():
        draw(end, start, APART, BACKWARD, text)
    for name, (x, y) in nodes.items():
        ring = {"boxstyle": "circle,pad=0.25", "facecolor": "none", "edgecolor": INK}
        box = ring if name in operations else None
        axes.text(
            x, y, texts.get(name, name), color=INK, fontsize=11, ha="center", va="center", bbox=box
        )
    entries = [(meaning, FORWARD), ("gradients", BACKWARD)][: 2 if back else 1]
    for text, colour in entries:
        axes.plot([], [], color=colour, label=text)
    axes.legend(
        frameon=False, labelcolor=INK, ncols=2, loc="lower left", bbox_to_anchor=(0, 1),
        borderaxespad=0.0, fontsize=9,
    )  # fmt: skip
    return picture
