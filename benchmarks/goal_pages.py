"""The records of ``goals``, and what the docs show of them: a page per chapter, with curves."""

import inspect
import json
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.report import RESULTS
from divekit import book, plot
from divekit.data import DATA_SETS
from divekit.recipes import RECIPES
from divekit.train import Record

RECORDS = RESULTS / "goals"
PAGES = Path(__file__).parent.parent / "docs" / "results"


def recipes_of(chapter: book.Chapter) -> list[str]:
    """Name the recipes of a chapter's sections, each once, in the book's order."""
    return list(dict.fromkeys(name for section in chapter.sections for name in section.recipes))


def keep_record(record: dict[str, Any]) -> None:
    """Keep what came out for a recipe, in place of what was there."""
    RECORDS.mkdir(parents=True, exist_ok=True)
    _record_path(record["recipe"]).write_text(json.dumps(record, indent=1) + "\n", "utf-8")


def draw_curves(history: list[Record], name: str) -> None:
    """Save the curves of a run beside the pages."""
    PAGES.mkdir(parents=True, exist_ok=True)
    plot.curves(history).savefig(PAGES / f"{name}.png")


def write_page(chapter: book.Chapter) -> Path:
    """Write what is on record for a chapter's recipes as a page; give its path."""
    parts = [
        f"# Results: {chapter.number} {chapter.title}",
        "Every figure is that of the last epoch of a run with the recipe's own settings, or with "
        "those in its command, on the data named. `python -m benchmarks.goals` runs them again and "
        "writes this page.",
    ]
    for name in recipes_of(chapter):
        if _record_path(name).exists():
            record = json.loads(_record_path(name).read_text("utf-8"))
            numbers = [section.number for section in chapter.sections if name in section.recipes]
            parts += _paragraphs(record, numbers)
    path = PAGES / f"{chapter.folder}.md"
    path.write_text("\n\n".join(parts) + "\n", "utf-8")
    return path


def _paragraphs(record: dict[str, Any], sections: Sequence[str]) -> list[str]:
    """Write one recipe's results."""
    name, data, seeds = record["recipe"], DATA_SETS[record["data"]], record["seeds"]
    where = record["machine"]
    if record["device"] != "cpu":
        where += f"; on {record['device']}"
    settings = [f"{key}={text}" for key, text in record.get("settings", {}).items()]
    command = " ".join(["divekit train", name, *settings, f"seed={seeds[0]}"])
    facts = [
        f"- run: `{command}`, and so on for each seed",
        f"- data: {data.card.title} (`{data.name}`), {data.card.shapes}",
        f"- where: {where}",
        f"- when: {record['date']}",
    ]
    verdicts = [f"Goal: {goal['verdict']}." for goal in record["goals"]]
    return [
        f"## {', '.join(sections)}: `{name}`",
        str(inspect.getdoc(RECIPES[name])),
        "\n".join(facts),
        "\n".join(_table(seeds, record["metrics"])),
        *(verdicts or [f"No goal is set for these {'settings' if settings else 'data'}."]),
        f"![Curves of {name}, the median run]({name}.png)",
    ]


def _table(seeds: Sequence[int], metrics: Sequence[Record]) -> Iterable[str]:
    """Write a row for each seed, and one of medians."""
    names = [name for name in metrics[0] if name != "epoch"]
    yield _row(["seed", "epochs", *(name.replace("_", " ") for name in names)])
    yield _row(["---:"] * (len(names) + 2))
    for seed, values in zip(seeds, metrics, strict=True):
        yield _row([seed, values["epoch"], *(f"{values[name]:.4g}" for name in names)])
    medians = [statistics.median(values[name] for values in metrics) for name in names]
    yield _row(["median", "", *(f"{median:.4g}" for median in medians)])


def _row(cells: Iterable[object]) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _record_path(name: str) -> Path:
    return RECORDS / f"{name}.json"
