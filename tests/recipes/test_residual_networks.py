import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from divekit import recipes
from divekit.data import use_samples
from divekit.recipes.residual_networks import decayed
from divekit.train import fit


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("batch_norm_lenet", 44_878),
        ("batch_norm_lenet_scratch", 44_878),
        ("resnet18", 11_178_378),
        ("densenet", 758_226),
        ("resnet18_modern", 11_172_810),
    ],
)
def test_on_clothes_they_are_the_networks_that_they_say(name, parameters):
    recipe = recipes.RECIPES[name]()
    with torch.device("meta"):
        model = recipe.model(recipe.data.facts)
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters


def test_scratch_and_concise_come_to_the_same_run():
    with use_samples():
        runs = [
            fit(recipes.RECIPES[name](epochs=1), callbacks=[])
            for name in ("batch_norm_lenet", "batch_norm_lenet_scratch")
        ]
    first, second = (run.metrics for run in runs)
    assert first == pytest.approx(second, rel=1e-3)
    assert_close(runs[0].model.state_dict(), runs[1].model.state_dict(), rtol=1e-3, atol=1e-3)


def test_the_modern_rate_rises_and_falls():
    recipe = recipes.resnet18_modern(width=1 / 16, epochs=10)
    model = recipe.model(recipe.data.facts)
    optimizer = recipe.optimizer(model)
    schedule = recipe.schedule(optimizer)
    rates = []
    for _ in range(10):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates[0] == pytest.approx(0.1 / 3)
    assert max(rates) == rates[2] == pytest.approx(0.1)
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert rates[-1] < 0.01


def test_weights_decay_and_scales_and_biases_do_not():
    recipe = recipes.resnet18_modern(width=1 / 16, weight_decay=0.5)
    model = recipe.model(recipe.data.facts)
    weights, vectors = decayed(model, 0.5)
    assert weights["weight_decay"] == 0.5
    assert vectors["weight_decay"] == 0
    together = [*weights["params"], *vectors["params"]]
    assert {id(one) for one in together} == {id(one) for one in model.parameters()}
    assert all(one.ndim in (2, 4) for one in weights["params"])


def test_the_modern_loss_leaves_a_tenth_to_all_classes():
    scores, labels = torch.randn(6, 10), torch.arange(6)
    expected = 0.9 * F.cross_entropy(scores, labels) - 0.1 * scores.log_softmax(1).mean()
    assert_close(recipes.resnet18_modern().loss(scores, labels), expected)
