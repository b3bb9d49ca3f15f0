"""A matplotlib backend whose windows are files: ``plt.show()`` saves what is open and closes it.

matplotlib imports it by name when a program first imports pyplot, so where the files go is
told in the environment.
"""

import os
from pathlib import Path
from typing import Any

from matplotlib import pyplot
from matplotlib.backend_bases import FigureManagerBase as FigureManager
from matplotlib.backends.backend_agg import FigureCanvasAgg as FigureCanvas

__all__ = ["FigureCanvas", "FigureManager", "saved", "show"]

saved: list[Path] = []
"""The files written so far."""


def show(*args: Any, **settings: Any) -> None:
    """Save the open figures in order as PNG files, and close them; empty ones just close."""
    folder = Path(os.environ["DIVEKIT_FIGURES"])
    for number in pyplot.get_fignums():
        figure = pyplot.figure(number)
        if figure.axes:
            path = folder / f"figure-{len(saved) + 1}.png"
            figure.savefig(path, bbox_inches="tight")
            saved.append(path)
        pyplot.close(figure)
