"""A picture: a matplotlib figure that shows itself in a notebook and is saved elsewhere.

Pictures do not go through pyplot, so making one changes nothing outside it: no window, no
list of open figures, no back end.
"""

import io
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from divekit.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# One set of colours that reads on white and on near-black alike (contrast 3:1 or more on both).
INK = "#808080"
COLOURS = ("#2a8fd6", "#e5722d", "#35a168", "#c65bb8", "#b58a1b", "#dd4b55", "#7a78d8", "#4a9aa8")
WIDTH, HEIGHT = 5.0, 3.2
DPI = 144
CSS_DPI = 96  # what browsers call an inch

# What an SVG says to browsers, in place of the ink that is drawn: a darker one on light pages, a
# lighter one on dark pages. Other programs do not know the media query or the selectors, and
# draw what is drawn. A browser that takes the scheme from the system, not from the page, still
# shows ink that can be read.
INK_BY_SCHEME = {"light": "#6b6b6b", "dark": "#a0a0a0"}

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
    for axis in (axes.xaxis, axes.yaxis):
        # Numbers in full: what is taken out of them would stand at the end of the axis, as a
        # riddle, and in the way of the legend.
        if hasattr(axis.get_major_formatter(), "set_powerlimits"):
            axis.get_major_formatter().set_useOffset(False)
            axis.get_major_formatter().set_powerlimits((-6, 9))
    for label in (axes.xaxis.label, axes.yaxis.label, axes.title):
        label.set_color(INK)
    if grid:
        axes.grid(color=INK, alpha=0.25, linewidth=0.6)
        axes.set_axisbelow(True)


def hide_axes(axes: Any) -> None:
    """Leave of axes what is drawn on them: no ticks, labels or box.

    matplotlib's own ``axes.axis("off")`` only leaves them undrawn: it still works out ticks and
    their labels' sizes, several times a picture. In a grid of images that is most of the work.
    """
    axes.set_axis_off()
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_visible(False)


def add_legend(axes: Any, *, single: bool = False) -> None:
    """Add a legend above the axes, where it hides nothing, if there is something to tell apart.

    With ``single``, one entry is enough.
    """
    labels = axes.get_legend_handles_labels()[1]
    if len(labels) < (1 if single else 2):
        return
    place = axes.get_subplotspec()
    columns = place.get_gridspec().ncols if place is not None else 1
    width = 0.82 * axes.figure.get_figwidth() / columns  # inches, less what stands beside the axes
    longest = 0.55 + 0.075 * max(len(label) for label in labels)
    axes.legend(
        frameon=False,
        labelcolor=INK,
        ncols=max(1, min(len(labels), int(width / longest))),
        loc="lower left",
        bbox_to_anchor=(0, 1),
        borderaxespad=0.2,
        borderpad=0.2,
        columnspacing=1.4,
        handlelength=1.8,
    )


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

        class Picture(Figure):
            def __init__(self, **settings: Any) -> None:
                super().__init__(**settings)
                FigureCanvasAgg(self)
                self.patch.set_alpha(0)  # the page's own colour shines through

            def savefig(self, fname: Any, **settings: Any) -> None:
                """Save as any figure; an SVG keeps its text and follows light and dark."""
                path = isinstance(fname, str | os.PathLike)
                suffix = Path(os.fspath(fname)).suffix if path else ""
                kind = settings.get("format") or suffix.lower().lstrip(".")
                if kind != "svg":
                    super().savefig(fname, **settings)
                    return
                text = _svg(super().savefig, settings)
                if path:
                    Path(fname).write_text(text, encoding="utf-8")
                else:
                    fname.write(text if isinstance(fname, io.TextIOBase) else text.encode())

            def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
                buffer = io.BytesIO()
                self.savefig(buffer, format="png")
                return buffer.getvalue(), size_in_pages(self)

        _figure_class = Picture
    return _figure_class


def save(picture: "Figure", stem: Path) -> list[Path]:
    """Save a picture as PNG and as SVG, under a path without its ending; give both paths.

    Where everything goes is worked out once for both; each ``savefig`` alone does it anew, and
    draws everything once more for it.
    """
    paths = [stem.with_name(f"{stem.name}.{kind}") for kind in ("png", "svg")]
    layout = picture.get_layout_engine()
    if layout is not None:
        layout.execute(picture)
    picture.set_layout_engine(None)  # what has its place keeps it
    try:
        for path in paths:
            picture.savefig(path)
    finally:
        picture.set_layout_engine(layout)
    return paths


def size_in_pages(picture: "Figure") -> dict[str, int]:
    """Give the width and height that a notebook should show a picture at.

    Its pixels are finer than a page's, so that it is sharp on fine screens too.
    """
    width, height = (math.ceil(inches * CSS_DPI) for inches in picture.get_size_inches())
    return {"width": width, "height": height}


def _svg(savefig: Any, settings: dict[str, Any]) -> str:
    """Write an SVG whose text is text, the same for the same picture, in the scheme's ink."""
    import matplotlib

    buffer = io.StringIO()
    # Verdana's letters are as wide as those of matplotlib's own font, which few machines have.
    fonts = ["DejaVu Sans", "Verdana", "sans-serif"]
    with matplotlib.rc_context(
        {"svg.fonttype": "none", "svg.hashsalt": "divekit", "font.sans-serif": fonts}
    ):
        savefig(buffer, **{"metadata": {"Date": None}} | settings | {"format": "svg"})
    rules = {
        scheme: "".join(
            f'[style*="{what}: {INK}"]{{{what}:{ink} !important}}' for what in ("fill", "stroke")
        )
        for scheme, ink in INK_BY_SCHEME.items()
    }
    style = (
        f"<style>svg:root{{color-scheme:light dark}}{rules['light']}"
        f"@media (prefers-color-scheme:dark){{{rules['dark']}}}</style>"
    )
    return buffer.getvalue().replace(" <defs>\n", f" {style}\n <defs>\n", 1)
