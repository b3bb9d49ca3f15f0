"""The lower bounds in pyproject.toml hold: the tests pass with the oldest versions they allow.

The packages that divekit runs with are taken at their bounds: the core and the extras of
``RUN_TIME``. Torch is not, since its size makes another download of gigabytes; nor are the tools
(pytest, ruff, mypy), which no user needs.
"""

import ast
import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
RUN_TIME = ("plot", "data", "tensorboard", "notebook", "export")
TOOLS = ("pytest", "hypothesis")

pytestmark = pytest.mark.skipif(not (ROOT / "pyproject.toml").exists(), reason="needs the checkout")


def requirements(*extras):
    """Read the requirements of the core, and of extras, out of pyproject.toml."""
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 cannot read pyproject.toml")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    texts = project["dependencies"] + [
        text for extra in extras or optional for text in optional[extra]
    ]
    found = [Requirement(text) for text in texts]
    return [requirement for requirement in found if requirement.name != "divekit"]


def lowest():
    """Give a pin for each package: ``numpy==1.26``; torch's is that of constraints.txt."""
    pins = {item.name: str(item.specifier).replace(">=", "==") for item in requirements(*RUN_TIME)}
    (torch,) = re.findall(r"^torch(==\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    return [f"{name}{pin}" for name, pin in (pins | {"torch": torch}).items()]


def test_bounds_are_lower_bounds_only():
    for requirement in requirements():
        if requirement.name != "d2l":  # one edition of a book: a later one is another package
            assert re.fullmatch(r">=[\d.]+", str(requirement.specifier)), requirement
    assert "numpy==1.26" in lowest()


@pytest.mark.parametrize("folder", ["src", "tests", "benchmarks", "docs"])
def test_the_code_is_python_3_10(folder):
    """Parse every file by the grammar of Python 3.10, whatever runs this."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=(3, 10))


@pytest.mark.slow
@pytest.mark.skipif(sys.version_info >= (3, 13), reason="the lowest versions are older than it")
def test_the_tests_pass_with_the_lowest_versions(tmp_path):
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}

    def call(*words):
        return subprocess.run(
            [str(word) for word in words],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    pip = (python, "-m", "pip", "--disable-pip-version-check")

    small = next(pin for pin in lowest() if pin.startswith("platformdirs"))
    fetched = call(*pip, "download", "--no-cache-dir", "--no-deps", "-d", tmp_path / "one", small)
    if fetched.returncode != 0 and "connection broken" in fetched.stdout + fetched.stderr:
        pytest.skip("pip cannot reach its package index")

    pins = tmp_path / "lowest.txt"
    pins.write_text("\n".join(lowest()))
    ours = f"{ROOT}[{','.join(RUN_TIME)}]"
    installed = call(*pip, "install", "-qq", "--constraint", pins, ours, *TOOLS)
    assert installed.returncode == 0, installed.stderr
    tests = (python, "-m", "pytest", "-x", "-p", "no:cacheprovider", "-W", "ignore")
    for chosen in ((), ("-m", "slow", "-k", "onnx", "tests/test_export.py")):
        done = call(*tests, *chosen)
        assert done.returncode == 0, done.stdout + done.stderr
