"""The book's plotting: figures through pyplot, curves that grow, rows of images.

They take whatever matplotlib does: arrays of ``divekit.mx``, tensors, NumPy's, lists.
"""

from collections.abc import Sequence
from typing import Any

from divekit.d2l.bookkeeping import number
from divekit.surroundings import in_notebook

FORMATS = ("-", "m--", "g-.", "r:")


def use_svg_display() -> None:
    """Let notebooks show figures as SVG; elsewhere nothing is to be done. Book: 2.4."""
    if in_notebook():
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("svg")


def set_figsize(figsize: tuple[float, float] = (3.5, 2.5)) -> None:
    """Set the size of figures that follow, in inches. Book: 2.4."""
    from matplotlib import pyplot

    use_svg_display()
    pyplot.rcParams["figure.figsize"] = figsize


def set_axes(
    axes: Any,
    xlabel: str | None,
    ylabel: str | None,
    xlim: Any,
    ylim: Any,
    xscale: str,
    yscale: str,
    legend: Sequence[str] | None,
) -> None:
    """Set labels, limits and scales of axes, and their legend. Book: 2.4."""
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.set_xscale(xscale)
    axes.set_yscale(yscale)
    if xlim is None or xlim[0] != xlim[1]:  # from epoch 1 to epoch 1 is no interval
        axes.set_xlim(xlim)
    axes.set_ylim(ylim)
    if legend:
        axes.legend(legend)
    axes.grid()


def plot(
    X: Any,
    Y: Any = None,
    xlabel: str | None = None,
    ylabel: str | None = None,
    legend: Sequence[str] | None = None,
    xlim: Any = None,
    ylim: Any = None,
    xscale: str = "linear",
    yscale: str = "linear",
    fmts: Sequence[str] = FORMATS,
    figsize: tuple[float, float] = (3.5, 2.5),
    axes: Any = None,
) -> None:
    """Draw curves: points (X, Y); several for lists; X alone is drawn over 0, 1, ... Book: 2.4."""
    from matplotlib import pyplot

    set_figsize(figsize)
    axes = axes or pyplot.gca()
    curves = _curves(X)
    if Y is None:
        pairs: list[tuple[Any, ...]] = [(ys,) for ys in curves]
    else:
        heights = _curves(Y)
        if len(curves) == 1:
            curves *= len(heights)
        pairs = list(zip(curves, heights, strict=True))
    axes.cla()
    for index, pair in enumerate(pairs):
        axes.plot(*(_points(part) for part in pair), fmts[index % len(fmts)])
    set_axes(axes, xlabel, ylabel, xlim, ylim, xscale, yscale, legend)


def _curves(values: Any) -> list[Any]:
    """Give the curves that an argument holds: itself, or its items if these have a length."""
    if hasattr(values, "ndim"):
        return [values] if values.ndim <= 1 else list(values)
    values = list(values)
    return values if values and hasattr(values[0], "__len__") and _ranked(values[0]) else [values]


def _ranked(item: Any) -> bool:
    return not hasattr(item, "ndim") or item.ndim > 0


def _points(values: Any) -> Any:
    """Give what matplotlib draws: tensors without their graph, lists of numbers as they are."""
    if hasattr(values, "detach"):
        values = values.detach()
    if isinstance(values, list | tuple):
        return [number(value) for value in values]
    return values.asnumpy() if hasattr(values, "asnumpy") else values


def show_images(
    imgs: Any,
    num_rows: int,
    num_cols: int,
    titles: Sequence[str] | None = None,
    scale: float = 1.5,
) -> Any:
    """Draw images in rows and columns; give their axes, flat. Book: 3.5."""
    from matplotlib import pyplot

    size = (num_cols * scale, num_rows * scale)
    _, grid = pyplot.subplots(num_rows, num_cols, figsize=size, squeeze=False)
    axes = grid.flatten()
    for index, (place, image) in enumerate(zip(axes, imgs, strict=False)):
        place.imshow(image.asnumpy() if hasattr(image, "asnumpy") else image)
        place.axes.get_xaxis().set_visible(False)
        place.axes.get_yaxis().set_visible(False)
        if titles:
            place.set_title(titles[index])
    return axes


class Animator:
    """Curves that grow while something runs: redrawn in notebooks with every ``add``. Book: 3.6.

    Attributes: ``fig``, ``axes`` (a list), and ``X``, ``Y``: the points of each curve.
    """

    def __init__(
        self,
        xlabel: str | None = None,
        ylabel: str | None = None,
        legend: Sequence[str] | None = None,
        xlim: Any = None,
        ylim: Any = None,
        xscale: str = "linear",
        yscale: str = "linear",
        fmts: Sequence[str] = FORMATS,
        nrows: int = 1,
        ncols: int = 1,
        figsize: tuple[float, float] = (3.5, 2.5),
    ) -> None:
        from matplotlib import pyplot

        use_svg_display()
        self.fig, grid = pyplot.subplots(nrows, ncols, figsize=figsize, squeeze=False)
        self.axes = list(grid.flatten())
        self.fmts = fmts
        self.X: list[list[float]] = []
        self.Y: list[list[float]] = []
        self._legend = legend

        def config_axes() -> None:
            set_axes(self.axes[0], xlabel, ylabel, xlim, ylim, xscale, yscale, legend)

        self.config_axes = config_axes

    def add(self, x: Any, y: Any) -> None:
        """Add a point to each curve: ``y`` is a number, or one for each, None to leave one out."""
        heights = list(y) if hasattr(y, "__len__") else [y]
        places = list(x) if hasattr(x, "__len__") else [x] * len(heights)
        while len(self.X) < len(heights):
            self.X.append([])
            self.Y.append([])
        for index, (place, height) in enumerate(zip(places, heights, strict=True)):
            if place is not None and height is not None:
                self.X[index].append(number(place))
                self.Y[index].append(number(height))
        self.axes[0].cla()
        for xs, ys, fmt in zip(self.X, self.Y, self.fmts, strict=False):
            # A single point is no line: after one epoch there would be nothing to see.
            self.axes[0].plot(xs, ys, fmt, marker="o" if len(xs) == 1 else None)
        self.config_axes()
        if in_notebook():
            from IPython import display

            display.display(self.fig)
            # What comes next, the next picture or the notebook's own at the end, replaces it.
            display.clear_output(wait=True)
