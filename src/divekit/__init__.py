"""Every system of the book *Dive into Deep Learning*, on PyTorch.

The parts are loaded when they are first used, so that ``import divekit`` and the
command line's ``--help`` stay quick: ``divekit.models``, ``divekit.data``,
``divekit.train`` and the others are ordinary subpackages.
"""

import importlib
from typing import TYPE_CHECKING, Any

from divekit import surroundings

__version__ = "0.1.0"

if TYPE_CHECKING:
    from divekit import book, data, evaluate, models, nn, optim, plot, recipes, train, watch
    from divekit.runs import load
    from divekit.train import fit

__all__ = [
    "book",
    "data",
    "evaluate",
    "fit",
    "load",
    "models",
    "nn",
    "optim",
    "plot",
    "recipes",
    "train",
    "watch",
]

# The two functions that are worth having at the top, and where they live.
_FUNCTIONS = {"fit": "divekit.train", "load": "divekit.runs"}

# In a notebook, runs draw their curves while they train.
surroundings.notebook_watcher = lambda: importlib.import_module("divekit.watch").Live()


def __getattr__(name: str) -> Any:
    if name in _FUNCTIONS:
        return getattr(importlib.import_module(_FUNCTIONS[name]), name)
    if name in __all__:
        return importlib.import_module(f"divekit.{name}")
    raise AttributeError(f"module 'divekit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
