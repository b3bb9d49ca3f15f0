"""What the table of contents is made of: a chapter, its sections, and how far each was shown."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from divekit.book.script import names_in_view

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
    data: tuple[str, ...] = ()
    """Names of data sets: ``fashion_mnist``. Empty where the script makes its own."""
    errata: tuple[str, ...] = ()
    """What the edition got wrong, and what is done here instead."""
    proven: str = ""
    sabotage: tuple[tuple[str, str], ...] = ()
    """Pairs (text of the script, what to put in its place): with any one of them the section's
    check must fail, and a test sees to it. Sections that train are sabotaged by
    switching their optimizers off as well, and need none."""
    folder: str = ""
    """The chapter's folder; filled in by the chapter."""
    gpu: bool = False
    """Whether its training on the book's own data takes hours without a GPU."""

    @property
    def path(self) -> Path:
        """Give the path of the script."""
        return SECTIONS / self.folder / self.script

    @property
    def shown(self) -> str:
        """How far this section has been shown: ``planned``, ``sample`` or ``real``.

        A section that needs no data set is shown in full by every run of its check.
        """
        if not self.script:
            return "planned"
        return "sample" if self.data and not self.proven else "real"

    @property
    def in_view(self) -> tuple[tuple[str, str], ...]:
        """Give (module, name) for the library's names whose source the section shows."""
        return names_in_view(self.path) if self.script else ()

    @property
    def recipes(self) -> tuple[str, ...]:
        """Give the names in ``divekit.recipes`` that the section shows."""
        return self._of("divekit.recipes.")

    @property
    def models(self) -> tuple[str, ...]:
        """Give the names in ``divekit.models`` that the section shows."""
        return self._of("divekit.models.")

    def _of(self, package: str) -> tuple[str, ...]:
        return tuple(name for module, name in self.in_view if module.startswith(package))


class Chapter:
    """One chapter: its number, title, the folder of its scripts, and its sections."""

    def __init__(self, number: int, title: str, folder: str, sections: Iterable[Section]) -> None:
        self.number = number
        self.title = title
        self.folder = folder
        self.sections = tuple(replace(section, folder=folder) for section in sections)
