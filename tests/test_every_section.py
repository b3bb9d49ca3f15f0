"""What holds for every section script: it runs on its sample, and its check can fail."""

import pytest
import torch

from divekit import book
from divekit.data import use_samples
from divekit.errors import GoalMissedError
from divekit.optim import SGD
from divekit.section import cells_in_view, read_cells, run_section

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


@pytest.mark.parametrize("section", SECTIONS)
def test_its_check_fails_when_nothing_is_learned(section, tmp_path, monkeypatch):
    script = book.script_path(section)
    if section.sabotage:
        text, replacement = section.sabotage
        original = script.read_text()
        assert text in original, "the sabotage must name text of the script"
        script = tmp_path / script.name
        script.write_text(original.replace(text, replacement))
    else:
        for optimizer in (SGD, torch.optim.SGD):
            monkeypatch.setattr(optimizer, "step", lambda self, closure=None: None)
    with pytest.raises((GoalMissedError, AssertionError)):
        run(script)


@pytest.mark.parametrize("section", SECTIONS)
def test_it_tells_and_shows_all_that_a_section_should(section):
    script = book.script_path(section)
    prose = "\n".join(cell.text for cell in read_cells(script) if cell.kind == "markdown")
    for heading in ("## Exercises", "## What to try next"):
        assert heading in prose
    assert len(prose.split()) > 200, "the page is thin"
    assert any(cell.kind == "source" for cell in read_cells(script)) or not section.models
    in_view = "\n".join(cell.text for cell in cells_in_view(script) if cell.kind == "code")
    for name in section.models:
        assert f"class {name}" in in_view or f"def {name}" in in_view, f"{name} is not in view"
    for name in section.recipes:
        assert f"def {name}(" in in_view, f"the recipe {name} is not in view"
