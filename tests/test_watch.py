"""Live curves: in a notebook (an IPython shell in this process stands in) and on a terminal."""

import io
import re
import sys
from base64 import b64decode

import pytest
from PIL import Image

from divekit import plot, recipes, surroundings, watch
from divekit.train import Progress, fit
from divekit.train.callbacks import default_callbacks
from divekit.watch import Live


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def shell():
    """Give a shell as a notebook's kernel has it; what it displays is in ``shell.shown``."""
    from IPython.core.displaypub import CapturingDisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.kernel = object()
    shell.display_pub = CapturingDisplayPublisher()
    shell.shown = shell.display_pub.outputs
    shell.run_cell("from divekit import fit, plot, recipes")
    yield shell
    InteractiveShell.clear_instance()


def shown_at_the_end(shell):
    """Give what each display of the cells shows at last, in order."""
    final = {}
    for output in shell.shown:
        final[output["transient"]["display_id"]] = output["data"]
    return list(final.values())


def run(shell, cell):
    result = shell.run_cell(cell, store_history=True)
    result.raise_error()
    return result


def test_fit_draws_curves_in_a_notebook_in_one_place(shell):
    run(shell, "run = fit(recipes.linear_regression())")
    first, *later = shell.shown
    assert first["data"]["text/plain"].startswith("epoch 1/3")
    assert later
    assert all(output["update"] for output in later)
    (data,) = shown_at_the_end(shell)
    loss = shell.user_ns["run"].metrics["train_loss"]
    assert data["text/plain"].startswith(f"epoch 3/3  train_loss {loss:.4g}")
    assert Image.open(io.BytesIO(b64decode(data["image/png"]))).size == (604, 432)
    assert later[-1]["metadata"]["image/png"] == {"width": 404, "height": 288}


def test_the_cells_own_picture_takes_the_place_of_the_live_one(shell):
    run(shell, "run = fit(recipes.linear_regression())\nplot.curves(run.history)")
    (data,) = shown_at_the_end(shell)
    assert list(data) == ["text/plain"]
    assert "epoch 3/3" in data["text/plain"]
    shell.shown.clear()
    run(shell, "plot.curves(run.history)")  # a later cell has nothing to do with it
    assert shell.shown == []


def test_only_the_last_of_many_runs_in_a_cell_keeps_its_picture(shell):
    run(shell, "for seed in range(3): fit(recipes.linear_regression(seed=seed))")
    run(shell, "run = fit(recipes.linear_regression())")
    kinds = [" ".join(sorted(data)) for data in shown_at_the_end(shell)]
    assert kinds == ["text/plain", "text/plain", "image/png text/plain", "image/png text/plain"]


def test_an_interrupted_run_keeps_the_curves_of_its_epochs(shell):
    shell.run_cell(
        "from divekit.train import Callback\n"
        "class Stop(Callback):\n"
        "    def epoch_ended(self, run, record):\n"
        "        if record['epoch'] == 2: raise KeyboardInterrupt\n"
        "from divekit.watch import Live\n"
        "fit(recipes.linear_regression(), callbacks=[Live(), Stop()])"
    )
    (data,) = shown_at_the_end(shell)
    assert data["text/plain"].startswith("epoch 2/3")
    assert "image/png" in data


class Clock:
    """A clock that only drawing moves: each drawing takes ``seconds``."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


@pytest.mark.parametrize(("seconds", "least"), [(0.001, 150), (0.5, 10)])
def test_drawing_costs_little_however_slow_it_is(shell, monkeypatch, seconds, least):
    clock, drawn = Clock(), []
    monkeypatch.setattr(watch, "time", clock)

    def draw(picture, line, dpi):
        drawn.append(line)
        clock.now += seconds

    monkeypatch.setattr(watch._NotebookPicture, "_show", draw)
    trained = fit(recipes.linear_regression(epochs=1), callbacks=[])
    picture = watch._NotebookPicture(trained)
    for _ in range(500):
        picture.update("step")
        clock.now += 0.1  # what the step took
    assert len(drawn) >= least
    assert len(drawn) <= 1 + 4 * clock.now
    assert len(drawn) * seconds <= seconds + 0.1 * clock.now


def test_without_matplotlib_a_notebook_has_lines_and_is_told_why(shell, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setattr("divekit.plot.picture._figure_class", None)
    run(shell, "run = fit(recipes.linear_regression())")
    output = capsys.readouterr().out
    assert "pip install 'divekit[plot]'" in output
    assert "epoch 3/3" in output
    assert shell.shown == []


def test_outside_notebooks_the_default_is_progress():
    assert not surroundings.in_notebook()
    (watcher,) = default_callbacks()
    assert type(watcher) is Progress


def test_ipython_on_a_terminal_is_no_notebook(shell):
    assert surroundings.in_notebook()
    del shell.kernel
    assert not surroundings.in_notebook()


def test_a_terminal_has_the_curves_below_the_bar(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    out = Terminal()
    trained = fit(recipes.linear_regression(), callbacks=[Live(out)])
    written = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", out.getvalue())  # without colours and moves
    expected = [
        "".join(text for text, _ in line) for line in plot.text_curves(trained.history, width=79)
    ]
    assert written.rstrip("\n").endswith("\n".join(expected))


def test_a_narrow_terminal_has_the_bar_alone(monkeypatch):
    monkeypatch.setenv("COLUMNS", "25")
    out = Terminal()
    fit(recipes.linear_regression(), callbacks=[Live(out)])
    assert "│" not in out.getvalue()


def test_a_pipe_has_the_lines_of_progress():
    with_curves, without = io.StringIO(), io.StringIO()
    for kind, out in ((Live, with_curves), (Progress, without)):
        fit(recipes.linear_regression(), callbacks=[kind(out)])
    assert [line.split("(")[0] for line in with_curves.getvalue().splitlines()] == [
        line.split("(")[0] for line in without.getvalue().splitlines()
    ]
