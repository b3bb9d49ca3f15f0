"""Checkpoints: everything that a run needs to go on as if it had never stopped.

A run's folder holds ``checkpoints/NUMBER/`` with

=========================  ===================================================================
``model.safetensors``      the weights
``best.safetensors``       those of the best epoch so far, where there is one to choose by
``training.safetensors``   tensors of the optimizers, the loop and the random generators
``checkpoint.json``        recipe, settings, facts of the data, history, the plain part of the
                           state, and the size and SHA-256 of each file
=========================  ===================================================================

A checkpoint is written beside its place and renamed, so it is there whole or not at all; the
one before it is removed afterwards. The newest is the one to continue from.
"""

import hashlib
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from divekit.errors import BadDataError, UsageError
from divekit.train import parallel
from divekit.train.disk import DISK, remove_folder, remove_leftovers, write_folder
from divekit.train.plain import flatten, unflatten
from divekit.train.run import DESCRIPTION, Run, check_kinds, describe, read_json
from divekit.train.state import set_generators
from divekit.train.weights import fill, read_tensors, weights_of

log = logging.getLogger("divekit")

FOLDER, STATE = "checkpoints", "checkpoint.json"
WEIGHTS, BEST, TRAINING = "model.safetensors", "best.safetensors", "training.safetensors"
FORMAT = 1
# These may change when a run is continued: how long to go on does not change what was done.
MAY_CHANGE = ("epochs", "patience")


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that was read and is whole."""

    folder: Path
    content: dict[str, Any]

    @property
    def recipe(self) -> str:
        """Name of the recipe."""
        return str(self.content["recipe"])

    @property
    def overrides(self) -> dict[str, Any]:
        """The recipe's settings that were not its defaults."""
        return dict(self.content["overrides"])

    def tensors(self, name: str) -> dict[str, Tensor]:
        """Read one of its files."""
        return read_tensors(self.folder / name)


def write_checkpoint(run: Run, folder: Path) -> Path:
    """Save a run as it stands below its folder, which has a place for it; remove older ones."""
    parent = folder / FOLDER
    older = _numbers(parent)
    target = parent / str(max(older, default=0) + 1)
    values = run.state.state_dict()
    if run.generators is not None:  # a continued run that has not come to its first step
        values["generators"] = run.generators
    state, training = flatten(values)
    files = {WEIGHTS: weights_of(run.model), TRAINING: _contiguous(training)}
    if run.best_weights is not None:
        files[BEST] = run.best_weights

    def write(temporary: Path) -> Iterable[Path]:
        for name, tensors in files.items():
            DISK.write_tensors(temporary / name, tensors)
            yield temporary / name
        content = {
            **describe(run),
            "format": FORMAT,
            "state": state,
            "batches": len(run.data.train),
            "machine": _machine(run),
            "files": {name: fingerprint(temporary / name) for name in files},
        }
        content["digest"] = _digest(content)
        DISK.write(temporary / STATE, json.dumps(content, indent=1).encode())
        yield temporary / STATE

    write_folder(target, write)
    for number in older:
        remove_folder(parent / str(number))
    return target


def read_checkpoint(folder: str | Path) -> Checkpoint:
    """Read the newest checkpoint below a run's folder and check that it is whole.

    Nothing in it is executed. Raises BadDataError in one line when there is none, or when a
    file of it is missing, cut short or was changed.
    """
    parent = Path(folder) / FOLDER
    if not has_checkpoint(folder):
        finished = (Path(folder) / DESCRIPTION).exists()
        raise BadDataError(
            f"{folder} holds no checkpoint to continue from"
            + ("; it is a finished run that was saved without one" if finished else "")
        )
    newest = parent / str(max(_numbers(parent)))
    content = read_json(newest / STATE)
    try:
        whole = content["format"] == FORMAT and content["digest"] == _digest(content)
        marks = dict(content["files"])
    except (KeyError, TypeError, ValueError, RecursionError):
        whole = False
    if not whole:
        raise BadDataError(
            f"{newest / STATE}: not a checkpoint of format {FORMAT}, "
            "or changed since it was written"
        )
    check_kinds(newest / STATE, content)
    for name, mark in marks.items():
        path = newest / name
        if name not in (WEIGHTS, BEST, TRAINING):
            raise BadDataError(f"{newest / STATE}: names an unknown file {name!r}")
        if not path.is_file():
            raise BadDataError(f"{path} is missing")
        if fingerprint(path) != mark:
            read_tensors(path)  # says what is wrong with it, where it is not even such a file
            raise BadDataError(f"{path}: cut short, or changed since it was written")
    return Checkpoint(newest, content)


def has_checkpoint(folder: str | Path) -> bool:
    """Tell whether there is a checkpoint below a run's folder."""
    parent = Path(folder) / FOLDER
    return parent.is_dir() and bool(_numbers(parent))


def restore(run: Run, checkpoint: Checkpoint) -> None:
    """Put a run that was just begun where a checkpoint stands.

    Raises UsageError when the checkpoint is of another recipe or other data, BadDataError when
    its weights do not fit.
    """
    content, current = checkpoint.content, json.loads(json.dumps(describe(run)))
    folder = checkpoint.folder.parent.parent
    for what, saved, here in (
        ("recipe", content["recipe"], current["recipe"]),
        ("settings", _fixed(content["overrides"]), _fixed(current["overrides"])),
        ("facts of the data", content["facts"], current["facts"]),
        ("number of batches", content.get("batches"), len(run.data.train)),
    ):
        if saved != here:
            raise UsageError(
                f"{folder} cannot be continued with another {what}: {_brief(saved)} was saved, "
                f"this is {_brief(here)}"
            )
    saved_on = content.get("machine")
    for what, now in _machine(run).items():
        then = saved_on.get(what) if isinstance(saved_on, dict) else None
        if now != then:
            log.warning("%s was %s and is %s: the last digits may differ", what, then, now)
    fill(run.model, checkpoint.tensors(WEIGHTS), checkpoint.folder / WEIGHTS)
    if BEST in content["files"]:
        run.best_weights = checkpoint.tensors(BEST)
    tensors = checkpoint.tensors(TRAINING)
    try:
        saved = unflatten(content["state"], tensors)
        run.state.load_state_dict(saved)
        run.generators = saved["generators"]
        torch.Generator().set_state(run.generators["cpu"])  # whether it is one
        if not 0 <= run.state.step <= content["batches"]:
            raise ValueError(f"step {run.state.step} of {content['batches']}")
    except BadDataError as error:
        raise BadDataError(f"{checkpoint.folder}: {error}") from None
    except (
        AttributeError, KeyError, IndexError, TypeError, ValueError, RuntimeError
    ) as error:  # fmt: skip
        brief = " ".join(str(error).split())
        raise BadDataError(
            f"{checkpoint.folder}: the optimizer's state does not fit ({brief})"
        ) from error
    run.history[:] = content["history"]
    run.data.train.epoch = run.state.epoch


def remaining(run: Run, train: Any) -> Iterable[Any]:
    """Give the batches of the running epoch that are still to be done.

    For a run that was continued in the middle of an epoch, the earlier ones are drawn again
    and passed over, and the random generators are then set to where they stood.
    """
    batches = iter(train)
    for _ in range(run.state.step):
        next(batches)
    if run.generators is not None:
        set_generators(run.generators, run.state.device)
        run.generators = None
    return batches


def fingerprint(path: Path) -> dict[str, Any]:
    """Give a file's size in bytes and its SHA-256."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return {"size": path.stat().st_size, "sha256": digest.hexdigest()}


def clean(folder: Path) -> None:
    """Remove what a process that was killed while saving left below a run's folder."""
    for place in (folder, folder / FOLDER):
        if place.is_dir():
            remove_leftovers(place)


def _machine(run: Run) -> dict[str, Any]:
    """Give what the last digits of results depend on."""
    return {
        "torch": torch.__version__,
        "device": run.state.device.type,
        "number of threads": torch.get_num_threads(),
        "number of processes": parallel.size(),
    }


def _numbers(parent: Path) -> list[int]:
    return [int(child.name) for child in parent.iterdir() if child.name.isdecimal()]


def _contiguous(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    # Cloned: two entries that share memory would be refused.
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}


def _digest(content: dict[str, Any]) -> str:
    rest = {key: value for key, value in content.items() if key != "digest"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _fixed(overrides: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in overrides.items() if key not in MAY_CHANGE}


def _brief(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."
