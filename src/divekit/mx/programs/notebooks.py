"""Notebooks and chapters run unmodified: in a Jupyter kernel of their own, the front end in place.

The kernel is another process, so nothing that is put in place there is felt here. The executed
notebook and its figures go to a folder.
"""

import base64
import importlib.util
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from divekit.errors import MissingExtraError
from divekit.mx.programs.changes import prepare
from divekit.mx.programs.hints import hint_for
from divekit.mx.programs.reading import ProgramCell, read_program

Say = Callable[[str], None]

_ENDINGS = {"image/png": ".png", "image/svg+xml": ".svg", "image/jpeg": ".jpg"}
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_KERNEL = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
_SHIMS_USED = "__divekit_shims__"


@dataclass
class Report:
    """What running a program left."""

    executed: Path | None = None
    """The executed notebook; None for a script."""
    figures: list[Path] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    """One line for each cell that failed: file, cell, line and error."""
    shims: list[str] = field(default_factory=list)
    """The shims that were needed, if that was asked."""


def run_notebook(
    path: Path,
    folder: Path,
    *,
    virtual_gpus: int = 0,
    epochs: int | None = None,
    keep_going: bool = False,
    tab: str = "mxnet",
    say: Say = print,
) -> Report:
    """Run a notebook's cells, or a Markdown file's, in the folder where the file lies.

    Args:
        path: an ``.ipynb`` or ``.md`` file.
        folder: where the executed notebook and the figures go; it must be there.
        virtual_gpus: so many GPUs are pretended where there are fewer.
        epochs: what the program assigns to ``num_epochs`` is held to this.
        keep_going: run the cells after one that fails, too.
        tab: the framework whose listings of a chapter in Markdown are run.
        say: told of each cell, of what it prints, and of every change to the program.

    Raises:
        UsageError: there is no such file, or it has no listings for ``tab``.
        BadDataError: it is not a notebook.
        MissingExtraError: the packages that run notebooks are not installed.
        KeyboardInterrupt: after Ctrl-C, with the name of the file that holds what was done.
    """
    for package in ("nbclient", "ipykernel", "nbformat"):
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package, "book")
    cells = read_program(path, tab)
    lines = _Lines(path, cells)
    book = _notebook(cells, epochs, lines, say)
    report = Report(executed=folder / f"{path.stem}.ipynb")
    try:
        _execute(book, lines, report, virtual_gpus, keep_going, say)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"interrupted; {report.executed} holds what was done") from None
    finally:
        import nbformat

        assert report.executed is not None
        report.figures = _save_figures(book, folder)
        nbformat.write(book, report.executed)
    return report


class _Lines:
    """Says where a cell is, in words that a reader of the file can follow."""

    def __init__(self, path: Path, cells: list[ProgramCell]) -> None:
        self.path, self._cells = path, cells

    def place(self, index: int, line: int | None) -> str:
        """Name line ``line`` (from 1) of cell ``index`` (from 0)."""
        begin = self._cells[index].line
        if begin is not None:  # a text file: its own lines are what an editor shows
            return f"{self.path.name}, line {begin + (line or 1) - 1}"
        words = f"{self.path.name}, cell {index + 1}"
        return f"{words}, line {line}" if line else words


def _notebook(cells: list[ProgramCell], epochs: int | None, lines: _Lines, say: Say) -> Any:
    import nbformat

    book = nbformat.v4.new_notebook()
    book.metadata["kernelspec"] = {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    for index, cell in enumerate(cells):
        if cell.kind == "markdown":
            book.cells.append(nbformat.v4.new_markdown_cell(cell.text))
            continue
        text, changes = prepare(cell.text, epochs)
        for change in changes:
            say(f"{lines.place(index, change.line)}: {change.what}")
        book.cells.append(nbformat.v4.new_code_cell(text.rstrip("\n")))
    return book


def _execute(
    book: Any, lines: _Lines, report: Report, virtual_gpus: int, keep_going: bool, say: Say
) -> None:
    from nbclient import NotebookClient

    class Client(NotebookClient):
        """Tells what a cell prints while it does."""

        def output(self, outs: Any, msg: Any, display_id: Any, cell_index: int) -> Any:
            kind, content = msg["header"]["msg_type"], msg["content"]
            if kind == "stream" and _SHIMS_USED not in content["text"]:
                say(content["text"].rstrip("\n"))
            elif kind == "execute_result" and "text/plain" in content["data"]:
                say(content["data"]["text/plain"])
            return super().output(outs, msg, display_id, cell_index)

    client = Client(
        book,
        timeout=None,
        extra_arguments=["--log-level=ERROR"],
        allow_errors=True,
        resources={"metadata": {"path": str(lines.path.resolve().parent)}},
    )
    manager: Any = client.create_kernel_manager()
    # This very Python, whatever kernels are registered on the machine.
    manager.kernel_spec.argv[:] = _KERNEL
    code = [index for index, cell in enumerate(book.cells) if cell.cell_type == "code"]
    with client.setup_kernel():
        _run_hidden(client, _setup(virtual_gpus))
        for number, index in enumerate(code, start=1):
            cell = book.cells[index]
            first = next((line for line in cell.source.splitlines() if line.strip()), "")
            say(f"[{number}/{len(code)}] {first}")
            begin = time.perf_counter()
            try:
                client.execute_cell(cell, index, execution_count=number, store_history=True)
            except KeyboardInterrupt:
                # A kernel that is asked to end while it is interrupted complains at length.
                client.shutdown_kernel = "immediate"
                raise
            seconds = time.perf_counter() - begin
            if seconds >= 2:
                say(f"[{number}/{len(code)}] {seconds:.1f} s")
            if failure := _failure(cell, index, lines):
                report.failures.append(failure)
                if not keep_going:
                    break
                say(failure)
        told = _run_hidden(client, _ASK_FOR_SHIMS)
        report.shims = [line for line in told.splitlines()[1:] if line]


def _setup(virtual_gpus: int) -> str:
    return (
        "import divekit.mx, divekit.mx.context\n"
        "divekit.mx.install(shims=True, replace=True)\n"
        f"divekit.mx.context.set_virtual_gpus({virtual_gpus})\n"
        "del divekit\n"
    )


_ASK_FOR_SHIMS = (
    "import divekit.mx.shims\n"
    f"print({_SHIMS_USED!r}, *divekit.mx.shims.used(), sep='\\n')\n"
    "del divekit\n"
)


def _run_hidden(client: Any, text: str) -> str:
    """Run code that is no cell of the notebook; give what it prints."""
    import nbformat

    cell = nbformat.v4.new_code_cell(text)
    client.nb.cells.append(cell)  # nbclient looks for the cell by its number
    try:
        client.execute_cell(cell, len(client.nb.cells) - 1, store_history=False)
    finally:
        client.nb.cells.pop()
    for output in cell.outputs:
        if output.output_type == "error":
            raise RuntimeError("\n".join(output.traceback))
    return "".join(item.text for item in cell.outputs if item.output_type == "stream")


def _failure(cell: Any, index: int, lines: _Lines) -> str | None:
    """Give the line that names where and why a cell failed; None where it did not."""
    for output in cell.outputs:
        if output.output_type == "error":
            trace = _COLOURS.sub("", "\n".join(output.traceback))
            found = re.search(rf"Cell In\s?\[{cell.execution_count}\], line (\d+)", trace)
            place = lines.place(index, int(found[1]) if found else None)
            message = str(output.evalue).strip().split("\n")[0]
            hint = hint_for(output.ename, message)
            return f"{place}: {output.ename}: {message}" + (f" ({hint})" if hint else "")
    return None


def _save_figures(book: Any, folder: Path) -> list[Path]:
    """Write the pictures among the outputs into files, numbered in order."""
    figures: list[Path] = []
    for cell in book.cells:
        for output in cell.get("outputs", ()):
            for kind, ending in _ENDINGS.items():
                data = output.get("data", {}).get(kind)
                if data is None:
                    continue
                path = folder / f"figure-{len(figures) + 1}{ending}"
                path.write_bytes(data.encode() if "svg" in kind else base64.b64decode(data))
                figures.append(path)
                break
    return figures
