"""Measures of time.

Book: 3.1 Linear Regression (vectorization for speed), 5.6 GPUs
"""

import itertools
import time
from collections.abc import Callable

import torch


class Timer:
    """A stopwatch that keeps its laps: ``start()``, the work, ``stop()``, as often as you like.

    Times are in seconds of wall clock. Work on an accelerator goes on after the call that
    ordered it has returned: there, ``Timer(device_clock(device))`` measures the work.

    Args:
        clock: what is read at both ends of a lap; gives seconds, from any origin.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.times: list[float] = []
        self._clock = clock
        self._started: float | None = None

    def start(self) -> None:
        """Begin a lap; one that was begun and not stopped is forgotten."""
        self._started = self._clock()

    def stop(self) -> float:
        """End the lap, keep its time and give it. Raises RuntimeError when none was begun."""
        if self._started is None:
            raise RuntimeError("the timer is not running: call start() before stop()")
        self.times.append(self._clock() - self._started)
        self._started = None
        return self.times[-1]

    def sum(self) -> float:
        """Give the time of all laps together."""
        return sum(self.times)

    def average(self) -> float:
        """Give the time of a lap on average. Raises RuntimeError when there is none."""
        if not self.times:
            raise RuntimeError("the timer has no laps to average: call start() and stop() first")
        return self.sum() / len(self.times)

    def cumulative_sum(self) -> list[float]:
        """Give, for each lap, the time of all laps up to its end."""
        return list(itertools.accumulate(self.times))


def device_clock(device: str | torch.device) -> Callable[[], float]:
    """Give a clock in seconds that waits, before each reading, until a device has done its work.

    For ``Timer``. A CPU has done its work when a call returns, so there is nothing to wait for.
    """
    device = torch.device(device)
    if device.type in ("cpu", "meta"):
        return time.perf_counter

    def read() -> float:
        torch.accelerator.synchronize(device)
        return time.perf_counter()

    return read
