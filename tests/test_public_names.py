import importlib
import subprocess
import sys

import pytest

import divekit

PARTS = ("book", "data", "evaluate", "models", "nn", "optim", "plot", "recipes", "train")
HEAVY = ("matplotlib", "pandas", "scipy", "sklearn", "IPython", "PIL", "pooch", "torchvision")


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
