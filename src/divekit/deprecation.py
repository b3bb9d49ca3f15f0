"""Old public names that keep working for a while."""

import importlib
import warnings
from collections.abc import Callable, Mapping
from typing import Any


def old_names(module: str, renamed: Mapping[str, str]) -> Callable[[str], Any]:
    """Make a module's ``__getattr__``: an old name gives what the new one does, and warns.

    ``renamed`` maps old names to new ones in full. In the ``__init__.py`` of a part::

        __getattr__ = old_names(__name__, {"mean_accuracy": "divekit.evaluate.accuracy"})
    """

    def find(name: str) -> Any:
        if name not in renamed:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        # The second level is the line that asked for the name.
        text = f"{module}.{name} is called {renamed[name]} now; the old name will go"
        warnings.warn(text, DeprecationWarning, stacklevel=2)
        home, _, new = renamed[name].rpartition(".")
        return getattr(importlib.import_module(home), new)

    return find
