"""``python -m benchmarks``: time the jobs named, or all of them."""

import argparse
import importlib
import sys

from benchmarks.harness import measure
from benchmarks.report import RESULTS, describe_machine, record, to_text

# A job's module is imported when it is asked for: imports.py, say, needs no torch.
JOBS = (
    "loading",
    "fit_overhead",
    "linear_regression",
    "convolution",
    "deep_networks",
    "imports",
    "mx_arrays",
    "mx_training",
    "normalisation",
)


def main() -> int:
    """Time jobs beside their peers, and print what came out."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=f"{main.__doc__} Exit code 1 when a ratio misses its goal, or nobody "
        "can tell because of other programs.",
    )
    parser.add_argument("jobs", nargs="*", metavar="JOB", help=f"{', '.join(JOBS)}; all of them")
    parser.add_argument("--rounds", type=int, help="samples of each contender, for every job")
    parser.add_argument(
        "--patience",
        type=float,
        default=60,
        metavar="SECONDS",
        help="spent on each job, about, on repeating samples that other programs disturbed",
    )
    parser.add_argument(
        "--record", action="store_true", help=f"add the results to benchmarks/{RESULTS.name}"
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.jobs) - set(JOBS):
        parser.error(f"no job is called {', '.join(sorted(unknown))}; there is {', '.join(JOBS)}")
    if arguments.rounds is not None and arguments.rounds < 1:
        parser.error(f"--rounds is {arguments.rounds}; it must be at least 1")

    print(describe_machine())
    failed = False
    for name in arguments.jobs or JOBS:
        for job in importlib.import_module(f"benchmarks.{name}").JOBS:
            outcome = measure(job, rounds=arguments.rounds, patience=arguments.patience)
            print("\n" + to_text(outcome), flush=True)
            if arguments.record:
                record(outcome)
            failed |= any(ratio.verdict not in ("", "reached") for ratio in outcome.ratios)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
