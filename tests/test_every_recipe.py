"""What holds for every recipe: its goal is reached on its sample, and sabotage makes it miss it."""

from dataclasses import dataclass, replace

import pytest
import torch

from divekit import recipes, runs
from divekit.data import Batches, DataSet, Facts, Opened, use_samples
from divekit.errors import GoalMissedError
from divekit.train import fit

# A residual network does well with the twentieth of its numbers that its first stage has: what
# comes out of that goes round all the others. Here only stem, last layer and scales are left.
CUT = {"resnet18": 0.995, "resnet18_modern": 0.995}

pytestmark = pytest.mark.parametrize("name", recipes.RECIPES)


@dataclass(frozen=True)
class Shuffled(DataSet):
    """Another data set with the training targets in another order."""

    original: DataSet

    @property
    def facts(self) -> Facts:
        return self.original.facts

    def load(self, seed: int) -> Opened:
        opened = self.original.open(seed)
        train = opened.train
        inputs, targets = train.tensors
        order = torch.randperm(len(targets), generator=torch.Generator().manual_seed(1))
        shuffled = Batches(
            inputs,
            targets[order],
            batch_size=train.batch_size,
            shuffle=True,
            seed=seed,
            transform=train.transform,
            augment=train.augment,
        )
        return Opened(opened.facts, shuffled, opened.test)


@pytest.fixture(autouse=True)
def on_samples():
    with use_samples():
        yield


def run(recipe):
    return fit(recipe, callbacks=[])


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2))])
def test_its_goal_on_the_sample_is_reached(name, seed):
    assert "reaches the goal" in run(recipes.RECIPES[name](seed=seed)).check()


@pytest.mark.slow
def test_a_learning_rate_of_zero_misses_the_goal(name):
    with pytest.raises(GoalMissedError):
        run(recipes.RECIPES[name](lr=0.0)).check()


@pytest.mark.slow
def test_shuffled_targets_miss_the_goal(name):
    recipe = recipes.RECIPES[name]()
    with pytest.raises(GoalMissedError):
        run(replace(recipe, data=Shuffled(recipe.data))).check()


@pytest.mark.slow
def test_gradients_of_zero_miss_the_goal(name):
    """Cut the gradients of the largest parameters, 95% of all numbers unless said otherwise.

    The rest alone must not do. In a shallow network that is the largest parameter. A deep one may
    do without any single layer: those before and behind it learn to live with a frozen one.
    """
    recipe = recipes.RECIPES[name]()

    def numb(facts):
        model = recipe.model(facts)
        left = CUT.get(name, 0.95) * sum(parameter.numel() for parameter in model.parameters())
        for parameter in sorted(model.parameters(), key=torch.numel, reverse=True):
            if left > 0:
                parameter.register_hook(torch.zeros_like)
                left -= parameter.numel()
        return model

    with pytest.raises(GoalMissedError):
        run(replace(recipe, model=numb)).check()


def test_the_recipe_is_rebuilt_from_its_name_and_overrides(name):
    built = runs.build(name, {"epochs": "2", "data.batch_size": "7"})
    assert (built.name, built.epochs, built.data.batch_size) == (name, 2, 7)
