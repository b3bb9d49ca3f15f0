"""Sections as Jupyter notebooks, with the library's source in view."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from divekit import book
from divekit.book.script import Cell
from divekit.errors import UsageError
from divekit.section import cells_in_view

# The first cell of code in every notebook. It does nothing where divekit can be imported. pip is
# held to the versions of what is installed: a machine's torch is built for its drivers, and a
# NumPy that is exchanged while it is loaded breaks whatever was compiled for it. Where these are
# older than divekit needs, pip says so and nothing is changed.
SETUP = """\
#@title Install divekit where it is missing, on Colab say; torch and NumPy stay as they are
import importlib.util

if importlib.util.find_spec("divekit") is None:
    import subprocess
    import sys
    import tempfile
    from importlib import metadata
    from pathlib import Path

    keep = ("torch", "torchvision", "torchaudio", "numpy")
    kept = [f"{it.name}=={it.version}" for it in metadata.distributions() if it.name in keep]
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder, "constraints.txt")
        constraints.write_text("\\n".join(kept))
        pip = [sys.executable, "-m", "pip", "install", "--constraint", str(constraints)]
        done = subprocess.run([*pip, "divekit[plot,data]"], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
    importlib.invalidate_caches()
"""


def notebook(section: book.Section) -> dict[str, Any]:
    """Give a section as the JSON of an .ipynb file (format 4.5).

    After the title comes a cell that installs divekit where it is missing. It is folded away
    in JupyterLab and Colab, and left out of the site.
    """
    shown = cells_in_view(book.script_path(section))
    cells = [_cell(cell, number) for number, cell in enumerate(shown, start=1)]
    cells.insert(1, _setup())
    return {
        "cells": cells,
        "metadata": {
            "divekit": {"as_written": fingerprint(cells)},
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "title": f"{section.number} {section.title}",
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def file_name(section: book.Section) -> str:
    """Give the name of a section's notebook: ``03_07_softmax_regression_concise.ipynb``."""
    script = book.script_path(section)
    return f"{script.parent.name[:2]}_{script.stem}.ipynb"


def write_notebook(section: book.Section, folder: Path, *, overwrite: bool = False) -> Path:
    """Write a section's notebook into a folder; give its path.

    A notebook that is there is somebody's work: without ``overwrite`` that is an error.
    """
    path = folder / file_name(section)
    if path.exists() and not overwrite:
        raise UsageError(f"{path} is there already; --force writes it anew")
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps(notebook(section), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return path


def update_notebook(
    section: book.Section, folder: Path
) -> tuple[Path, Literal["written", "same", "kept"]]:
    """Write a section's notebook unless a reader's own is there; give its path and what was done.

    A notebook that is as divekit wrote it, and was never run, holds nothing of the reader's: it is
    ``written`` anew when the section has changed. Any other is ``kept``, unless its cells are the
    ``same`` in any case.
    """
    path = folder / file_name(section)
    if not path.exists():
        return write_notebook(section, folder), "written"
    try:
        there = json.loads(path.read_text(encoding="utf-8"))
        cells = there["cells"]
        found = fingerprint(cells)
        untouched = there["metadata"]["divekit"]["as_written"] == found and not any(
            cell.get("outputs") or cell.get("execution_count") for cell in cells
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return path, "kept"  # not a notebook of ours: whatever it is, it is somebody's
    if found == notebook(section)["metadata"]["divekit"]["as_written"]:
        return path, "same"
    if untouched:
        return write_notebook(section, folder, overwrite=True), "written"
    return path, "kept"


def fingerprint(cells: Sequence[dict[str, Any]]) -> str:
    """Give a hash of what cells say, whatever their outputs."""
    said = [[cell["cell_type"], "".join(cell["source"])] for cell in cells]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _setup() -> dict[str, Any]:
    return {
        "cell_type": "code",
        "id": "setup",
        "metadata": {
            "cellView": "form",
            "jupyter": {"source_hidden": True},
            "tags": ["remove-cell"],
        },
        "execution_count": None,
        "outputs": [],
        "source": SETUP.rstrip("\n").splitlines(keepends=True),
    }


def _cell(cell: Cell, number: int) -> dict[str, Any]:
    common = {"id": f"cell-{number}", "metadata": {}, "source": cell.text.splitlines(keepends=True)}
    if cell.kind == "markdown":
        return {"cell_type": "markdown", **common}
    return {"cell_type": "code", "execution_count": None, "outputs": [], **common}
