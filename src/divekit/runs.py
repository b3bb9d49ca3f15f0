"""Recipes from text settings, and trained models back from their folders."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, cast

from divekit.data import DATA_SETS, DataSet, Facts
from divekit.errors import UsageError, unknown_name
from divekit.overrides import parse_settings
from divekit.recipes import RECIPES
from divekit.train import Recipe, Trained, load_weights, read_description


def build(name: str, texts: Mapping[str, str]) -> Recipe:
    """Build a recipe by name from settings given as text.

    ``texts`` holds arguments of the recipe (``lr``), ``data`` (the name of another data
    set) and settings of the data (``data.batch_size``). An unknown name or a value that
    does not fit is an error.
    """
    if name not in RECIPES:
        raise unknown_name("recipe", name, RECIPES)
    function = RECIPES[name]
    own = {
        key: text for key, text in texts.items() if key != "data" and not key.startswith("data.")
    }
    recipe = function(**parse_settings(function, own))
    overrides = dict(recipe.overrides)
    data = cast(DataSet, recipe.data)
    if "data" in texts:
        data = _same_settings(texts["data"], data)
        overrides["data"] = texts["data"]
    of_data = {
        key.removeprefix("data."): text for key, text in texts.items() if key.startswith("data.")
    }
    if of_data:
        values = parse_settings(type(data), of_data, prefix="data.")
        data = replace(data, **values)
        overrides |= {f"data.{key}": value for key, value in values.items()}
    return replace(recipe, data=data, overrides=overrides)


def load(folder: str | Path, device: str = "cpu") -> Trained:
    """Load a trained model from the folder of a run: ``load("runs/softmax_regression/1")``.

    The model is rebuilt from the recipe's name and overrides; nothing stored in the folder
    is executed. A model whose recipe is not one of the library's must be made by hand and
    filled with ``load_weights``.
    """
    description = read_description(folder)
    name = description["recipe"]
    if name not in RECIPES:
        raise UsageError(
            f"{folder}: its recipe {name!r} is not one of divekit's; make the model yourself "
            "and fill it with divekit.train.load_weights(folder, model)"
        )
    own = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in description["overrides"].items()
        if key != "data" and not key.startswith("data.")
    }
    facts = Facts.from_json(description["facts"])
    model = RECIPES[name](**own).model(facts)
    load_weights(folder, model)
    return Trained(model.to(device).eval(), facts)


def _same_settings(name: str, data: DataSet) -> DataSet:
    """Give the named data set with the settings that it shares with the recipe's own."""
    if name not in DATA_SETS:
        raise unknown_name("data set", name, DATA_SETS)
    kind: Any = DATA_SETS[name]
    assert is_dataclass(data)
    shared = {item.name for item in fields(kind)} & {item.name for item in fields(data)}
    return kind(**{setting: getattr(data, setting) for setting in shared})
