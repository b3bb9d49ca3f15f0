"""Public names are pinned, with their arguments, in ``public_names.txt``.

``python -m tests.test_public_names`` writes that file anew.
"""

import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import divekit

PINNED = Path(__file__).with_name("public_names.txt")
PARTS = ("book", "data", "evaluate", "models", "nn", "optim", "plot", "recipes", "train")
HEAVY = (
    "matplotlib",
    "pandas",
    "scipy",
    "sklearn",
    "IPython",
    "PIL",
    "platformdirs",
    "requests",
    "torchvision",
)


@pytest.mark.parametrize("part", PARTS)
def test_every_public_name_is_there(part):
    module = importlib.import_module(f"divekit.{part}")
    assert all(hasattr(module, name) for name in module.__all__)
    assert getattr(divekit, part) is module


def test_the_top_level_lists_and_finds_its_names():
    assert set(divekit.__all__) <= set(dir(divekit))
    assert divekit.fit is divekit.train.fit
    assert divekit.load is importlib.import_module("divekit.runs").load
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        divekit.nonsense  # noqa: B018


def public_names():
    """Write a line for each public name: functions and classes with their arguments."""
    for part in PARTS:
        module = importlib.import_module(f"divekit.{part}")
        for name in module.__all__:
            yield from described(f"divekit.{part}.{name}", getattr(module, name))
    for module in (importlib.import_module(f"divekit.{name}") for name in ("errors", "export")):
        for name, value in vars(module).items():
            if getattr(value, "__module__", "") == module.__name__ and not name.startswith("_"):
                yield from described(f"{module.__name__}.{name}", value)
    for name in divekit._FUNCTIONS:
        yield from described(f"divekit.{name}", getattr(divekit, name))
    yield from commands(typer.main.get_command(importlib.import_module("divekit.cli").app), "")


def described(path, value):
    if not inspect.isclass(value):
        function = inspect.unwrap(value) if callable(value) else value  # out of functools.cache
        yield path + arguments(function) if inspect.isfunction(function) else path
        return
    if issubclass(value, Exception) or getattr(value, "_is_protocol", False):
        yield path
    else:
        yield path + arguments(value)
    fields = getattr(value, "__dataclass_fields__", {})
    for name in dir(value):
        # A member stands with the class of ours that brought it in, not with those that inherit.
        ours = [base for base in value.__mro__ if base.__module__.startswith("divekit.")]
        homes = [base for base in ours if name in vars(base)]
        if name.startswith("_") or name in fields or homes[-1:] != [value]:
            continue
        member = inspect.getattr_static(value, name)
        member = getattr(member, "__func__", member)  # class and static methods
        yield f"{path}.{name}{arguments(member) if inspect.isfunction(member) else ''}"


def arguments(value):
    """Write what a caller may rely on: names, order, and which arguments may be left out."""
    marks = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    texts, starred = [], False
    for parameter in inspect.signature(value).parameters.values():
        if parameter.name in ("self", "cls"):
            continue
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and not starred:
            texts.append("*")
        starred = starred or parameter.kind in (
            inspect.Parameter.KEYWORD_ONLY,
            inspect.Parameter.VAR_POSITIONAL,
        )
        optional = "" if parameter.default is parameter.empty else "="
        texts.append(f"{marks.get(parameter.kind, '')}{parameter.name}{optional}")
    return f"({', '.join(texts)})"


def commands(command, prefix):
    for name, child in command.commands.items():
        if hasattr(child, "commands"):
            yield from commands(child, f"{prefix}{name} ")
            continue
        words = [
            parameter.name.rstrip("_") if option[:2] != "--" else option
            for parameter in child.params
            for option in parameter.opts
        ]
        yield " ".join([f"$ divekit {prefix}{name}", *words])


def test_public_names_are_the_pinned_ones():
    pinned = set(PINNED.read_text(encoding="utf-8").splitlines())
    there = set(public_names())
    gone = "\n  ".join(sorted(pinned - there))
    new = "\n  ".join(sorted(there - pinned))
    assert not gone, (
        f"public names are gone, or take other arguments:\n  {gone}\nnow there is:\n  {new}\n"
        "A renamed name keeps working for two minor releases (CONTRIBUTING, Deprecation), an "
        "argument is added with a default, after the others. Then, or where nothing was released "
        "yet: python -m tests.test_public_names"
    )
    assert not new, (
        f"public names are new:\n  {new}\n"
        "Pin them (add the lines): python -m tests.test_public_names"
    )


def loaded_by(code: str) -> set[str]:
    """Give the top-level modules that a fresh interpreter has loaded after ``code``."""
    report = "; import sys; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code + report], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_importing_every_part_loads_no_optional_or_slow_package():
    code = "import divekit; " + "; ".join(f"divekit.{part}" for part in PARTS)
    assert not loaded_by(code) & set(HEAVY)


@pytest.mark.parametrize("words", [["--help"], ["list"], ["list", "--json"], ["train", "--help"]])
def test_commands_that_compute_nothing_do_not_load_torch(words):
    code = (
        "from typer.testing import CliRunner; from divekit.cli import app; "
        f"assert CliRunner().invoke(app, {words}).exit_code == 0"
    )
    assert "torch" not in loaded_by(code)


if __name__ == "__main__":
    lines = sorted(set(public_names()))
    PINNED.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{PINNED}: {len(lines)} names")
