"""What holds for every section script: it runs on its sample, and its check can fail.

Sabotaging them all takes longer than all other tests together, so that is ``slow``;
``make section`` does it for one.
"""

import sys

import pytest
import torch
from torch.optim import Optimizer

from divekit import book
from divekit.book.script import read_cells
from divekit.data import use_samples
from divekit.errors import GoalMissedError
from divekit.section import cells_in_view, run_section

SECTIONS = [
    pytest.param(section, id=section.number) for section in book.sections() if section.script
]


def run(path, folder=None):
    with use_samples():
        return run_section(path, folder, say=lambda line: None)


@pytest.mark.parametrize("section", SECTIONS)
def test_it_runs_on_its_sample_and_draws(section, tmp_path):
    outcome = run(book.script_path(section), tmp_path)
    assert outcome.pictures, "a section shows a picture"
    for picture in outcome.pictures:
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert picture.with_suffix(".svg").stat().st_size > 1000


def every_subclass(kind):
    for below in kind.__subclasses__():
        yield below
        yield from every_subclass(below)


@pytest.mark.slow
@pytest.mark.parametrize("section", [item for item in SECTIONS if item.values[0].recipes])
def test_its_check_fails_when_nothing_is_learned(section, monkeypatch):
    for optimizer in every_subclass(Optimizer):
        monkeypatch.setattr(optimizer, "step", lambda self, closure=None: None)
    with pytest.raises((GoalMissedError, AssertionError)):
        run(book.script_path(section))


SABOTAGE = [
    pytest.param(item.values[0], text, replacement, id=f"{item.id}-{number}")
    for item in SECTIONS
    for number, (text, replacement) in enumerate(item.values[0].sabotage, start=1)
]


@pytest.mark.slow
@pytest.mark.parametrize(("section", "text", "replacement"), SABOTAGE)
def test_its_check_fails_under_its_sabotage(section, text, replacement, tmp_path):
    original = book.script_path(section).read_text()
    assert original.count(text) == 1, "a sabotage names text that stands in the script once"
    script = tmp_path / "script.py"
    script.write_text(original.replace(text, replacement))
    with pytest.raises((GoalMissedError, AssertionError)) as caught:
        run(script)
    # An assertion of the script's own, not one that happened to stand somewhere below it.
    assert caught.type is GoalMissedError or str(caught.traceback[-1].path) == str(script)


@pytest.mark.slow
@pytest.mark.parametrize("section", SECTIONS)
def test_it_runs_without_matplotlib_and_leaves_torch_as_it_was(section, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setattr("divekit.plot.picture._figure_class", None)
    before = torch.random.get_rng_state()
    assert run(book.script_path(section)).pictures == []
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.get_default_dtype() == torch.float32


@pytest.mark.parametrize("section", SECTIONS)
def test_it_tells_and_shows_all_that_a_section_should(section):
    script = book.script_path(section)
    prose = "\n".join(cell.text for cell in read_cells(script) if cell.kind == "markdown")
    for heading in ("## Exercises", "## What to try next"):
        assert heading in prose
    assert len(prose.split()) > 200, "the page is thin"
    assert cells_in_view(script)  # its source cells can be shown
