"""``python -m benchmarks.goals``: train the book's recipes on the real data; write docs/results.

Every recipe that a section names is trained once for each seed. What came out is kept in
``results/goals/``; the page of its chapter and the curves of the median run go to the docs.
"""

import argparse
import datetime
import inspect
import statistics
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.goal_pages import draw_curves, keep_record, recipes_of, write_page
from benchmarks.report import describe_machine
from divekit import book
from divekit.data import samples_wanted
from divekit.errors import DivekitError
from divekit.overrides import split_pairs
from divekit.recipes import RECIPES
from divekit.runs import build
from divekit.train import Goal, Record, fit


def main() -> int:
    """Train recipes with several seeds, and write down what came out."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.goals",
        description=f"{main.__doc__} Exit code 1 when the median misses a goal, 3 without data.",
    )
    parser.add_argument(
        "words",
        nargs="*",
        metavar="RECIPE | NAME=VALUE",
        help="which recipes, all that sections name unless given; and settings for all of them. "
        "With settings no goal is judged: goals are for a recipe's own",
    )
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="take seeds 0 ... N-1")
    arguments = parser.parse_args()
    wanted = [word for word in arguments.words if "=" not in word]
    settings = split_pairs(word for word in arguments.words if "=" in word)
    if unknown := set(wanted) - set(RECIPES):
        parser.error(f"no recipe is called {', '.join(sorted(unknown))}")
    if arguments.seeds < 1:
        parser.error(f"--seeds is {arguments.seeds}; it must be at least 1")
    if samples_wanted():
        parser.error("DIVEKIT_SAMPLE is set; results are those of the real data")

    exit_code = 0
    for chapter in book.chapters():
        for name in recipes_of(chapter):
            if wanted and name not in wanted:
                continue
            try:
                record, curves = train_seeds(name, range(arguments.seeds), settings)
            except DivekitError as error:
                print(f"  {error}", file=sys.stderr)
                exit_code = error.exit_code
                continue
            keep_record(record)
            draw_curves(curves, name)
            print(f"  {write_page(chapter)}", flush=True)
            if not all(goal["median_reached"] for goal in record["goals"]):
                exit_code = exit_code or 1
    return exit_code


def train_seeds(
    name: str, seeds: Sequence[int], settings: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], list[Record]]:
    """Train a recipe with each seed; give the record of it, and the history of the median run.

    ``settings`` are a recipe's as text; with any, its goals are not for these runs.
    """
    settings = settings or {}
    print(f"{name}: {inspect.getdoc(RECIPES[name])}", *_words(settings), flush=True)
    histories = []
    for seed in seeds:
        run = fit(build(name, {**settings, "seed": str(seed)}), callbacks=[])
        histories.append(run.history)
        figures = [f"{key} {value:.4g}" for key, value in run.metrics.items() if key != "epoch"]
        print(f"  seed {seed}: {'  '.join(figures)}", flush=True)
    metrics = [history[-1] for history in histories]
    known = () if settings else run.recipe.goals_on(run.facts.name)
    goals = [judge(goal, metrics) for goal in known]
    for goal in goals:
        print(f"  {goal['verdict']}")
    record = {
        "recipe": name,
        "settings": dict(settings),
        "data": run.facts.name,
        "seeds": list(seeds),
        "metrics": metrics,
        "goals": goals,
        "date": f"{datetime.date.today():%Y-%m-%d}",
        "machine": describe_machine(),
        "device": str(run.state.device),
    }
    # Even where no goal is judged, the goals name what matters.
    first = next((goal.metric for goal in run.recipe.goals_on(run.facts.name)), "train_loss")
    in_order = sorted(histories, key=lambda history: history[-1][first])
    return record, in_order[len(in_order) // 2]


def _words(settings: Mapping[str, str]) -> list[str]:
    return [f"{name}={text}" for name, text in settings.items()]


def judge(goal: Goal, metrics: Sequence[Record]) -> dict[str, Any]:
    """Hold the runs, and their median, against a goal."""
    values = [record[goal.metric] for record in metrics]
    median = statistics.median(values)
    reached = sum(goal.reached(value) for value in values)
    return {
        "metric": goal.metric,
        "median": median,
        "median_reached": goal.reached(median),
        "verdict": f"{goal}: {'reached' if goal.reached(median) else 'MISSED'} by the median, "
        f"{median:.4g}, and by {reached} of {len(values)} seeds",
    }


if __name__ == "__main__":
    sys.exit(main())
