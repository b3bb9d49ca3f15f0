"""What it takes to start: whole processes, from the interpreter's start to its end."""

import os
import subprocess
import sys

from benchmarks.harness import Call, Contender, Job, Ratio

# An import is timed as users have it: with the compiled modules that the first call leaves.
ENVIRONMENT = {
    name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
}


def process(arguments: tuple[str, ...]) -> Call:
    """Run Python with arguments, and wait for it."""
    command = [sys.executable, *arguments]

    def run() -> None:
        subprocess.run(command, check=True, env=ENVIRONMENT, stdout=subprocess.DEVNULL)

    return run


def _contender(name: str, *arguments: str) -> Contender:
    return Contender(name, process, {"arguments": arguments})


PYTHON = _contender("python alone", "-c", "pass")
TORCH = _contender("import torch", "-c", "import torch")
DIVEKIT = _contender("import divekit", "-c", "import divekit")
# The parts are imported when they are first used: this is what a script that trains pays.
PARTS = _contender("from divekit import fit, recipes", "-c", "from divekit import fit, recipes")
HELP = _contender("python -m divekit --help", "-m", "divekit", "--help")

JOBS = (
    Job(
        "imports",
        "whole processes",
        (PYTHON, TORCH, DIVEKIT, PARTS, HELP),
        (
            Ratio(DIVEKIT.name, TORCH.name, at_most=1.05),
            Ratio(PARTS.name, TORCH.name, at_most=1.05),
            Ratio(HELP.name, TORCH.name, at_most=0.2),  # torch must not be imported for it
            Ratio(HELP.name, PYTHON.name),
        ),
    ),
)
