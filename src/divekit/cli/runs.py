"""Commands that train, compare, measure, predict and export."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from divekit.cli.frame import (
    Best,
    Device,
    Json,
    Out,
    Sample,
    command,
    sample_data,
    say_on,
)
from divekit.errors import DivekitError, MissingExtraError
from divekit.overrides import split_pairs


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
    say = say_on(json_)
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

    say = say_on(json_)
    with use_samples(sample or samples_wanted()):  # a recipe may have settings for its sample
        comparison = Comparison(name, split_pairs(settings or []), seeds=seeds, metric=metric)
    pictures: list[Path] = []
    with results_folder(out, f"compare-{name}") as folder, sample_data(sample, say):
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
        Path | None,
        typer.Option(help="Folder for the figures, and the pictures of them."),
    ] = None,
    best: Best = False,
    json_: Json = False,
) -> None:
    """Measure a trained model, on what it was validated on or on other data."""
    from divekit.measuring import measure
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
