"""The few changes that are made to a program's text before it runs, each of them told.

Lines that install packages are left out: they would bring a MXNet that cannot be built, or an old
d2l. With a cap on epochs, what is assigned to ``num_epochs`` is held to it, and so is a number that
is a default of this name or is handed on under it.
"""

import ast
import re
from dataclasses import dataclass

_INSTALLS = re.compile(
    r"^\s*[!%]\s*(?:\{?sys\.executable\}?\s+-m\s+|python3?\s+-m\s+|sudo\s+)?"
    r"(?:pip3?|conda|mamba|apt|apt-get)\b"
)
_MAGIC = re.compile(r"^(\s*)(?:[!%].*|.*\s=\s*[!%]\w.*)$")
_EPOCHS = re.compile(r"(?:num_)?epochs\Z")


@dataclass(frozen=True)
class Change:
    """A line that was changed, from 1 within its cell, and what was done to it."""

    line: int
    what: str


def prepare(text: str, epochs: int | None = None) -> tuple[str, list[Change]]:
    """Give a cell's text as it is run, with the changes made; line numbers stay as they are."""
    text, changes = _without_installs(text)
    if epochs is not None:
        text, capped = _capped(text, epochs)
        changes += capped
    return text, sorted(changes, key=lambda change: change.line)


def blank_magics(text: str) -> str:
    """Put ``pass`` in place of lines that only IPython reads, so that Python reads the rest."""
    if text.lstrip().startswith("%%"):  # the whole cell is for another program
        return "\n" * text.count("\n")
    if _parses(text):
        return text
    lines = text.split("\n")
    magic = continues = False  # of the line before: for IPython, and not at its end
    for index, line in enumerate(lines):
        found = None if continues else _MAGIC.match(line)
        magic = bool(found) or (magic and continues)
        if magic:
            lines[index] = f"{found[1]}pass" if found else ""
        continues = line.rstrip().endswith("\\")
    return "\n".join(lines)


def _without_installs(text: str) -> tuple[str, list[Change]]:
    lines = text.split("\n")
    changes = []
    continues = False  # the line before was left out, and ended in a backslash
    for index, line in enumerate(lines):
        if continues:
            lines[index] = ""
        elif _INSTALLS.match(line):
            indent = line[: len(line) - len(line.lstrip())]
            told = line.strip().rstrip("\\ ")
            lines[index] = f"{indent}pass  # left out: {told}"
            changes.append(Change(index + 1, f"left out: {told}"))
        else:
            continue
        continues = line.rstrip().endswith("\\")
    return "\n".join(lines), changes


def _capped(text: str, epochs: int) -> tuple[str, list[Change]]:
    """Hold what is assigned to ``num_epochs`` to a number: ``num_epochs = min(1, 10)``."""
    readable = blank_magics(text)
    if not _parses(readable):
        return text, []  # it will fail, with Python's own words
    places: list[tuple[ast.expr, str]] = []
    for node in ast.walk(ast.parse(readable)):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                places += _pairs(target, node.value)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            places += _pairs(node.target, node.value)
        else:
            places += _numbers_under_the_name(node)
    lines = text.split("\n")
    changes = []
    # From the end to the beginning, so that positions stay true.
    for value, name in sorted(places, key=lambda place: _begin(place[0]), reverse=True):
        if value.end_lineno != value.lineno or value.end_col_offset is None:
            continue
        line = lines[value.lineno - 1].encode()
        old = line[value.col_offset : value.end_col_offset].decode()
        new = f"min({epochs}, {old})"
        before, after = line[: value.col_offset].decode(), line[value.end_col_offset :].decode()
        lines[value.lineno - 1] = before + new + after
        changes.append(Change(value.lineno, f"{name} = {old} is held to {epochs}"))
    return "\n".join(lines), changes


def _pairs(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, str]]:
    """Find what is assigned to a number of epochs: ``num_epochs, lr = 10, 0.1``."""
    if isinstance(target, ast.Name) and _EPOCHS.match(target.id):
        return [(value, target.id)]
    sequence = ast.Tuple | ast.List
    if isinstance(target, sequence) and isinstance(value, sequence):
        pairs = zip(target.elts, value.elts, strict=False)  # unequal lengths fail when run
        return [found for part, worth in pairs for found in _pairs(part, worth)]
    return []


def _numbers_under_the_name(node: ast.AST) -> list[tuple[ast.expr, str]]:
    """Find ``num_epochs=5`` in what a function takes, or in a call."""
    pairs: list[tuple[ast.expr | None, str | None]] = []
    if isinstance(node, ast.arguments):
        last = [*node.posonlyargs, *node.args][-len(node.defaults) :] if node.defaults else []
        pairs += [(value, one.arg) for one, value in zip(last, node.defaults, strict=True)]
        pairs += [
            (value, one.arg) for one, value in zip(node.kwonlyargs, node.kw_defaults, strict=True)
        ]
    elif isinstance(node, ast.Call):
        pairs += [(keyword.value, keyword.arg) for keyword in node.keywords]
    return [
        (value, name)
        for value, name in pairs
        if name
        and _EPOCHS.match(name)
        and isinstance(value, ast.Constant)
        and isinstance(value.value, int | float)
    ]


def _begin(node: ast.expr) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the last two: nested too deep
        return False
    return True
