"""Runs that are stopped anywhere end as if they had not been."""

import functools
import itertools
import json
import os
import re
import signal
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from divekit import recipes
from divekit.data import Batches, Facts, Opened, SyntheticRegression, use_samples
from divekit.errors import BadDataError, DivergedError, UsageError
from divekit.models import LinearRegression
from divekit.nn import squared_loss
from divekit.train import (
    Callback,
    Checkpoints,
    Interrupted,
    Recipe,
    checkpoint,
    fit,
    read_checkpoint,
)
from divekit.train.disk import DISK


class Stop(Exception):  # noqa: N818
    """The power went."""


class StopAfter(Callback):
    """End a run after so many steps, without a word to anyone."""

    def __init__(self, steps):
        self.left = steps

    def stepped(self, run, step):
        self.left -= 1
        if self.left == 0:
            raise Stop


class Noisy(nn.Module):
    """Dropout, batch normalisation, tied weights and a convolution in channels_last."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.inner, self.tied = nn.Linear(16, 16), nn.Linear(16, 16)
        self.tied.weight = self.inner.weight
        self.head = nn.Linear(16, 2)
        self.to(memory_format=torch.channels_last)

    def forward(self, images):
        hidden = F.adaptive_avg_pool2d(self.norm(self.convolution(images)).relu(), 2).flatten(1)
        hidden = F.dropout(self.tied(self.inner(hidden).relu()), 0.3, self.training)
        return self.head(hidden)


class Pictures:
    """Settings of a data set: 21 random pictures of two classes."""

    name = "pictures"

    def open(self, seed=0):
        generator = torch.Generator().manual_seed(4)
        images = torch.randn(21, 1, 8, 8, generator=generator)
        labels = (images.mean(dim=(1, 2, 3)) > 0).long()
        facts = Facts("pictures", (1, 8, 8), class_names=("dark", "light"))
        return Opened.from_tensors(
            facts, (images, labels), (images, labels), batch_size=5, seed=seed
        )


def images(optimizer=lambda model: torch.optim.Adam(model.parameters(), lr=0.01), **changes):
    settings = {
        "data": Pictures(),
        "model": lambda facts: Noisy(),
        "loss": F.cross_entropy,
        "optimizer": optimizer,
        "epochs": 3,
        "name": "images",
    }
    return Recipe(**settings | changes)


def line(**changes):
    settings = {
        "data": SyntheticRegression(num_examples=25, batch_size=10),
        "model": lambda facts: LinearRegression(facts.num_features),
        "loss": squared_loss,
        "optimizer": lambda model: torch.optim.SGD(model.parameters(), lr=0.1),
        "epochs": 3,
        "name": "line",
    }
    return Recipe(**settings | changes)


def carrying_step(model, batch, state):
    """Two optimizers, and a value that goes from step to step, with batches and with noise."""
    inputs, targets = batch
    seen = state.carry.get("seen", torch.zeros(2))
    state.carry["seen"] = 0.5 * seen + inputs.mean(dim=0)
    noise = 0.1 * torch.randn(len(inputs), 2)
    loss = squared_loss(model(inputs + noise + state.carry["seen"]), targets)
    state.update(loss, "weight")
    second = squared_loss(model(inputs), targets)
    state.update(second, "bias")
    return loss.detach(), {"second": second.detach()}


CASES = {
    "adam": images(),
    "momentum and a schedule": images(
        lambda model: torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True),
        schedule=lambda optimizer: torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 7]),
        schedule_every="update",
    ),
    "fused": images(lambda model: torch.optim.AdamW(model.parameters(), lr=0.01, fused=True)),
    "warmup, then cosine": images(
        schedule=lambda optimizer: torch.optim.lr_scheduler.SequentialLR(
            optimizer,
            [
                torch.optim.lr_scheduler.LinearLR(optimizer, 0.1, total_iters=2),
                torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 3),
            ],
            milestones=[1],
        ),
    ),
    "lists in the state": images(
        lambda model: torch.optim.Rprop(model.parameters(), lr=0.01), precision="bf16"
    ),
    "two optimizers and a carry": line(
        loss=None,
        step=carrying_step,
        optimizer=lambda model: {
            "weight": torch.optim.RMSprop([model.linear.weight], lr=0.01),
            "bias": torch.optim.Adagrad([model.linear.bias], lr=0.1),
        },
    ),
    "rare validation": images(validate_every=2),
    "patience": images(patience=1, epochs=4),
}


def ends_alike(run, other):
    assert run.history == other.history
    for (name, one), two in zip(
        run.model.state_dict().items(), other.model.state_dict().values(), strict=True
    ):
        assert torch.equal(one, two), name
        assert one.stride() == two.stride(), name
    for name, optimizer in run.state.optimizers.items():
        states = optimizer.state.values(), other.state.optimizers[name].state.values()
        for one, two in zip(*states, strict=True):
            assert all(
                torch.equal(part, two[key]) if isinstance(part, torch.Tensor) else part == two[key]
                for key, part in one.items()
            )
    if run.best_weights is not None and other.best_weights is not None:
        for key, tensor in run.best_weights.items():
            assert torch.equal(tensor, other.best_weights[key])


@pytest.mark.parametrize("case", CASES)
def test_a_run_stopped_after_any_step_ends_bit_for_bit_as_if_it_had_not_been(case, tmp_path):
    recipe = CASES[case]
    whole = fit(recipe, callbacks=[Checkpoints(tmp_path / "whole")])
    steps = len(whole.history) * len(whole.data.train)
    for stop in range(1, steps + 1, 1 if case == "adam" else 4):
        folder = tmp_path / str(stop)
        # The save after each step comes before the stop after it.
        with pytest.raises(Stop):
            fit(recipe, callbacks=[Checkpoints(folder, seconds=0), StopAfter(stop)])
        torch.rand(stop)  # another process would have another generator
        again = fit(recipe, callbacks=[Checkpoints(folder)], resume=folder)
        ends_alike(again, whole)


def test_a_run_stopped_again_and_again_ends_the_same(tmp_path):
    recipe = images(epochs=2)
    whole = fit(recipe, callbacks=[])
    resume = None
    for _ in range(len(whole.history) * len(whole.data.train)):
        with pytest.raises(Stop):
            fit(recipe, callbacks=[Checkpoints(tmp_path, seconds=0), StopAfter(1)], resume=resume)
        resume = tmp_path
    ends_alike(fit(recipe, callbacks=[], resume=tmp_path), whole)


class StopAtStart(Callback):
    """End a run before its first step, when it has saved where it stands."""

    def started(self, run):
        raise Stop


@pytest.mark.parametrize("steps", [2, 5, 7])
def test_a_continued_run_stopped_before_its_first_step_ends_the_same(tmp_path, steps):
    recipe = images(epochs=2)
    whole = fit(recipe, callbacks=[])
    saving = Checkpoints(tmp_path, seconds=0)
    with pytest.raises(Stop):
        fit(recipe, callbacks=[saving, StopAfter(steps)])
    with pytest.raises(Stop):
        fit(recipe, callbacks=[saving, StopAtStart()], resume=tmp_path)
    torch.rand(3)
    ends_alike(fit(recipe, callbacks=[], resume=tmp_path), whole)


def test_a_finished_run_goes_on_to_more_epochs_as_one_that_was_longer_from_the_start(tmp_path):
    fit(images(epochs=2), callbacks=[Checkpoints(tmp_path)])
    longer = fit(images(epochs=4), callbacks=[], resume=tmp_path)
    ends_alike(longer, fit(images(epochs=4), callbacks=[]))


class Watch(Callback):
    """Hold every checkpoint against what it must be: whole, and the only one."""

    def __init__(self, folder):
        self.folder, self.epochs = folder, []

    def epoch_ended(self, run, record):
        names = [path.name for path in (self.folder / "checkpoints").iterdir()]
        assert sorted(names) == sorted([".lock", str(max(int(n) for n in names if n != ".lock"))])
        self.epochs.append(len(read_checkpoint(self.folder).content["history"]))


def test_checkpoints_are_kept_one_at_a_time_and_tied_weights_once(tmp_path):
    watch = Watch(tmp_path)
    fit(images(), callbacks=[Checkpoints(tmp_path, seconds=0), watch])
    assert watch.epochs == [1, 2, 3]
    weights = read_checkpoint(tmp_path).tensors("model.safetensors")
    assert "inner.weight" in weights
    assert "tied.weight" not in weights
    assert all(tensor.is_contiguous() for tensor in weights.values())


def test_saving_takes_no_part_in_the_result(tmp_path):
    plain = fit(images(), callbacks=[])
    ends_alike(fit(images(), callbacks=[Checkpoints(tmp_path, seconds=0)]), plain)


# ---- the disk fails ----------------------------------------------------------------------------


class Failing:
    """Let the call with one number fail; count them all."""

    def __init__(self, monkeypatch, number):
        self.calls = itertools.count()
        for name in ("make_folder", "write", "write_tensors", "sync", "rename"):
            original = getattr(DISK, name)

            def call(*arguments, original=original, name=name, **named):
                if next(self.calls) == number:
                    if name.startswith("write"):  # half of it arrives
                        original(*arguments, **named)
                        os.truncate(arguments[0], os.path.getsize(arguments[0]) // 2)
                    raise OSError(28, "No space left on device")
                return original(*arguments, **named)

            monkeypatch.setattr(DISK, name, call)


def calls_of_a_save(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        counter = Failing(patch, None)
        fit(images(epochs=1), callbacks=[Checkpoints(tmp_path / "count", seconds=0)])
        return next(counter.calls)


def test_whatever_call_of_a_save_fails_the_run_can_be_continued(tmp_path, monkeypatch):
    whole = fit(images(), callbacks=[])
    saves = len(whole.data.train) + 2
    first = calls_of_a_save(tmp_path, monkeypatch) // saves
    assert first >= 8  # a folder, three files, four flushes, a rename, ...
    for number in range(first, 4 * first):  # the first save apart: it must not fail
        folder = tmp_path / str(number)
        with monkeypatch.context() as patch:
            Failing(patch, number)
            with pytest.raises(Stop):
                fit(images(), callbacks=[Checkpoints(folder, seconds=0), StopAfter(2)])
        checkpoint = read_checkpoint(folder)
        assert checkpoint.content["history"] == []
        ends_alike(fit(images(), callbacks=[Checkpoints(folder)], resume=folder), whole)
        leftovers = [path for path in folder.rglob(".*") if path.name != ".lock"]
        assert leftovers == []


def test_a_save_that_fails_on_the_way_is_a_warning(tmp_path, monkeypatch, caplog):
    Failing(monkeypatch, calls_of_a_save(tmp_path, monkeypatch) // 6 + 1)
    fit(images(), callbacks=[Checkpoints(tmp_path / "run", seconds=0)])
    assert "could not save to" in caplog.text
    assert "No space left" in caplog.text


def test_a_folder_that_cannot_be_written_is_noticed_before_the_first_step(tmp_path, monkeypatch):
    Failing(monkeypatch, 3)
    with pytest.raises(OSError, match="No space left"):
        fit(
            images(loss=lambda *_: pytest.fail("a step was made")),
            callbacks=[Checkpoints(tmp_path)],
        )


def test_whatever_call_of_the_last_save_fails_no_half_run_is_taken_for_a_whole(
    tmp_path, monkeypatch
):
    run = fit(images(epochs=1), callbacks=[])
    for number in itertools.count():
        folder = tmp_path / str(number)
        with monkeypatch.context() as patch:
            counter = Failing(patch, number)
            try:
                run.save(folder)
            except OSError:
                # The description comes last, and its last call makes its name safe.
                assert not (folder / "run.json").exists() or number == 7
                assert [path for path in folder.iterdir() if path.name.startswith(".")] == []
                continue
        assert next(counter.calls) == number == 8
        break


# ---- what is refused ---------------------------------------------------------------------------


@pytest.fixture
def saved(tmp_path):
    fit(images(), callbacks=[Checkpoints(tmp_path)])
    (folder,) = (path for path in (tmp_path / "checkpoints").iterdir() if path.name.isdecimal())
    return folder


FILES = ("checkpoint.json", "model.safetensors", "training.safetensors", "best.safetensors")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["cut", "empty", "flipped", "longer", "missing"])
def test_a_damaged_checkpoint_is_refused_in_one_line(saved, tmp_path, name, damage):
    path = saved / name
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        middle = len(content) // 2
        path.write_bytes(
            {
                "cut": content[:middle],
                "empty": b"",
                "flipped": content[:-1] + bytes([content[-1] ^ 1]),
                "longer": content + b" 1",
            }[damage]
        )
    with pytest.raises(BadDataError) as caught:
        fit(images(), callbacks=[], resume=tmp_path)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_edited_checkpoint_is_refused(saved, tmp_path):
    content = json.loads((saved / "checkpoint.json").read_text())
    content["overrides"]["lr"] = 5
    (saved / "checkpoint.json").write_text(json.dumps(content))
    with pytest.raises(BadDataError, match="changed since it was written"):
        read_checkpoint(tmp_path)


def test_json_nested_a_hundred_thousand_deep_is_refused(saved, tmp_path):
    (saved / "checkpoint.json").write_text("[" * 100_000)
    with pytest.raises(BadDataError, match="not valid JSON"):
        read_checkpoint(tmp_path)


class Bomb:
    """A pickle that runs code when it is loaded."""

    def __reduce__(self):
        return os.system, ("touch executed",)


@pytest.mark.parametrize("protocol", [2, 5, "zip"])
@pytest.mark.parametrize("name", FILES[1:])
def test_a_pickle_is_refused_and_not_executed(saved, tmp_path, name, protocol):
    import pickle

    if protocol == "zip":
        torch.save(Bomb(), saved / name)
    else:
        (saved / name).write_bytes(pickle.dumps(Bomb(), protocol=protocol))
    with pytest.raises(BadDataError, match="pickle"):
        fit(images(), callbacks=[], resume=tmp_path)
    assert not (tmp_path / "executed").exists()


def test_another_recipe_other_settings_other_data_and_another_architecture_are_refused(
    saved, tmp_path
):
    class Smaller(Pictures):
        def open(self, seed=0):
            opened = super().open(seed)
            batches = Batches(*(part[:9] for part in opened.train.tensors), batch_size=5)
            return replace(opened, train=batches)

    class Deeper(Noisy):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(16, 3)
            self.extra = nn.Linear(1, 1)

    for other, error, message in [
        (images(name="pictures"), UsageError, 'another recipe: "images" was saved'),
        (images(overrides={"lr": 1}), UsageError, "another settings"),
        (images(data=Smaller()), UsageError, "another number of batches: 5 was saved, this is 2"),
        (
            images(model=lambda facts: Deeper()),
            BadDataError,
            "head.weight is 2 x 16 in the file, 3 x 16 here; head.bias is 2 in the file, 3 here; "
            "extra.weight is missing; extra.bias is missing",
        ),
    ]:
        with pytest.raises(error, match=message):
            fit(other, callbacks=[], resume=tmp_path)


def test_a_folder_without_checkpoint_is_named(tmp_path):
    with pytest.raises(BadDataError, match="holds no checkpoint"):
        fit(images(), resume=tmp_path)
    fit(images(epochs=1), callbacks=[]).save(tmp_path)
    with pytest.raises(BadDataError, match="a finished run that was saved without one"):
        fit(images(), resume=tmp_path)


def test_a_state_that_is_no_plain_value_is_named_before_training(tmp_path):
    scheduler = torch.optim.lr_scheduler.LambdaLR

    class Rate:
        def __call__(self, step):
            return 1.0

        def __init__(self):
            self.where = print

    recipe = images(schedule=lambda optimizer: scheduler(optimizer, Rate()))
    with pytest.raises(UsageError, match=r"lr_lambdas.* is a builtin_function_or_method, which"):
        fit(recipe, callbacks=[Checkpoints(tmp_path)])


def test_two_processes_do_not_write_into_one_run(tmp_path):
    class Second(Callback):
        def started(self, run):
            with pytest.raises(UsageError, match="in use by another process"):
                fit(images(), callbacks=[Checkpoints(tmp_path)])

    fit(images(epochs=1), callbacks=[Checkpoints(tmp_path), Second()])


# ---- losses that are no numbers, interruptions, stopping early ---------------------------------


def diverging(at):
    """Give a loss that is NaN in one step."""
    calls = itertools.count(1)

    def loss(outputs, targets):
        return F.cross_entropy(outputs, targets) * (float("nan") if next(calls) == at else 1)

    return loss


@pytest.mark.parametrize("immediate", [True, False])
def test_a_nan_loss_stops_the_run_names_the_step_and_keeps_the_last_good_state(immediate, tmp_path):
    class AsOnAGpu(Callback):
        def started(self, run):
            run.state._watch_loss = immediate

    # 5 training and 5 test batches, then the third step of the second epoch.
    recipe = images(loss=diverging(13))
    with pytest.raises(DivergedError, match="the loss became nan at epoch 2, step 3"):
        fit(recipe, callbacks=[Checkpoints(tmp_path / "nan", seconds=0), AsOnAGpu()])
    with pytest.raises(Stop):
        fit(images(), callbacks=[Checkpoints(tmp_path / "good", seconds=0), StopAfter(7)])
    kept, good = read_checkpoint(tmp_path / "nan"), read_checkpoint(tmp_path / "good")
    assert kept.content["history"] == good.content["history"]
    for name in ("model.safetensors", "training.safetensors"):
        for key, tensor in kept.tensors(name).items():
            assert torch.equal(tensor, good.tensors(name)[key])


def test_weights_are_untouched_by_a_loss_that_is_no_number():
    class Look(Callback):
        def started(self, run):
            self.run = run

    look = Look()
    with pytest.raises(DivergedError, match="step 1"):
        fit(images(loss=diverging(1)), callbacks=[look])
    assert all(parameter.isfinite().all() for parameter in look.run.model.parameters())


def test_infinite_weights_are_never_saved(tmp_path):
    class Poison(Callback):
        def stepped(self, run, step):
            with torch.no_grad():
                run.model.head.weight.fill_(float("inf"))

    with pytest.raises(DivergedError):
        fit(images(), callbacks=[Poison(), Checkpoints(tmp_path, seconds=0)])
    assert all(
        tensor.isfinite().all()
        for tensor in read_checkpoint(tmp_path).tensors("model.safetensors").values()
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("step", [2, 5])
def test_an_interrupted_run_is_saved_and_says_how_to_go_on(tmp_path, number, step):
    class Interrupt(Callback):
        def stepped(self, run, at):
            if run.state.epoch == 1 and at == step:
                os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    message = "saved at epoch 2, step 3" if step == 2 else "saved at the end of epoch 2"
    with pytest.raises(Interrupted, match=rf"{message}\. Continue with: .* --resume {tmp_path}"):
        fit(images(), callbacks=[Checkpoints(tmp_path), Interrupt()])
    assert signal.getsignal(number) is before
    ends_alike(fit(images(), callbacks=[], resume=tmp_path), fit(images(), callbacks=[]))


def test_a_second_interruption_ends_at_once(tmp_path):
    class Twice(Callback):
        def stepped(self, run, at):
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt) as caught:
        fit(images(), callbacks=[Checkpoints(tmp_path), Twice()])
    assert not isinstance(caught.value, Interrupted)


def test_patience_stops_a_run_that_no_longer_gets_better():
    # Without a step the figures stay as they are: the first epoch is the best.
    frozen = images(
        lambda model: torch.optim.SGD(model.parameters(), lr=0.0),
        patience=3,
        epochs=50,
        model=lambda facts: nn.Sequential(nn.Flatten(), nn.Linear(64, 2)),
    )
    run = fit(frozen, callbacks=[])
    assert len(run.history) == 4
    assert run.best == run.history[0]
    every = fit(replace(frozen, validate_every=2), callbacks=[])
    assert [record["epoch"] for record in every.history if "test_loss" in record] == [2, 4, 6, 8]


def test_the_best_epoch_is_kept_beside_the_last(tmp_path):
    losses = []

    class Note(Callback):
        def epoch_ended(self, run, record):
            losses.append((record["test_loss"], {**run.model.state_dict()}["head.bias"].clone()))

    worse = images(lambda model: torch.optim.SGD(model.parameters(), lr=0.7), epochs=5)
    run = fit(worse, callbacks=[Checkpoints(tmp_path), Note()])
    best = min(range(5), key=lambda index: losses[index][0])
    assert best != 4, "this test needs a run that ends worse than it was"
    assert run.best["epoch"] == best + 1
    assert torch.equal(run.best_weights["head.bias"], losses[best][1])


def test_another_figure_to_choose_by_may_be_named_and_a_wrong_one_is_an_error():
    run = fit(images(monitor="train_loss"), callbacks=[])
    assert run.best == min(run.history, key=lambda record: record["train_loss"])
    with pytest.raises(UsageError, match="test_los"):
        fit(images(monitor="test_los", patience=1), callbacks=[])


def test_library_recipes_are_saved_at_little_cost(tmp_path):
    with use_samples():
        recipe = recipes.softmax_regression(epochs=3)
        whole = fit(recipe, callbacks=[])
        with pytest.raises(Stop):
            fit(recipe, callbacks=[Checkpoints(tmp_path, seconds=0), StopAfter(7)])
        ends_alike(fit(recipe, callbacks=[], resume=tmp_path), whole)


def test_other_threads_than_before_are_told(tmp_path, caplog):
    with pytest.raises(Stop):
        fit(images(), callbacks=[Checkpoints(tmp_path), StopAfter(7)])
    torch.set_num_threads(2)
    try:
        fit(images(), callbacks=[], resume=tmp_path)
    finally:
        torch.set_num_threads(1)
    assert "number of threads was 1 and is 2: the last digits may differ" in caplog.text


@pytest.mark.parametrize(
    "change",
    [
        {"overrides": [[1]]},
        {"facts": []},
        {"state": 5},
        {"state": {"dict": [["epoch", 0], ["step", "x"]]}},
        {"state": "nested"},
        {"history": 1},
        {"recipe": None},
    ],
    ids=str,
)
def test_a_checkpoint_edited_with_care_is_refused_in_one_line(saved, tmp_path, change):
    """Its digest is right: whoever writes a file can write that, too."""
    content = json.loads((saved / "checkpoint.json").read_text()) | change
    if change.get("state") == "nested":
        content["state"] = functools.reduce(lambda inner, _: [inner], range(600), 1)
    content["digest"] = checkpoint._digest(content)
    (saved / "checkpoint.json").write_text(json.dumps(content))
    with pytest.raises(BadDataError, match=re.escape(str(tmp_path))):
        fit(images(), callbacks=[], resume=tmp_path)


def test_a_machine_that_was_not_noted_is_told(saved, tmp_path, caplog):
    content = json.loads((saved / "checkpoint.json").read_text()) | {"machine": None}
    content["digest"] = checkpoint._digest(content)
    (saved / "checkpoint.json").write_text(json.dumps(content))
    fit(images(), callbacks=[], resume=tmp_path)
    assert "device was None" in caplog.text
