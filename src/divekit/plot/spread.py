"""Several runs as one line: their mean, in a band from the least to the greatest.

Shapes: S runs, N points on each line
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from divekit.plot.charts import draw_line, spans_decades, whole_numbers
from divekit.plot.picture import COLOURS, INK, new_picture, style_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MARKERS = "os^Dv<>P"


def bands(
    lines: Mapping[str, tuple[Any, Any]],
    *,
    of: str = "runs",
    title: str = "",
    x_label: str = "",
    y_label: str = "",
    log: bool | None = None,
    scale_by: Collection[str] | None = None,
) -> "Figure":
    """Draw for each entry the mean of several runs, in a band from the least to the greatest.

    The picture says so in words. A mean over values one of which is not finite is not drawn.

    Args:
        lines: (x, ys) by name: x (N,), ys (S, N), one row for each of S runs; N and S may differ
            from entry to entry. At most eight entries: no more colours can be told apart.
        of: what the rows are: ``seeds``.
        title: what is drawn; stands above.
        x_label: what the x axis is; whole numbers only are marked on it.
        y_label: what the y axis is.
        log: whether the y axis is logarithmic; when none, where the values span two decades.
        scale_by: the entries that set the scale of the y axis, in place of all: one that runs
            off to infinity need not flatten the others.
    """
    import numpy as np

    if not 1 <= len(lines) <= len(COLOURS):
        raise ValueError(f"{len(lines)} lines with bands; there are 1 to {len(COLOURS)} colours")
    drawn = {name: (np.asarray(x), np.asarray(ys, dtype=float)) for name, (x, ys) in lines.items()}
    # The legend stands beside the axes, and takes its room from nobody.
    beside = 0.55 + 0.08 * max(len(name) for name in drawn) if len(drawn) > 1 else 0
    picture = new_picture(width=5.2 + beside, height=3.6)
    axes = picture.subplots()
    for number, (name, (x, rows)) in enumerate(drawn.items()):
        # Where a run is not finite nothing is drawn: nan leaves a gap.
        shown = np.where(np.isfinite(rows).all(axis=0), rows, np.nan)
        draw_line(axes, x, shown.mean(axis=0), name)  # (S, N) -> (N,)
        # Colours alone do not tell lines apart for every eye.
        axes.lines[-1].set_marker(MARKERS[number] if len(x) <= 20 else "")
        if len(rows) > 1:
            low, high = shown.min(axis=0), shown.max(axis=0)
            axes.fill_between(x, low, high, color=COLOURS[number], alpha=0.2, linewidth=0)
    setters = [drawn[name][1] for name in (drawn if scale_by is None else scale_by)]
    values = np.concatenate([rows.ravel() for rows in setters]) if setters else np.empty(0)
    values = values[np.isfinite(values)]
    logarithmic = spans_decades(values) if log is None else log
    if logarithmic:
        axes.set_yscale("log")
    if scale_by is not None and len(values):
        axes.set_ylim(_with_margin(values.min(), values.max(), logarithmic))
    axes.set(xlabel=x_label, ylabel=y_label)
    whole_numbers(axes, [step for x, _ in drawn.values() for step in x])
    style_axes(axes)
    counts = sorted({len(rows) for _, rows in drawn.values()})
    above = [line for line in (title, _words(counts, of)) if line]
    axes.set_title("\n".join(above), loc="left", fontsize=9, color=INK)
    if len(drawn) > 1:
        picture.legend(loc="outside right upper", frameon=False, labelcolor=INK)
    return picture


def _words(counts: Sequence[int], of: str) -> str:
    if counts == [1]:
        return ""
    many = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"line: mean of {many} {of}; band: from the least to the greatest"


def _with_margin(low: float, high: float, logarithmic: bool) -> tuple[float, float]:
    if logarithmic:
        margin = (high / low) ** 0.05
        return low / margin, high * margin
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return low - margin, high + margin
