"""What the command line leaves of a run: its folder, its pictures, its summary in words."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from divekit import book, plot
from divekit.errors import UsageError
from divekit.train import Run, numbered

RUNS = Path("runs")
SHOWN_IMAGES = 18


@contextmanager
def results_folder(out: Path | None, name: str) -> Iterator[Path]:
    """Give an empty folder for results: ``out``, or the next ``runs/NAME/NUMBER``.

    What fails before it has written anything leaves no folder behind.
    """
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is not an empty folder; choose another, nothing is overwritten")
    folder = out or numbered(RUNS / name)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield folder
    except BaseException:
        for empty in (folder, folder.parent, folder.parent.parent):
            if empty == RUNS.parent or any(empty.iterdir()) or (out is not None and empty != out):
                break
            empty.rmdir()
        raise


def draw(run: Run, folder: Path) -> dict[str, Path]:
    """Draw the curves and, for images, predictions on test data; give the files by kind."""
    pictures = {"curves": plot.curves(run.history)}
    if run.data.test is not None and run.facts.class_names:
        inputs, labels = (part[:SHOWN_IMAGES] for part in next(iter(run.data.test)))
        if inputs.ndim == 4:
            truth = [run.facts.class_names[label] for label in labels.tolist()]
            guesses = run.predict(inputs).labels
            pictures["predictions"] = plot.images(inputs, guesses, truth=truth)
    paths = {kind: folder / f"{kind}.png" for kind in pictures}
    for kind, picture in pictures.items():
        picture.savefig(paths[kind])
    return paths


def summary(run: Run, folder: Path, pictures: dict[str, Path]) -> str:
    """Write the last epoch's figures, where the files are, and how the goal stands."""
    rows = {name.replace("_", " "): f"{value:.4g}" for name, value in run.metrics.items()}
    rows["model"] = str(folder / "model.safetensors")
    rows |= {kind: str(path) for kind, path in pictures.items()}
    goals = ", ".join(str(goal) for goal in run.goals)
    rows["goal"] = {
        None: f"none is known on {run.facts.name}",
        True: f"reached: {goals}",
        False: f"missed: {goals}",
    }[run.reached]
    return "\n".join(f"{name:<16}{text}" for name, text in rows.items())


def suggestions(run: Run, folder: Path, *, sample: bool) -> str:
    """Say what to try next; with ``sample``, without a download."""
    name = run.recipe.name
    lines = {f"divekit train {name} lr=0.5{' --sample' * sample}": "another learning rate"}
    if sample:
        lines[f"divekit train {name}"] = "the data of the book, fetched once"
    for section in book.sections():
        if name in section.recipes:
            lines[f"divekit notebook {section.number}"] = "the code, to read and change in Jupyter"
    file = "photo.png" if len(run.facts.input_shape) == 3 else "rows.csv"
    lines[f"divekit predict {folder} {file}"] = "the model on a file of your own"
    lines["divekit list"] = "what else there is"
    width = max(len(command) for command in lines)
    rows = [f"  {command:<{width}}  {why}" for command, why in lines.items()]
    return "\n".join(["Try next:", *rows])
