"""The book's table of contents as data: which section is shown by what.

One file per chapter holds its rows. Nothing here imports torch, so ``divekit list``
answers at once.
"""

import importlib
from functools import cache
from pathlib import Path

from divekit.book.rows import Chapter, Section
from divekit.errors import UsageError, unknown_name

__all__ = ["Chapter", "Section", "chapters", "find", "script_path", "sections"]

FIRST, LAST = 2, 19


@cache
def chapters() -> tuple[Chapter, ...]:
    """Give chapters 2 to 19 in order."""
    return tuple(
        importlib.import_module(f"divekit.book.chapter_{number:02d}").CHAPTER
        for number in range(FIRST, LAST + 1)
    )


def sections() -> list[Section]:
    """Give every section of the book in order."""
    return [section for chapter in chapters() for section in chapter.sections]


def find(number: str) -> Section:
    """Find a section by its number; an unknown one is an error that names the nearest."""
    by_number = {section.number: section for section in sections()}
    if number not in by_number:
        raise unknown_name("section", number, by_number)
    return by_number[number]


def script_path(section: Section) -> Path:
    """Give the path of a section's script; a section that is only planned is an error."""
    if not section.script:
        ready = ", ".join(other.number for other in sections() if other.script)
        raise UsageError(
            f"{section.number} {section.title} is planned and has no script yet; ready are {ready}"
        )
    return section.path
