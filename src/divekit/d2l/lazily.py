"""Packages that programs reach through the book's: ``d2l.plt``, ``d2l.os``, ``d2l.display``."""

import importlib
from typing import Any

_PACKAGES = {
    "collections": "collections",
    "display": "IPython.display",
    "hashlib": "hashlib",
    "math": "math",
    "os": "os",
    "pd": "pandas",
    "plt": "matplotlib.pyplot",
    "random": "random",
    "re": "re",
    "requests": "requests",
    "shutil": "shutil",
    "sys": "sys",
    "tarfile": "tarfile",
    "time": "time",
    "zipfile": "zipfile",
}


def attribute_of_packages(name: str) -> Any:
    """Give the package or class that the book's package imports under a name, or None."""
    if name == "defaultdict":
        return importlib.import_module("collections").defaultdict
    if name == "Image":
        return importlib.import_module("PIL.Image")
    return importlib.import_module(_PACKAGES[name]) if name in _PACKAGES else None
