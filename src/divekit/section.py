"""Section scripts at work: library source put in view, cells run.

Run as a script, a source cell imports the names; in the notebook and on the page it *is*
their source, so the code lives once, in the library, and can be read and changed where it is
taught.
"""

import ast
import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from divekit.book.script import Cell, read_cells, source_names
from divekit.errors import MissingExtraError, UsageError
from divekit.plot import is_picture, save


def cells_in_view(path: Path) -> list[Cell]:
    """Give a section's cells as a notebook has them: source cells replaced by the source."""
    view = _View()
    shown = []
    for cell in read_cells(path):
        if cell.kind == "source":
            try:
                shown.append(Cell("code", view.source(cell.text), cell.line))
            except UsageError as error:
                raise UsageError(f"{path}, line {cell.line}: {error}") from None
        else:
            if cell.kind == "code":
                view.note(ast.parse(cell.text))
            shown.append(cell)
    return shown


class _View:
    """What names earlier cells have defined, so that a source cell imports only what it lacks.

    A class in view must not be imported again by the function that uses it: the reader's
    edited class would be replaced by the library's.
    """

    def __init__(self) -> None:
        self._imported: set[str] = set()
        self._defined: set[str] = set()

    def note(self, tree: ast.Module) -> None:
        """Take note of what a code cell binds."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                self._imported |= {
                    (alias.asname or alias.name).split(".")[0] for alias in node.names
                }
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                # A variable that hides an imported name: a later cell must import it again.
                self._imported.discard(node.id)

    def source(self, text: str) -> str:
        """Give the source that a cell of imports asks for, with the imports it needs."""
        imports: list[str] = []
        bodies: list[str] = []
        wanted: dict[str, set[str]] = {}
        for module_name, name in source_names(text):
            if name in self._imported:
                raise UsageError(
                    f"{name} was imported by an earlier cell; "
                    "its source must come before what uses it"
                )
            wanted.setdefault(module_name, set()).add(name)
            self._defined.add(name)
        for module_name, names in wanted.items():
            module = _Module.read(module_name)
            # A private helper is part of what it helps: shown with it, once.
            helpers = module.private_helpers(names) - self._defined
            self._defined |= helpers
            nodes = module.definitions(names | helpers)
            for name in module.needed(nodes):
                if name not in self._defined | self._imported:
                    imports.append(module.import_line(name))
                    self._imported.add(name)
            bodies += [module.text(node) for node in nodes]
        return "\n\n\n".join(["\n".join(_merge(imports))] * bool(imports) + bodies)


@dataclass
class _Module:
    """A module's text and what its top level binds."""

    name: str
    lines: list[str]
    definition: dict[str, ast.stmt] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, name: str) -> "_Module":
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise UsageError(f"there is no module {name}")
        text = Path(spec.origin).read_text(encoding="utf-8")
        module = cls(name, text.splitlines())
        for node in ast.parse(text).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                module.definition[node.name] = node
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for bound in (part for target in targets for part in ast.walk(target)):
                    # Each of ``ID, LABEL = ...``, but not what ``Net.name = ...`` only changes.
                    if isinstance(bound, ast.Name) and isinstance(bound.ctx, ast.Store):
                        module.definition[bound.id] = node
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    package = alias.asname or alias.name.split(".")[0]
                    renamed = f" as {alias.asname}" if alias.asname else ""
                    module.imports[package] = f"import {alias.name}{renamed}"
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    renamed = f" as {alias.asname}" if alias.asname else ""
                    module.imports[alias.asname or alias.name] = (
                        f"from {node.module} import {alias.name}{renamed}"
                    )
        return module

    def definitions(self, names: set[str]) -> list[ast.stmt]:
        """Give the statements that define names, in the order of the file."""
        if unknown := names - set(self.definition):
            raise UsageError(f"{self.name} does not define {', '.join(sorted(unknown))}")
        chosen = {id(self.definition[name]): self.definition[name] for name in names}
        return sorted(chosen.values(), key=lambda node: node.lineno)

    def private_helpers(self, names: set[str]) -> set[str]:
        """Give the module's private definitions that the named ones use, directly or not."""
        found: set[str] = set()
        waiting = list(self.definitions(names))
        while waiting:
            used = set(self.needed([waiting.pop()])) & set(self.definition)
            fresh = {name for name in used if name.startswith("_")} - found
            found |= fresh
            waiting += [self.definition[name] for name in fresh]
        return found

    def needed(self, nodes: list[ast.stmt]) -> list[str]:
        """Give the module's names that statements use."""
        used = {item.id for node in nodes for item in ast.walk(node) if isinstance(item, ast.Name)}
        return sorted(used & (set(self.imports) | set(self.definition)))

    def import_line(self, name: str) -> str:
        return self.imports.get(name) or f"from {self.name} import {name}"

    def text(self, node: ast.stmt) -> str:
        """Give a statement's text, with decorators and the comment right above it."""
        first = min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", []))])
        while first > 1 and self.lines[first - 2].startswith("#"):
            first -= 1
        return "\n".join(self.lines[first - 1 : node.end_lineno])


def _merge(imports: list[str]) -> list[str]:
    """Sort imports and join those from one module: ``from a import b, c``."""
    plain = sorted({line for line in imports if line.startswith("import ")})
    by_module: dict[str, set[str]] = {}
    for line in imports:
        if line.startswith("from "):
            module, names = line.removeprefix("from ").split(" import ")
            by_module.setdefault(module, set()).add(names)
    joined = [
        f"from {module} import {', '.join(sorted(names))}" for module, names in by_module.items()
    ]
    return plain + sorted(joined)


# Which extra brings the packages that sections import by themselves.
EXTRAS = {"pandas": "data", "PIL": "data", "sklearn": "data"}


@dataclass
class Outcome:
    """What running a section left: its names, and the pictures that were saved."""

    names: dict[str, Any]
    pictures: list[Path]


def run_section(path: Path, folder: Path | None, say: Callable[[str], None] = print) -> Outcome:
    """Run a section's cells as a notebook would, saving its pictures into a folder.

    The value of a cell's last expression is shown: a picture is saved as PNG and SVG
    (with no folder it is drawn and dropped), anything else goes to ``say``. A cell that draws
    is left out, with a word, where matplotlib is not installed. torch's global settings are
    afterwards what they were before.
    """
    outcome = Outcome({"__name__": "__main__", "__file__": str(path)}, [])
    with _torch_as_it_was():
        for cell in read_cells(path):
            if cell.kind == "markdown":
                continue
            try:
                value = _run_cell(cell, path, outcome.names)
            except MissingExtraError as error:
                if error.extra != "plot":
                    raise
                say(f"(a picture is left out: {error})")
                continue
            except ModuleNotFoundError as error:
                if error.name in EXTRAS:
                    raise MissingExtraError(error.name, EXTRAS[error.name]) from error
                raise
            if is_picture(value):
                outcome.pictures += _save_picture(value, folder, len(outcome.pictures) + 1)
            elif value is not None:
                say(repr(value))
    return outcome


def _run_cell(cell: Cell, path: Path, names: dict[str, Any]) -> Any:
    """Run a cell's statements; give the value of its last expression."""
    tree = ast.parse(cell.text, filename=str(path))
    ast.increment_lineno(tree, cell.line - 1)  # so that a traceback names the script's lines
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, str(path), "exec"), names)
    if last is None:
        return None
    return eval(compile(ast.Expression(last.value), str(path), "eval"), names)  # type: ignore[attr-defined]


@contextmanager
def _torch_as_it_was() -> Iterator[None]:
    import torch

    dtype, grad, random = (
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        torch.random.get_rng_state(),
    )
    try:
        yield
    finally:
        torch.set_default_dtype(dtype)
        torch.set_grad_enabled(grad)
        torch.random.set_rng_state(random)


def _save_picture(picture: Any, folder: Path | None, number: int) -> list[Path]:
    if folder is None:
        picture.canvas.draw()
        return []
    folder.mkdir(parents=True, exist_ok=True)
    return save(picture, folder / f"figure-{number}")[:1]
