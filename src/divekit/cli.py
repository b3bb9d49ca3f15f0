"""The command line: words mapped to functions. Torch is imported only by commands that compute."""

import functools
import json
import logging
import os
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any, ParamSpec

import typer

from divekit import __version__, book
from divekit.errors import DivekitError, GoalMissedError, MissingExtraError, UsageError
from divekit.overrides import split_pairs

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
            help="Of data of your own: data.label=price", metavar="[data.NAME=VALUE]..."
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
    number: Annotated[str, typer.Argument(help="A section: 3.7.", metavar="SECTION")],
    sample: Sample = False,
    out: Out = None,
    json_: Json = False,
) -> None:
    """Run a section of the book: its progress, its results, its pictures."""
    section = book.find(number)
    path = book.script_path(section)
    from divekit.results import results_folder
    from divekit.section import run_section
    from divekit.train import keep_memory

    keep_memory()
    say = _say_on(json_)
    say(f"{section.number} {section.title}")
    samples = _samples(sample and bool(section.data), say)
    with results_folder(out, number) as folder, samples, _stdout_to_stderr(json_):
        try:
            outcome = run_section(path, folder, say)
        except AssertionError as error:
            raise GoalMissedError(f"the section's check failed: {error}") from error
    for picture in outcome.pictures:
        say(f"figure: {picture}")
    if json_:
        result = {"section": number, "figures": [str(item) for item in outcome.pictures]}
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


@command
def train(
    name: Annotated[
        str | None, typer.Argument(help="A recipe: softmax_regression.", metavar="RECIPE")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Argument(help="epochs=3 patience=2 data.batch_size=128", metavar="[NAME=VALUE]..."),
    ] = None,
    sample: Sample = False,
    out: Out = None,
    resume: Annotated[
        Path | None, typer.Option(help="Continue the run in this folder.", metavar="RUN")
    ] = None,
    save_every: Annotated[
        float, typer.Option(help="Seconds between checkpoints within an epoch.", min=0)
    ] = 60.0,
    device: Device = "auto",
    precision: Annotated[
        str | None, typer.Option(help="fp32 or bf16, in place of the recipe's.")
    ] = None,
    curves: Annotated[
        bool, typer.Option(help="Draw the curves below the progress bar of a terminal.")
    ] = True,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write for TensorBoard, beside the results.")
    ] = False,
    json_: Json = False,
) -> None:
    """Train a recipe; keep the model, its history and its pictures."""
    from divekit.train_command import Wanted, train_here

    words = [name, *(settings or [])] if name and "=" in name else settings or []
    wanted = Wanted(
        recipe=None if name and "=" in name else name,
        settings=split_pairs(words) | ({"precision": precision} if precision else {}),
        sample=sample,
        out=out,
        resume=resume,
        save_every=save_every,
        device=device,
        curves=curves,
        tensorboard=tensorboard,
    )
    say = _say_on(json_)
    answer = train_here(wanted, say, progress=sys.stderr if json_ else sys.stdout)
    if answer is None:
        return  # another process of the same run speaks
    if json_:
        typer.echo(json.dumps(answer.to_json()))
    else:
        typer.echo("\n" + answer.suggestions)
    if answer.run.reached is False:
        answer.run.check()  # raises, with the words for it


@command
def compare(
    name: Annotated[str, typer.Argument(help="A recipe: softmax_regression.", metavar="RECIPE")],
    settings: Annotated[
        list[str] | None,
        typer.Argument(help="lr=0.01,0.1,0.5 batch_size=256", metavar="[NAME=VALUE,...]..."),
    ] = None,
    seeds: Annotated[int, typer.Option(help="Runs for each setting, seeds from 0 on.")] = 3,
    metric: Annotated[
        str, typer.Option(help="What is drawn: test_loss, say; the goal's unless given.")
    ] = "",
    sample: Sample = False,
    out: Out = None,
    device: Device = "auto",
    json_: Json = False,
) -> None:
    """Train a recipe under several settings, each with several seeds; one picture, one table."""
    from divekit.compare import Comparison
    from divekit.data import samples_wanted, use_samples
    from divekit.results import draw_comparison, results_folder
    from divekit.watch import told

    say = _say_on(json_)
    with use_samples(sample or samples_wanted()):  # a recipe may have settings for its sample
        comparison = Comparison(name, split_pairs(settings or []), seeds=seeds, metric=metric)
    pictures: list[Path] = []
    with results_folder(out, f"compare-{name}") as folder, _samples(sample, say):
        try:
            with told(comparison.count, sys.stderr if json_ else sys.stdout) as tell:
                comparison.run(folder, device=device, tell=tell)
        finally:
            # Also of a comparison that was interrupted: what is done is kept, drawn and shown.
            if comparison.done:
                try:
                    pictures = draw_comparison(comparison, folder)
                except MissingExtraError as error:
                    say(f"(the picture is left out: {error})")
                say(f"\n{comparison.table()}\n")
                if comparison.done < comparison.count:
                    say(f"{comparison.done} of {comparison.count} runs are done and kept:")
                for path in [folder / "compare.csv", folder / "compare.json", *pictures]:
                    say(str(path))
    if json_:
        typer.echo(json.dumps({"folder": str(folder), **comparison.to_json(histories=False)}))
    if comparison.failures:
        raise DivekitError(
            f"{len(comparison.failures)} of {comparison.count} runs failed; "
            f"the first: {comparison.failures[0]}"
        )


@command
def eval_(
    folder: Annotated[Path, typer.Argument(help="The folder of a run.", metavar="RUN")],
    settings: Annotated[
        list[str] | None,
        typer.Argument(
            help="data=csv:other.csv, data=images:folder; its own validation data when left out",
            metavar="[data=...]",
        ),
    ] = None,
    device: Device = "auto",
    out: Annotated[
        Path | None, typer.Option(help="Folder for the figures and a picture of the confusion.")
    ] = None,
    best: Best = False,
    json_: Json = False,
) -> None:
    """Measure a trained model, on what it was validated on or on other data."""
    from divekit.predicting import measure
    from divekit.results import results_folder, save_measured

    measured = measure(folder, split_pairs(settings or []), device, best=best)
    typer.echo(json.dumps(measured.to_json()) if json_ else str(measured))
    if out is not None:
        with results_folder(out, "eval"):
            for path in save_measured(measured, out):
                typer.echo(f"wrote {path}", err=json_)


@command
def predict(
    folder: Annotated[Path, typer.Argument(help="The folder of a run.", metavar="RUN")],
    files: Annotated[list[Path], typer.Argument(help="Images, or CSV files.", metavar="FILE...")],
    device: Device = "auto",
    out: Annotated[
        Path | None, typer.Option(help="CSV file for the rows with their predictions.")
    ] = None,
    best: Best = False,
    json_: Json = False,
) -> None:
    """Predict with a trained model, for images or for the rows of CSV files."""
    from divekit.predicting import predict_files, predictions_text, write_predictions
    from divekit.runs import load
    from divekit.train import pick_device

    trained = load(folder, str(pick_device(device)), best=best)
    answers = predict_files(trained, files)
    if out is not None:
        write_predictions(trained, files, answers, out)
    if json_:
        typer.echo(json.dumps(answers))
    elif out is not None:
        typer.echo(f"wrote {out}: {len(answers):,} predictions")
    else:
        typer.echo(predictions_text(trained, answers))


@command
def export(
    folder: Annotated[Path, typer.Argument(help="The folder of a run.", metavar="RUN")],
    file: Annotated[
        Path, typer.Argument(help="model.onnx, or model.pt2 for torch.", metavar="FILE")
    ],
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")] = False,
    json_: Json = False,
) -> None:
    """Write a trained model as a file that runs without divekit."""
    from divekit.export import check_target, describe, export_model
    from divekit.runs import load

    check_target(file, overwrite=force)
    trained = load(folder)
    export_model(trained, file, overwrite=force)
    about = {"file": str(file), **describe(trained.facts)}
    if json_:
        typer.echo(json.dumps(about))
        return
    for name, text in about.items():
        typer.echo(f"{name:<12} {text}")


DataName = Annotated[str | None, typer.Argument(help="One data set only.", metavar="[NAME]")]


@data_app.command("list")
@guarded
def data_list(name: DataName = None, json_: Json = False) -> None:
    """List the data sets' files: where they are, and whether they are whole."""
    from divekit.report import data_rows

    _show_data(data_rows(name), json_)


@data_app.command("get")
@guarded
def data_get(name: Annotated[str, typer.Argument(help="A data set.", metavar="NAME")]) -> None:
    """Fetch a data set's files that are not here yet."""
    from divekit.data import DATA_SETS, Archive, fetch, fetch_folder
    from divekit.report import data_rows

    data_rows(name)  # an unknown name is an error that suggests the nearest
    for remote in DATA_SETS[name].files:
        fetch_folder(remote) if isinstance(remote, Archive) else fetch(remote)
    _show_data(data_rows(name), json_=False)


@data_app.command("verify")
@guarded
def data_verify(name: DataName = None, json_: Json = False) -> None:
    """Check files by size and SHA-256; exit code 3 when one that is here is not a known form."""
    from divekit.errors import BadDataError
    from divekit.report import data_rows

    rows = data_rows(name)
    _show_data(rows, json_)
    wrong = [
        f"{row['path']} ({row['state']})"
        for row in rows
        if row["state"] in ("damaged", "unknown form")
    ]
    if wrong:
        raise BadDataError(f"not as it should be: {', '.join(wrong)}")


def _show_data(rows: list[dict[str, Any]], json_: bool) -> None:
    if json_:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        where = f"  {row['path']}" if row["path"] else ""
        typer.echo(f"{row['data']:<22}{row['state']:<21}{row['file']}{where}".rstrip())


@command
def doctor(json_: Json = False) -> None:
    """Show versions, devices, precision, threads and caches, and what to mend."""
    from divekit.doctor import examine
    from divekit.report import info_text

    found = examine()
    typer.echo(json.dumps(found) if json_ else info_text(found))


def _say_on(json_: bool) -> Callable[[str], None]:
    """Give the way to talk to a person: not on standard output when that is for JSON."""
    return functools.partial(typer.echo, err=json_)


def _samples(wanted: bool, say: Callable[[str], None]) -> Any:
    if not wanted:
        return nullcontext()
    from divekit.data import use_samples

    say("(sample data: small stand-ins in place of data that would be downloaded)")
    return use_samples()


def _stdout_to_stderr(wanted: bool) -> Any:
    from contextlib import redirect_stdout

    return redirect_stdout(sys.stderr) if wanted else nullcontext()
