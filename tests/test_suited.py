from dataclasses import dataclass, replace

import pytest
import torch
from torch import nn

from divekit import recipes
from divekit.data import DataSet, Facts, FashionMNIST
from divekit.errors import UsageError
from divekit.models import MLP
from divekit.nn import cross_entropy
from divekit.runs import build, with_data
from divekit.suited import misfit, refuse_misfit, suited
from divekit.train import Recipe

NUMBER = Facts("csv:x.csv", (6,))
CLASSES = Facts("csv:x.csv", (6,), class_names=("a", "b", "c"))
IMAGES = Facts("images:x", (3, 64, 64), class_names=("a", "b"))


def recipe(model, loss=cross_entropy):
    return Recipe(
        data=FashionMNIST(),
        model=model,
        loss=loss,
        optimizer=lambda model: torch.optim.SGD(model.parameters(), lr=0.1),
        name="mine",
    )


def test_recipes_are_told_apart_by_what_they_take():
    assert {"linear_regression", "linear_regression_scratch"} <= set(suited(NUMBER))
    assert {"softmax_regression", "softmax_regression_scratch"} <= set(suited(CLASSES))
    assert not set(suited(NUMBER)) & set(suited(CLASSES))
    assert "softmax_regression" in suited(IMAGES)


@pytest.mark.parametrize("facts", [NUMBER, CLASSES, IMAGES], ids=["number", "classes", "images"])
def test_trying_shapes_alone_agrees_with_trying_in_earnest(facts):
    for name, function in recipes.RECIPES.items():
        assert (misfit(function(), facts, "meta") is None) == (misfit(function(), facts) is None), (
            name
        )


def test_cross_entropy_is_not_taken_for_a_loss_of_numbers():
    made = recipe(lambda facts: MLP(facts.num_features, 3, facts.num_outputs))
    assert misfit(made, CLASSES) is None
    assert misfit(made, NUMBER) == "its loss is for classes"


def test_a_convolution_does_not_suit_a_table_and_a_fixed_size_is_named():
    made = recipe(
        lambda facts: nn.Sequential(
            nn.Conv2d(facts.input_shape[0], 2, 5), nn.Flatten(), nn.Linear(2 * 24 * 24, 2)
        )
    )
    with pytest.raises(UsageError, match=r"mine does not suit csv:x\.csv, which is rows of 6"):
        refuse_misfit(made, CLASSES)
    with pytest.raises(UsageError, match=r"it suits images of 28 pixels: data\.resize=28"):
        refuse_misfit(made, IMAGES)
    refuse_misfit(made, replace(IMAGES, input_shape=(3, 28, 28)))


def test_trying_draws_nothing_from_the_callers_generator():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    misfit(recipes.softmax_regression(), IMAGES)
    assert torch.equal(torch.rand(2), expected)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("weight_decay", "digits", "digits, which is images of 1 x 8 x 8 in 10 classes .* mlp_xor"),
        ("lenet", "xor", "xor, which is rows of 2 numbers in 2 classes"),
        ("softmax_regression", "house_prices", "its loss is for classes"),
    ],
)
def test_named_data_that_do_not_suit_a_recipe_are_refused_too(name, data, message):
    with pytest.raises(UsageError, match=rf"{name} does not suit .*{message}"):
        build(name, {"data": data})


def test_data_that_know_their_facts_only_when_they_are_open_are_taken():
    @dataclass(frozen=True)
    class Own(DataSet):
        name = "own"

    made = with_data(recipes.mlp_xor(), Own())
    assert made.data.name == "own"
