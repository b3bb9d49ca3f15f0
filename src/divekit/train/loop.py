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

import torch
from torch import Tensor, nn

from divekit.errors import UsageError
from divekit.train.callbacks import Callback, Progress
from divekit.train.memory import keep_memory
from divekit.train.recipe import Batch, Metrics, Recipe, Record, Step
from divekit.train.run import Run
from divekit.train.state import State


def fit(
    recipe: Recipe,
    *,
    device: str | torch.device = "auto",
    callbacks: Sequence[Callback] | None = None,
) -> Run:
    """Train as the recipe says and give the run.

    Args:
        recipe: what to train; see ``divekit.recipes``.
        device: ``auto`` takes CUDA, else Apple's MPS, else the CPU.
        callbacks: who watches; a progress display unless given.
    """
    keep_memory()
    device = pick_device(device)
    torch.manual_seed(recipe.seed)
    data = recipe.data.open(recipe.seed)
    model = recipe.model(data.facts).to(device)
    run = Run(model, data.facts, recipe=recipe, data=data, state=State(recipe, model, device))
    watchers = [Progress()] if callbacks is None else callbacks
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
    train = run.data.train.to(state.device)
    test = None if run.data.test is None else run.data.test.to(state.device)
    # Bound once: most runs have no watcher of single steps, and a step can take 50 us.
    steppers = [watcher.stepped for watcher in watchers if _defines_stepped(watcher)]
    for epoch in range(1, recipe.epochs + 1):
        model.train()
        means = Means()
        for number, batch in enumerate(train, start=1):
            loss, metrics = step(model, batch, state)
            means.add(len(batch[0]), loss, metrics)
            for stepped in steppers:
                stepped(run, number)
        state.end_epoch()
        record: Record = {"epoch": epoch}
        record |= {f"train_{name}": value for name, value in means.read().items()}
        if test is not None and recipe.loss is not None:
            record |= {f"test_{name}": value for name, value in evaluate(run, test).items()}
        run.history.append(record)
        for watcher in watchers:
            watcher.epoch_ended(run, record)


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
    was_training = run.model.training
    run.model.eval()
    means = Means()
    with torch.no_grad():
        for batch in batches:
            means.add(len(batch[0]), *_measure(run.model, batch, run.recipe, run.state))
    run.model.train(was_training)
    return means.read()


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


class Means:
    """Averages over examples of what batches report. Values stay on the device until read.

    Reading a number off a device waits for all work before it, so it is done once an epoch.
    """

    def __init__(self) -> None:
        self._counts: list[int] = []
        self._values: dict[str, list[Tensor]] = {"loss": []}

    def add(self, count: int, loss: Tensor, metrics: Metrics) -> None:
        """Take the means over a batch of ``count`` examples."""
        self._counts.append(count)
        self._values["loss"].append(loss)
        for name, value in metrics.items():
            self._values.setdefault(name, []).append(value)

    def read(self) -> Record:
        """Give the means over all examples, as numbers."""
        if not self._counts:
            raise UsageError("there are no batches: the data set is empty")
        counts = torch.tensor(self._counts, dtype=torch.float64)
        means = {}
        for name, values in self._values.items():
            stacked = torch.stack(values).cpu().double()  # MPS has no float64, hence in this order
            means[name] = ((stacked * counts).sum() / counts.sum()).item()
        return means


def pick_device(device: str | torch.device = "auto") -> torch.device:
    """Turn ``auto`` into CUDA, else MPS, else the CPU; check that a named device is there."""
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        chosen = torch.device(device)
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"device {device!r} cannot be used: {reason}") from None
    return chosen


def _defines_stepped(watcher: Callback) -> bool:
    return type(watcher).stepped is not Callback.stepped
