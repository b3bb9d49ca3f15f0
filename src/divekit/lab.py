"""JupyterLab on the sections' notebooks: ``divekit lab``."""

import importlib.util
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from divekit import book
from divekit.errors import DivekitError, MissingExtraError
from divekit.notebook import update_notebook

STOP_SECONDS = 10


def prepare(sections: Sequence[book.Section], folder: Path) -> tuple[list[Path], str]:
    """Write the notebooks of sections into a folder, but none over what a reader changed.

    Gives their paths, and a line that says what was kept.
    """
    done = [update_notebook(section, folder) for section in sections]
    written = sum(what == "written" for _, what in done)
    kept = [path.name for path, what in done if what == "kept"]
    line = (
        f"{len(done)} notebook{'s' * (len(done) != 1)} in {folder}, {written} of them written now"
    )
    if kept:
        line += (
            f"; kept as you left them, not as divekit would write them today: {', '.join(kept)} "
            "(divekit notebook SECTION FOLDER --force writes one anew)"
        )
    return [path for path, _ in done], line


def check_installed() -> None:
    """Raise MissingExtraError where JupyterLab is not installed."""
    if importlib.util.find_spec("jupyterlab") is None:
        raise MissingExtraError("divekit lab", "notebook")


def open_lab(path: Path, *, browser: bool = True, port: int | None = None) -> None:
    """Run JupyterLab on a folder or a notebook until it ends, or until Ctrl-C.

    It is the JupyterLab of this very Python, so that its kernels find divekit.
    """
    check_installed()
    command = [sys.executable, "-m", "jupyterlab", str(path)]
    # Ctrl-C reaches the server too, which would ask whether that is meant.
    command += ["--ServerApp.answer_yes=True"]
    command += [] if browser else ["--no-browser"]
    command += [] if port is None else [f"--port={port}"]
    before = signal.signal(signal.SIGTERM, _as_interrupt)
    server = subprocess.Popen(command)
    try:
        code = server.wait()
    except KeyboardInterrupt:
        _stop(server)
        return
    finally:
        signal.signal(signal.SIGTERM, before)
    if code != 0:
        raise DivekitError(f"JupyterLab ended with exit code {code}")


def _as_interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _stop(server: subprocess.Popen[bytes]) -> None:
    """End the server and its kernels; by force when it does not listen."""
    server.terminate()
    try:
        server.wait(STOP_SECONDS)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        server.kill()
        server.wait()
