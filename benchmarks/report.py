"""What came out, as a table to read and as JSON to compute with."""

import datetime
import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.harness import Outcome, RatioFound, Timing

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("divekit", "torch", "numpy", "pillow", "lightning")


def describe_machine() -> str:
    """Name the processor, its cores, the system, and the versions that matter, in one line."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    system = " ".join([platform.system(), *platform.libc_ver()]).strip()
    versions = [f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return f"{_processor()}, {cores} cores, {system}; {', '.join(versions)}"


def to_text(outcome: Outcome) -> str:
    """Write an outcome as a table of contenders and one of ratios."""
    job = outcome.job
    titles = ("contender", "median", "min .. max", "first call", "CPU/wall", "repeated")
    timings = _columns([titles, *(_row(timing) for timing in outcome.timings)])
    headings = ("ratio", "of medians", "by round", "goal")
    ratios = _columns([headings, *(_ratio_row(ratio) for ratio in outcome.ratios)])
    lines = [f"{job.name}: {job.about}", "", *timings, "", *ratios]
    lines += [f"skipped: {name}: {why}" for name, why in outcome.skipped.items()]
    return "\n".join([*lines, _disturbances(outcome.timings)])


def record(outcome: Outcome) -> None:
    """Add an outcome to today's files in ``results/``: all samples as JSON, the table to read."""
    RESULTS.mkdir(exist_ok=True)
    now = datetime.datetime.now().astimezone()
    path = RESULTS / f"{now:%Y-%m-%d}.json"
    entries = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    entries.append(
        {
            "job": outcome.job.name,
            "about": outcome.job.about,
            "time": now.isoformat(timespec="seconds"),
            "machine": describe_machine(),
            "timings": [_timing_record(timing) for timing in outcome.timings],
            "ratios": [asdict(ratio) for ratio in outcome.ratios],
            "skipped": outcome.skipped,
        }
    )
    lines = ",\n".join(json.dumps(entry) for entry in entries)
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")

    page = path.with_suffix(".md")
    parts = [] if page.exists() else [f"# Benchmarks of {now:%Y-%m-%d}"]
    parts += [
        f"## {outcome.job.name}, {now:%H:%M}",
        describe_machine(),
        f"```text\n{to_text(outcome)}\n```",
    ]
    with page.open("a", encoding="utf-8") as file:
        file.write("\n\n".join(parts) + "\n\n")


def duration(seconds: float) -> str:
    """Write seconds in the unit, and with the decimals, that show three digits."""
    unit, size = next(
        ((unit, size) for unit, size in (("s", 1), ("ms", 1e-3)) if seconds >= size), ("us", 1e-6)
    )
    number = seconds / size
    return f"{number:.{2 if number < 10 else 1 if number < 100 else 0}f} {unit}"


def _timing_record(timing: Timing) -> dict[str, object]:
    return {
        "name": timing.name,
        "first_call": timing.first_call,
        "seconds": timing.seconds,
        "cpu_seconds": [sample.usage.own / sample.calls for sample in timing.samples],
        "others": [sample.usage.others for sample in timing.samples],
        "repeated": timing.repeated,
    }


def _row(timing: Timing) -> tuple[str, ...]:
    seconds = timing.seconds
    cpu = statistics.median(sample.usage.own / sample.usage.seconds for sample in timing.samples)
    return (
        timing.name,
        duration(statistics.median(seconds)),
        f"[{duration(min(seconds))} .. {duration(max(seconds))}]",
        duration(timing.first_call),
        f"{cpu:.2f}",
        str(timing.repeated),
    )


def _ratio_row(ratio: RatioFound) -> tuple[str, ...]:
    asked = ratio.asked
    goal = ""
    if asked.at_least is not None:
        goal = f"at least {asked.at_least:g}: {ratio.verdict}"
    elif asked.at_most is not None:
        goal = f"at most {asked.at_most:g}: {ratio.verdict}"
    return (
        f"{asked.of} / {asked.to}",
        f"{ratio.of_medians:.3g}",
        f"[{min(ratio.by_round):.3g} .. {max(ratio.by_round):.3g}]",
        goal,
    )


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _disturbances(timings: Sequence[Timing]) -> str:
    samples = [sample for timing in timings for sample in timing.samples]
    if any(sample.usage.others is None for sample in samples):
        return "other programs: not checked, this system does not tell their CPU time"
    disturbed = sum(sample.usage.disturbed for sample in samples)
    repeated = sum(timing.repeated for timing in timings)
    line = f"other programs: {repeated} samples repeated"
    if not disturbed:
        return f"{line}, none of the {len(samples)} kept is disturbed"
    return f"{line}, {disturbed} of the {len(samples)} kept are still DISTURBED: try again later"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
