"""Where a program runs, and who watches its runs there."""

import sys
from collections.abc import Callable
from typing import Any

# Makes the watcher of runs in notebooks. ``divekit/__init__.py`` says which: ``train`` asks for
# it here, and so need not know that there are pictures.
notebook_watcher: Callable[[], Any] | None = None


def in_notebook() -> bool:
    """Tell whether a notebook shows what is displayed. Imports nothing: a notebook has done so."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return hasattr(shell, "kernel")
