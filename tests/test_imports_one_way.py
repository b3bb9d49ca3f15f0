"""Imports go one way. Each part may import only what stands below it."""

import ast
from pathlib import Path

import pytest

import divekit

PACKAGE = Path(divekit.__file__).parent
BASE = {"errors", "overrides", "surroundings"}
ALLOWED = {
    "errors": set(),
    "overrides": {"errors"},
    "surroundings": set(),
    "deprecation": BASE,
    "notation": BASE,
    "book": BASE,
    "data": BASE,
    "nn": BASE,
    "models": BASE | {"nn"},
    "optim": BASE,
    "evaluate": BASE,
    "shift": BASE,
    "plot": BASE,
    "train": BASE,
    "mx": BASE | {"data", "nn", "optim"},
    "d2l": BASE | {"data", "mx"},
    "recipes": BASE | {"data", "evaluate", "models", "nn", "optim", "train"},
    "suited": BASE | {"book", "data", "recipes", "train"},
    "runs": BASE | {"data", "recipes", "suited", "train"},
    "watch": BASE | {"plot", "train"},
    "measuring": BASE | {"data", "evaluate", "plot", "runs", "train"},
    "predicting": BASE | {"data", "train"},
    "export": BASE | {"__init__", "train"},
    "section": BASE | {"book", "plot"},
    "notebook": BASE | {"book", "section"},
    "lab": BASE | {"book", "notebook"},
    "results": BASE | {"book", "compare", "measuring", "plot", "train"},
    "train_command": BASE | {"data", "results", "runs", "train", "watch"},
    "report": BASE | {"book", "d2l", "data", "evaluate", "recipes", "runs", "suited"},
    "compare": BASE | {"plot", "recipes", "runs", "train"},
    "doctor": BASE | {"__init__", "data", "train"},
}
ANYTHING = {"__init__", "__main__", "cli", "sections"}


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if part not in ANYTHING:
            yield pytest.param(path, part, id=str(path.relative_to(PACKAGE)))


@pytest.mark.parametrize(("path", "part"), list(modules()))
def test_a_part_imports_only_what_is_below_it(path, part):
    assert part in ALLOWED, f"{part} is new: say in this test what it may import"
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            pieces = name.split(".")
            if pieces[0] != "divekit":
                continue
            below = pieces[1] if (PACKAGE / pieces[1]).exists() else None
            below = below or (pieces[1] if (PACKAGE / f"{pieces[1]}.py").exists() else "__init__")
            assert below in ALLOWED[part] | {part}, f"{path.name} imports {below}"
