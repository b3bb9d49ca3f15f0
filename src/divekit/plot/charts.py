"""Curves: what the epochs of a run came to, or any lines."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from divekit.plot.picture import COLOURS, INK, add_legend, new_picture, style_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def curves(history: Sequence[Mapping[str, float]], *, log_loss: bool = False) -> "Figure":
    """Draw a run's history: the losses, and beside them the other metrics where there are any.

    Args:
        history: ``run.history``: one mapping per epoch, with the key ``epoch``.
        log_loss: draw the losses on a logarithmic axis.
    """
    if not history:
        raise ValueError("the history is empty: nothing was trained")
    epochs = [record["epoch"] for record in history]
    names = [name for name in history[0] if name != "epoch"]
    losses = [name for name in names if name.endswith("loss")]
    panels = [panel for panel in (losses, [name for name in names if name not in losses]) if panel]
    picture = new_picture(width=4.2 * len(panels), height=3.0)
    for axes, panel in zip(picture.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        for name in panel:
            values = [record[name] for record in history]
            held_out = name.startswith(("test", "validation"))
            draw_line(axes, epochs, values, name.replace("_", " "), dashed=held_out)
        axes.set_xlabel("epoch")
        axes.set_ylabel("loss" if panel is losses else panel[0].split("_", 1)[-1])
        if panel is losses and log_loss:
            axes.set_yscale("log")
        axes.xaxis.get_major_locator().set_params(integer=True)
        style_axes(axes)
        add_legend(axes)
    return picture


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
    if over:
        axes.legend(frameon=False, labelcolor=INK)
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
