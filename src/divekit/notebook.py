"""Sections as Jupyter notebooks, with the library's source in view."""

import json
from pathlib import Path
from typing import Any

from divekit import book
from divekit.book.script import Cell
from divekit.errors import UsageError
from divekit.section import cells_in_view


def notebook(section: book.Section) -> dict[str, Any]:
    """Give a section as the JSON of an .ipynb file (format 4.5)."""
    cells = cells_in_view(book.script_path(section))
    return {
        "cells": [_cell(cell, number) for number, cell in enumerate(cells, start=1)],
        "metadata": {
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


def _cell(cell: Cell, number: int) -> dict[str, Any]:
    common = {"id": f"cell-{number}", "metadata": {}, "source": cell.text.splitlines(keepends=True)}
    if cell.kind == "markdown":
        return {"cell_type": "markdown", **common}
    return {"cell_type": "code", "execution_count": None, "outputs": [], **common}
