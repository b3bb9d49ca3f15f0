"""One recipe under several settings, each with several seeds: ``divekit compare``."""

import csv
import itertools
import json
import math
import os
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from divekit import plot
from divekit.errors import DivekitError, DivergedError, UsageError, unknown_name
from divekit.overrides import parse_value
from divekit.plot.charts import series_of
from divekit.recipes import RECIPES
from divekit.runs import build
from divekit.train import Callback, Recipe, Record, Run, fit

MOST = len(plot.COLOURS)


@dataclass
class Trial:
    """One run of the comparison, and what became of it."""

    seed: int
    recipe: Recipe
    status: str = "planned"
    """planned, done, diverged (a loss that is not finite) or failed."""
    history: list[Record] = field(default_factory=list)
    error: str = ""

    def series(self, metric: str) -> tuple[list[int], list[float]]:
        """Give the epochs after which a metric was measured, and what it was."""
        return series_of(self.history, metric)


@dataclass
class Setting:
    """Settings to compare with others, and a trial for each seed."""

    texts: dict[str, str]
    """What differs between the settings, as it was given."""
    trials: list[Trial]

    @property
    def label(self) -> str:
        """Name the setting by what differs: ``lr=0.1, batch_size=32``."""
        differs = ", ".join(f"{name}={text}" for name, text in self.texts.items())
        return differs or self.trials[0].recipe.name

    def with_status(self, *statuses: str) -> list[Trial]:
        """Give the trials that came out in one of some ways."""
        return [trial for trial in self.trials if trial.status in statuses]

    def last(self, metric: str) -> list[float]:
        """Give the last value of a metric in each trial that was done."""
        return [trial.series(metric)[1][-1] for trial in self.with_status("done")]


class Comparison:
    """All settings of a comparison. Nothing is trained before ``run``.

    Args:
        name: a recipe.
        texts: settings as text. One that has several values, ``lr=0.1,0.5``, is crossed with the
            others. A value with commas of its own stands in round brackets: ``(256,128),(64,)``.
        seeds: runs for each setting; their seeds count up from the setting ``seed``, or 0.
        metric: what is drawn and ranked; the one of the recipe's goal unless given.
    """

    def __init__(
        self, name: str, texts: Mapping[str, str], *, seeds: int = 3, metric: str = ""
    ) -> None:
        if seeds < 1:
            raise UsageError(f"--seeds {seeds}: it must be at least 1")
        values = split_settings(name, {key: text for key, text in texts.items() if key != "seed"})
        first = parse_value(texts.get("seed", "0"), int, "seed")
        count = math.prod(len(choices) for choices in values.values())
        if count > MOST:
            raise UsageError(f"{count} settings; a picture can tell {MOST} apart")
        varied = [key for key, choices in values.items() if len(choices) > 1]
        self.name = name
        self.fixed = {key: values[key][0] for key in values if key not in varied}
        self.seeds = list(range(first, first + seeds))
        self.settings = []
        for choice in itertools.product(*values.values()):
            chosen = dict(zip(values, choice, strict=True))
            recipes = [build(name, {**chosen, "seed": str(seed)}) for seed in self.seeds]
            trials = [Trial(seed, recipe) for seed, recipe in zip(self.seeds, recipes, strict=True)]
            self.settings.append(Setting({key: chosen[key] for key in varied}, trials))
        _refuse_repeated(self.settings)
        self.metric = _checked_metric(metric, self.settings[0].trials[0].recipe)
        self.data = ""

    @property
    def count(self) -> int:
        """Give how many runs there are to make."""
        return len(self.settings) * len(self.seeds)

    @property
    def done(self) -> int:
        """Give how many runs are over, however they ended."""
        return sum(trial.status != "planned" for _, trial in self.trials)

    @property
    def trials(self) -> Iterator[tuple[Setting, Trial]]:
        """Give every run that is to be made, in order."""
        return ((setting, trial) for setting in self.settings for trial in setting.trials)

    def run(
        self,
        folder: Path,
        *,
        device: str = "auto",
        tell: Callable[[str, float, str], None] = lambda title, share, line: None,
    ) -> None:
        """Train every setting with every seed; after each run all that is known is on disk.

        A run whose loss is no longer finite ends there, and one that fails is noted: neither
        ends the others. An error that the user must mend does.

        Args:
            folder: gets ``compare.csv`` and ``compare.json``.
            device: as for ``fit``.
            tell: is called with a title (``run 2 of 9  lr=0.1  seed 1``), the runs done so far with
                their share of the current one, and a line to keep, or none.
        """
        for number, (setting, trial) in enumerate(self.trials):
            title = f"run {number + 1} of {self.count}  {setting.label}  seed {trial.seed}"
            tell(title, number, "")

            def epoch_ended(record: Record, number: int = number, trial: Trial = trial) -> None:
                self._settle_metric(record, trial.recipe)
                tell("", number + record["epoch"] / trial.recipe.epochs, "")

            self._train(trial, device, epoch_ended)
            tell("", number + 1, f"{title}  {self._said_of(trial)}")
            self.write(folder)

    def _train(self, trial: Trial, device: str, epoch_ended: Callable[[Record], None]) -> None:
        watch = _Watch(epoch_ended)
        try:
            fit(trial.recipe, device=device, callbacks=[watch])
            trial.status = "done"
        except DivergedError:
            trial.status = "diverged"
        except DivekitError:
            raise
        except Exception as error:  # out of memory, say: the next setting may do better
            trial.status = "failed"
            trial.error = " ".join(f"{type(error).__name__}: {error}".split())
        if watch.run is not None:
            trial.history = watch.run.history
            self.data = watch.run.facts.name

    def _settle_metric(self, record: Record, recipe: Recipe) -> None:
        """Choose the metric, or refuse the one that was asked for, once all have been measured."""
        epoch = record["epoch"]
        if epoch % recipe.validate_every != 0 and epoch != recipe.epochs:
            return
        names = [name for name in record if name != "epoch"]
        if not self.metric:
            self.metric = "test_loss" if "test_loss" in names else names[0]
        if self.metric not in names:
            raise unknown_name("metric", self.metric, names)

    def _said_of(self, trial: Trial) -> str:
        if trial.status == "done":
            return f"{self.metric} {trial.series(self.metric)[1][-1]:.4g}"
        if trial.status == "diverged":
            return f"diverged in epoch {len(trial.history) + 1}"
        return f"failed: {trial.error}"

    @property
    def failures(self) -> list[str]:
        """Say of each run that failed why."""
        return [
            f"{setting.label}, seed {trial.seed}: {trial.error}"
            for setting, trial in self.trials
            if trial.status == "failed"
        ]

    def table(self) -> str:
        """Write the last epochs' figures: a line for each setting, means over its seeds."""
        names = self._names()
        others = [name for name in names if name != self.metric]
        rows = [["", self.metric, "(least to greatest)", *others, ""]]
        for setting in self.settings:
            cells = [setting.label]
            if values := setting.last(self.metric):
                cells += [
                    f"{statistics.fmean(values):.4g}",
                    f"({min(values):.4g} to {max(values):.4g})",
                ]
                cells += [f"{statistics.fmean(setting.last(name)):.4g}" for name in others]
            else:
                cells += ["-", "", *("-" for _ in others)]
            rows.append([*cells, _remark(setting)])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        seeds = f"{len(self.seeds)} seeds" if len(self.seeds) > 1 else f"seed {self.seeds[0]}"
        return "\n".join([f"{self.name} on {self.data}, {seeds}, last epoch, means:", *lines])

    def picture(self) -> Any:
        """Draw the metric by epoch: a line for each setting, in a band over its seeds."""
        lines: dict[str, tuple[Sequence[int], list[list[float]]]] = {}
        calm = []
        for setting in self.settings:
            drawn = [trial.series(self.metric) for trial in setting.trials]
            epochs = max((epochs for epochs, _ in drawn), key=len)
            rows = [_padded(values, len(epochs)) for _, values in drawn if values]
            if setting.with_status("diverged"):
                # Named in the legend even where it has not come to the end of an epoch.
                lines[f"{setting.label} (diverged)"] = (epochs or [1], rows or [[math.nan]])
            elif rows:
                lines[setting.label] = (epochs, rows)
                calm.append(setting.label)
        return plot.bands(
            lines,
            of="seeds",
            title=f"{self.name} on {self.data}",
            x_label="epoch",
            y_label=self.metric.replace("_", " "),
            scale_by=calm if 0 < len(calm) < len(lines) else None,
        )

    def to_json(self, *, histories: bool = True) -> dict[str, Any]:
        """Give all that is known as plain values; numbers that are not finite are null."""
        names = self._names()
        return {
            "recipe": self.name,
            "fixed": self.fixed,
            "data": self.data,
            "metric": self.metric,
            "seeds": self.seeds,
            "settings": [
                {
                    "settings": setting.texts,
                    "label": setting.label,
                    "last": {name: _spread(setting.last(name)) for name in names},
                    "runs": [
                        {
                            "seed": trial.seed,
                            "status": trial.status,
                            "epochs": len(trial.history),
                            **({"error": trial.error} if trial.error else {}),
                            **({"history": _plain(trial.history)} if histories else {}),
                        }
                        for trial in setting.trials
                    ],
                }
                for setting in self.settings
            ],
        }

    def write(self, folder: Path) -> None:
        """Write ``compare.json``, and ``compare.csv`` with a row for every epoch of every run."""
        unfinished = folder / ".compare.json"
        unfinished.write_text(json.dumps(self.to_json(), indent=1) + "\n", encoding="utf-8")
        os.replace(unfinished, folder / "compare.json")
        header = [*self.settings[0].texts, "seed", "status", "epoch", *self._names()]
        with (folder / "compare.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=header, lineterminator="\n")
            writer.writeheader()
            for setting, trial in self.trials:
                known = {**setting.texts, "seed": trial.seed, "status": trial.status}
                writer.writerows({**known, **record} for record in trial.history)

    def _names(self) -> list[str]:
        """Give the names of the figures, in order of appearance."""
        records = (record for _, trial in self.trials for record in trial.history)
        return [name for name in dict.fromkeys(itertools.chain(*records)) if name != "epoch"]


def split_settings(name: str, texts: Mapping[str, str]) -> dict[str, list[str]]:
    """Split every setting at its commas into the values to compare: ``lr=0.1,0.5`` has two.

    What stands in round brackets is one value. A setting that is itself a list of values, with
    no brackets around it, is one value too: it means what it means to ``divekit train``.
    """
    if name not in RECIPES:
        raise unknown_name("recipe", name, RECIPES)
    values = {}
    if "data" in texts:
        values["data"] = _split("data", texts["data"])
    recipe = build(name, {key: choices[0] for key, choices in values.items()})
    hints = get_type_hints(RECIPES[name])
    hints |= {f"data.{key}": kind for key, kind in get_type_hints(type(recipe.data)).items()}
    for key, text in texts.items():
        whole = _is_list(hints.get(key)) and not text.startswith("(")
        values[key] = [text] if whole else _split(key, text)
    return {key: values[key] for key in texts}


def _split(name: str, text: str) -> list[str]:
    """Split at commas outside of round brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    parts = [part.strip() for part in parts]
    if depth != 0 or (len(parts) > 1 and "" in parts):
        raise UsageError(f"{name}={text}: values are separated by single commas, brackets closed")
    return parts


def _is_list(annotation: Any) -> bool:
    kinds = (annotation, *get_args(annotation))
    return any(get_origin(kind) is tuple for kind in kinds)


def _refuse_repeated(settings: Sequence[Setting]) -> None:
    seen: list[Mapping[str, Any]] = []
    for setting in settings:
        overrides = setting.trials[0].recipe.overrides
        if overrides in seen:
            raise UsageError(f"{setting.label} is there twice")
        seen.append(overrides)


def _checked_metric(metric: str, recipe: Recipe) -> str:
    """Give the metric to draw; empty when only the first epoch can say what there is."""
    if not metric:
        return recipe.goals[0].metric if recipe.goals else ""
    if recipe.loss is not None and recipe.metrics_of is None:
        figures = ["loss", *recipe.metrics]
        parts = ("train", "validation", "test")
        known = [f"{part}_{figure}" for figure in figures for part in parts]
        if metric not in known:
            raise unknown_name("metric", metric, known)
    return metric


class _Watch(Callback):
    def __init__(self, told: Callable[[Record], None]) -> None:
        self.run: Run | None = None
        self._told = told

    def started(self, run: Run) -> None:
        self.run = run

    def epoch_ended(self, run: Run, record: Record) -> None:
        self._told(record)


def _remark(setting: Setting) -> str:
    remarks = []
    for status in ("diverged", "failed", "planned"):
        count = len(setting.with_status(status))
        if count:
            word = {"planned": "not run"}.get(status, status)
            remarks.append(f"{count} of {len(setting.trials)} {word}")
    return ", ".join(remarks)


def _padded(values: Sequence[float], length: int) -> list[float]:
    return [*values, *[math.nan] * (length - len(values))]


def _spread(values: Sequence[float]) -> dict[str, Any]:
    """Give the mean and the range; over what was done only, so all of it is finite or said."""
    if not values:
        return {"runs": 0, "mean": None, "least": None, "greatest": None}
    figures = {"mean": statistics.fmean(values), "least": min(values), "greatest": max(values)}
    return {"runs": len(values), **_plain(figures)}


def _plain(value: Any) -> Any:
    """Give a value with null for numbers that are not finite: JSON has no others."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
