"""What ``divekit train`` does: a recipe trained in a folder of its own, or a run continued."""

from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from divekit import results
from divekit.data import samples_wanted, use_samples
from divekit.errors import DivergedError, MissingExtraError, UsageError
from divekit.runs import build, continued
from divekit.train import (
    Callback,
    Checkpoints,
    Log,
    Progress,
    Recipe,
    Run,
    TensorBoard,
    fit,
    workers,
)
from divekit.train.run import DESCRIPTION
from divekit.watch import Live

SAMPLE = "(sample data: small stand-ins in place of data that would be downloaded)"


@dataclass(frozen=True)
class Wanted:
    """What a user asks for."""

    recipe: str | None
    settings: dict[str, str] = field(default_factory=dict)
    sample: bool = False
    out: Path | None = None
    resume: Path | None = None
    save_every: float = 60.0
    device: str = "auto"
    curves: bool = True
    tensorboard: bool = False


@dataclass(frozen=True)
class Answer:
    """What came out of it."""

    run: Run
    folder: Path
    suggestions: str

    def to_json(self) -> dict[str, Any]:
        """Give it as plain values."""
        return {
            "folder": str(self.folder),
            "metrics": self.run.metrics,
            "best": self.run.best,
            "reached": self.run.reached,
        }


def train_here(wanted: Wanted, say: Callable[[str], None], progress: IO[str]) -> Answer | None:
    """Train as wanted, save, draw, and say what came out.

    Where torchrun started several processes, the first one does all the talking and saving;
    the others give None.
    """
    recipe, sample = _recipe(wanted)
    with ExitStack() as stack:
        rank = stack.enter_context(workers())
        stack.enter_context(use_samples() if sample else nullcontext())
        if rank != 0:
            fit(recipe, device=wanted.device, callbacks=[], resume=wanted.resume)
            return None
        if sample:
            say(SAMPLE)
        folder = stack.enter_context(_folder(wanted, recipe))
        watchers: list[Callback] = [
            Checkpoints(folder, seconds=wanted.save_every),
            (Live if wanted.curves else Progress)(progress),
            Log(folder / "history.csv"),
            Log(folder / "history.jsonl"),
        ]
        if wanted.tensorboard:
            watchers.append(TensorBoard(folder / "tensorboard"))
        try:
            run = fit(recipe, device=wanted.device, callbacks=watchers, resume=wanted.resume)
        except DivergedError as error:
            raise DivergedError(f"{error}. {folder} holds the last good state") from error
        run.save(folder)
    try:
        pictures = results.draw(run, folder)
    except MissingExtraError as error:
        pictures = {}
        say(f"(pictures are left out: {error})")
    say("\n" + results.summary(run, folder, pictures))
    return Answer(run, folder, results.suggestions(run, folder, sample=sample))


def _recipe(wanted: Wanted) -> tuple[Recipe, bool]:
    if wanted.resume is None:
        if wanted.recipe is None:
            raise UsageError("name a recipe to train, or a run to continue with --resume RUN")
        with use_samples(wanted.sample or samples_wanted()):  # it may have settings for its sample
            return build(wanted.recipe, wanted.settings), wanted.sample
    if wanted.recipe is not None:
        raise UsageError(
            "--resume RUN continues with the recipe and settings of that run; leave the name "
            f"{wanted.recipe!r} out"
        )
    recipe, sample = continued(wanted.resume, wanted.settings)
    if wanted.sample and not sample:
        raise UsageError(f"{wanted.resume} did not run on sample data; leave --sample out")
    return recipe, sample


def _folder(wanted: Wanted, recipe: Recipe) -> Any:
    """Give the folder for the results; a run that is unfinished goes on in its own."""
    unfinished = wanted.resume is not None and not (wanted.resume / DESCRIPTION).exists()
    if wanted.resume is not None and unfinished:
        if wanted.out is not None:
            raise UsageError(f"the run in {wanted.resume} is continued there; leave --out away")
        return nullcontext(wanted.resume)
    return results.results_folder(wanted.out, recipe.name)
