"""The errors a user can mend, each with the exit code that the command line gives it."""

import difflib
from collections.abc import Iterable

# Longer than any message of ours: what is beyond it comes from somebody's file.
LONGEST = 1200


class DivekitError(Exception):
    """Something went wrong that one line can explain; the command line prints that line."""

    exit_code = 4

    def __str__(self) -> str:
        """Give the line. Names and cells of a file may hold anything, so no control code is in it.

        The middle of a huge line is left out: the file's name stands at its beginning.
        """
        line = super().__str__()
        if not line.isprintable():
            line = "".join(
                letter if letter.isprintable() else letter.encode("unicode_escape").decode()
                for letter in line
            )
        if len(line) > LONGEST:
            line = f"{line[: LONGEST - 300]} ... {line[-300:]}"
        return line


class GoalMissedError(DivekitError):
    """A run ended short of its recipe's goal."""

    exit_code = 1


class DivergedError(DivekitError):
    """Training came to a loss that is NaN or infinite."""


class ProgramFailedError(DivekitError):
    """A program of the user's, run by divekit, ended in an error of its own."""


class UsageError(DivekitError, ValueError):
    """A name, a setting or an input that does not fit; the message says what would."""

    exit_code = 2


class DataNotFoundError(DivekitError):
    """A data set is neither on this machine nor to be had; the message says where to put it."""

    exit_code = 3


class BadDataError(DivekitError):
    """A file is there but cannot be read as what it should be."""

    exit_code = 3


class MissingExtraError(DivekitError):
    """An optional dependency is not installed."""

    exit_code = 2

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs an extra that is not installed: pip install 'divekit[{extra}]'"
        )
        self.extra = extra


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """Build the error for a name that does not exist, with the nearest ones that do."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if near:
        hint = "did you mean " + " or ".join(near) + "?"
    elif len(known) <= 12:
        hint = "there is " + ", ".join(known) if known else "there is none"
    else:
        hint = "`divekit list` shows what there is"
    return UsageError(f"no {kind} is called {name!r}; {hint}")
