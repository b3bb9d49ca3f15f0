"""What the table of contents is made of: a chapter, its sections, and how far each was shown."""

from dataclasses import dataclass
from pathlib import Path

SECTIONS = Path(__file__).parent.parent / "sections"


@dataclass(frozen=True)
class Section:
    """One section of the book, and what stands for it in the library.

    A section without a ``script`` is planned. One with a script runs on its sample data
    (a test runs them all). ``proven`` says that its goal was reached on the book's own
    data: what came out and when; ``docs/results/`` has the record.
    """

    number: str
    """As the book prints it: ``3.7``."""
    title: str
    script: str = ""
    """File name of the percent script, inside the chapter's folder."""
    recipes: tuple[str, ...] = ()
    """Names in ``divekit.recipes``."""
    models: tuple[str, ...] = ()
    """Names in ``divekit.models``."""
    data: tuple[str, ...] = ()
    """Names of data sets: ``fashion_mnist``."""
    errata: tuple[str, ...] = ()
    """What the edition got wrong, and what is done here instead."""
    proven: str = ""
    sabotage: tuple[str, str] | None = None
    """For a section that trains nothing: text of the script, and what to put in its place so
    that the section's check must fail. A test does just that. Sections that train are
    sabotaged by switching their optimizer off, and need none."""

    @property
    def shown(self) -> str:
        """How far this section has been shown: ``planned``, ``sample`` or ``real``."""
        if not self.script:
            return "planned"
        return "real" if self.proven else "sample"


@dataclass(frozen=True)
class Chapter:
    """One chapter: its number, title, the folder of its scripts, and its sections."""

    number: int
    title: str
    folder: str
    sections: tuple[Section, ...]

    def path(self, section: Section) -> Path:
        """Give the path of a section's script."""
        return SECTIONS / self.folder / section.script
