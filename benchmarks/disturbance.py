"""A stopwatch that also tells how much CPU time other programs used meanwhile."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

STATISTICS = Path("/proc/stat")
# Columns of its first line, see proc(5): user, nice, system, irq, softirq, steal. Stolen time
# is what another virtual machine took.
BUSY_COLUMNS = (1, 2, 3, 6, 7, 8)
# CPU seconds that other programs may use in a second before they count as a disturbance.
DISTURBED = 0.1


@dataclass(frozen=True)
class Usage:
    """What a stretch of time was used for."""

    seconds: float
    own: float
    """CPU seconds of this process, all its threads, and children that have ended."""
    others: float | None
    """CPU seconds of other programs, for each second; None where the system does not say."""

    @property
    def disturbed(self) -> bool:
        """Tell whether other programs were in the way."""
        return self.others is not None and self.others > DISTURBED


def stopwatch() -> Callable[[], Usage]:
    """Start a stopwatch; the call it gives reads it."""
    busy, own, began = _busy_seconds(), _own_seconds(), time.perf_counter()

    def read() -> Usage:
        seconds = time.perf_counter() - began
        used, busy_now = _own_seconds() - own, _busy_seconds()
        if busy is None or busy_now is None:
            return Usage(seconds, used, None)
        return Usage(seconds, used, max(0.0, busy_now - busy - used) / seconds)

    return read


def wait_for_quiet(seconds: float) -> bool:
    """Wait until nothing has run for a second, at most so long; tell whether it came to that."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        read = stopwatch()
        time.sleep(1)
        if not read().disturbed:
            return True
    return False


def _own_seconds() -> float:
    children = os.times()
    return time.process_time() + children.children_user + children.children_system


def _busy_seconds() -> float | None:
    """Give the CPU seconds that all programs have used since the system started."""
    try:
        columns = STATISTICS.read_text(encoding="ascii").splitlines()[0].split()
    except OSError:
        return None
    return sum(int(columns[column]) for column in BUSY_COLUMNS) / os.sysconf("SC_CLK_TCK")
