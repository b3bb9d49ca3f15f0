"""The pages that are made, not written: sections, chapters, the table of contents, notation.

Pages of sections are their notebooks, with a line under the title on how to run them. They go
into ``sections/``, which git ignores; a file that would not change is not written.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import torch
from dependencies import fingerprint

from divekit import book, notation
from divekit.errors import DataNotFoundError
from divekit.notebook import file_name, notebook
from divekit.report import SHOWN

SYMBOLS = {"planned": "○", "sample": "◐", "real": "●"}


def write(folder: Path) -> None:
    """Write the pages of sections, of chapters that have some, of contents and of notation."""
    sections = folder / "sections"
    sections.mkdir(exist_ok=True)
    written: list[Path] = []
    for chapter in book.chapters():
        ready = [section for section in chapter.sections if section.script]
        for section in ready:
            page = json.dumps(section_page(section), indent=1, ensure_ascii=False)
            written.append(_write(sections / file_name(section), page + "\n"))
        if ready:
            path = sections / f"chapter_{chapter.number:02d}.md"
            written.append(_write(path, chapter_page(chapter, ready)))
    for path in sections.iterdir():
        if path.is_file() and path not in written:
            path.unlink()  # the page of a section that was renamed or taken out
    _write(folder / "contents.md", contents_page())
    _write(folder / "notation.md", notation_page())


def section_page(section: book.Section) -> dict[str, Any]:
    """Give a section's notebook as a page: with its facts on top, its errata below."""
    page = notebook(section)
    cells = page["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    page["metadata"]["kernelspec"]["library"] = fingerprint(code)
    title, *rest = cells[0]["source"]
    cells[0]["source"] = [title.rstrip("\n") + "\n\n", *_facts(section), "\n", *rest]
    if stand_ins(section):
        switch = 'import os\n\nos.environ["DIVEKIT_SAMPLE"] = "1"'
        cells.insert(1, _cell("code", "sample", switch, tags=["remove-cell"]))
    if section.errata:
        errata = "\n".join(f"- {erratum}" for erratum in section.errata)
        cells.append(_cell("markdown", "errata", f"## What the edition got wrong\n\n{errata}"))
    return page


def _facts(section: book.Section) -> list[str]:
    shown = f"[{SYMBOLS[section.shown]} {SHOWN[section.shown]}]{{.shown-{section.shown}}}"
    lines = [
        f"Run it with `divekit run {section.number}`, or take it as a notebook with "
        f"`divekit notebook {section.number}`. "
        f"Shown so far: {shown}{': ' if section.proven else ''}{section.proven}."
    ]
    if found := stand_ins(section):
        what = ", ".join(f"{stand_in} in place of {name}" for name, stand_in in found.items())
        lines.append(
            f"**Executed on sample data**: {what}. Numbers and pictures are those of the sample."
        )
    return ["{.facts}\n", "\\\n".join(lines) + "\n"]


def _cell(kind: str, name: str, text: str, tags: list[str] | None = None) -> dict[str, Any]:
    cell = {
        "cell_type": kind,
        "id": name,
        "metadata": {"tags": tags} if tags else {},
        "source": text.splitlines(keepends=True),
    }
    return cell | {"execution_count": None, "outputs": []} if kind == "code" else cell


def stand_ins(section: book.Section) -> dict[str, str]:
    """Give the samples that a section is executed on, by the name of what they stand for.

    They stand in where ``DIVEKIT_SAMPLE`` asks for it, for data that are not on this machine, and
    without a GPU where training on the whole data would take hours.
    """
    found = {name: _sample_name(name) for name in section.data}
    found = {name: sample for name, sample in found.items() if sample != name}
    too_long = section.gpu and not torch.cuda.is_available()
    if too_long or any(not _at_hand(name) for name in found):
        return found
    return {}


def _sample_name(name: str) -> str:
    from divekit.data import DATA_SETS

    return DATA_SETS[name]().sample().name


@cache
def _at_hand(name: str) -> bool:
    from divekit.data import DATA_SETS, samples_wanted

    if samples_wanted():
        return False
    try:
        DATA_SETS[name]().open()
    except DataNotFoundError:
        return False
    return True


def contents_page() -> str:
    """Write the table of contents: every section of the book, those that are ready as links."""
    every = book.sections()
    ready = [section for section in every if section.script]
    lines = [
        "# Contents",
        "",
        f"The book has {len(every)} sections; {len(ready)} of them can be run today.",
        "",
        "{.legend}",
        f"- {_badge('real')}: reaches its goal on the book's own data, in a run on record, or "
        "needs no data set",
        f"- {_badge('sample')}: so far on small data that need no download; a test runs it",
        f"- {_badge('planned')}: no script yet",
        "",
        "`divekit list` prints this table, and `divekit info 3.7` what is known of one section.",
        "",
    ]
    for chapter in book.chapters():
        lines += [f"## {chapter.number} {chapter.title}", "", *_rows(chapter, "sections/")]
    return "\n".join(lines)


def chapter_page(chapter: book.Chapter, ready: list[book.Section]) -> str:
    """Write the page of a chapter: its sections, and the tree that the sidebar shows."""
    return "\n".join(
        [
            f"# {chapter.number} {chapter.title}",
            "",
            f"{len(ready)} of {len(chapter.sections)} sections can be run.",
            "",
            *_rows(chapter, ""),
            "```{toctree}",
            ":hidden:",
            "",
            *(file_name(section).removesuffix(".ipynb") for section in ready),
            "```",
            "",
        ]
    )


def _rows(chapter: book.Chapter, folder: str) -> list[str]:
    rows = ["{.rows}"]
    for section in chapter.sections:
        title = section.title
        if section.script:
            title = f"[{title}]({folder}{file_name(section)})"
        row = f"- [{section.number}]{{.number}} [{title}]{{.title}} {_badge(section.shown)}"
        if section.recipes:
            runs = ", ".join(f"`{name}`" for name in section.recipes)
            data = ", ".join(f"`{name}`" for name in section.data)
            row += f" [{runs}{' on ' if data else ''}{data}]{{.runs}}"
        rows.append(row)
    return [*rows, ""]


def notation_page() -> str:
    """Write the book's symbols as tables, and the names that their expressions use."""
    lines = [
        "# Notation",
        "",
        "The book's symbols, what they mean, and torch's expression for each with what it gives. "
        "The names in the expressions are defined below the tables. On the command line, "
        "`divekit notation gradient` finds the symbols that mention a word.",
        "",
    ]
    for group, symbols in notation.GROUPS.items():
        lines += [f"## {group}", "", "| symbol | meaning | in torch |", "|---|---|---|"]
        lines += [
            f"| ${symbol.latex}$ | {_cell_text(symbol.meaning)} "
            f"| `{_cell_text(symbol.torch)}`<br>`{symbol.value}` |"
            for symbol in symbols
        ]
        lines.append("")
    names = ["import torch", *notation.GIVEN.values()]
    return "\n".join(
        [*lines, "## The names in the expressions", "", "```python", *names, "```", ""]
    )


def _cell_text(text: str) -> str:
    return text.replace("|", "\\|")  # a bar would end the table's cell


def _badge(shown: str) -> str:
    return f"[{SYMBOLS[shown]} {SHOWN[shown]}]{{.shown .shown-{shown}}}"


def _write(path: Path, text: str) -> Path:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
    return path
