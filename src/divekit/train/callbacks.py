"""What may watch a run: a protocol of four moments, and the watchers that come with it."""

import csv
import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING

from divekit import surroundings
from divekit.errors import UsageError
from divekit.train.recipe import Record

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from divekit.train.run import Run


class Callback:
    """Watch a run. Every method may be left as it is."""

    keeps_best: bool = False
    """Whether this watcher wants the weights of the best epoch kept."""

    def started(self, run: "Run") -> None:
        """Data are open and the model is made; nothing is trained yet."""

    def stepped(self, run: "Run", step: int) -> None:
        """Step ``step`` of this epoch, counted from 1, is done. Called only where it is defined."""

    def epoch_ended(self, run: "Run", record: Record) -> None:
        """An epoch is done and measured; ``record`` is the newest entry of ``run.history``."""

    def ended(self, run: "Run") -> None:
        """The run is over; also called when it fails or is interrupted."""


def default_callbacks() -> list[Callback]:
    """Give who watches a run when nobody is named: live curves in a notebook, else progress."""
    if surroundings.in_notebook() and surroundings.notebook_watcher is not None:
        return [surroundings.notebook_watcher()]
    return [Progress()]


class Log(Callback):
    """Write each epoch's record to a file: ``.csv`` or ``.jsonl``, by the suffix."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if self.path.suffix not in (".csv", ".jsonl"):
            raise UsageError(f"{self.path}: a log is a .csv or a .jsonl file")

    def started(self, run: "Run") -> None:
        """Begin with what the run has behind it: nothing, unless it is continued."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._write(run.history)

    def epoch_ended(self, run: "Run", record: Record) -> None:
        """Add a line; write all again where the columns of a CSV file have changed."""
        if self.path.suffix == ".csv" and _columns(run.history) != self._columns:
            self._write(run.history)
            return
        with self.path.open("a", newline="", encoding="utf-8") as file:
            self._append(file, record)

    def _write(self, history: list[Record]) -> None:
        self._columns = _columns(history)
        with self.path.open("w", newline="", encoding="utf-8") as file:
            if self._columns and self.path.suffix == ".csv":
                csv.writer(file, lineterminator="\n").writerow(self._columns)
            for record in history:
                self._append(file, record)

    def _append(self, file: IO[str], record: Record) -> None:
        if self.path.suffix == ".jsonl":
            file.write(json.dumps(record) + "\n")
        else:
            csv.DictWriter(file, self._columns, lineterminator="\n").writerow(record)


def _columns(history: list[Record]) -> list[str]:
    """Give every name in the history, in order of appearance."""
    return list(dict.fromkeys(name for record in history for name in record))


class Progress(Callback):
    """Show how far a run is: one bar on a terminal, a line per epoch elsewhere.

    At most about ten lines are written where epochs are many.
    """

    REDRAW_SECONDS = 0.1

    def __init__(self, file: IO[str] | None = None) -> None:
        self._file = file
        self._bar: Bar | None = None

    def started(self, run: "Run") -> None:
        """Say what is trained, and begin the bar on a terminal."""
        self._out = self._file or sys.stdout
        self._began = time.monotonic()
        self._drawn = 0.0
        if not self._out.isatty():
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        watcher, console = self, Console(file=self._out)

        class Display(Progress):
            def get_renderables(self) -> "Iterable[RenderableType]":
                yield from super().get_renderables()
                yield from watcher.below(console.width)

        self._bar = Display(
            TextColumn("{task.description}"),
            BarColumn(bar_width=16),
            TextColumn("{task.percentage:3.0f}%"),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[news]}"),
            console=console,
        )
        self._task: TaskID = self._bar.add_task(
            f"epoch {run.state.epoch + 1}/{run.recipe.epochs}",
            total=run.recipe.epochs * len(run.data.train),
            completed=run.state.epoch * len(run.data.train) + run.state.step,
            news="",
        )
        self._bar.start()

    def below(self, width: int) -> "Iterable[RenderableType]":
        """Give what stands below the bar on a terminal: nothing, unless a subclass knows better."""
        return ()

    def stepped(self, run: "Run", step: int) -> None:
        """Move the bar, a few times a second."""
        if self._bar is None or time.monotonic() - self._drawn < self.REDRAW_SECONDS:
            return
        self._drawn = time.monotonic()
        epoch = len(run.history)
        self._bar.update(
            self._task,
            completed=epoch * len(run.data.train) + step,
            description=f"epoch {epoch + 1}/{run.recipe.epochs}",
        )

    def epoch_ended(self, run: "Run", record: Record) -> None:
        """Show the epoch's figures."""
        figures = {name: value for name, value in record.items() if name != "epoch"}
        epochs = run.recipe.epochs
        if self._bar is not None:
            # The first and the last figure: all of them would leave no room for the bar.
            news = {name: figures[name] for name in (next(iter(figures)), list(figures)[-1])}
            done = record["epoch"] * len(run.data.train)
            self._bar.update(self._task, completed=done, news=write_figures(news))
            return
        every = max(1, epochs // 10)
        if record["epoch"] % every == 0 or record["epoch"] in (1, epochs):
            seconds = time.monotonic() - self._began
            self._out.write(
                f"epoch {record['epoch']:>{len(str(epochs))}}/{epochs}  {write_figures(figures)}"
                f"  ({seconds:.1f} s)\n"
            )
            self._out.flush()

    def ended(self, run: "Run") -> None:
        """Leave the bar as it stands."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def write_figures(figures: Record) -> str:
    """Write the figures of a record in a line: ``train_loss 0.4534  test_loss 0.4512``."""
    return "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
