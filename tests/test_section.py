import subprocess
import sys

import pytest

from divekit import book, plot
from divekit.book.script import read_cells
from divekit.errors import MissingExtraError, UsageError
from divekit.section import cells_in_view, run_section


def script(tmp_path, text):
    path = tmp_path / "script.py"
    path.write_text(text)
    return path


def code_in_view(tmp_path, text):
    return [cell.text for cell in cells_in_view(script(tmp_path, text)) if cell.kind == "code"]


SOFTMAX = "# %% source\nfrom divekit.models.softmax_regression import {}\n"


def test_cells_are_read_as_jupytext_reads_them():
    jupytext = pytest.importorskip("jupytext")
    for section in book.sections():
        if not section.script:
            continue
        path = book.script_path(section)
        ours = [(cell.kind == "markdown", cell.text) for cell in read_cells(path)]
        theirs = jupytext.read(path, fmt="py:percent").cells
        assert ours == [(cell.cell_type == "markdown", cell.source) for cell in theirs]


def test_lines_are_counted_in_the_script(tmp_path):
    path = script(tmp_path, "# %% [markdown]\n# Words\n\n# %%\n\n\nx = 1\n")
    assert [(cell.kind, cell.line) for cell in read_cells(path)] == [("markdown", 2), ("code", 7)]
    broken = script(tmp_path, "# %%\nx = 1\n\n# %%\ny = 1 / 0\n")
    with pytest.raises(ZeroDivisionError) as caught:
        run_section(broken, None)
    assert caught.traceback[-1].lineno + 1 == 5
    assert str(caught.traceback[-1].path) == str(broken)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n# %%\n", "line 1: text before the first cell"),
        ("# %% sauce\nx = 1\n", "'# %% sauce' is not a cell marker"),
        ("# %% [markdown]\nnot a comment\n", "line 2: prose must begin with"),
    ],
)
def test_a_malformed_script_is_named_with_its_line(tmp_path, text, message):
    with pytest.raises(UsageError, match=message):
        read_cells(script(tmp_path, text))


def test_a_source_cell_shows_source_with_the_imports_it_needs(tmp_path):
    (code,) = code_in_view(tmp_path, SOFTMAX.format("SoftmaxRegressionScratch"))
    assert code.startswith(
        "import torch\nfrom torch import Tensor, nn\n\n\nclass SoftmaxRegressionS"
    )
    namespace = {}
    exec(code, namespace)
    assert namespace["SoftmaxRegressionScratch"](4, 2)(namespace["torch"].zeros(3, 4)).shape == (
        3,
        2,
    )


def test_imports_that_stand_already_are_not_repeated_and_hidden_ones_are(tmp_path):
    text = "# %%\nimport torch\nfrom torch import nn\n" + SOFTMAX.format("SoftmaxRegression")
    assert code_in_view(tmp_path, text)[1].startswith("from torch import Tensor\n\n\nclass")
    hidden = "# %%\nimport torch\nfrom torch import nn\n# %%\nnn = 3\n" + SOFTMAX.format(
        "SoftmaxRegression"
    )
    assert code_in_view(tmp_path, hidden)[2].startswith("from torch import Tensor, nn\n")


def test_what_is_in_view_is_used_by_later_source_and_not_imported_over(tmp_path):
    recipe = "# %% source\nfrom divekit.recipes.linear_networks import softmax_regression\n"
    alone = code_in_view(tmp_path, recipe)[0]
    assert "from divekit.models import SoftmaxRegression" in alone
    after = code_in_view(tmp_path, SOFTMAX.format("SoftmaxRegression") + recipe)[1]
    assert "import SoftmaxRegression" not in after
    with pytest.raises(UsageError, match="SoftmaxRegression was imported by an earlier cell"):
        code_in_view(tmp_path, recipe + SOFTMAX.format("SoftmaxRegression"))


def test_a_public_helper_is_imported_and_a_private_one_shown(tmp_path):
    losses = "# %% source\nfrom divekit.nn.losses import {}\n"
    code = code_in_view(tmp_path, losses.format("cross_entropy_scratch"))[0]
    assert "from divekit.nn.losses import log_softmax_scratch" in code
    code = code_in_view(tmp_path, losses.format("squared_loss"))[0]
    assert "def _require_same_shape(" in code
    assert "import _" not in code
    twice = code_in_view(
        tmp_path, losses.format("squared_loss") + losses.format("squared_loss_scratch")
    )
    assert "def _require_same_shape(" not in twice[1]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("import torch", "holds `from divekit"),
        ("from divekit.models.softmax_regression import softmax as s", "cannot rename"),
        ("from divekit.models.softmax_regression import sofmax", "does not define sofmax"),
        (
            "from divekit.models.no_such_file import softmax",
            "no module divekit.models.no_such_file",
        ),
        ("from divekit.models.softmax_regression import nn", "does not define nn"),
    ],
)
def test_a_source_cell_that_cannot_be_shown_is_named(tmp_path, cell, message):
    with pytest.raises(UsageError, match=message):
        code_in_view(tmp_path, f"# %% source\n{cell}\n")


def test_last_values_are_said_and_pictures_saved(tmp_path):
    said = []
    path = script(
        tmp_path, "# %%\n1 + 1\n# %%\nNone\n# %%\nfrom divekit import plot\nplot.points([1], [2])\n"
    )
    outcome = run_section(path, tmp_path / "out", said.append)
    assert said == ["2"]
    assert outcome.pictures == [tmp_path / "out/figure-1.png"]


def test_without_matplotlib_a_picture_is_left_out_with_a_word(tmp_path, monkeypatch):
    def missing(*_):
        raise MissingExtraError("drawing pictures", "plot")

    monkeypatch.setattr(sys.modules[plot.points.__module__], "new_picture", missing)
    said = []
    path = script(tmp_path, "# %%\nfrom divekit import plot\nplot.points([1], [2])\n# %%\nx = 1\n")
    outcome = run_section(path, tmp_path, said.append)
    assert outcome.names["x"] == 1
    assert said == [
        "(a picture is left out: drawing pictures needs an extra that is not installed: "
        "pip install 'divekit[plot]')"
    ]


@pytest.mark.slow
def test_a_section_also_runs_as_a_plain_script():
    path = book.script_path(book.find("3.3"))
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=True)
    assert "reaches the goal" in done.stdout


def test_a_section_whose_package_is_missing_says_which_extra_brings_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"pandas .*'divekit\[data\]'"):
        run_section(script(tmp_path, "# %%\nimport pandas\n"), None)
    with pytest.raises(ModuleNotFoundError, match="nonsense"):
        run_section(script(tmp_path, "# %%\nimport nonsense\n"), None)
