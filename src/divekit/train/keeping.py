"""The watcher that keeps a run safe: it saves on the way, and when it is interrupted."""

import logging
import signal
import threading
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from divekit.errors import UsageError
from divekit.train.callbacks import Callback
from divekit.train.checkpoint import FOLDER, clean, write_checkpoint
from divekit.train.recipe import Record

if TYPE_CHECKING:
    from divekit.train.run import Run

log = logging.getLogger("divekit")

LOCK = ".lock"
# Saving may take this part of the time, unless it is asked for more often.
LARGEST_PART = 0.05


class Interrupted(KeyboardInterrupt):
    """The run was interrupted after everything was saved; says how to continue it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class Checkpoints(Callback):
    """Save checkpoints below a run's folder; ``fit(recipe, resume=folder)`` continues from them.

    One is written before the first step (so that a folder that cannot be written is
    noticed at once), at the end of epochs, within long ones every ``seconds``, and at the
    end. Short epochs are not saved each: saving takes at most a twentieth of the time. With
    ``seconds=0`` every single step is saved.

    The first Ctrl-C (or SIGTERM) lets the running step end, saves, and raises
    ``Interrupted``; the second ends at once. A save that fails on the way is a warning:
    the one before is still there. The first and the last one must not fail.
    """

    keeps_best = True

    def __init__(self, folder: str | Path, *, seconds: float = 60.0) -> None:
        self.folder = Path(folder)
        self.seconds = seconds
        self._asked = ""
        self._handlers: dict[int, Any] = {}

    def started(self, run: "Run") -> None:
        """Take the folder for this process alone, and save how the run begins."""
        from filelock import FileLock, Timeout

        (self.folder / FOLDER).mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(self.folder / FOLDER / LOCK)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise UsageError(f"{self.folder} is in use by another process") from None
        clean(self.folder)
        self._took = 0.0
        self._save(run)
        self._take_signals()

    def stepped(self, run: "Run", step: int) -> None:
        """Save when it is time, or when the run is to stop."""
        if self._asked:
            self._stop(run)
        if time.monotonic() - self._saved >= self._pause:
            self._save_or_warn(run)

    def epoch_ended(self, run: "Run", record: Record) -> None:
        """Save unless the epoch was a short one; always after the last."""
        if run.finished:
            self._save(run)
        elif self._asked:
            self._stop(run)
        elif time.monotonic() - self._saved >= min(self._pause, self._took / LARGEST_PART):
            self._save_or_warn(run)

    def ended(self, run: "Run") -> None:
        """Give folder and signals back."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers.clear()
        if hasattr(self, "_lock"):
            self._lock.release()

    def _save(self, run: "Run") -> None:
        run.require_finite()
        began = time.monotonic()
        write_checkpoint(run, self.folder)
        self._saved = time.monotonic()
        self._took = self._saved - began
        self._pause = max(self.seconds, self._took / LARGEST_PART) if self.seconds else 0.0

    def _save_or_warn(self, run: "Run") -> None:
        try:
            self._save(run)
        except OSError as error:
            self._saved = time.monotonic()  # the next try is not before its time either
            log.warning("could not save to %s (%s); the save before is kept", self.folder, error)

    def _stop(self, run: "Run") -> None:
        self._save(run)
        where = f"epoch {run.state.epoch + 1}, step {run.state.step}"
        if run.state.step == 0:
            where = f"the end of epoch {run.state.epoch}"
        raise Interrupted(
            f"{self._asked}; saved at {where}. Continue with: divekit train --resume {self.folder}"
        )

    def _take_signals(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return  # only the main thread may

        def note(number: int, frame: FrameType | None) -> None:
            if self._asked:
                raise KeyboardInterrupt
            self._asked = "interrupted" if number == signal.SIGINT else "told to stop"

        for number in (signal.SIGINT, signal.SIGTERM):
            self._handlers[number] = signal.signal(number, note)
