"""What all commands share: the application, its options, and how errors end."""

import functools
import logging
import os
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any, ParamSpec

import typer

from divekit import __version__
from divekit.errors import DivekitError

FAILED, INTERRUPTED = 4, 130

app = typer.Typer(
    name="divekit",
    help="Every system of the book Dive into Deep Learning, on PyTorch.",
    epilog="Begin with: divekit list, then divekit run 3.7 --sample",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

data_app = typer.Typer(help="The data sets: what is here, what is missing.", no_args_is_help=True)
app.add_typer(data_app, name="data")

Json = Annotated[
    bool, typer.Option("--json", help="Print JSON on standard output, and nothing else.")
]
Sample = Annotated[bool, typer.Option("--sample", help="Use small data that need no download.")]
Out = Annotated[
    Path | None, typer.Option(help="Folder for the results, in place of runs/NAME/NUMBER.")
]
Best = Annotated[
    bool, typer.Option("--best", help="Take the weights of the best epoch, not of the last.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")]
Parameters = ParamSpec("Parameters")

_debug = False


def main() -> None:
    """Run the command line."""
    app()


def command(function: Callable[Parameters, None]) -> Callable[Parameters, None]:
    """Make a function a command of ``divekit``."""
    app.command(function.__name__.rstrip("_"))(guarded(function))
    return function


def guarded(function: Callable[Parameters, None]) -> Callable[Parameters, None]:
    """Make errors one line and an exit code; --debug shows more."""

    @functools.wraps(function)
    def call(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except BrokenPipeError:
            # Whoever read the output has heard enough: `divekit list | head`.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except KeyboardInterrupt as interrupt:
            _complain(str(interrupt) or "interrupted", INTERRUPTED)
        except DivekitError as error:
            _complain(str(error), error.exit_code)
        except Exception as error:  # the run failed: whatever it was, it ends in one line
            _complain(f"{type(error).__name__}: {error} (--debug shows where)", FAILED)

    return call


def _complain(line: str, exit_code: int) -> None:
    if _debug:
        raise  # what the caller is handling
    typer.echo(f"divekit: {line}", err=True)
    raise typer.Exit(exit_code)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"divekit {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    global _debug
    _debug = debug
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    logging.getLogger("divekit").setLevel(logging.INFO)


def say_on(json_: bool) -> Callable[[str], None]:
    """Give the way to talk to a person: not on standard output when that is for JSON."""
    return functools.partial(typer.echo, err=json_)


def sample_data(wanted: bool, say: Callable[[str], None]) -> Any:
    """Give the context in which samples stand in, where that is wanted, and say so."""
    if not wanted:
        return nullcontext()
    from divekit.data import use_samples

    say("(sample data: small stand-ins in place of data that would be downloaded)")
    return use_samples()


def stdout_to_stderr(wanted: bool) -> Any:
    """Give the context in which what is printed leaves standard output to JSON."""
    from contextlib import redirect_stdout

    return redirect_stdout(sys.stderr) if wanted else nullcontext()
