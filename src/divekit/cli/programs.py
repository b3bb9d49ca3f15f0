"""Programs written for MXNet: run unmodified, or explained."""

import json
from dataclasses import asdict
from pathlib import Path

import typer

from divekit.cli.frame import say_on, stdout_to_stderr
from divekit.errors import ProgramFailedError, UsageError

KINDS = (".ipynb", ".md", ".py")


def is_program(name: str) -> bool:
    """Tell whether a word names a program's file, by its ending."""
    return name.lower().endswith(KINDS)


def explain_program(path: Path, json_: bool) -> None:
    """Print what of MXNet a program uses, with PyTorch's way of saying it."""
    from divekit.mx.programs import explain
    from divekit.mx.programs.explain import explain_text

    uses = explain(path)
    typer.echo(json.dumps([asdict(use) for use in uses]) if json_ else explain_text(uses))


def run_program(
    path: Path,
    arguments: list[str],
    out: Path | None,
    *,
    virtual_gpus: int,
    epochs: int | None,
    keep_going: bool,
    tab: str | None,
    verbose: bool,
    json_: bool,
) -> None:
    """Run a notebook, a chapter or a script with MXNet's names in place; end with 4 if it fails."""
    if not path.is_file():
        raise UsageError(f"there is no file {path}")
    script = path.suffix.lower() == ".py"
    if arguments and not script:
        raise UsageError(f"{path} is no script: it takes no arguments ({' '.join(arguments)})")
    if tab and path.suffix.lower() != ".md":
        raise UsageError(f"{path} is no Markdown: --tab chooses among a chapter's listings")
    from divekit.mx.programs import run_notebook, run_script
    from divekit.results import results_folder
    from divekit.train import keep_memory

    keep_memory()
    say = say_on(json_)
    with results_folder(out, path.stem) as folder, stdout_to_stderr(json_):
        if script:
            report = run_script(
                path, arguments, folder, virtual_gpus=virtual_gpus, epochs=epochs, say=say
            )
        else:
            report = run_notebook(
                path,
                folder,
                virtual_gpus=virtual_gpus,
                epochs=epochs,
                keep_going=keep_going,
                tab=tab or "mxnet",
                say=say,
            )
    for picture in report.figures:
        say(f"figure: {picture}")
    if report.executed:
        say(f"executed: {report.executed}")
    if verbose:
        for line in report.shims:
            say(f"shim: {line}")
    if json_:
        typer.echo(
            json.dumps(
                {
                    "executed": str(report.executed) if report.executed else None,
                    "figures": [str(item) for item in report.figures],
                    "failures": report.failures,
                    "shims": report.shims,
                }
            )
        )
    if report.failures:
        *others, last = report.failures
        for failure in others:
            typer.echo(f"divekit: {failure}", err=True)
        raise ProgramFailedError(last)
