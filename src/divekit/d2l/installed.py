"""The book's own package, where it is installed: it gives the names that divekit lacks."""

import difflib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import PathFinder
from types import ModuleType
from typing import Any

from divekit.d2l.files import DATA_HUB
from divekit.d2l.homes import ALIASES, HOMES
from divekit.mx.errors import MissingNameError
from divekit.mx.installing import install, is_installed, uninstall

_loaded: dict[str, ModuleType] = {}


def name_of_later_chapters(edition: str, name: str, ours: dict[str, Any]) -> Any:
    """Give a name that divekit.d2l does not have, from an installed d2l that runs on divekit.mx.

    Its own functions are made to use divekit's where divekit has them.

    Raises MissingNameError, an AttributeError, that says which section defines the name.
    """
    home = HOMES.get(name)
    where = f", from section {home.section}," if home else ""
    missing = f"d2l.{name}{where} is not part of divekit"
    if name.startswith("__"):
        raise MissingNameError(missing)
    try:
        module = _load(edition, ours)
    except ModuleNotFoundError as error:
        needed = (error.name or "d2l").split(".")[0]
        if needed != "d2l":
            raise MissingNameError(
                f"{missing}, and the installed d2l cannot be loaded without {needed}: "
                f"pip install {needed}"
            ) from error
        advice = "; the book's own package has it: pip install 'divekit[book]'"
        raise MissingNameError(missing + (advice if home else _near(name))) from None
    if not hasattr(module, name):
        raise MissingNameError(f"{missing}, nor of the installed d2l{_near(name)}")
    return getattr(module, name)


def _near(name: str) -> str:
    """Ask whether another name was meant; nothing where none is like it."""
    near = difflib.get_close_matches(name, [*HOMES, *ALIASES], cutoff=0.7)
    return "; did you mean " + " or ".join(f"d2l.{one}" for one in near) + "?" if near else ""


def _load(edition: str, ours: dict[str, Any]) -> ModuleType:
    """Load an edition of the installed package under a name of its own; once."""
    if edition in _loaded:
        return _loaded[edition]
    package = PathFinder.find_spec("d2l")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError("No module named 'd2l'", name="d2l")
    found = PathFinder.find_spec(f"d2l.{edition}", list(package.submodule_search_locations))
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"No module named 'd2l.{edition}'", name="d2l")
    own_name = f"divekit.d2l._installed_{edition}"
    spec = importlib.util.spec_from_file_location(own_name, found.origin)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[own_name] = module  # it asks for itself there
    try:
        with _mxnet_at_hand():
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[own_name]
        raise
    # One table of downloads, whoever adds to it; and our names wherever its functions look.
    for name, entry in module.DATA_HUB.items():
        DATA_HUB.setdefault(name, entry)
    vars(module).update({name: value for name, value in ours.items() if name in HOMES})
    _loaded[edition] = module
    return module


@contextmanager
def _mxnet_at_hand() -> Iterator[None]:
    """Let ``import mxnet`` find divekit's for a while."""
    if is_installed():
        yield
        return
    install(d2l=False, replace=True)
    try:
        yield
    finally:
        uninstall()
