"""What is said while a file is fetched: a line on a terminal, nothing elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

BAR_FROM_BYTES = 4 * 10**6

Watch = Callable[[int], None]
"""Is told the number of bytes that have arrived so far."""


@contextmanager
def bar(name: str, size: int) -> Iterator[Watch]:
    """Show how much of ``size`` bytes has arrived, in one line on standard error.

    Only on a terminal, and only for what takes a while.
    """
    if size < BAR_FROM_BYTES or not sys.stderr.isatty():
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=16),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=Console(file=sys.stderr)) as progress:
        task = progress.add_task(name, total=size)
        yield lambda count: progress.update(task, completed=count)


def human_size(size: int) -> str:
    """Write a number of bytes as a person would: ``26.4 MB``."""
    amount = float(size)
    for unit in ("bytes", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"
