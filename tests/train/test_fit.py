import math
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from divekit import recipes
from divekit.data import (
    Batches,
    DataSet,
    Facts,
    Opened,
    Polynomial,
    SyntheticRegression,
    use_samples,
)
from divekit.errors import UsageError
from divekit.evaluate import accuracy
from divekit.models import LinearRegression
from divekit.nn import squared_loss
from divekit.optim import cosine
from divekit.train import Recipe, evaluate, fit


def small(**changes) -> Recipe:
    """Give a tiny regression recipe, with changes."""
    settings = {
        "data": SyntheticRegression(num_examples=25, batch_size=10),
        "model": lambda facts: LinearRegression(facts.num_features),
        "loss": squared_loss,
        "optimizer": lambda model: torch.optim.SGD(model.parameters(), lr=0.1),
        "epochs": 3,
    }
    return Recipe(**settings | changes)


# A recipe with a step of its own is another loop than the plain one.
SUPERVISED = [name for name, make in recipes.RECIPES.items() if make().step is None]


@pytest.mark.parametrize("name", SUPERVISED)
@pytest.mark.parametrize("seed", [0, pytest.param(7, marks=pytest.mark.slow)])
def test_fit_equals_the_plain_loop_number_by_number(name, seed):
    with use_samples():
        recipe = recipes.RECIPES[name](epochs=2, seed=seed)
        run = fit(recipe, device="cpu", callbacks=[])

        torch.manual_seed(seed)
        data = recipe.data.open(seed)
        model = recipe.model(data.facts)
        optimizer = recipe.optimizer(model)
        schedule = recipe.schedule(optimizer) if recipe.schedule else None
        for epoch in range(2):
            losses, hits, count = 0.0, 0.0, 0
            for inputs, targets in data.train:
                outputs = model(inputs)
                loss = recipe.loss(outputs, targets)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses += loss.item() * len(inputs)
                if "accuracy" in recipe.metrics:
                    hits += (outputs.argmax(1) == targets).sum().item()
                count += len(inputs)
            if schedule is not None:
                schedule.step()
            assert run.history[epoch]["train_loss"] == pytest.approx(losses / count, rel=1e-12)
            if "accuracy" in recipe.metrics:
                assert run.history[epoch]["train_accuracy"] == pytest.approx(hits / count)

    for ours, plain in zip(run.model.parameters(), model.parameters(), strict=True):
        assert torch.equal(ours, plain)


def test_the_same_recipe_gives_the_same_run_and_another_seed_another():
    first, again, other = (fit(small(seed=seed), callbacks=[]) for seed in (1, 1, 2))
    assert first.history == again.history
    assert first.history != other.history


def test_means_weigh_every_example_alike_when_the_last_batch_is_small():
    frozen = small(optimizer=lambda model: torch.optim.SGD(model.parameters(), lr=0.0), epochs=1)
    run = fit(frozen, callbacks=[])
    features, targets = run.data.train.tensors
    exact = squared_loss(run.model(features), targets).item()
    assert run.metrics["train_loss"] == pytest.approx(exact, rel=1e-6)


def test_measuring_on_test_data_is_in_evaluation_mode_and_leaves_no_trace():
    class Noisy(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear, self.drop, self.norm = (
                nn.Linear(64, 10),
                nn.Dropout(0.5),
                nn.BatchNorm1d(10),
            )

        def forward(self, images):
            return self.norm(self.linear(self.drop(images.flatten(1))))

    recipe = replace(recipes.softmax_regression(epochs=1), model=lambda facts: Noisy())
    with use_samples():
        run = fit(recipe, callbacks=[])
    assert run.model.training
    run.model.eval()
    images, labels = (torch.cat(parts) for parts in zip(*run.data.test, strict=True))
    with torch.no_grad():
        assert_close(run.metrics["test_accuracy"], accuracy(run.model(images), labels).item())
    batches_seen = len(run.data.train)
    assert run.model.norm.num_batches_tracked == batches_seen


def test_gradients_are_clipped_to_the_norm():
    run = fit(small(clip=1e-3, epochs=1), callbacks=[])
    norm = math.sqrt(sum(p.grad.square().sum().item() for p in run.model.parameters()))
    assert norm == pytest.approx(1e-3, rel=1e-3)
    free = fit(small(epochs=1), callbacks=[])
    assert free.metrics["train_loss"] < run.metrics["train_loss"]


@pytest.mark.parametrize(("every", "steps"), [("epoch", 3), ("update", 9)])
def test_schedules_count_epochs_or_updates(every, steps):
    schedule = lambda optimizer: torch.optim.lr_scheduler.LambdaLR(optimizer, cosine(total=20))  # noqa: E731
    run = fit(small(schedule=schedule, schedule_every=every), callbacks=[])
    lr = run.state.optimizers["optimizer"].param_groups[0]["lr"]
    assert lr == pytest.approx(0.1 * cosine(total=20)(steps))


def test_bf16_computes_products_in_bfloat16_and_keeps_weights_in_float32():
    seen = []

    class Watching(LinearRegression):
        def forward(self, inputs):
            outputs = super().forward(inputs)
            seen.append(outputs.dtype)
            return outputs

    run = fit(
        small(precision="bf16", model=lambda facts: Watching(facts.num_features)), callbacks=[]
    )
    assert set(seen) == {torch.bfloat16}
    assert {parameter.dtype for parameter in run.model.parameters()} == {torch.float32}
    assert run.metrics["train_loss"] < run.history[0]["train_loss"]


class Pair(nn.Module):
    """Two networks that pull against each other, as in a GAN."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(2, 1), nn.Linear(2, 1)


def test_a_step_of_its_own_may_use_two_optimizers():
    def step(model, batch, state):
        inputs, targets = batch
        loss = squared_loss(model.first(inputs), targets)
        state.update(loss, "first")
        gap = squared_loss(model.second(inputs), model.first(inputs).detach())
        state.update(gap, "second")
        return loss.detach(), {"gap": gap.detach()}

    recipe = small(
        loss=None,
        step=step,
        model=lambda facts: Pair(),
        optimizer=lambda model: {
            "first": torch.optim.SGD(model.first.parameters(), lr=0.1),
            "second": torch.optim.SGD(model.second.parameters(), lr=0.1),
        },
        epochs=60,
    )
    run = fit(recipe, callbacks=[])
    assert set(run.metrics) == {"epoch", "train_loss", "train_gap"}
    assert run.metrics["train_loss"] < 1e-3
    assert_close(run.model.second.weight, run.model.first.weight, atol=0.02, rtol=0)


def test_with_a_loss_and_a_step_the_step_trains_and_the_loss_measures():
    def step(model, batch, state):
        state.update(0 * model(batch[0]).sum())
        return torch.tensor(7.0), {}

    run = fit(small(step=step, data=Polynomial(num_test=7, batch_size=3)), callbacks=[])
    features, targets = run.data.test.tensors
    exact = squared_loss(run.model(features), targets).item()
    assert [record["train_loss"] for record in run.history] == [7.0] * 3
    assert [record["test_loss"] for record in run.history] == [pytest.approx(exact, rel=1e-6)] * 3


def test_a_recipe_needs_a_loss_or_a_step_and_sensible_numbers():
    with pytest.raises(ValueError, match="needs a loss or a step"):
        small(loss=None)
    with pytest.raises(ValueError, match="epochs is 0"):
        small(epochs=0)
    with pytest.raises(ValueError, match="precision"):
        small(precision="fp8")


def test_a_recipe_opens_nothing_until_it_is_fitted(monkeypatch):
    monkeypatch.setattr(DataSet, "open", lambda *_: pytest.fail("the data were opened"))
    for make in recipes.RECIPES.values():
        assert make().name == make.__name__


def test_an_empty_data_set_is_an_error():
    @dataclass(frozen=True)
    class Empty(DataSet):
        name: ClassVar[str] = "empty"

        def load(self, seed):
            batches = Batches(torch.zeros(0, 2), torch.zeros(0, 1), batch_size=2)
            return Opened(Facts("empty", (2,)), batches)

    with pytest.raises(UsageError, match="the data set is empty"):
        fit(small(data=Empty()), callbacks=[])


def test_evaluating_a_run_on_its_test_data_gives_what_its_history_says():
    with use_samples():
        run = fit(recipes.softmax_regression(epochs=2), callbacks=[])
    measured = evaluate(run, run.data.test)
    assert measured == {name: run.metrics[f"test_{name}"] for name in ("loss", "accuracy")}


@pytest.mark.parametrize("batch_size", [3, 10, 25])
def test_a_root_is_taken_of_the_mean_over_all_examples(batch_size):
    def squares(outputs, targets):
        return (outputs - targets).square().mean()

    data = SyntheticRegression(num_examples=25, batch_size=batch_size)
    still = small(
        data=data,
        optimizer=lambda model: torch.optim.SGD(model.parameters(), lr=0.0),
        metrics={"rmse": squares, "squares": squares},
    )
    run = fit(still, callbacks=[])
    inputs, targets = run.data.train.tensors
    errors = (run.model(inputs) - targets).detach().double()
    assert run.metrics["train_rmse"] == pytest.approx(errors.square().mean().sqrt().item())
    assert run.metrics["train_squares"] == pytest.approx(errors.square().mean().item())


def test_metrics_may_be_made_of_the_facts():
    def from_facts(facts):
        return {facts.name: lambda outputs, targets: targets.mean()}

    run = fit(small(metrics_of=from_facts), callbacks=[])
    mean = run.data.train.tensors[1].mean().item()
    assert run.metrics["train_synthetic_regression"] == pytest.approx(mean, rel=1e-5)
    assert run.recipe.metrics_of is None  # settled for this run
