"""Recipes from text settings, and trained models back from their folders."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, cast

from divekit.data import DATA_SETS, DataSet, Facts
from divekit.errors import UsageError, unknown_name
from divekit.overrides import parse_settings
from divekit.recipes import RECIPES
from divekit.train import Recipe, Trained, load_weights, read_checkpoint, read_description
from divekit.train.checkpoint import MAY_CHANGE, has_checkpoint
from divekit.train.recipe import Precision
from divekit.train.run import DESCRIPTION


@dataclass(frozen=True)
class Common:
    """Settings that every recipe takes besides its own; they mean what ``Recipe`` says."""

    precision: Precision = "fp32"
    validate_every: int = 1
    patience: int | None = None
    monitor: str | None = None


COMMON = {field.name for field in fields(Common)}


def build(name: str, texts: Mapping[str, str]) -> Recipe:
    """Build a recipe by name from settings given as text.

    ``texts`` holds arguments of the recipe (``lr``), settings of any training (``patience``;
    see ``Common``), ``data`` (the name of another data set) and settings of the data
    (``data.batch_size``). An unknown name or a value that does not fit is an error.
    """
    function = _find(name)
    own, common, data, of_data = _sort(function, texts)
    values = parse_settings(function, own) | parse_settings(Common, common)
    chosen = _choose_data(function(), data)
    values |= {"data": data} if data else {}
    parsed = parse_settings(type(chosen), of_data, prefix="data.")
    return assemble(name, values | {f"data.{key}": value for key, value in parsed.items()})


def assemble(name: str, overrides: Mapping[str, Any]) -> Recipe:
    """Build a recipe by name from the values of its settings, as a saved run holds them."""
    function = _find(name)
    # JSON knows no tuples.
    values = {
        key: tuple(value) if isinstance(value, list) else value for key, value in overrides.items()
    }
    own, common, data, of_data = _sort(function, values)
    recipe = replace(function(**own), **common)
    chosen = replace(_choose_data(recipe, data), **of_data)
    return replace(recipe, data=chosen, overrides=values)


def continued(folder: str | Path, texts: Mapping[str, str]) -> tuple[Recipe, bool]:
    """Give the recipe of a run that is to be continued, and whether it ran on sample data.

    ``texts`` may change what leaves the part that is done as it is: ``epochs``, ``patience``.
    """
    checkpoint = read_checkpoint(folder)
    for key in texts:
        if key not in MAY_CHANGE:
            raise UsageError(
                f"{key} cannot change in a run that is continued; {' and '.join(MAY_CHANGE)} can"
            )
    if checkpoint.recipe not in RECIPES:
        raise UsageError(
            f"{folder}: its recipe {checkpoint.recipe!r} is not one of divekit's; continue it "
            "from Python: fit(recipe, resume=folder)"
        )
    changes = build(checkpoint.recipe, texts).overrides
    recipe = assemble(checkpoint.recipe, {**checkpoint.overrides, **changes})
    data: Any = recipe.data
    used = checkpoint.content["facts"]["name"]
    return recipe, used != data.name and used == data.sample().name


def load(folder: str | Path, device: str = "cpu", *, best: bool = False) -> Trained:
    """Load a trained model from the folder of a run: ``load("runs/softmax_regression/1")``.

    Of a run that has not ended, the newest checkpoint is taken.

    The model is rebuilt from the recipe's name and overrides; nothing stored in the folder
    is executed. A model whose recipe is not one of the library's must be made by hand and
    filled with ``load_weights``.

    Args:
        folder: of a run that was saved.
        device: where the model goes.
        best: take the weights of the best epoch, by ``Recipe.monitor``, not of the last.
    """
    unfinished = not (Path(folder) / DESCRIPTION).exists() and has_checkpoint(folder)
    checkpoint = read_checkpoint(folder) if unfinished else None
    description = checkpoint.content if checkpoint else read_description(folder)
    name = description["recipe"]
    if name not in RECIPES:
        raise UsageError(
            f"{folder}: its recipe {name!r} is not one of divekit's; make the model yourself "
            "and fill it with divekit.train.load_weights(folder, model)"
        )
    own = _sort(RECIPES[name], description["overrides"])[0]
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in own.items()}
    facts = Facts.from_json(description["facts"])
    model = RECIPES[name](**values).model(facts)
    load_weights(checkpoint.folder if checkpoint else folder, model, best=best)
    return Trained(model.to(device).eval(), facts)


def _find(name: str) -> Callable[..., Recipe]:
    if name not in RECIPES:
        raise unknown_name("recipe", name, RECIPES)
    return RECIPES[name]


def _sort(
    function: Callable[..., Recipe], settings: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any], str, dict[str, Any]]:
    """Sort settings: the recipe's own, those of any training, the data set, those of the data."""
    of_data = {
        key.removeprefix("data."): value
        for key, value in settings.items()
        if key.startswith("data.")
    }
    rest = {
        key: value
        for key, value in settings.items()
        if key != "data" and not key.startswith("data.")
    }
    names = COMMON - set(inspect.signature(function).parameters)
    common = {key: rest.pop(key) for key in sorted(names & set(rest))}
    return rest, common, settings.get("data", ""), of_data


def _choose_data(recipe: Recipe, name: str) -> Any:
    data = cast(DataSet, recipe.data)
    return _same_settings(name, data) if name else data


def _same_settings(name: str, data: DataSet) -> DataSet:
    """Give the named data set with the settings that it shares with the recipe's own."""
    if name not in DATA_SETS:
        raise unknown_name("data set", name, DATA_SETS)
    kind: Any = DATA_SETS[name]
    assert is_dataclass(data)
    shared = {item.name for item in fields(kind)} & {item.name for item in fields(data)}
    return kind(**{setting: getattr(data, setting) for setting in shared})
