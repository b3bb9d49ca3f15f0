"""A picture: a matplotlib figure that shows itself in a notebook and is saved elsewhere.

Pictures do not go through pyplot, so making one changes nothing outside it: no window, no
list of open figures, no back end.
"""

from typing import TYPE_CHECKING, Any

from divekit.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# One set of colours that reads on white and on near-black alike (contrast 3:1 or more on both).
INK = "#808080"
COLOURS = ("#2a8fd6", "#e5722d", "#35a168", "#c65bb8", "#b58a1b", "#dd4b55", "#7a78d8", "#4a9aa8")
WIDTH, HEIGHT = 5.0, 3.2
DPI = 144

_figure_class: "type[Figure] | None" = None


def new_picture(width: float = WIDTH, height: float = HEIGHT) -> "Figure":
    """Make an empty picture; the size is in inches.

    Raises MissingExtraError when matplotlib is not installed.
    """
    return _picture_class()(figsize=(width, height), dpi=DPI, layout="constrained")


def style_axes(axes: Any, *, grid: bool = True) -> None:
    """Give axes the house style: neutral ink, light grid, no box."""
    axes.patch.set_alpha(0)
    for side, spine in axes.spines.items():
        spine.set_color(INK)
        spine.set_visible(side in ("left", "bottom"))
    axes.tick_params(which="both", colors=INK, labelcolor=INK)
    for label in (axes.xaxis.label, axes.yaxis.label, axes.title):
        label.set_color(INK)
    if grid:
        axes.grid(color=INK, alpha=0.25, linewidth=0.6)
        axes.set_axisbelow(True)


def add_legend(axes: Any) -> None:
    """Add a legend in the house style where there is something to tell apart."""
    if len(axes.get_legend_handles_labels()[1]) > 1:
        axes.legend(frameon=False, labelcolor=INK)


def is_picture(value: object) -> bool:
    """Tell whether a value was made by ``new_picture``."""
    return _figure_class is not None and isinstance(value, _figure_class)


def _picture_class() -> "type[Figure]":
    # Made on first use: importing divekit.plot must not import matplotlib.
    global _figure_class
    if _figure_class is None:
        try:
            from matplotlib.backends.backend_agg import FigureCanvasAgg
            from matplotlib.figure import Figure
        except ImportError as error:
            raise MissingExtraError("drawing pictures", "plot") from error
        import io

        class Picture(Figure):
            def __init__(self, **settings: Any) -> None:
                super().__init__(**settings)
                FigureCanvasAgg(self)
                self.patch.set_alpha(0)  # the page's own colour shines through

            def _repr_png_(self) -> bytes:
                buffer = io.BytesIO()
                self.savefig(buffer, format="png")
                return buffer.getvalue()

        _figure_class = Picture
    return _figure_class
