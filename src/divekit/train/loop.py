"""The training loop: an epoch of steps, an epoch of measuring, and so on.

``fit(recipe)`` gives, number for number, what a reader's own loop gives with the same seed::

    torch.manual_seed(seed)
    data = recipe.data.open(seed)
    model = recipe.model(data.facts)
    optimizer = recipe.optimizer(model)
    for epoch in range(recipe.epochs):
        for inputs, targets in data.train:
            optimizer.zero_grad()
            recipe.loss(model(inputs), targets).backward()
            optimizer.step()
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from divekit.errors import UsageError
from divekit.train import parallel
from divekit.train.callbacks import Callback, default_callbacks
from divekit.train.checkpoint import read_checkpoint, remaining, restore
from divekit.train.devices import pick_device
from divekit.train.means import Means
from divekit.train.memory import keep_memory
from divekit.train.recipe import Batch, BatchesLike, Metrics, Recipe, Record, Step
from divekit.train.run import Run
from divekit.train.state import State
from divekit.train.weights import weights_of


def fit(
    recipe: Recipe,
    *,
    device: str | torch.device = "auto",
    callbacks: Sequence[Callback] | None = None,
    resume: str | Path | None = None,
) -> Run:
    """Train as the recipe says and give the run.

    Args:
        recipe: what to train; see ``divekit.recipes``.
        device: ``auto`` takes CUDA, else Apple's MPS, else the CPU.
        callbacks: who watches; unless given, live curves in a notebook, else a progress display.
        resume: the folder of a run to continue from its newest checkpoint (``Checkpoints``
            writes them). It ends as the run would have ended that was not stopped, bit for
            bit, on the same machine with as many threads.

    Raises DivergedError when the loss becomes NaN or infinite.
    """
    keep_memory()
    device = parallel.device() or pick_device(device)
    checkpoint = None if resume is None else read_checkpoint(resume)
    torch.manual_seed(recipe.seed)
    data = recipe.data.open(recipe.seed)
    recipe = recipe.knowing(data.facts)
    model = recipe.model(data.facts).to(device)
    run = Run(model, data.facts, recipe=recipe, data=data, state=State(recipe, model, device))
    if checkpoint is not None:
        restore(run, checkpoint)
    watchers = default_callbacks() if callbacks is None else callbacks
    run.keeps_best = recipe.patience is not None or any(one.keeps_best for one in watchers)
    try:
        for watcher in watchers:
            watcher.started(run)
        _train(run, watchers)
    finally:
        for watcher in watchers:
            watcher.ended(run)
    return run


def _train(run: Run, watchers: Iterable[Callback]) -> None:
    recipe, state, model = run.recipe, run.state, run.model
    step = recipe.step or supervised_step(recipe)
    train = parallel.shared(run.data.train.to(state.device), state)
    test = None if run.data.test is None else run.data.test.to(state.device)
    replica = parallel.replica(model)
    # Bound once: most runs have no watcher of single steps, and a step can take 50 us.
    steppers = [watcher.stepped for watcher in watchers if _defines_stepped(watcher)]
    while not run.finished:
        model.train()
        for batch in remaining(run, train):
            loss, metrics = step(replica, batch, state)
            state.means.add(len(batch[0]) if state.share else 0, loss, metrics)
            state.step += 1
            for stepped in steppers:
                stepped(run, state.step)
        record = _end_epoch(run, test)
        for watcher in watchers:
            watcher.epoch_ended(run, record)


def _end_epoch(run: Run, test: BatchesLike | None) -> Record:
    """Close an epoch: schedules, figures, and the weights if it is the best so far."""
    recipe, state = run.recipe, run.state
    if (bad := state.means.first_bad_step()) is not None:
        raise state.diverged(*bad)
    state.end_epoch()
    record: Record = {"epoch": state.epoch + 1}
    record |= {f"train_{name}": value for name, value in parallel.read(state.means).items()}
    state.epoch, state.step, state.means = state.epoch + 1, 0, Means()
    measured = state.epoch % recipe.validate_every == 0 or state.epoch == recipe.epochs
    if test is not None and recipe.loss is not None and measured:
        means = parallel.read(_measure_all(run, test))
        record |= {f"test_{name}": value for name, value in means.items()}
    run.history.append(record)
    if run.keeps_best and run.best is record:
        run.best_weights = {name: part.clone() for name, part in weights_of(run.model).items()}
    return record


def supervised_step(recipe: Recipe) -> Step:
    """Make the step for batches of (inputs, targets) out of the recipe's loss and metrics."""

    def step(model: nn.Module, batch: Batch, state: State) -> tuple[Tensor, Metrics]:
        loss, metrics = _measure(model, batch, recipe, state)
        state.update(loss)
        return loss.detach(), metrics

    return step


def evaluate(run: Run, batches: Iterable[Batch]) -> Record:
    """Measure a supervised run over batches: ``{"loss": ..., "accuracy": ...}``."""
    if run.recipe.loss is None:
        raise UsageError("a recipe with a step of its own has no loss to measure by")
    return _measure_all(run, batches).read()


def _measure_all(run: Run, batches: Iterable[Batch]) -> Means:
    was_training = run.model.training
    run.model.eval()
    means = Means()
    with torch.no_grad():
        for batch in batches:
            means.add(len(batch[0]), *_measure(run.model, batch, run.recipe, run.state))
    run.model.train(was_training)
    return means


def _measure(
    model: nn.Module, batch: Batch, recipe: Recipe, state: State
) -> tuple[Tensor, Metrics]:
    inputs, targets = batch
    assert recipe.loss is not None
    with state.autocast():
        outputs = model(inputs)
        loss = recipe.loss(outputs, targets)
    if not recipe.metrics:
        return loss, {}
    with torch.no_grad():
        return loss, {name: metric(outputs, targets) for name, metric in recipe.metrics.items()}


def _defines_stepped(watcher: Callback) -> bool:
    return type(watcher).stepped is not Callback.stepped
