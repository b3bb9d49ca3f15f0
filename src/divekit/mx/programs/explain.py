"""What of MXNet a program uses, and PyTorch's way of saying it: ``divekit run --explain FILE``."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from divekit.errors import BadDataError
from divekit.mx import PARTS
from divekit.mx.programs.changes import blank_magics
from divekit.mx.programs.migration import equivalent, method_equivalent
from divekit.mx.programs.reading import read_program

# Names of modules as the table has them, by MXNet's other ways to reach them.
_SPOKEN = {
    "numpy": "np",
    "numpy_extension": "npx",
    "ndarray": "nd",
    "initializer": "init",
    "kv": "kvstore",
    "cpu": "npx.cpu",
    "gpu": "npx.gpu",
    "num_gpus": "npx.num_gpus",
}


@dataclass
class Use:
    """One name of MXNet's in a program."""

    name: str
    torch: str
    """PyTorch's expression; empty where none is known here."""
    remark: str
    places: list[str] = field(default_factory=list)
    """Where it is used: ``cell 3, line 2``, or ``line 12`` of a text file."""


def explain(path: Path) -> list[Use]:
    """List the names of MXNet's that a program uses, in the order of their first use.

    Methods are known by their names alone (``.attach_grad()``): what they are called on
    is not worked out, so only those that nothing else has are listed.

    Raises:
        UsageError: there is no such file.
        BadDataError: it cannot be read, or is not Python.
    """
    uses: dict[str, Use] = {}
    names = _Names()
    for number, cell in enumerate(read_program(path), start=1):
        if cell.kind != "code":
            continue
        try:
            tree = ast.parse(blank_magics(cell.text))
        except SyntaxError as error:
            line = (cell.line or 1) + (error.lineno or 1) - 1
            place = f"cell {number}, line {error.lineno}" if cell.line is None else f"line {line}"
            raise BadDataError(f"{path}, {place}: {error.msg}") from error
        except (ValueError, RecursionError, MemoryError) as error:  # a zero byte; nested too deep
            place = f"cell {number}" if cell.line is None else f"line {cell.line}"
            why = str(error) or "nested too deep"
            raise BadDataError(f"{path}, {place}: cannot be read as Python ({why})") from error
        for name, line in names.uses(tree):
            found = method_equivalent(name[1:]) if name.startswith(".") else equivalent(name)
            torch, remark = found or ("", "")
            use = uses.setdefault(name, Use(name, torch, remark))
            begin = cell.line
            where = f"cell {number}, line {line}" if begin is None else f"line {begin + line - 1}"
            if where not in use.places:
                use.places.append(where)
    return list(uses.values())


def explain_text(uses: list[Use]) -> str:
    """Format the list for people: MXNet's name, PyTorch's, the places."""
    if not uses:
        return "no name of MXNet's is used here"
    width = max(len(use.name) for use in uses)
    lines = []
    for use in uses:
        lines.append(f"{use.name:<{width}}  {use.torch or '(nothing known)'}")
        places = ", ".join(use.places[:3]) + (
            f", {len(use.places) - 3} more" * (len(use.places) > 3)
        )
        remark = f"{use.remark}; " if use.remark else ""
        lines.append(f"{'':<{width}}    {remark}{places}")
    return "\n".join(lines)


class _Names:
    """Which names of a program stand for what of MXNet, cell after cell."""

    def __init__(self) -> None:
        self._bound: dict[str, str] = {}  # nn -> gluon.nn; mx -> (the empty path)

    def uses(self, tree: ast.Module) -> Iterator[tuple[str, int]]:
        """Give each use of a name of MXNet's, with its line, as it stands in the text."""
        found: list[tuple[int, int, str]] = []
        inner: set[int] = set()  # parts of a longer name: np.random in np.random.normal
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                self._note(node)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                path = self._path(node)
                if path is not None:
                    inner.add(id(node.value))
                    if id(node) not in inner:
                        found.append((node.lineno, node.col_offset, path))
                elif method_equivalent(node.attr):
                    found.append((node.lineno, node.end_col_offset or 0, f".{node.attr}"))
            elif isinstance(node, ast.Name) and id(node) not in inner:
                path = self._bound.get(node.id)
                if path and isinstance(node.ctx, ast.Load) and equivalent(path):
                    found.append((node.lineno, node.col_offset, path))
        for line, _, path in sorted(found):
            yield path, line

    def _note(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if isinstance(node, ast.Import):
                module, bound = alias.name, alias.asname or alias.name.split(".")[0]
                if alias.asname is None:
                    module = module.split(".")[0]
            else:
                module, bound = f"{node.module}.{alias.name}", alias.asname or alias.name
            if module.split(".")[0] == "mxnet":
                self._bound[bound] = _spoken(module.split(".")[1:])
            else:
                self._bound.pop(bound, None)  # `import numpy as np` after `from mxnet import np`

    def _path(self, node: ast.Attribute) -> str | None:
        """Give the full path of ``a.b.c`` when ``a`` is a module of MXNet's."""
        pieces = [node.attr]
        value = node.value
        while isinstance(value, ast.Attribute):
            pieces.append(value.attr)
            value = value.value
        if not isinstance(value, ast.Name) or value.id not in self._bound:
            return None
        path = self._bound[value.id]
        return _spoken([*(path.split(".") if path else []), *reversed(pieces)])


def _spoken(pieces: list[str]) -> str:
    if not pieces:
        return ""
    first = _SPOKEN.get(pieces[0], pieces[0])
    if first in PARTS and first not in ("np", "npx", "nd", "init"):
        first = PARTS[first]
    return ".".join([first, *pieces[1:]])
