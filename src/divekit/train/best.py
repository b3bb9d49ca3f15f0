"""Which epoch of a run was the best, and whether it is worth going on."""

from collections.abc import Sequence

from divekit.errors import unknown_name
from divekit.train.recipe import Recipe, Record

SMALLER_IS_BETTER = ("loss", "error", "rmse", "perplexity")


def best_record(recipe: Recipe, data_name: str, history: Sequence[Record]) -> Record | None:
    """Give the record of the best epoch; the first of several equal ones.

    It is chosen by ``recipe.monitor``; unless that is given, by the test figure of the first
    goal on this data, else the loss on the test batches. None where there are no test data to
    choose by: the training figures say nothing about new examples.
    """
    measured = [record for record in history if any(name.startswith("test_") for name in record)]
    if recipe.monitor is not None:
        measured = measured if recipe.monitor.startswith("test_") else list(history)
    if not measured:
        return None
    name, larger = _monitor(recipe, data_name, measured[0])
    # NaN compares false with everything, so it never becomes the best.
    best: Record | None = None
    for record in measured:
        value = record[name]
        if value == value and (
            best is None or (value > best[name] if larger else value < best[name])
        ):
            best = record
    return best


def measurements_since_best(recipe: Recipe, data_name: str, history: Sequence[Record]) -> int:
    """Count the measurements after the best one."""
    best = best_record(recipe, data_name, history)
    if best is None:
        return 0
    kind = set(best)
    return sum(record["epoch"] > best["epoch"] and kind <= set(record) for record in history)


def _monitor(recipe: Recipe, data_name: str, record: Record) -> tuple[str, bool]:
    """Give the figure to choose by, and whether a larger one is better."""
    name = recipe.monitor
    for goal in recipe.goals_on(data_name):
        if goal.metric == name or (name is None and goal.metric.startswith("test_")):
            return goal.metric, goal.at_least is not None
    name = name or "test_loss"
    if name not in record:
        raise unknown_name("figure", name, [known for known in record if known != "epoch"])
    return name, not name.endswith(SMALLER_IS_BETTER)
