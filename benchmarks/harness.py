"""Time contenders beside each other: each in a process of its own, sample by sample in turn.

A process apart, because the allocator's setting belongs to a process: ours must not speed
its peer up. In turn, because a machine is faster in one minute than in the next: the two
sides of a ratio are measured within seconds of each other.
"""

import importlib.util
import math
import multiprocessing
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from benchmarks.disturbance import Usage, stopwatch, wait_for_quiet

# A sample is as many calls as fill this: long against the 10 ms in which a system counts CPU time.
SAMPLE_SECONDS = 0.5
# The share of disturbed samples from which a median is not trusted.
TOO_MANY = 0.25
# Contenders that say what they computed must agree this closely.
AGREEMENT = 1e-3

Call = Callable[[], float | None]
"""What is timed. It may return a number that every contender must come to."""


@dataclass(frozen=True)
class Contender:
    """One way to do a job.

    Args:
        name: as it stands in the table.
        build: prepares what is not timed and gives the call that is; at the top of a module.
        settings: keyword arguments of ``build``.
        keeps_memory: make the allocator keep freed memory, as divekit does by default.
        package: what has to be installed besides divekit.
    """

    name: str
    build: Callable[..., Call]
    settings: Mapping[str, object] = field(default_factory=dict)
    keeps_memory: bool = False
    package: str | None = None

    @property
    def hindrance(self) -> str:
        """Say what keeps this contender from running here; empty when nothing does."""
        if self.package and importlib.util.find_spec(self.package) is None:
            return f"{self.package} is not installed"
        if self.keeps_memory and platform.libc_ver()[0] != "glibc":
            return "memory is kept with glibc only"
        return ""


def both_allocators(
    name: str, build: Callable[..., Call], **settings: object
) -> tuple[Contender, Contender]:
    """Give a contender that keeps freed memory, and it again with the allocator's default."""
    return (
        Contender(name, build, settings, keeps_memory=True),
        Contender(f"{name}, default allocator", build, settings),
    )


@dataclass(frozen=True)
class Ratio:
    """The time of one contender over that of another, and the goal for it if there is one.

    Goals are for the library as it comes: the default allocator's ratio stands beside, without.
    """

    of: str
    to: str
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True)
class Job:
    """What is timed, by whom, and which ratios matter.

    Args:
        name: as it stands above the table.
        about: what a call takes in, in one line.
        contenders: ours and the peers.
        ratios: between contenders, by name.
        rounds: samples of each contender.
    """

    name: str
    about: str
    contenders: tuple[Contender, ...]
    ratios: tuple[Ratio, ...]
    rounds: int = 10


@dataclass(frozen=True)
class Sample:
    """A number of calls, one after the other."""

    calls: int
    usage: Usage
    """Of all the calls together."""
    answer: float | None

    @property
    def seconds(self) -> float:
        """Give the mean time of a call."""
        return self.usage.seconds / self.calls


@dataclass
class Timing:
    """What one contender came to."""

    name: str
    first_call: float
    samples: list[Sample] = field(default_factory=list)
    repeated: int = 0
    """How many samples were taken again, since other programs disturbed them."""

    @property
    def seconds(self) -> list[float]:
        """Give the seconds of a call, round by round."""
        return [sample.seconds for sample in self.samples]

    @property
    def disturbed(self) -> float:
        """Give the share of samples that are disturbed."""
        return statistics.mean(sample.usage.disturbed for sample in self.samples)


@dataclass
class RatioFound:
    """A ratio of medians, and the same ratio round by round."""

    asked: Ratio
    of_medians: float
    by_round: list[float]
    disturbed: bool
    """Whether other programs were in the way of so many samples that the medians say little."""

    @property
    def verdict(self) -> str:
        """Say ``reached``, ``MISSED`` or ``unknown, DISTURBED``; nothing without a goal."""
        if self.asked.at_least is None and self.asked.at_most is None:
            return ""
        if self.disturbed:
            return "unknown, DISTURBED"
        low = -math.inf if self.asked.at_least is None else self.asked.at_least
        high = math.inf if self.asked.at_most is None else self.asked.at_most
        return "reached" if low <= self.of_medians <= high else "MISSED"


@dataclass
class Outcome:
    """What a job came to."""

    job: Job
    timings: list[Timing]
    ratios: list[RatioFound]
    skipped: dict[str, str]
    """Why, by the name of the contender."""


def measure(job: Job, *, rounds: int | None = None, patience: float = 60) -> Outcome:
    """Time a job's contenders in turn.

    Args:
        job: what to time.
        rounds: samples of each contender, in place of the job's own number.
        patience: seconds to spend, about, on waiting for other programs to end and on repeating
            the samples that they disturbed.
    """
    skipped = {one.name: one.hindrance for one in job.contenders if one.hindrance}
    workers = [_Worker(one) for one in job.contenders if one.name not in skipped]
    try:
        # The start of one would disturb the first call of another, so: one after the other.
        for worker in workers:
            worker.warm_up()
        _require_agreement(workers)
        for number in range(rounds or job.rounds):
            # There and back, so that nobody always runs after the same neighbour.
            for worker in workers[:: 1 if number % 2 == 0 else -1]:
                patience -= worker.take_sample(patience)
    finally:
        for worker in workers:
            worker.stop()
    timings = {worker.timing.name: worker.timing for worker in workers}
    ratios = [
        _ratio(asked, timings[asked.of], timings[asked.to])
        for asked in job.ratios
        if asked.of in timings and asked.to in timings
    ]
    return Outcome(job, list(timings.values()), ratios, skipped)


def _ratio(asked: Ratio, of: Timing, to: Timing) -> RatioFound:
    by_round = [one / other for one, other in zip(of.seconds, to.seconds, strict=True)]
    of_medians = statistics.median(of.seconds) / statistics.median(to.seconds)
    return RatioFound(asked, of_medians, by_round, max(of.disturbed, to.disturbed) > TOO_MANY)


class _Worker:
    """A contender in its own process, as the measuring process sees it."""

    def __init__(self, contender: Contender) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, contender), daemon=True)
        self._name = contender.name
        self._calls = 1

    def warm_up(self) -> None:
        """Start, time the first call, and find how many calls fill a sample."""
        self._process.start()
        first = self._sample()
        self.timing = Timing(self._name, first.seconds)
        self.answer = first.answer
        self._calls = max(1, round(SAMPLE_SECONDS / self._sample().seconds))

    def take_sample(self, patience: float) -> float:
        """Take the next sample, again while it is disturbed; give the seconds of patience used."""
        best = self._sample()
        began = time.monotonic()
        while best.usage.disturbed and wait_for_quiet(patience - (time.monotonic() - began)):
            self.timing.repeated += 1
            # Of disturbed samples the least disturbed is taken, never the fastest.
            best = min(best, self._sample(), key=lambda sample: sample.usage.others or 0)
        self.timing.samples.append(best)
        return time.monotonic() - began

    def stop(self) -> None:
        """Let the process end."""
        if self._process.is_alive():
            self._connection.send(0)
            self._process.join()

    def _sample(self) -> Sample:
        self._connection.send(self._calls)
        while not self._connection.poll(1):
            if not self._process.is_alive():
                raise RuntimeError(f"{self._name} ended early; its own words are above")
        sample: Sample = self._connection.recv()
        return sample


def _serve(connection: Connection, contender: Contender) -> None:
    """Live as a contender: build the job, then take a sample whenever calls are asked for."""
    os.environ["DIVEKIT_KEEP_MEMORY"] = str(int(contender.keeps_memory))
    if contender.keeps_memory:
        from divekit.train import keep_memory

        if not keep_memory():
            raise RuntimeError("the allocator does not take the setting")
    call = contender.build(**contender.settings)
    # An interrupted benchmark takes its contenders along, without a traceback from each.
    with suppress(EOFError, BrokenPipeError, KeyboardInterrupt):
        while calls := connection.recv():
            read = stopwatch()
            for _ in range(calls):
                answer = call()
            connection.send(Sample(calls, read(), answer))


def _require_agreement(workers: list[_Worker]) -> None:
    """Refuse to compare contenders that did not do the same work."""
    answers = {worker.timing.name: worker.answer for worker in workers}
    given = [answer for answer in answers.values() if answer is not None]
    if any(not math.isclose(answer, given[0], rel_tol=AGREEMENT) for answer in given):
        raise RuntimeError(f"the contenders disagree: {answers}")
