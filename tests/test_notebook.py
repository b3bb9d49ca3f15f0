import json

import pytest
import torch

from divekit import book
from divekit.data import use_samples
from divekit.errors import UsageError
from divekit.notebook import file_name, notebook, write_notebook
from divekit.section import run_section

READY = [pytest.param(section, id=section.number) for section in book.sections() if section.script]


def code_of(section):
    return [
        "".join(cell["source"])
        for cell in notebook(section)["cells"]
        if cell["cell_type"] == "code"
    ]


@pytest.mark.parametrize("section", READY)
def test_a_notebook_is_valid_and_self_contained(section):
    nbformat = pytest.importorskip("nbformat")
    nbformat.validate(nbformat.reads(json.dumps(notebook(section)), as_version=4))
    namespace = {"__name__": "__main__"}
    with use_samples():
        for code in code_of(section):
            exec(code, namespace)


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
    executed = nbclient.NotebookClient(page, timeout=120).execute()
    outputs = [output for cell in executed.cells for output in cell.get("outputs", [])]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    with use_samples():
        expected = run_section(book.script_path(section), tmp_path, say=lambda line: None)
    assert len(pictures) == len(expected.pictures)
    assert not [output for output in outputs if output["output_type"] == "error"]
