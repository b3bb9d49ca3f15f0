import pytest
import torch
from torch import nn

from divekit import recipes, runs
from divekit.data import Digits, use_samples
from divekit.nn import cross_entropy
from divekit.recipes.on_sample import on_sample
from divekit.train import Recipe, fit, recipe
from divekit.train.recipe import is_recipe


@on_sample(width=3, epochs=1)
@recipe
def tiny(width: int = 5, epochs: int = 2, lr: float = 0.1, seed: int = 0) -> Recipe:
    """Say what it is."""
    return Recipe(
        data=Digits(),
        model=lambda facts: nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.Linear(width, 10)),
        loss=cross_entropy,
        optimizer=lambda model: torch.optim.SGD(model.parameters(), lr=lr),
        epochs=epochs,
        seed=seed,
    )


def test_its_settings_stand_in_for_defaults_where_samples_are_wanted_only():
    assert (tiny().epochs, dict(tiny().overrides)) == (2, {})
    with use_samples():
        assert (tiny().epochs, dict(tiny().overrides)) == (1, {"width": 3, "epochs": 1})


def test_what_is_asked_for_comes_first():
    with use_samples():
        assert tiny(epochs=7).overrides == {"width": 3, "epochs": 7}
        assert tiny(4, lr=0.5).overrides == {"width": 4, "epochs": 1, "lr": 0.5}


def test_it_is_still_a_recipe_with_its_name_and_words():
    assert is_recipe(tiny)
    assert tiny.__doc__ == "Say what it is."
    assert tiny().name.endswith(".tiny")
    assert tiny.on_sample == {"width": 3, "epochs": 1}


def test_an_argument_that_does_not_exist_is_an_error():
    with pytest.raises(TypeError, match="widht"):
        tiny(widht=3)


@pytest.mark.parametrize("trained_on_sample", [True, False])
@pytest.mark.parametrize("loaded_on_sample", ["1", "0"])
def test_a_saved_run_is_rebuilt_with_its_own_settings(
    monkeypatch, tmp_path, trained_on_sample, loaded_on_sample
):
    monkeypatch.setitem(recipes.RECIPES, "tiny", tiny)
    with use_samples(trained_on_sample):
        made = tiny()
    object.__setattr__(made, "name", "tiny")
    run = fit(made, callbacks=[])
    run.save(tmp_path / "run")
    monkeypatch.setenv("DIVEKIT_SAMPLE", loaded_on_sample)
    loaded = runs.load(tmp_path / "run")
    images = next(iter(run.data.test))[0]
    assert torch.equal(loaded.predict(images).outputs, run.predict(images).outputs)
    assert loaded.model[1].out_features == (3 if trained_on_sample else 5)
