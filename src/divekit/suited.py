"""Which recipes suit which data: tried out on two examples of zeros, before anything is trained."""

from typing import Any

import torch

from divekit import book
from divekit.data import Facts
from divekit.errors import UsageError
from divekit.recipes import RECIPES
from divekit.train import Recipe

_NAMED = 6
"""So many recipes a message names; `divekit info` shows all."""


def refuse_misfit(recipe: Recipe, facts: Facts) -> None:
    """Raise a UsageError that names the recipes that do, where a recipe does not suit data."""
    reason = misfit(recipe, facts)
    if reason is None:
        return
    others = suited(facts)
    shown = ", ".join(others[:_NAMED]) + ", ..." * (len(others) > _NAMED)
    advice = f"these do: {shown}" if others else "no recipe does"
    side = facts.input_shape[-1]
    own = getattr(recipe.data, "facts", facts).input_shape
    if len(own) == len(facts.input_shape) == 3 and own[-1] != side:
        resized = Facts("resized", (facts.input_shape[0], *own[1:]), facts.class_names)
        if misfit(recipe, resized) is None:
            advice = f"it suits images of {own[-1]} pixels: data.resize={own[-1]}"
    raise UsageError(
        f"{recipe.name} does not suit {facts.name}, which is {kind_of(facts)} ({reason}); {advice}"
    )


def suited(facts: Facts) -> list[str]:
    """Give the names of the recipes whose model and loss take such data.

    The smallest model comes first; among equals, what the book teaches first.
    """
    recipes = {name: function() for name, function in RECIPES.items()}
    names = [name for name in recipes if misfit(recipes[name], facts, device="meta") is None]
    taught = [name for section in book.sections() for name in section.recipes]

    def order(name: str) -> tuple[int, int, str]:
        with torch.device("meta"):
            model = recipes[name].model(facts)
        size = sum(parameter.numel() for parameter in model.parameters())
        concise = name.removesuffix("_scratch")  # the twins come together
        return size, taught.index(concise) if concise in taught else len(taught), name

    return sorted(names, key=order)


def misfit(recipe: Recipe, facts: Facts, device: str = "cpu") -> str | None:
    """Say why a recipe's model or loss does not take such data; None when it does.

    On the device ``meta`` only shapes are computed, so many large models are tried in no time;
    but not every operation knows it.
    """
    if recipe.loss is None:
        return "it has a training step of its own, for its own data"
    if not facts.class_names and not _compares_numbers(recipe):
        return "its loss is for classes"
    try:
        with torch.random.fork_rng(devices=[]), torch.device(device), torch.no_grad():
            inputs = torch.zeros(2, *facts.input_shape)
            targets: Any = torch.zeros(2, dtype=torch.long)
            if not facts.class_names:
                targets = torch.zeros(2, facts.num_targets)
            recipe.loss(recipe.model(facts).eval()(inputs), targets)
    except Exception as error:  # whatever a model makes of data that it is not for
        return str(error).split("\n")[0] or type(error).__name__
    return None


def kind_of(facts: Facts) -> str:
    """Say in words what there is to learn: ``images of 2 classes``."""
    shape = " x ".join(str(size) for size in facts.input_shape)
    what = f"images of {shape}" if len(facts.input_shape) == 3 else f"rows of {shape} numbers"
    if facts.class_names:
        return f"{what} in {facts.num_classes} classes"
    return f"{what} with a number to predict"


def _compares_numbers(recipe: Recipe) -> bool:
    """Tell whether a loss grows with the distance between numbers; cross-entropy of one does not.

    Cross-entropy would take a column of numbers for the probabilities of a single class, and be
    zero whatever is predicted.
    """
    assert recipe.loss is not None
    zeros, ones = torch.zeros(2, 1), torch.ones(2, 1)
    try:
        return bool(recipe.loss(zeros, ones) > recipe.loss(zeros, zeros))
    except Exception:  # a loss for labels refuses numbers, each in its own way
        return False
