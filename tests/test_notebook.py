import builtins
import dis
import json
import os
import subprocess
import sys
import types
import venv
from pathlib import Path

import pytest
import torch

from divekit import book
from divekit.data import use_samples
from divekit.errors import UsageError
from divekit.notebook import SETUP, file_name, notebook, write_notebook
from divekit.section import run_section

ROOT = Path(__file__).parent.parent
READY = [pytest.param(section, id=section.number) for section in book.sections() if section.script]


def code_of(section):
    return [
        "".join(cell["source"])
        for cell in notebook(section)["cells"]
        if cell["cell_type"] == "code"
    ]


@pytest.mark.parametrize("section", READY)
def test_a_notebook_is_valid_and_its_code_can_be_read(section):
    nbformat = pytest.importorskip("nbformat")
    nbformat.validate(nbformat.reads(json.dumps(notebook(section)), as_version=4))
    whole = compile("\n".join(code_of(section)), section.number, "exec")
    # What runs on the sample alone would not show a name that only the real data ask for.
    assert unbound(whole) == set()


BUILTINS = frozenset(dir(builtins)) | {"__annotations__"}


def unbound(code, known=BUILTINS):
    """Give the names that code reads at its top level or in functions, and that nothing binds."""
    steps = list(dis.get_instructions(code))
    stored = {step.argval for step in steps if step.opname in ("STORE_NAME", "STORE_GLOBAL")}
    read = {step.argval for step in steps if step.opname in ("LOAD_NAME", "LOAD_GLOBAL")}
    missing = read - stored - known
    above = known | stored if code.co_name == "<module>" else known
    for inner in (item for item in code.co_consts if isinstance(item, types.CodeType)):
        missing |= unbound(inner, above)
    return missing


def test_a_name_that_nothing_binds_is_found():
    text = "import math\nclass A:\n    b = 1\n    c = b\ndef f(x):\n    return math.pi + x + LABEL"
    assert unbound(compile(text, "text", "exec")) == {"LABEL"}


def test_a_notebook_stands_by_itself():
    """Run one in this process; a kernel runs them all, in a ``slow`` test."""
    namespace = {"__name__": "__main__"}
    with use_samples():
        for code in code_of(book.find("3.6")):
            exec(code, namespace)
    assert namespace["run"].reached


def test_code_in_view_is_the_code_that_runs():
    """Change the model where it stands in the notebook: the recipe below trains the changed one."""
    cells = code_of(book.find("3.7"))
    changed = [
        cell.replace(
            "return self.linear(inputs.flatten(1))", "return 0 * self.linear(inputs.flatten(1))"
        )
        for cell in cells
    ]
    assert changed != cells
    namespace = {"__name__": "__main__"}
    with use_samples():
        for code in changed:
            if "run = fit(" in code:
                exec(code, namespace)
                break
            exec(code, namespace)
    assert namespace["run"].metrics["test_accuracy"] < 0.2
    assert torch.all(namespace["run"].predict(torch.zeros(1, 8, 8)).outputs == 0)


def test_a_notebook_that_is_there_is_not_overwritten(tmp_path):
    section = book.find("3.7")
    path = write_notebook(section, tmp_path / "new")
    assert path.name == file_name(section) == "03_07_softmax_regression_concise.ipynb"
    path.write_text("my work")
    with pytest.raises(UsageError, match="is there already"):
        write_notebook(section, path.parent)
    assert path.read_text() == "my work"
    write_notebook(section, path.parent, overwrite=True)
    assert json.loads(path.read_text())["nbformat"] == 4


@pytest.mark.slow
@pytest.mark.parametrize("section", READY)
def test_a_notebook_executes_in_a_jupyter_kernel_and_shows_its_pictures(
    section, monkeypatch, tmp_path
):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    monkeypatch.setenv("DIVEKIT_SAMPLE", "1")
    page = nbformat.reads(json.dumps(notebook(section)), as_version=4)
    executed = nbclient.NotebookClient(page, timeout=600).execute()
    outputs = [output for cell in executed.cells for output in cell.get("outputs", [])]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    with use_samples():
        expected = run_section(book.script_path(section), tmp_path, say=lambda line: None)
    # Values of cells; and of a run whose cell has no picture for its value, the live curves.
    values = [output for output in pictures if output["output_type"] == "execute_result"]
    assert len(values) == len(expected.pictures)
    live = [cell for cell in executed.cells if len(pictures_of(cell)) > 1]
    assert not live, "a cell keeps one picture"
    assert not [output for output in outputs if output["output_type"] == "error"]


def pictures_of(cell):
    return [output for output in cell.get("outputs", []) if "image/png" in output.get("data", {})]


def test_every_notebook_begins_with_its_title_and_the_cell_that_installs_divekit():
    for section in (param.values[0] for param in READY):
        title, setup = notebook(section)["cells"][:2]
        assert title["cell_type"] == "markdown"
        assert "".join(setup["source"]) == SETUP.strip()
        assert "remove-cell" in setup["metadata"]["tags"]


def test_the_cell_that_installs_does_nothing_where_divekit_is(monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("it called pip"))
    exec(SETUP, {})


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    call(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT)
    return folder


def call(*words, **settings):
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, check=False, **settings
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def new_environment(folder):
    venv.create(folder, with_pip=True)
    return folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"


def set_up(python, wheel, folder):
    """Run the cell where divekit can be had: a folder with its wheel stands in for the index."""
    (folder / "cell.py").write_text(SETUP + "import divekit, torch\nprint(torch.__version__)\n")
    settings = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [str(python), "cell.py"],
        cwd=folder,
        env=settings | {"PIP_FIND_LINKS": str(wheel)},
        capture_output=True,
        text=True,
        check=False,
    )


NEEDS_CHECKOUT = pytest.mark.skipif(
    not (ROOT / "pyproject.toml").exists(), reason="needs the checkout"
)


@pytest.mark.slow
@NEEDS_CHECKOUT
def test_the_cell_installs_divekit_and_leaves_torch_and_numpy_as_they_are(wheel, tmp_path):
    python = new_environment(tmp_path / "venv")
    call(python, "-m", "pip", "install", "-qq", "torch==2.13.0", "numpy==2.1.0")
    (packages,) = (tmp_path / "venv").rglob("site-packages")

    def state():
        return {
            path: path.stat().st_mtime_ns
            for name in ("torch", "torch-*", "numpy", "numpy-*")
            for folder in packages.glob(name)
            for path in folder.rglob("*")
            if path.is_file() and path.suffix != ".pyc"
        }

    before = state()
    assert len(before) > 1000
    done = set_up(python, wheel, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("2.13.0")
    assert state() == before
    assert "sample data" in call(python, "-m", "divekit", "run", "3.7", "--sample", cwd=tmp_path)


@pytest.mark.slow
@NEEDS_CHECKOUT
def test_the_cell_leaves_a_torch_that_is_too_old_and_says_so(wheel, tmp_path):
    python = new_environment(tmp_path / "venv")
    (packages,) = (tmp_path / "venv").rglob("site-packages")
    (packages / "torch").mkdir()
    (packages / "torch/__init__.py").write_text("__version__ = '2.4.0'\n")
    (packages / "torch-2.4.0.dist-info").mkdir()
    facts = packages / "torch-2.4.0.dist-info/METADATA"
    facts.write_text("Metadata-Version: 2.1\nName: torch\nVersion: 2.4.0\n")
    (facts.parent / "RECORD").write_text("")
    (facts.parent / "INSTALLER").write_text("pip\n")
    done = set_up(python, wheel, tmp_path)
    assert done.returncode == 1
    assert "torch>=2.10" in done.stderr
    assert "torch==2.4.0" in done.stderr
    assert "2.4.0" in (packages / "torch/__init__.py").read_text()
    assert not (packages / "divekit").exists()
