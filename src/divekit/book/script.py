"""Section scripts as text: their cells, and which library names they put in view.

A section is a percent script. Its cells are ``# %% [markdown]`` (prose), ``# %%`` (code) and
``# %% source``: a cell of ``from divekit... import ...`` lines only.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from divekit.errors import UsageError

MARKER = re.compile(r"^# %%(?:\s+(?P<kind>\[markdown\]|source))?\s*$")


@dataclass(frozen=True)
class Cell:
    """One cell of a section script."""

    kind: Literal["markdown", "code", "source"]
    text: str
    line: int
    """Line of the script on which the text begins, from 1."""


def read_cells(path: Path) -> list[Cell]:
    """Read the cells of a section script, without their ``# %%`` lines.

    Raises UsageError for text before the first cell and for a marker of another form.
    """
    cells: list[Cell] = []
    kind, lines, start = "", [], 1
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.startswith("# %%"):
            lines.append(line)
            continue
        marker = MARKER.match(line)
        if marker is None:
            raise UsageError(f"{path}, line {number}: {line!r} is not a cell marker")
        cells += _make_cell(path, kind, lines, start)
        kind = {None: "code", "[markdown]": "markdown", "source": "source"}[marker["kind"]]
        lines, start = [], number + 1
    cells += _make_cell(path, kind, lines, start)
    return cells


def source_names(text: str) -> Iterator[tuple[str, str]]:
    """Give (module, name) for each name that a source cell puts in view.

    Raises UsageError when the cell holds anything but plain ``from module import name``.
    """
    for node in ast.parse(text).body:
        if not (isinstance(node, ast.ImportFrom) and node.module and node.level == 0):
            raise UsageError(
                "a source cell holds `from divekit... import ...` lines and nothing else"
            )
        if any(alias.asname for alias in node.names):
            raise UsageError("a source cell cannot rename what it imports")
        for alias in node.names:
            yield node.module, alias.name


@cache
def names_in_view(path: Path) -> tuple[tuple[str, str], ...]:
    """Give (module, name) for every name that a script puts in view, in order."""
    sources = [cell for cell in read_cells(path) if cell.kind == "source"]
    return tuple(pair for cell in sources for pair in source_names(cell.text))


def _make_cell(path: Path, kind: str, lines: list[str], start: int) -> Iterator[Cell]:
    while lines and not lines[0].strip():
        lines, start = lines[1:], start + 1
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    if not lines:
        return
    if not kind:
        raise UsageError(f"{path}, line {start}: text before the first cell")
    if kind == "markdown":
        for number, line in enumerate(lines, start):
            if line.rstrip() != "#" and not line.startswith("# "):
                raise UsageError(f"{path}, line {number}: prose must begin with '# '")
        lines = [line[2:] for line in lines]
    yield Cell(kind, "\n".join(lines), start)  # type: ignore[arg-type]
