"""What the command line leaves of a run: its folder, its pictures, its summary in words."""

import json
import math
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from divekit import book, measuring, plot
from divekit.compare import Comparison
from divekit.errors import UsageError
from divekit.train import Run, numbered

RUNS = Path("runs")
SHOWN_IMAGES = 18


@contextmanager
def results_folder(out: Path | None, name: str) -> Iterator[Path]:
    """Give an empty folder for results: ``out``, or the next ``runs/NAME/NUMBER``.

    What writes nothing leaves no folder behind.
    """
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is not an empty folder; choose another, nothing is overwritten")
    folder = out or numbered(RUNS / name)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield folder
    finally:
        for empty in (folder, folder.parent, folder.parent.parent):
            if empty == RUNS.parent or any(empty.iterdir()) or (out is not None and empty != out):
                break
            empty.rmdir()


def draw(run: Run, folder: Path) -> dict[str, Path]:
    """Draw the curves and, for images, predictions on test data; give the files by kind.

    The curves are saved as SVG too, beside the PNG: sharp at any size, and text stays text.
    """
    pictures = {"curves": plot.curves(run.history)}
    if run.data.test is not None and run.facts.class_names:
        inputs, labels = (part[:SHOWN_IMAGES] for part in next(iter(run.data.test)))
        if inputs.ndim == 4:
            truth = [run.facts.class_names[label] for label in labels.tolist()]
            guesses = run.predict(inputs).labels
            pictures["predictions"] = plot.images(inputs, guesses, truth=truth)
    paths = {kind: folder / f"{kind}.png" for kind in pictures}
    plot.save(pictures["curves"], folder / "curves")
    if "predictions" in pictures:
        pictures["predictions"].savefig(paths["predictions"])
    return paths


def save_measured(measured: measuring.Measured, folder: Path) -> list[Path]:
    """Write what a model was measured to be; draw the confusion of few classes, and mistakes."""
    figures = folder / "figures.json"
    figures.write_text(json.dumps(measured.to_json(), indent=1), encoding="utf-8")
    pictures = measuring.draw(measured)
    for name, picture in pictures.items():
        picture.savefig(folder / f"{name}.png")
    return [figures, *(folder / f"{name}.png" for name in pictures)]


def draw_comparison(comparison: Comparison, folder: Path) -> list[Path]:
    """Draw a comparison as PNG and SVG; give the files."""
    return plot.save(comparison.picture(), folder / "compare")


def summary(run: Run, folder: Path, pictures: dict[str, Path]) -> str:
    """Write the last epoch's figures, where the files are, and how the goal stands."""
    rows = {name.replace("_", " "): f"{value:.4g}" for name, value in run.metrics.items()}
    rows["model"] = str(folder / "model.safetensors")
    rows |= {kind: str(path) for kind, path in pictures.items()}
    if "curves" in rows:
        rows["curves"] += " (and .svg)"
    goals = ", ".join(str(goal) for goal in run.goals)
    rows["goal"] = {
        None: f"none is known on {run.facts.name}",
        True: f"reached: {goals}",
        False: f"missed: {goals}",
    }[run.reached]
    width = max(16, *(len(name) + 2 for name in rows))
    return "\n".join(f"{name:<{width}}{text}" for name, text in rows.items())


def suggestions(run: Run, folder: Path, *, sample: bool) -> str:
    """Say what to try next; with ``sample``, without a download."""
    name = run.recipe.name
    # Names of columns may hold blanks.
    data = "".join(
        f" {shlex.quote(f'{key}={value}')}"
        for key, value in run.recipe.overrides.items()
        if key.split(".")[0] == "data"
    )
    if "data" in run.recipe.overrides and not run.metrics["train_loss"] < _loss_of_guessing(run):
        lr = next(iter(run.state.optimizers.values())).param_groups[0]["lr"]
        smaller = f"divekit train {name}{data} lr={lr / 10:g}"
        lines = {smaller: "smaller steps: this loss is above that of guessing"}
    elif "data" in run.recipe.overrides:
        longer = f"divekit train {name}{data} epochs={3 * run.recipe.epochs}"
        lines = {longer: "three times as long"}
    else:
        other = f"divekit train {name}{data} lr=0.5{' --sample' * sample}"
        lines = {other: "another learning rate"}
    if sample:
        lines[f"divekit train {name}"] = "the data of the book, fetched once"
    for section in book.sections():
        if name in section.recipes:
            lines[f"divekit notebook {section.number}"] = "the code, to read and change in Jupyter"
    images, classes = len(run.facts.input_shape) == 3, bool(run.facts.class_names)
    file = "photo.png" if images else "rows.csv"
    if run.data.test is not None:
        out = " --out measured" * (images and classes)
        by_class = ", class by class" * classes + ", its mistakes as a picture" * bool(out)
        lines[f"divekit eval {folder}{out}"] = f"how good it is{by_class}"
    lines[f"divekit predict {folder} {file}"] = "the model on a file of your own"
    lines["divekit list"] = "what else there is"
    width = max(len(command) for command in lines)
    rows = [f"  {command:<{width}}  {why}" for command, why in lines.items()]
    return "\n".join(["Try next:", *rows])


def _loss_of_guessing(run: Run) -> float:
    """Give the loss of saying the same for every example: all classes alike, or the mean."""
    # Targets of a table are in spreads around their mean; the loss is half the squared error.
    return math.log(len(run.facts.class_names)) if run.facts.class_names else 0.5
