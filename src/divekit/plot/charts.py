"""Curves: what the epochs of a run came to, or any lines."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from divekit.plot.picture import COLOURS, INK, add_legend, hide_axes, new_picture, style_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure


# Values that differ by more than this factor are drawn on a logarithmic axis.
WIDE_RANGE = 100
LOSS = "loss"
MOST_COLUMNS = 3


def curves(
    history: Sequence[Mapping[str, float]], *, log_loss: bool | None = None, epochs: int = 0
) -> "Figure":
    """Draw a run's history: a panel for the losses, and one for each other metric.

    Values that are not finite are left out; the axis still shows their epochs.

    Args:
        history: ``run.history``: one mapping per epoch, with the key ``epoch``.
        log_loss: whether the losses have a logarithmic axis; when none, they have one where the
            largest is over a hundred times the smallest.
        epochs: how many the axis makes room for; those in the history when fewer.
    """
    panels = panels_of(history)
    x = [record["epoch"] for record in history]
    columns = 2 if len(panels) == 4 else min(len(panels), MOST_COLUMNS)
    rows = -(-len(panels) // columns)
    picture = new_picture(width=4.2 * columns, height=3.0 * rows)
    picture.get_layout_engine().set(w_pad=0.08)  # type: ignore[union-attr, call-arg]
    grid = picture.subplots(rows, columns, squeeze=False).flat
    for left_over in grid[len(panels) :]:
        hide_axes(left_over)
    for axes, (title, names) in zip(grid, panels.items(), strict=False):
        for name in names:
            epochs_of, values = series_of(history, name)
            held_out = name.startswith(("test", "validation"))
            draw_line(axes, epochs_of, values, name.replace("_", " "), dashed=held_out)
        axes.set(xlabel="epoch", ylabel=title)
        if title == LOSS:
            values = [value for name in names for value in series_of(history, name)[1]]
            if spans_decades(values) if log_loss is None else log_loss:
                axes.set_yscale("log")
        whole_numbers(axes, [*x, max(x[-1], epochs)])
        style_axes(axes)
        add_legend(axes)
    return picture


def panels_of(history: Sequence[Mapping[str, float]]) -> dict[str, list[str]]:
    """Give the names in a history by the panel they belong in: all losses, then each metric."""
    if not history:
        raise ValueError("the history is empty: nothing was trained")
    names = dict.fromkeys(name for record in history for name in record)
    panels: dict[str, list[str]] = {LOSS: []}
    for name in names:
        if name == "epoch":
            continue
        first, _, rest = name.partition("_")
        metric = rest if first in ("train", "validation", "test") and rest else name
        title = LOSS if name.endswith("loss") else metric.replace("_", " ")
        panels.setdefault(title, []).append(name)
    return {title: names for title, names in panels.items() if names}


def series_of(history: Sequence[Mapping[str, float]], name: str) -> tuple[list[Any], list[float]]:
    """Give the epochs that have a value of a name, and the values: not every epoch is measured."""
    having = [record for record in history if name in record]
    return [record["epoch"] for record in having], [record[name] for record in having]


def whole_numbers(axes: Any, x: Sequence[float]) -> None:
    """Mark whole numbers on the x axis, which shows all of ``x``: the epochs of a run."""
    axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    first, last = min(x), max(x)
    margin = 0.05 * (last - first) or 0.5
    axes.set_xlim(first - margin, last + margin)


def spans_decades(values: Iterable[float]) -> bool:
    """Tell whether values, those that are not finite left out, need a logarithmic axis."""
    finite = [value for value in values if math.isfinite(value)]
    return bool(finite) and 0 < min(finite) * WIDE_RANGE < max(finite)


def lines(
    x: Any,
    ys: Mapping[str, Any],
    *,
    x_label: str = "",
    y_label: str = "",
    log: Literal["", "x", "y", "xy"] = "",
    y_limits: tuple[float, float] | None = None,
    marks: Sequence[tuple[float, float]] = (),
) -> "Figure":
    """Draw one line for each entry of ``ys`` over a common ``x``; up to 20 points are marked.

    Args:
        x: (N,), a tensor, an array or a list.
        ys: the lines by name, each (N,).
        x_label: what the x axis is.
        y_label: what the y axis is.
        log: which axes are logarithmic.
        y_limits: the lower and upper end of the y axis, in place of those of the data.
        marks: points (x, y) to mark with a dot.
    """
    picture = new_picture()
    axes = picture.subplots()
    for name, y in ys.items():
        draw_line(axes, x, y, name)
    _finish(axes, x_label, y_label, log, marks)
    axes.set_ylim(y_limits)
    add_legend(axes)
    return picture


def points(
    x: Any,
    y: Any,
    *,
    x_label: str = "",
    y_label: str = "",
    log: Literal["", "x", "y", "xy"] = "",
    marks: Sequence[tuple[float, float]] = (),
    over: Mapping[str, tuple[Any, Any]] | None = None,
) -> "Figure":
    """Draw points (x, y), both (N,), and over them the lines ``{name: (x, y)}``.

    The other arguments are those of ``lines``.
    """
    picture = new_picture()
    axes = picture.subplots()
    axes.scatter(x, y, s=6, color=COLOURS[0], alpha=0.7)
    for number, (name, (line_x, line_y)) in enumerate((over or {}).items(), start=1):
        axes.plot(line_x, line_y, color=COLOURS[number], linewidth=1.8, label=name)
    _finish(axes, x_label, y_label, log, marks)
    add_legend(axes, single=True)
    return picture


def _finish(axes: Any, x_label: str, y_label: str, log: str, marks: Sequence[Any]) -> None:
    if marks:
        axes.plot(*zip(*marks, strict=True), "o", color=INK, zorder=3, label="_marks")
    axes.set(xlabel=x_label, ylabel=y_label)
    if "x" in log:
        axes.set_xscale("log")
    if "y" in log:
        axes.set_yscale("log")
    style_axes(axes)


def draw_line(axes: Any, x: Any, y: Any, name: str, *, dashed: bool = False) -> None:
    """Draw a line in the next colour; up to 20 points are marked one by one."""
    axes.plot(
        x,
        y,
        "--" if dashed else "-",
        color=COLOURS[len(axes.lines) % len(COLOURS)],
        label=name,
        linewidth=1.8,
        marker="o" if len(x) <= 20 else "",
        markersize=3,
    )
