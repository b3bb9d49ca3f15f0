"""Commands around the book: its sections, their notebooks, its symbols."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from divekit import book
from divekit.cli.frame import (
    Json,
    Out,
    Sample,
    command,
    sample_data,
    say_on,
    stdout_to_stderr,
)
from divekit.cli.programs import explain_program, is_program, run_program
from divekit.errors import GoalMissedError, UsageError
from divekit.overrides import split_pairs


@command
def list_(
    chapter: Annotated[int | None, typer.Argument(help="One chapter only: 3.")] = None,
    json_: Json = False,
) -> None:
    """List the book's sections, and how far each has been shown."""
    from divekit.report import list_rows, list_text

    rows = list_rows(chapter)
    typer.echo(json.dumps(rows) if json_ else list_text(rows))


@command
def info(
    name: Annotated[
        str,
        typer.Argument(help="A section (3.7), a recipe, a data set, or csv:FILE or images:FOLDER."),
    ],
    settings: Annotated[
        list[str] | None,
        typer.Argument(
            help="Of a recipe: depth=16. Of data of your own: data.label=price",
            metavar="[NAME=VALUE]...",
        ),
    ] = None,
    json_: Json = False,
) -> None:
    """Say what a section, a recipe or a data set is, without downloading anything."""
    from divekit import report

    facts = report.info(name, split_pairs(settings or []))
    typer.echo(json.dumps(facts) if json_ else report.info_text(facts))


@command
def notation(
    word: Annotated[
        str | None, typer.Argument(help="Only what mentions it: gradient.", metavar="[WORD]")
    ] = None,
    ascii_: Annotated[
        bool, typer.Option("--ascii", help="Plain letters, where a terminal shows boxes.")
    ] = False,
    json_: Json = False,
) -> None:
    """Explain the book's symbols, each with torch's expression for it."""
    from divekit import notation as table

    rows = table.rows(word)
    plain = ascii_ or not table.letters_are_shown(sys.stdout.encoding, os.environ.get("TERM", ""))
    typer.echo(json.dumps(rows) if json_ else table.text(rows, plain=plain))


@command
def run(
    what: Annotated[
        str,
        typer.Argument(
            help="A section, 3.7; or a program written for MXNet: .ipynb, .md or .py.",
            metavar="SECTION|FILE",
        ),
    ],
    arguments: Annotated[
        list[str] | None, typer.Argument(help="Arguments for a script.", metavar="[ARGUMENT]...")
    ] = None,
    sample: Sample = False,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Run nothing: print PyTorch's way of each MXNet call."),
    ] = False,
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="Hold what a program assigns to num_epochs to this."),
    ] = None,
    virtual_gpus: Annotated[
        int, typer.Option(min=0, help="Pretend to a program that there are so many GPUs.")
    ] = 0,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Run the cells after one that fails, too.")
    ] = False,
    tab: Annotated[
        str | None,
        typer.Option(help="Run a chapter's listings for this framework: pytorch, not mxnet."),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Tell which shims a program needed.")
    ] = False,
    out: Out = None,
    json_: Json = False,
) -> None:
    """Run a section of the book; or a program written for MXNet, as it is, on PyTorch."""
    if is_program(what):
        if sample:
            raise UsageError("--sample is for sections; a program opens what it names")
        if explain:
            explain_program(Path(what), json_)
            return
        run_program(
            Path(what),
            arguments or [],
            out,
            virtual_gpus=virtual_gpus,
            epochs=epochs,
            keep_going=keep_going,
            tab=tab,
            verbose=verbose,
            json_=json_,
        )
        return
    if explain or epochs or virtual_gpus or keep_going or tab or verbose or arguments:
        raise UsageError(
            f"{what} is a section, which takes --sample, --out and --json; "
            "the rest is for programs: a file that ends in .ipynb, .md or .py"
        )
    section = book.find(what)
    path = book.script_path(section)
    from divekit.results import results_folder
    from divekit.section import run_section
    from divekit.train import keep_memory

    keep_memory()
    say = say_on(json_)
    say(f"{section.number} {section.title}")
    samples = sample_data(sample and bool(section.data), say)
    with results_folder(out, what) as folder, samples, stdout_to_stderr(json_):
        try:
            outcome = run_section(path, folder, say)
        except AssertionError as error:
            raise GoalMissedError(f"the section's check failed: {error}") from error
    for picture in outcome.pictures:
        say(f"figure: {picture}")
    if json_:
        result = {"section": what, "figures": [str(item) for item in outcome.pictures]}
        typer.echo(json.dumps(result))


@command
def notebook(
    number: Annotated[str | None, typer.Argument(help="A section: 3.7.", metavar="SECTION")] = None,
    folder: Annotated[Path, typer.Argument(help="Where to put it.")] = Path(),
    every: Annotated[
        bool, typer.Option("--all", help="Write the notebooks of all sections.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite a notebook that is there.")
    ] = False,
) -> None:
    """Write a section as a Jupyter notebook, with the library's code in view to change."""
    from divekit.notebook import write_notebook

    if every:
        # With --all the only argument is the folder.
        folder = Path(number) if number else folder
        chosen = [section for section in book.sections() if section.script]
    elif number:
        chosen = [book.find(number)]
    else:
        raise UsageError("name a section, or give --all")
    for section in chosen:
        typer.echo(write_notebook(section, folder, overwrite=force))


@command
def lab(
    number: Annotated[
        str | None, typer.Argument(help="Open one section: 3.7.", metavar="[SECTION]")
    ] = None,
    folder: Annotated[Path, typer.Option(help="Where the notebooks are.")] = Path("notebooks"),
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
    port: Annotated[int | None, typer.Option(help="Port of the server.")] = None,
) -> None:
    """Open JupyterLab on the notebooks of all sections, or of one; Ctrl-C ends it."""
    from divekit.lab import check_installed, open_lab, prepare

    check_installed()
    chosen = [book.find(number)] if number else [item for item in book.sections() if item.script]
    paths, line = prepare(chosen, folder)
    typer.echo(line)
    open_lab(paths[0] if number else folder, browser=browser, port=port)
