"""Curves that grow while a run trains: a picture in a notebook, text on a terminal.

In a notebook ``fit`` watches with ``Live`` unless callbacks are given; elsewhere one asks for it:
``fit(recipe, callbacks=[Live()])``, or ``divekit train``.
"""

import base64
import io
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from divekit import plot
from divekit.errors import MissingExtraError
from divekit.plot.picture import size_in_pages
from divekit.surroundings import in_notebook
from divekit.train import Progress, Record, Run
from divekit.train.callbacks import write_figures

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["Live", "told"]


class Live(Progress):
    """Show how far a run is, and its curves so far.

    In a notebook: one picture, drawn anew in place. A cell keeps one picture at most: when its own
    value is a picture, or another run begins in it, a line of text takes the place of this
    one. On a terminal: the curves as text below the bar, where there is room for them. Elsewhere:
    the lines of ``Progress``.

    Args:
        file: where to write, in place of the notebook or standard output.
    """

    def __init__(self, file: IO[str] | None = None) -> None:
        super().__init__(file)
        self._picture: _NotebookPicture | None = None
        self._history: Sequence[Record] = ()
        self._text: tuple[tuple[int, int], list[Any]] = ((0, 0), [])

    def started(self, run: Run) -> None:
        """Begin with the picture, the bar or the first line."""
        self._epochs = run.recipe.epochs
        self._history = run.history
        if self._file is None and in_notebook():
            try:
                plot.new_picture()
                self._picture = _NotebookPicture(run)
                return
            except MissingExtraError as error:
                sys.stdout.write(f"(curves are left out: {error})\n")
        super().started(run)

    def below(self, width: int) -> Iterable["RenderableType"]:
        """Give the curves as lines of text; none before the first epoch or on a narrow terminal."""
        from rich.text import Text

        if not self._history or width < plot.terminal.PANEL + 2:
            return
        shown = (len(self._history), width)
        if self._text[0] != shown:
            lines = plot.text_curves(self._history, width=width - 1, epochs=self._epochs)
            self._text = (shown, [Text.assemble(*line) for line in lines])
        yield from self._text[1]

    def stepped(self, run: Run, step: int) -> None:
        """Move what shows how far the run is, a few times a second at most."""
        if self._picture is None:
            super().stepped(run, step)
        else:
            self._picture.update(f"step {step}/{len(run.data.train)}")

    def epoch_ended(self, run: Run, record: Record) -> None:
        """Let the curves grow."""
        if self._picture is None:
            super().epoch_ended(run, record)
        else:
            self._picture.update()

    def ended(self, run: Run) -> None:
        """Leave the curves as they came out."""
        if self._picture is None:
            super().ended(run)
        else:
            self._picture.finish()
            self._picture = None


@contextmanager
def told(total: int, out: IO[str]) -> Iterator[Callable[[str, float, str], None]]:
    """Show how far a series of runs is: one bar on a terminal, with lines to keep above it.

    Gives a function of a title, the number of runs done (a share of one counts too) and a line to
    keep; empty ones change nothing. Where there is no terminal only the lines to keep are shown.
    """
    if not out.isatty():
        yield lambda title, done, line: _write_line(out, line)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=16),
        TextColumn("{task.percentage:3.0f}%"),
        TimeRemainingColumn(compact=True),
        console=Console(file=out),
    )
    task = bar.add_task("", total=total)

    def tell(title: str, done: float, line: str) -> None:
        bar.update(task, completed=done, description=title or None)
        if line:
            bar.console.print(line, markup=False, highlight=False, soft_wrap=True)

    with bar:
        yield tell


def _write_line(out: IO[str], line: str) -> None:
    if line:
        out.write(line + "\n")
        out.flush()


class _NotebookPicture:
    """A run's curves in the output of the cell that trains it."""

    LEAST_SECONDS = 0.25
    SHARE = 0.1
    """Of the time, at most, goes into drawing: where that is slow, it is done less often."""

    _latest: "_NotebookPicture | None" = None

    def __init__(self, run: Run) -> None:
        from IPython.core.getipython import get_ipython
        from IPython.display import display

        self._run = run
        shell: Any = get_ipython()
        self._shell = shell
        self._cell = shell.execution_count
        self._began = time.monotonic()
        self._seconds: float | None = None  # what the run took, once it is over
        self._next = 0.0
        other = _NotebookPicture._latest
        if other is not None and (other._shell, other._cell) == (shell, self._cell):
            other.make_room()
        _NotebookPicture._latest = self
        self._handle: Any = display({"text/plain": self._line()}, raw=True, display_id=True)

    def update(self, news: str = "") -> None:
        """Draw the history so far, unless it was drawn a moment ago."""
        now = time.monotonic()
        if now < self._next:
            return
        self._show(self._line(news), dpi=plot.picture.CSS_DPI)
        took = time.monotonic() - now
        self._next = now + took + max(self.LEAST_SECONDS, took / self.SHARE)

    def finish(self) -> None:
        """Draw the run as it came out; look at the end of the cell whether it may stay."""
        self._seconds = time.monotonic() - self._began
        self._show(self._line(), dpi=plot.picture.DPI)
        self._shell.events.register("post_run_cell", self._cell_ended)

    def make_room(self) -> None:
        """Let a line of text take the place of the picture."""
        self._handle.update({"text/plain": self._line()}, raw=True)

    def _cell_ended(self, result: Any) -> None:
        self._shell.events.unregister("post_run_cell", self._cell_ended)
        _NotebookPicture._latest = None  # it would keep the run, and so the model, in memory
        if plot.is_picture(result.result):
            self.make_room()

    def _show(self, line: str, dpi: int) -> None:
        if not self._run.history:
            self._handle.update({"text/plain": line}, raw=True)
            return
        picture = plot.curves(self._run.history, epochs=self._run.recipe.epochs)
        picture.suptitle(line, x=0.01, ha="left", fontsize=9, color=plot.INK)
        file = io.BytesIO()
        picture.savefig(file, format="png", dpi=dpi)
        data = {"image/png": base64.b64encode(file.getvalue()).decode(), "text/plain": line}
        # The size is said so that the page does not jump while a new picture is decoded.
        self._handle.update(data, raw=True, metadata={"image/png": size_in_pages(picture)})

    def _line(self, news: str = "") -> str:
        """Say in a line how far the run is."""
        done, epochs = len(self._run.history), self._run.recipe.epochs
        passed = time.monotonic() - self._began if self._seconds is None else self._seconds
        seconds = f"({passed:.1f} s)"
        if news or not done:
            return "  ".join(part for part in (f"epoch {done + 1}/{epochs}", news, seconds) if part)
        figures = {name: value for name, value in self._run.metrics.items() if name != "epoch"}
        return f"epoch {done}/{epochs}  {write_figures(figures)}  {seconds}"
