import csv
import io
import json
import re
import statistics
from pathlib import Path

import pytest
import torch

from divekit import compare, recipes
from divekit.compare import Comparison, split_settings
from divekit.train import Recipe, fit, recipe
from divekit.watch import told

FOLDER = Path("runs/compare-linear_regression/1")


def test_every_setting_is_trained_with_every_seed_and_its_figures_are_those_of_fit(divekit):
    result = divekit("compare", "linear_regression", "lr=0.03,0.1", "batch_size=50", "--seeds", "2")
    assert result.exit_code == 0, result.output
    expected = {
        (lr, seed): fit(
            recipes.linear_regression(lr=float(lr), batch_size=50, seed=seed), callbacks=[]
        ).history
        for lr in ("0.03", "0.1")
        for seed in (0, 1)
    }
    with (FOLDER / "compare.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 2 * 3
    for row in rows:
        record = expected[row["lr"], int(row["seed"])][int(row["epoch"]) - 1]
        assert float(row["train_loss"]) == record["train_loss"]
        assert row["status"] == "done"
    found = json.loads((FOLDER / "compare.json").read_text())
    assert found["fixed"] == {"batch_size": "50"}
    assert found["metric"] == "train_loss"
    for setting in found["settings"]:
        lr = setting["settings"]["lr"]
        last = [expected[lr, seed][-1]["train_loss"] for seed in (0, 1)]
        assert setting["last"]["train_loss"] == {
            "runs": 2,
            "mean": pytest.approx(statistics.fmean(last)),
            "least": min(last),
            "greatest": max(last),
        }
        line = next(line for line in result.stdout.splitlines() if line.startswith(f"lr={lr} "))
        assert line.split()[1:] == (
            f"{statistics.fmean(last):.4g} ({min(last):.4g} to {max(last):.4g})".split()
        )
        for run in setting["runs"]:
            assert run["history"] == expected[lr, run["seed"]]
    for name in ("compare.png", "compare.svg"):
        assert (FOLDER / name).stat().st_size > 1000


def test_the_picture_shows_the_mean_and_the_range_of_the_seeds(tmp_path):
    comparison = Comparison("linear_regression", {"lr": "0.03,0.1", "batch_size": "50"}, seeds=2)
    comparison.run(tmp_path)
    (axes,) = comparison.picture().axes
    assert [line.get_label() for line in axes.lines] == ["lr=0.03", "lr=0.1"]
    for line, setting in zip(axes.lines, comparison.settings, strict=True):
        losses = [[record["train_loss"] for record in trial.history] for trial in setting.trials]
        means = [statistics.fmean(pair) for pair in zip(*losses, strict=True)]
        assert line.get_ydata().tolist() == pytest.approx(means)
    assert axes.get_title("left") == (
        "linear_regression on synthetic_regression\n"
        "line: mean of 2 seeds; band: from the least to the greatest"
    )


def test_a_setting_that_diverges_is_shown_as_such_and_ends_early(divekit):
    result = divekit(
        "compare", "linear_regression", "lr=1000,0.03", "epochs=9", "--seeds", "2", "--json"
    )
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    wild, calm = answer["settings"]
    assert [run["status"] for run in wild["runs"]] == ["diverged"] * 2
    assert all(run["epochs"] < 9 for run in wild["runs"])
    assert wild["last"]["train_loss"] == {"runs": 0, "mean": None, "least": None, "greatest": None}
    assert calm["last"]["train_loss"]["runs"] == 2
    assert re.search(r"^lr=1000 +- .*2 of 2 diverged$", result.stderr, flags=re.MULTILINE)
    assert "lr=1000  seed 0  diverged in epoch 1" in result.stderr
    # JSON knows neither nan nor inf.
    json.loads((FOLDER / "compare.json").read_text(), parse_constant=pytest.fail)


def test_a_run_that_fails_does_not_end_the_others_and_is_told_in_the_end(divekit, monkeypatch):
    @recipe
    def fragile(width: int = 1, epochs: int = 1, seed: int = 0) -> Recipe:
        def model(facts):
            if width == 2:
                raise RuntimeError("out of\nmemory")
            return torch.nn.Linear(facts.num_features, width)

        linear = recipes.linear_regression(epochs=epochs, seed=seed)
        return Recipe(
            data=linear.data,
            model=model,
            loss=linear.loss,
            optimizer=linear.optimizer,
            epochs=epochs,
            seed=seed,
        )

    for known in (compare.RECIPES, compare.build.__globals__["RECIPES"]):
        monkeypatch.setitem(known, "fragile", fragile)
    result = divekit("compare", "fragile", "width=2,1", "--seeds", "1")
    assert result.exit_code == 4
    assert (
        result.stderr == "divekit: 1 of 2 runs failed; the first: "
        "width=2, seed 0: RuntimeError: out of memory\n"
    )
    assert re.search(r"^width=2 .*1 of 1 failed$", result.stdout, flags=re.MULTILINE)
    assert re.search(r"^width=1 +\d", result.stdout, flags=re.MULTILINE)


def test_an_interrupted_comparison_keeps_what_is_done(divekit, monkeypatch):
    trained = []

    def interrupted(*words, **settings):
        if len(trained) == 2:
            raise KeyboardInterrupt
        trained.append(fit(*words, **settings))
        return trained[-1]

    monkeypatch.setattr(compare, "fit", interrupted)
    result = divekit("compare", "linear_regression", "lr=0.03,0.1", "--seeds", "2")
    assert result.exit_code == 130
    assert "2 of 4 runs are done and kept" in result.stdout
    assert "2 of 2 not run" in result.stdout
    found = json.loads((FOLDER / "compare.json").read_text())
    statuses = [run["status"] for setting in found["settings"] for run in setting["runs"]]
    assert statuses == ["done", "done", "planned", "planned"]
    assert (FOLDER / "compare.png").exists()
    trained[:] = [None, None]
    assert divekit("compare", "linear_regression").exit_code == 130
    assert not FOLDER.with_name("2").exists(), "nothing is done, nothing is left"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sofmax_regression"], "did you mean softmax_regression"),
        (["linear_regression", "lt=0.1,0.5"], "did you mean lr"),
        (["linear_regression", "lr=0.1,big"], "lr takes a number"),
        (["linear_regression", "lr=0.1,,0.5"], "single commas"),
        (["linear_regression", "lr=(0.1,0.5"], "brackets closed"),
        (["linear_regression", "data.draw=0,x"], "data.draw takes a whole number"),
        (["linear_regression", "lr=0.1,0.10"], "lr=0.10 is there twice"),
        (["linear_regression", "seed=0,1"], "seed takes a whole number"),
        (["linear_regression", "lr=1,2,3", "batch_size=1,2,3"], "9 settings; a picture can tell 8"),
        (["linear_regression", "--seeds", "0"], "--seeds 0"),
        (["linear_regression", "--metric", "tran_loss"], "did you mean train_loss"),
        (["softmax_regression", "--metric", "accuracy"], "test_accuracy"),
    ],
)
def test_mistakes_are_found_before_anything_is_trained(divekit, monkeypatch, words, message):
    monkeypatch.setattr(compare, "fit", lambda *_, **__: pytest.fail("trained"))
    result = divekit("compare", *words)
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert not Path("runs").exists()


def test_a_metric_that_only_the_first_epoch_can_refuse(divekit):
    result = divekit("compare", "linear_regression", "--metric", "test_loss")
    assert result.exit_code == 2
    assert "no metric is called 'test_loss'; did you mean train_loss?" in result.stderr
    assert not Path("runs").exists()


def test_commas_in_brackets_and_in_lists_do_not_separate(monkeypatch):
    @recipe
    def many(
        widths: tuple[int, ...] = (),
        names: tuple[str, str] | None = None,
        lr: float = 1,
        text: str = "",
    ) -> Recipe:
        return recipes.linear_regression()

    for known in (compare.RECIPES, compare.build.__globals__["RECIPES"]):
        monkeypatch.setitem(known, "many", many)
    given = {
        "widths": "(256,128),(64,)",
        "names": "a,b",
        "lr": "0.1, 0.5",
        "text": "(a,b),c",
        "data.noise": "0,1",
    }
    assert split_settings("many", given) == {
        "widths": ["(256,128)", "(64,)"],
        "names": ["a,b"],
        "lr": ["0.1", "0.5"],
        "text": ["(a,b)", "c"],
        "data.noise": ["0", "1"],
    }


def test_figures_that_are_not_measured_after_every_epoch_are_drawn_where_they_are(tmp_path):
    texts = {"data": "digits", "validate_every": "2", "epochs": "5"}
    comparison = Comparison("softmax_regression", texts, seeds=1, metric="test_loss")
    comparison.run(tmp_path)
    (axes,) = comparison.picture().axes
    assert axes.lines[0].get_xdata().tolist() == [2, 4, 5]
    last = comparison.settings[0].trials[0].history[-1]["test_loss"]
    assert comparison.settings[0].last("test_loss") == [last]
    assert f"{last:.4g}" in comparison.table()


def test_a_setting_all_of_whose_runs_diverge_at_once_is_named_in_the_picture(tmp_path):
    comparison = Comparison("linear_regression", {"lr": "1000,0.03"}, seeds=1)
    comparison.run(tmp_path)
    (legend,) = comparison.picture().legends
    assert [text.get_text() for text in legend.get_texts()] == ["lr=1000 (diverged)", "lr=0.03"]


def test_seeds_count_from_the_one_given():
    comparison = Comparison("linear_regression", {"seed": "5"}, seeds=3)
    assert [trial.recipe.seed for _, trial in comparison.trials] == [5, 6, 7]
    assert comparison.settings[0].label == "linear_regression"


def test_data_may_differ_between_settings(tmp_path):
    comparison = Comparison(
        "softmax_regression",
        {"data": "digits", "data.batch_size": "64,256", "epochs": "1,2"},
        seeds=1,
    )
    assert [setting.label for setting in comparison.settings] == [
        f"data.batch_size={size}, epochs={epochs}" for size in (64, 256) for epochs in (1, 2)
    ]
    comparison.run(tmp_path)
    assert comparison.data == "digits"
    lengths = [len(line.get_xdata()) for line in comparison.picture().axes[0].lines]
    assert lengths == [1, 2, 1, 2]  # each as long as its runs


def test_a_series_is_one_bar_on_a_terminal_with_the_lines_above():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    out = Terminal()
    with told(2, out) as tell:
        tell("run 1 of 2  [lr]", 0, "")
        tell("", 1, "run 1 of 2  [lr]  loss 0.5")
        tell("run 2 of 2", 2, "")
    written = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", out.getvalue())
    assert "run 1 of 2  [lr]  loss 0.5\n" in written
    assert "run 2 of 2 ━" in written
    assert "100%" in written
