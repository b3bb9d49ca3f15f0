"""Which of the library's files stand behind a piece of code."""

import ast
import hashlib
from pathlib import Path

import divekit

LIBRARY = Path(divekit.__file__).parent


def fingerprint(code: list[str]) -> str:
    """Give a hash of the library's files behind some code, and of torch's version.

    It is stored where the execution cache looks: a page is executed anew when the library
    behind it has changed, and not when another part of the library has.
    """
    import torch

    digest = hashlib.sha256(torch.__version__.encode())
    for path in sorted(files_behind("\n".join(code))):
        digest.update(path.relative_to(LIBRARY).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def files_behind(code: str) -> set[Path]:
    """Find the library's files that code imports, and those that they import in turn.

    A name that a package only passes on is followed to the file that defines it.
    """
    found: set[Path] = set()
    seen: set[tuple[str, str]] = set()
    waiting = _imports(code)
    while waiting:
        module, name = waiting.pop()
        path = library_file(module)
        if path is None or (module, name) in seen:
            continue
        seen.add((module, name))
        if library_file(f"{module}.{name}"):
            waiting.append((f"{module}.{name}", "*"))
            continue
        text = path.read_text(encoding="utf-8")
        imports = _imports(text)
        passed_on = [origin for origin in imports if origin[1] == name]
        if path.name == "__init__.py" and passed_on:
            waiting += passed_on
        else:
            # A package that imports its files by name may read any of them.
            found |= set(path.parent.glob("*.py")) if "import_module(" in text else {path}
            waiting += imports
    return found


def _imports(code: str) -> list[tuple[str, str]]:
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found += [(alias.name, "*") for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [(node.module, alias.name) for alias in node.names]
    return found


def library_file(module: str) -> Path | None:
    """Give the path of a module of the library: ``divekit.data`` is its ``__init__.py``."""
    package, *parts = module.split(".")
    path = LIBRARY.joinpath(*parts)
    if package != "divekit":
        return None
    if path.is_dir() and (path / "__init__.py").is_file():
        return path / "__init__.py"
    return path.with_suffix(".py") if path.with_suffix(".py").is_file() else None
