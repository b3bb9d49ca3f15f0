"""One metric of several runs, in panels beside each other."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from divekit.plot.charts import LOSS, draw_line, panels_of, series_of, spans_decades, whole_numbers
from divekit.plot.picture import INK, new_picture, style_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def side_by_side(
    histories: Mapping[str, Sequence[Mapping[str, float]]],
    *,
    metric: str = LOSS,
    log: bool | None = None,
) -> "Figure":
    """Draw one metric of several runs, each in a panel of its own, on a common y axis.

    Args:
        histories: ``run.history`` by the title of its panel.
        metric: drawn on the training data and on what was held out: ``loss``, ``accuracy``.
        log: whether the y axis is logarithmic; when none, where the values span two decades.
    """
    if not histories:
        raise ValueError("there are no runs to draw")
    picture = new_picture(width=2.9 * len(histories), height=3.2)
    panels = picture.subplots(1, len(histories), sharey=True, squeeze=False)[0]
    values: list[float] = []
    lines: dict[str, Any] = {}
    for axes, (title, history) in zip(panels, histories.items(), strict=True):
        names = panels_of(history).get(metric)
        if not names:
            raise ValueError(f"the history of {title!r} has no {metric!r}")
        for name in names:
            epochs, series = series_of(history, name)
            held_out = name.startswith(("test", "validation"))
            draw_line(axes, epochs, series, name.replace("_", " "), dashed=held_out)
            values += series
        whole_numbers(axes, [record["epoch"] for record in history])
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("epoch")
        style_axes(axes)
        lines |= {line.get_label(): line for line in axes.lines}
    if spans_decades(values) if log is None else log:
        panels[0].set_yscale("log")  # the panels share the axis
    panels[0].set_ylabel(metric)
    if len(lines) > 1:
        picture.legend(
            list(lines.values()),
            list(lines),
            loc="outside upper left",
            ncols=len(lines),
            frameon=False,
            labelcolor=INK,
        )
    return picture
