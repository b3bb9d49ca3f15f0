"""Recipes from text settings, and trained models back from their folders."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, cast, get_type_hints

from torch import Tensor

from divekit.data import DATA_SETS, OWN_DATA, DataSet, Facts, ImageFolder, Table, use_samples
from divekit.errors import BadDataError, UsageError, unknown_name
from divekit.overrides import fits, parse_settings
from divekit.recipes import RECIPES
from divekit.suited import refuse_misfit
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
# Recipes for large data sets have batches in which a small one would take a step or two an epoch.
MOST_OWN_BATCH = 32


def build(name: str, texts: Mapping[str, str]) -> Recipe:
    """Build a recipe by name from settings given as text.

    ``texts`` holds arguments of the recipe (``lr``), settings of any training (``patience``;
    see ``Common``), ``data`` (the name of another data set, or data of the user's own:
    ``csv:houses.csv``, ``images:photos``) and settings of the data (``data.batch_size``). An
    unknown name or a value that does not fit is an error, and so are data of one's own that
    the recipe does not suit.
    """
    function = _find(name)
    own, common, data, of_data = _sort(function, texts)
    values = parse_settings(function, own) | parse_settings(Common, common)
    chosen = _choose_data(function(), data, own)
    values |= {"data": data} if data else {}
    parsed = parse_settings(type(chosen), of_data, prefix="data.")
    return assemble(name, values | {f"data.{key}": value for key, value in parsed.items()})


def assemble(name: str, overrides: Mapping[str, Any]) -> Recipe:
    """Build a recipe by name from the values of its settings, as a saved run holds them."""
    function = _find(name)
    values = _with_tuples(overrides)
    own, common, data, of_data = _sort(function, values)
    recipe = replace(function(**own), **common)
    # Not the values alone: on a sample a recipe may have settings besides.
    recipe = replace(recipe, overrides={**recipe.overrides, **values})
    return _with_data(recipe, replace(_choose_data(recipe, data, own), **of_data))


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
    with use_samples(False):  # all settings were saved, those for a sample too
        saved = _saved_settings(checkpoint.content, folder)
        changes = build(checkpoint.recipe, texts).overrides
        recipe = assemble(checkpoint.recipe, {**saved, **changes})
    trained_on = checkpoint.content["facts"].get("name")
    return recipe, _stood_in(cast(DataSet, recipe.data), trained_on)


def with_data(recipe: Recipe, data: DataSet) -> Recipe:
    """Give a recipe with other data: ``with_data(mlp(), Table("houses.csv", label="price"))``.

    Data of another kind that the recipe does not suit are an error. For regression on a
    table the metric ``absolute_error`` is added, in the label's units.
    """
    overrides = {
        key: value
        for key, value in recipe.overrides.items()
        if key != "data" and not key.startswith("data.")
    }
    own = isinstance(data, Table | ImageFolder)
    overrides["data"] = f"{data.name}:{data.path}" if own else data.name  # type: ignore[attr-defined]
    overrides |= {
        f"data.{item.name}": getattr(data, item.name)
        for item in fields(data)
        if getattr(data, item.name) != item.default and not (own and item.name == "path")
    }
    return _with_data(replace(recipe, overrides=overrides), data)


def own_data(text: str, texts: Mapping[str, str]) -> Table | ImageFolder | None:
    """Give the user's own data by ``csv:PATH`` or ``images:PATH``; None for any other text.

    ``texts`` may hold their settings (``data.label``).
    """
    prefix, colon, path = text.partition(":")
    if not colon or prefix not in OWN_DATA:
        return None
    if not path:
        raise UsageError(f"{text} lacks the path: {prefix}:PATH")
    kind = OWN_DATA[prefix]
    return kind(path=path, **data_settings(kind, texts))


def data_settings(kind: type[DataSet], texts: Mapping[str, str]) -> dict[str, Any]:
    """Parse the settings of the data (``data.batch_size``) among others, given as text."""
    of_data = {
        key.removeprefix("data."): text for key, text in texts.items() if key.startswith("data.")
    }
    return parse_settings(kind, of_data, prefix="data.")


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
    description, kept_in = description_of(folder)
    recipe = recipe_of(description, folder)
    try:
        facts = Facts.from_json(description["facts"])
    except BadDataError as error:
        raise BadDataError(f"{folder}: {error}") from None
    try:
        model = recipe.model(facts)
    except (TypeError, ValueError, RuntimeError, ArithmeticError) as error:
        brief = " ".join(str(error).split())
        raise BadDataError(f"{folder}: no model can be made as it says ({brief})") from error
    load_weights(kept_in, model, best=best)
    return Trained(model.to(device).eval(), facts)


def description_of(folder: str | Path) -> tuple[dict[str, Any], Path]:
    """Give what is known of a run, and where its weights are: of one that goes on, the newest."""
    folder = Path(folder)
    if not (folder / DESCRIPTION).exists() and has_checkpoint(folder):
        checkpoint = read_checkpoint(folder)
        return checkpoint.content, checkpoint.folder
    return read_description(folder), folder


def recipe_of(description: Mapping[str, Any], folder: str | Path) -> Recipe:
    """Give the recipe of a saved run, with the data of the recipe's own."""
    name = description["recipe"]
    if name not in RECIPES:
        raise UsageError(
            f"{folder}: its recipe {name!r} is not one of divekit's; make the model yourself "
            "and fill it with divekit.train.load_weights(folder, model)"
        )
    with use_samples(False):  # all settings were saved, those for a sample too
        own, common, _, _ = _sort(RECIPES[name], _saved_settings(description, folder))
        return replace(RECIPES[name](**own), **common)


def data_of(description: Mapping[str, Any], recipe: Recipe) -> DataSet:
    """Give the data set that a saved run was trained on, or its sample; nothing is read."""
    own, _, name, of_data = _sort(
        RECIPES[description["recipe"]], _with_tuples(description["overrides"])
    )
    data: DataSet = replace(_choose_data(recipe, name, own), **of_data)
    trained_on = description["facts"]["name"]
    if _stood_in(data, trained_on):
        return data.sample()
    if not isinstance(data, Table | ImageFolder) and data.name != trained_on:
        raise UsageError(f"the run was trained on {trained_on}, which is no data set of divekit")
    return data


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


def _saved_settings(description: Mapping[str, Any], folder: str | Path) -> dict[str, Any]:
    """Give a saved run's settings; BadDataError for one that its recipe or its data cannot have."""
    function = RECIPES[description["recipe"]]
    values = _with_tuples(description["overrides"])
    own, common, name, of_data = _sort(function, values)
    if not isinstance(name, str):
        raise BadDataError(f"{folder}: its setting data is not as it was saved: {name!r}")
    kind = type(_choose_data(function(), name, own))
    targets: tuple[tuple[Any, dict[str, Any], str], ...] = (
        (function, own, ""),
        (Common, common, ""),
        (kind, of_data, "data."),
    )
    for target, given, prefix in targets:
        hints = get_type_hints(target.__init__ if inspect.isclass(target) else target)
        for key, value in given.items():
            known = key in inspect.signature(target).parameters
            if not known or not fits(value, hints.get(key, str)):
                raise BadDataError(
                    f"{folder}: its setting {prefix}{key} is not as it was saved: {value!r}"
                )
    return values


def _with_tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give settings as they were before they were saved: JSON knows no tuples."""
    return {
        key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
    }


def _stood_in(data: DataSet, trained_on: str) -> bool:
    """Tell whether a run on data of that name was on the sample of ``data``."""
    if isinstance(data, Table | ImageFolder) or data.name == trained_on:
        return False
    return data.sample().name == trained_on


def _choose_data(recipe: Recipe, name: str, own: Mapping[str, Any]) -> Any:
    """Give the recipe's data, or those named in their place; ``own`` are the recipe's settings."""
    data = cast(DataSet, recipe.data)
    return _same_settings(name, data, keep_batch_size="batch_size" in own) if name else data


def _with_data(recipe: Recipe, data: DataSet) -> Recipe:
    chosen = replace(recipe, data=data)
    own = isinstance(data, Table | ImageFolder)
    if not own and type(data) is type(recipe.data):
        return chosen
    # Data of a class of the user's own may know their facts only once they are open.
    facts: Facts | None = getattr(data, "facts", None)
    if facts is None:
        return chosen
    refuse_misfit(recipe, facts)
    return in_label_units(chosen, facts)


def in_label_units(recipe: Recipe, facts: Facts) -> Recipe:
    """Add the metric ``absolute_error`` to a recipe for regression on a table, else nothing."""
    if facts.table is None or facts.class_names:
        return recipe
    form = facts.table

    def absolute_error(outputs: Tensor, targets: Tensor) -> Tensor:
        if form.label_log:
            return (form.in_units(outputs) - form.in_units(targets)).abs().mean()
        # The mean of the labels, in single precision, would drown small errors.
        return (outputs - targets).abs().mean() * form.label_spread

    return replace(recipe, metrics={**recipe.metrics, "absolute_error": absolute_error})


def _same_settings(name: str, data: DataSet, *, keep_batch_size: bool) -> DataSet:
    """Give the named data set with the settings that it shares with the recipe's own."""
    own = own_data(name, {})
    if own is None and name not in DATA_SETS:
        raise unknown_name(
            "data set", name, [*DATA_SETS, *(f"{prefix}:PATH" for prefix in OWN_DATA)]
        )
    kind: Any = type(own) if own else DATA_SETS[name]
    assert is_dataclass(data)
    shared = {item.name for item in fields(kind)} & {item.name for item in fields(data)}
    settings = {setting: getattr(data, setting) for setting in shared - {"path"}}
    if own is None:
        return kind(**settings)
    if "batch_size" in settings and not keep_batch_size:
        settings["batch_size"] = min(settings["batch_size"], MOST_OWN_BATCH)
    return replace(own, **settings)
