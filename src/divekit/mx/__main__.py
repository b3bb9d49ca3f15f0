"""``python -m divekit.mx script.py arguments``: a script of MXNet's, on PyTorch."""

import sys
from pathlib import Path

from divekit.errors import DivekitError
from divekit.mx.programs import run_script

USAGE, FAILED = 2, 4


def main() -> int:
    """Run the script that the command line names; give the exit code."""
    if len(sys.argv) < 2:
        _tell("usage: python -m divekit.mx SCRIPT.py [ARGUMENT]...")
        return USAGE
    try:
        report = run_script(Path(sys.argv[1]), sys.argv[2:], say=_tell)
    except DivekitError as error:
        _tell(f"divekit: {error}")
        return error.exit_code
    for failure in report.failures:
        _tell(f"divekit: {failure}")
    return FAILED if report.failures else 0


def _tell(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
