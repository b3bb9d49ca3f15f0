"""The parts' reference out of docstrings, and pictures at the size they were made for."""

import ast
import inspect
import re
import struct
from pathlib import Path
from typing import Any

from dependencies import LIBRARY, fingerprint, library_file

API = re.compile(r"^% api: (?P<modules>.+)$", re.MULTILINE)
COMMANDS = re.compile(r"^% commands$", re.MULTILINE)
CODE_CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
GLOB = re.compile(r"^[\w/]+\*$", re.MULTILINE)
TERMINAL = {"COLUMNS": "90", "NO_COLOR": "1"}
# Code and emphasis stay as they are. Any other star or bar is only that, and the full stop after
# a single letter does not begin a list.
KEPT = re.compile(r"(``.*?``|(?<!\w)\*[^\s*](?:[^*]*[^\s*])?\*(?!\w))")
PLAIN = re.compile(r"[*|]|(?<=\b[A-Z])\.(?=\s|$)")
# Lines on top of a file that name something: its section of the book, its paper, its letters.
NAMED = re.compile(r"^(?P<name>Book|Paper|Licence|Shapes|Source): ")


def expand_page(app: Any, name: str, source: list[str]) -> None:
    """Put the reference where a page asks for it, and the library's fingerprint on top."""
    text = source[0]
    if name.startswith("sections/"):
        return
    if name == "index":
        here = Path(app.srcdir)
        text = GLOB.sub(lambda found: found[0] if any(here.glob(f"{found[0]}.md")) else "", text)
    code = [match["code"] for match in CODE_CELL.finditer(text)]
    text = text.replace(
        "  name: python3\n", f"  name: python3\n  library: {fingerprint(code)}\n", 1
    )
    text = API.sub(lambda match: _reference(match["modules"].split()), text)
    source[0] = COMMANDS.sub(lambda match: _commands(), text)


def _reference(modules: list[str]) -> str:
    """Write the reference of packages and modules, file by file, in the order of their imports."""
    lines: list[str] = []
    for module in modules:
        for home, names in _public_names(module).items():
            path = library_file(home)
            assert path is not None
            lines += [
                f"### `{path.relative_to(LIBRARY.parent).as_posix()}`",
                "",
                "```{eval-rst}",
                f".. automodule:: {home}",
                "   :no-members:",
                "   :no-index:",
                "",
            ]
            for name in names:
                lines += _entry(module, home, name)
            lines += ["```", ""]
    return "\n".join(lines)


def _public_names(module: str) -> dict[str, list[str]]:
    """Give a module's public names by the module that defines them, in the order of its file."""
    path = library_file(module)
    assert path is not None
    tree = ast.parse(path.read_text(encoding="utf-8"))
    public = getattr(__import__(module, fromlist=["*"]), "__all__", None)
    homes: dict[str, list[str]] = {}
    for home in [module, *dict.fromkeys(origin for origin, _ in _imports_at_top(tree))]:
        home_path = library_file(home)
        if home_path is None or (public is None and home != module):
            continue
        defined = _definitions(ast.parse(home_path.read_text(encoding="utf-8")))
        passed_on = {name for origin, name in _imports_at_top(tree) if origin == home}
        names = [
            name
            for name in defined
            if (name in public if public is not None else _is_described(name, *defined[name]))
            and (home == module or name in passed_on)
        ]
        if names:
            homes[home] = names
    return homes


def _is_described(name: str, node: ast.stmt, about: str) -> bool:
    described = bool(about) or isinstance(node, ast.ClassDef | ast.FunctionDef)
    return described and not name.startswith("_")


def _imports_at_top(tree: ast.Module) -> list[tuple[str, str]]:
    return [
        (node.module, alias.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    ]


def _definitions(tree: ast.Module) -> dict[str, tuple[ast.stmt, str]]:
    """Give what a file defines on top, with the text below an assignment, which describes it."""
    found: dict[str, tuple[ast.stmt, str]] = {}
    for node, following in zip(tree.body, [*tree.body[1:], None], strict=True):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found[node.name] = (node, "")
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            about = ""
            if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
                about = str(following.value.value)
            for target in targets:
                if isinstance(target, ast.Name):
                    found[target.id] = (node, about)
    return found


def _entry(module: str, home: str, name: str) -> list[str]:
    path = library_file(home)
    assert path is not None
    node, about = _definitions(ast.parse(path.read_text(encoding="utf-8")))[name]
    if isinstance(node, ast.ClassDef):
        bases = ["   :show-inheritance:"] if node.bases else []
        return [f".. autoclass:: {module}.{name}", *bases, ""]
    if isinstance(node, ast.FunctionDef):
        return [f".. autofunction:: {module}.{name}", ""]
    lines = [f".. py:data:: {name}", f"   :module: {module}"]
    if isinstance(node, ast.AnnAssign):
        lines.append(f"   :type: {ast.unparse(node.annotation)}")
    elif isinstance(node, ast.Assign):
        lines.append(f"   :value: {ast.unparse(node.value)}")
    return [*lines, "", *(f"   {line}" for line in inspect.cleandoc(about).splitlines()), ""]


def _commands() -> str:
    """Write what ``--help`` says, for every command."""
    from typer.testing import CliRunner

    from divekit.cli import app

    lines = []
    for command in app.registered_commands:
        name = command.name
        shown = CliRunner().invoke(app, [name, "--help"], prog_name="divekit", env=TERMINAL)
        assert shown.exit_code == 0, shown.output
        lines += [f"### divekit {name}", "", "```text", shown.output.strip(), "```", ""]
    return "\n".join(lines)


def finish_signature(
    app: Any, what: str, name: str, obj: Any, options: Any, signature: str | None, returns: str
) -> tuple[str | None, str]:
    """Write defaults that a dataclass makes anew as dots: ``<factory>`` is no Python."""
    return signature and signature.replace("<factory>", "..."), returns


def finish_docstring(
    app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Make reStructuredText of a docstring, and add what data sets and recipes know.

    Docstrings are plain text with ``code`` and *emphasis*. The named lines on top of a file
    become a list.
    """
    in_block = False
    for index, line in enumerate(lines):
        in_block = in_block and (not line or line.startswith(" "))
        if not in_block:
            parts = KEPT.split(line)
            parts[::2] = [PLAIN.sub(r"\\\g<0>", part) for part in parts[::2]]
            lines[index] = "".join(parts)
        in_block = in_block or line.endswith("::")
    if what in ("attribute", "property"):
        # An empty comment on top, or napoleon takes the text before a colon for a type.
        lines[:0] = ["..", ""]
    if what == "module":
        named = False
        for index, line in enumerate(lines):
            lines[index] = NAMED.sub(r":\g<name>: ", line)
            # What goes on below a named line is indented, so that it stays in the list.
            if named and line and lines[index] == line:
                lines[index] = f"    {line}"
            named = bool(line) and (named or lines[index] != line)
    elif what == "class" and isinstance(getattr(obj, "card", None), _card_class()):
        card = obj.card
        lines += [
            "",
            f":About: {card.about}",
            f":Shapes: {card.shapes}",
            f":Size: {card.size}",
            f":Licence: {card.licence}",
            f":Source: {card.source}",
        ]
    elif what == "function" and getattr(obj, "is_recipe", False):
        lines += ["", f":Goals: {'; '.join(str(goal) for goal in obj().goals)}"]


def _card_class() -> type:
    from divekit.data import Card

    return Card


# In inches; wider pictures are not shrunk to a telephone's screen, they scroll.
WIDE = 6


def size_pictures(app: Any, doctree: Any) -> None:
    """Show pictures at their size in inches, whatever their resolution.

    The code that drew a picture stands in for a description of it.
    """
    from docutils import nodes

    for image in doctree.findall(nodes.image):
        width = _png_inches(Path(app.srcdir) / image["uri"])
        if width:
            image["width"] = f"{width:.3g}in"
            if width > WIDE:
                image["classes"].append("wide")
    for cell in doctree.findall(nodes.container):
        if cell.get("nb_element") == "cell_code":
            code = next(cell.findall(nodes.literal_block)).astext()
            for image in cell.findall(nodes.image):
                image["alt"] = f"Picture drawn by {code.splitlines()[-1]}"


def _png_inches(path: Path) -> float | None:
    """Read the width of a PNG out of its header; None for other files, or without a resolution."""
    if path.suffix != ".png" or not path.is_file():
        return None
    header = path.read_bytes()[:1024]
    found = header.find(b"pHYs")
    if not header.startswith(b"\x89PNG") or found < 0:
        return None
    (pixels,) = struct.unpack(">I", header[16:20])
    (per_metre,) = struct.unpack(">I", header[found + 4 : found + 8])
    return pixels / per_metre / 0.0254
