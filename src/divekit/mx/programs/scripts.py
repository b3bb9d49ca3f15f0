"""Scripts run unmodified, in this process, with the front end in place."""

import importlib
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

from divekit.mx.context import set_virtual_gpus
from divekit.mx.installing import install
from divekit.mx.programs.changes import blank_magics, prepare
from divekit.mx.programs.hints import hint_for
from divekit.mx.programs.notebooks import Report, Say
from divekit.mx.programs.reading import read_program
from divekit.mx.shims import used

_BACKEND = "divekit.mx.programs.figures"


class _Shell:
    """Stands for IPython in notebooks that were exported as scripts."""

    def __getattr__(self, name: str) -> Any:
        def nothing(*args: Any, **settings: Any) -> None:
            """Do nothing: magics and shell commands have no place in a script."""

        return nothing


def run_script(
    path: Path,
    arguments: list[str],
    folder: Path | None = None,
    *,
    virtual_gpus: int = 0,
    epochs: int | None = None,
    say: Say = print,
) -> Report:
    """Run a script as ``python script.py arguments`` would, with ``mxnet`` and ``d2l`` ours.

    The front end and the shims stay in place in this process, which is meant to end soon.
    An exception of the script is told with its traceback, and reported in one line.

    Args:
        path: the ``.py`` file.
        arguments: what the script finds in ``sys.argv[1:]``.
        folder: where ``plt.show()``, and the script's end, save pictures; it must be there.
            With None they are shown as matplotlib is set up to.
        virtual_gpus: so many GPUs are pretended where there are fewer.
        epochs: what the program assigns to ``num_epochs`` is held to this.
        say: told of every change to the program, and of what failed.

    Raises:
        UsageError: there is no such file.
        BadDataError: it is not text.
    """
    (cell,) = read_program(path)
    text, changes = prepare(cell.text, epochs)
    for change in changes:
        say(f"{path.name}, line {change.line}: {change.what}")
    install(shims=True, replace=True)
    set_virtual_gpus(virtual_gpus)
    report = Report()
    with _as_main(path, arguments) as names, _saved_figures(folder, report):
        try:
            exec(compile(blank_magics(text), str(path), "exec"), names)
        except Exception as error:
            trace = _own_part(error.__traceback__, str(path))
            if trace is None:  # not even read: a SyntaxError names its line itself
                line = getattr(error, "lineno", None)
            else:
                line = traceback.extract_tb(trace)[0].lineno
                lines = traceback.format_exception(type(error), error, trace)
                say("".join(lines).rstrip())
            message = f"{type(error).__name__}: {str(error).split(chr(10))[0]}"
            hint = hint_for(type(error).__name__, str(error))
            place = f"{path.name}, line {line}: " if line else f"{path.name}: "
            report.failures.append(place + message + (f" ({hint})" if hint else ""))
    report.shims = used()
    return report


def _own_part(trace: TracebackType | None, file: str) -> TracebackType | None:
    """Give a traceback from the script's first line in it on; what started the script is ours."""
    while trace is not None and trace.tb_frame.f_code.co_filename != file:
        trace = trace.tb_next
    return trace


@contextmanager
def _as_main(path: Path, arguments: list[str]) -> Iterator[dict[str, Any]]:
    """Make a fresh module ``__main__``; give its names."""
    main = ModuleType("__main__")
    main.__file__ = str(path)
    vars(main)["get_ipython"] = _Shell
    before = sys.modules["__main__"], sys.argv, sys.path[:]
    # Classes of the script are pickled by their module's name, which is __main__.
    sys.modules["__main__"], sys.argv = main, [str(path), *arguments]
    sys.path.insert(0, str(path.resolve().parent))
    try:
        yield vars(main)
    finally:
        sys.modules["__main__"], sys.argv, sys.path[:] = before


@contextmanager
def _saved_figures(folder: Path | None, report: Report) -> Iterator[None]:
    """Let pyplot save its figures into a folder, now and when it is imported later."""
    if folder is None:
        yield
        return
    wanted = {"MPLBACKEND": f"module://{_BACKEND}", "DIVEKIT_FIGURES": str(folder.resolve())}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    if "matplotlib" in sys.modules:
        sys.modules["matplotlib"].use(f"module://{_BACKEND}")
    try:
        yield
    finally:
        if "matplotlib.pyplot" in sys.modules:
            figures = importlib.import_module(_BACKEND)
            figures.show()
            report.figures = [folder / path.name for path in figures.saved]
            figures.saved.clear()
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
