"""The command line: words mapped to functions. Torch is imported only by commands that compute."""

import functools
import json
import logging
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec

import typer

from divekit import __version__, book
from divekit.errors import DivekitError, MissingExtraError, UsageError
from divekit.overrides import split_pairs

if TYPE_CHECKING:
    from divekit.train import Run

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

Json = Annotated[
    bool, typer.Option("--json", help="Print JSON on standard output, and nothing else.")
]
Sample = Annotated[bool, typer.Option("--sample", help="Use small data that need no download.")]
Out = Annotated[
    Path | None, typer.Option(help="Folder for the results, in place of runs/NAME/NUMBER.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")]
Parameters = ParamSpec("Parameters")

_debug = False


def main() -> None:
    """Run the command line."""
    app()


def command(function: Callable[Parameters, None]) -> Callable[Parameters, None]:
    """Make a function a command: errors are one line and an exit code, --debug shows more."""

    @functools.wraps(function)
    def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except KeyboardInterrupt:
            _complain("interrupted", INTERRUPTED)
        except DivekitError as error:
            _complain(str(error), error.exit_code)
        except Exception as error:  # the run failed: whatever it was, it ends in one line
            _complain(f"{type(error).__name__}: {error} (--debug shows where)", FAILED)

    app.command(function.__name__.rstrip("_"))(guarded)
    return function


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
    name: Annotated[str, typer.Argument(help="A section (3.7), a recipe or a data set.")],
    json_: Json = False,
) -> None:
    """Say what a section, a recipe or a data set is, without downloading anything."""
    from divekit import report

    facts = report.info(name)
    typer.echo(json.dumps(facts) if json_ else report.info_text(facts))


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
    from divekit.section import run_section
    from divekit.train import keep_memory, numbered

    keep_memory()
    say = _say_on(json_)
    say(f"{section.number} {section.title}")
    folder = out or numbered(Path("runs") / number)
    with _samples(sample, say), _stdout_to_stderr(json_):
        try:
            outcome = run_section(path, folder, say)
        except AssertionError as error:
            typer.echo(f"divekit: the section's check failed: {error}", err=True)
            raise typer.Exit(1) from error
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
def train(
    name: Annotated[str, typer.Argument(help="A recipe: softmax_regression.", metavar="RECIPE")],
    settings: Annotated[
        list[str] | None,
        typer.Argument(help="epochs=3 lr=0.5 data.batch_size=128", metavar="[NAME=VALUE]..."),
    ] = None,
    sample: Sample = False,
    out: Out = None,
    device: Device = "auto",
    precision: Annotated[
        str | None, typer.Option(help="fp32 or bf16, in place of the recipe's.")
    ] = None,
    json_: Json = False,
) -> None:
    """Train a recipe; keep the model, its history and its pictures."""
    from dataclasses import replace

    from divekit.recipes import build
    from divekit.train import Log, Progress, fit, numbered

    recipe = build(name, split_pairs(settings or []))
    if precision is not None:
        if precision not in ("fp32", "bf16"):
            raise UsageError(f"--precision {precision}: precision takes fp32 or bf16")
        recipe = replace(recipe, precision=precision)  # type: ignore[arg-type]
    say = _say_on(json_)
    folder = out or numbered(Path("runs") / name)
    if (folder / "run.json").exists():
        raise UsageError(f"{folder} holds a run already; choose another folder")
    watchers = [
        Progress(sys.stderr if json_ else sys.stdout),
        Log(folder / "history.csv"),
        Log(folder / "history.jsonl"),
    ]
    with _samples(sample, say):
        result = fit(recipe, device=device, callbacks=watchers)
    result.save(folder)
    pictures = _draw(result, folder, say)
    goals = list(recipe.goals_on(result.facts.name))
    say("")
    for metric, value in result.metrics.items():
        say(f"{metric.replace('_', ' '):<16}{value:.4g}")
    for kind, path in {"model": folder / "model.safetensors", **pictures}.items():
        say(f"{kind:<16}{path}")
    say(f"goal            {result.check() if goals and _met(result) else _goal_line(result)}")
    if json_:
        typer.echo(
            json.dumps(
                {
                    "folder": str(folder),
                    "metrics": result.metrics,
                    "goals": [str(goal) for goal in goals],
                    "reached": _met(result) if goals else None,
                }
            )
        )
    else:
        _suggest(result, name, folder)
    if goals:
        result.check()


@command
def predict(
    folder: Annotated[Path, typer.Argument(help="The folder of a run.", metavar="RUN")],
    files: Annotated[
        list[Path], typer.Argument(help="Images, or CSV files of numbers.", metavar="FILE...")
    ],
    device: Device = "auto",
    json_: Json = False,
) -> None:
    """Predict with a trained model."""
    from divekit.data import read_inputs
    from divekit.recipes import load
    from divekit.train import pick_device

    trained = load(folder, str(pick_device(device)))
    results = []
    for file in files:
        predictions = trained.predict(read_inputs(file, trained.facts))  # type: ignore[arg-type]
        for row, answer in enumerate(predictions.to_json(), start=1):
            results.append({"file": str(file), "row": row, **answer})
    if json_:
        typer.echo(json.dumps(results))
        return
    for result in results:
        if "label" in result:
            top = sorted(result["probabilities"].items(), key=lambda item: -item[1])[:3]
            ranked = ", ".join(f"{label} {probability:.1%}" for label, probability in top)
            typer.echo(f"{result['file']}: {result['label']}  ({ranked})")
        else:
            typer.echo(f"{result['file']}, row {result['row']}: {result['value']}")


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


def _draw(result: "Run", folder: Path, say: Callable[[str], None]) -> dict[str, Path]:
    """Draw the curves and, for images, predictions; without matplotlib say so and go on."""
    from divekit import plot

    try:
        pictures = {"curves": plot.curves(result.history)}
        if result.facts.class_names and result.data.test is not None:
            batch = next(iter(result.data.test))
            shown, labels = batch[0][:18], batch[1][:18]
            if shown.ndim == 4:
                truth = [result.facts.class_names[label] for label in labels.tolist()]
                pictures["predictions"] = plot.images(
                    shown, result.predict(shown).labels, truth=truth
                )
    except MissingExtraError as error:
        say(f"(pictures are left out: {error})")
        return {}
    paths = {}
    for kind, picture in pictures.items():
        paths[kind] = folder / f"{kind}.png"
        picture.savefig(paths[kind])
    return paths


def _met(result: "Run") -> bool:
    return all(
        goal.reached(result.metrics[goal.metric])
        for goal in result.recipe.goals_on(result.facts.name)
    )


def _goal_line(result: "Run") -> str:
    goals = [str(goal) for goal in result.recipe.goals_on(result.facts.name)]
    return f"missed: {', '.join(goals)}" if goals else f"none is known on {result.facts.name}"


def _suggest(result: "Run", name: str, folder: Path) -> None:
    """End with what to try next."""
    sections = [section.number for section in book.sections() if name in section.recipes]
    typer.echo("\nTry next:")
    typer.echo(f"  divekit train {name} lr=0.5        another learning rate")
    for number in sections:
        typer.echo(f"  divekit notebook {number}   the code, to read and change")
    if result.facts.class_names:
        typer.echo(f"  divekit predict {folder} photo.png")
    typer.echo(f"  divekit info {name}")
