"""The book's stop watch and its running sums."""

import time
from typing import Any

from divekit.errors import UsageError


def number(value: Any) -> float:
    """Give a value as a float: of a loss that hangs in a graph, the number alone."""
    return float(value.detach() if hasattr(value, "detach") else value)


class Timer:
    """Times one thing again and again; running from the moment it is made.

    Book: 3.1. Attribute ``times``: seconds of each run.
    """

    def __init__(self) -> None:
        self.times: list[float] = []
        self.start()

    def start(self) -> None:
        """Begin a run."""
        self.tik = time.perf_counter()

    def stop(self) -> float:
        """End a run and note it; give its seconds."""
        self.times.append(time.perf_counter() - self.tik)
        return self.times[-1]

    def avg(self) -> float:
        """Give the mean of all runs in seconds."""
        return sum(self.times) / len(self.times)

    def sum(self) -> float:
        """Give the seconds of all runs together."""
        return sum(self.times)

    def cumsum(self) -> list[float]:
        """Give the seconds up to the end of each run."""
        total, sums = 0.0, []
        for seconds in self.times:
            total += seconds
            sums.append(total)
        return sums


class Accumulator:
    """Sums over n variables, all zero at first. Book: 3.6."""

    def __init__(self, n: int) -> None:
        self.data = [0.0] * n

    def add(self, *args: Any) -> None:
        """Add one number to each sum. Raises UsageError for more numbers than sums, or fewer."""
        if len(args) != len(self.data):
            raise UsageError(f"there are {len(self.data)} sums to add to, not {len(args)}")
        self.data = [total + number(more) for total, more in zip(self.data, args, strict=True)]

    def reset(self) -> None:
        """Set every sum to zero."""
        self.data = [0.0] * len(self.data)

    def __getitem__(self, idx: int) -> float:
        return self.data[idx]
