import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch.testing import assert_close

from divekit import fit, load, recipes
from divekit.data import Facts, Table, use_samples
from divekit.data.splits import split
from divekit.errors import BadDataError, UsageError
from divekit.runs import build, with_data


def flowers(rows=60, seed=0):
    """Give a table whose class depends on a word and a number."""
    draws = np.random.default_rng(seed)
    colour = draws.choice(["red", "green", "blue"], rows)
    length = draws.normal(size=rows).round(3)
    kind = np.where((colour == "red") | (length > 0.8), "rose", "fern")
    return pd.DataFrame(
        {"colour": colour, "length": length, "noise": draws.normal(size=rows), "kind": kind}
    )


@pytest.fixture
def flower_file(tmp_path):
    flowers(300).to_csv(tmp_path / "flowers.csv", index=False)
    return str(tmp_path / "flowers.csv")


@pytest.fixture
def diabetes(tmp_path):
    from sklearn.datasets import load_diabetes

    load_diabetes(as_frame=True, scaled=False).frame.to_csv(tmp_path / "d.csv", index=False)
    return str(tmp_path / "d.csv")


def test_linear_regression_comes_close_to_scikit_learns(diabetes):
    from sklearn.linear_model import LinearRegression

    data = Table(diabetes, label="target")
    run = fit(with_data(recipes.linear_regression(epochs=100, lr=0.01), data), callbacks=[])
    frame = pd.read_csv(diabetes)
    train, held_out = split([0] * len(frame), 0.2, seed=0)
    inputs, target = frame.drop(columns="target"), frame["target"]
    theirs = LinearRegression().fit(inputs.iloc[train], target.iloc[train])
    expected = theirs.predict(inputs.iloc[held_out])
    error = np.abs(expected - target.iloc[held_out]).mean()
    assert run.metrics["test_absolute_error"] == pytest.approx(error, rel=0.02)
    ours = run.predict(frame.iloc[held_out])
    assert np.abs(ours.outputs[:, 0].numpy() - expected).mean() < 0.05 * target.std()
    assert np.abs(ours.outputs[:, 0].numpy() - target.iloc[held_out]).mean() == pytest.approx(
        run.metrics["test_absolute_error"], rel=1e-5
    )


def test_prices_in_hundreds_of_thousands_train_at_the_default_learning_rate(tmp_path):
    draws = np.random.default_rng(0)
    rooms = draws.integers(1, 9, 500)
    price = 200_000 + 30_000 * rooms + draws.normal(size=500) * 5_000
    pd.DataFrame({"rooms": rooms, "price": price}).to_csv(tmp_path / "x.csv", index=False)
    run = fit(
        build("linear_regression", {"data": f"csv:{tmp_path / 'x.csv'}", "data.label": "price"}),
        callbacks=[],
    )
    assert run.metrics["test_absolute_error"] < 6_000
    assert run.predict({"rooms": 5}).outputs.item() == pytest.approx(350_000, rel=0.01)


def test_the_loss_is_that_of_targets_in_spreads(diabetes):
    opened = Table(diabetes, label="target").open()
    targets = opened.train.tensors[1]
    assert targets.shape == (len(targets), 1)
    assert targets.double().mean().item() == pytest.approx(0, abs=1e-6)
    assert targets.double().std(correction=0).item() == pytest.approx(1)
    rows, _ = split([0] * 442, 0.2, seed=0)
    expected = torch.tensor(pd.read_csv(diabetes)["target"][rows].to_numpy())
    assert_close(opened.facts.in_units(targets)[:, 0], expected, rtol=1e-6, atol=0)


def test_a_class_that_depends_on_a_word_is_learned_and_shuffled_labels_are_not(flower_file):
    recipe = recipes.softmax_regression(lr=0.5, epochs=20)
    good = fit(with_data(recipe, Table(flower_file, label="kind")), callbacks=[])
    frame = pd.read_csv(flower_file, float_precision="round_trip")  # the same digits back
    frame["kind"] = frame["kind"].sample(frac=1, random_state=1).to_numpy()
    frame.to_csv("shuffled.csv", index=False)
    bad = fit(with_data(recipe, Table("shuffled.csv", label="kind")), callbacks=[])
    assert good.metrics["test_accuracy"] > 0.93
    assert bad.metrics["test_accuracy"] < 0.75


def test_facts_know_nothing_of_the_rows_kept_apart(flower_file):
    frame = pd.read_csv(flower_file, float_precision="round_trip")  # the same digits back
    data = Table(flower_file, label="kind")
    _, held_out = split(list(frame["kind"]), 0.2, seed=0)
    frame.loc[held_out, "length"] = 1e6
    frame.loc[held_out, "colour"] = "ultraviolet"
    frame.to_csv("changed.csv", index=False)
    changed = Table("changed.csv", label="kind")
    assert changed.facts.table == data.facts.table
    assert torch.equal(changed.open().train.tensors[0], data.open().train.tensors[0])
    frame.loc[[row for row in range(len(frame)) if row not in held_out][:1], "length"] = 3
    frame.to_csv("changed2.csv", index=False)
    assert Table("changed2.csv", label="kind").facts.table != data.facts.table


def test_the_label_statistics_are_those_of_the_training_rows(diabetes):
    frame = pd.read_csv(diabetes)
    train, held_out = split([0] * len(frame), 0.2, seed=7)
    frame.loc[held_out, "target"] = 1e5
    frame.to_csv("changed.csv", index=False)
    form = Table("changed.csv", label="target", split_seed=7).facts.table
    assert form.label_mean == pytest.approx(frame["target"][train].mean())
    assert form.label_spread == pytest.approx(frame["target"][train].std(ddof=0))


def test_the_split_takes_its_share_of_each_class_and_follows_its_seed():
    groups = ["a"] * 70 + ["b"] * 28 + ["c"] * 2
    train, held_out = split(groups, 0.25, seed=0)
    assert sorted(train + held_out) == list(range(100))
    assert Counter(groups[row] for row in held_out) == {"a": 18, "b": 7, "c": 1}
    assert split(groups, 0.25, seed=0) == (train, held_out)
    assert split(groups, 0.25, seed=1) != (train, held_out)
    assert split(groups, 0.0, seed=0) == (list(range(100)), [])
    with pytest.raises(UsageError, match=r"data\.validation is 1"):
        split(groups, 1.0, seed=0)


@pytest.mark.parametrize(
    ("labels", "task", "classes", "why"),
    [
        (["a", "b"] * 10, None, ("a", "b"), "since it is text"),
        ([0, 1] * 10, None, ("0", "1"), "few different whole numbers"),
        ([2, 10, 1] * 6, None, ("1", "2", "10"), "few different whole numbers"),
        ([0, 1] * 10, "regression", (), "a number; mean 0.4375"),
        ([1, 2, 3, 4, 5, 6], None, (), "are rare (data.task=classification"),
        ([1, 2, 3] * 2, "classification", ("1", "2", "3"), "3 classes: "),
        ([0.5, 1.5] * 9, None, (), "since it holds 2 different numbers"),
        (list(range(20)), None, (), "since it holds 20 different numbers"),
        ([1.0, "1", 2, "2.0"] * 3, None, ("1", "2"), "few different whole numbers"),
    ],
)
def test_the_task_is_read_off_the_label_and_stated(labels, task, classes, why):
    pd.DataFrame({"x": np.arange(len(labels)) ** 2, "y": labels}).to_csv("x.csv", index=False)
    data = Table("x.csv", label="y", task=task)
    assert data.facts.class_names == classes
    assert why in data.describe()[1]


def test_what_is_made_of_the_columns_is_stated(flower_file, caplog):
    caplog.set_level("INFO", "divekit")
    Table(flower_file, label="kind").open()
    text = caplog.text
    for part in (
        "300 rows, 4 columns separated by commas; 240 rows to train on, 60 to validate on",
        "label kind: 2 classes, since it is text: fern",
        "colour: category (3 values)",
        "length: number (mean",
    ):
        assert part in text


@pytest.fixture
def saved(flower_file):
    recipe = recipes.softmax_regression(lr=0.5, epochs=5)
    run = fit(with_data(recipe, Table(flower_file, label="kind")), callbacks=[])
    return run, run.save("run")


def test_a_saved_model_predicts_rows_by_the_names_of_their_columns(saved, flower_file):
    run, folder = saved
    Path(flower_file).unlink()  # the run is all that predicting takes
    trained = load(folder)
    rows = flowers(10, seed=5)
    expected = run.predict(rows).outputs
    turned = rows[["kind", "noise", "length", "colour"]].assign(extra=1)
    turned.to_csv("new.csv", index=False, sep=";")
    for given in (
        rows,
        turned,
        rows.to_dict("list"),
        rows.to_dict("records"),
        "new.csv",
        Path("new.csv"),
    ):
        assert_close(trained.predict(given).outputs, expected)
    prepared = trained.facts.prepare(rows)
    assert_close(trained.predict(prepared).outputs, expected)  # encoded, as a batch is
    assert trained.predict({"colour": "red", "length": 0, "noise": 0}).labels == ["rose"]


def test_unknown_columns_and_values_are_said_in_a_line_each(saved, caplog):
    caplog.set_level("INFO", "divekit")
    load(saved[1]).predict(
        {"colour": ["mauve", "red"], "length": [0, 0], "noise": [0, 0], "x y": 1 * [1, 1]}
    )
    assert [record.message for record in caplog.records] == [
        "the rows given: not used: x y",
        "the rows given: not among the training rows, so taken as none of the known: "
        "colour: mauve (row 1)",
    ]


def test_rows_that_do_not_fit_are_refused(saved):
    trained = load(saved[1])
    with pytest.raises(BadDataError, match=r"no column is called 'colour'.*did you mean 'color'"):
        trained.predict({"color": ["red"], "length": [0], "noise": [1]})
    with pytest.raises(UsageError, match="rows with named columns"):
        trained.predict(np.zeros((2, 5)))
    with pytest.raises(UsageError, match="shape"):
        trained.predict(torch.zeros(2, 4))


def test_facts_of_a_table_survive_json(saved, flower_file):
    facts = saved[0].facts
    assert Facts.from_json(json.loads(json.dumps(facts.to_json()))) == facts
    broken = json.loads(json.dumps(facts.to_json()))
    del broken["table"]["columns"][0]["mean"]
    with pytest.raises(BadDataError, match="damaged"):
        Facts.from_json(broken)


def test_a_table_has_no_sample(flower_file):
    with use_samples(), pytest.raises(UsageError, match="is your own data; there is no sample"):
        Table(flower_file, label="kind").open()


def test_memory_is_limited_and_the_widest_column_named(flower_file):
    with pytest.raises(
        UsageError, match=r"over data\.memory=1e-06 gigabytes.*data\.leave_out=colour"
    ):
        Table(flower_file, label="kind", memory=1e-6).facts  # noqa: B018


def test_settings_are_plain_data(flower_file):
    json.dumps(asdict(Table(flower_file, label="kind")))


def test_a_label_may_be_learned_on_a_logarithmic_scale(tmp_path):
    draws = np.random.default_rng(0)
    size = draws.uniform(1, 3, 400).round(4)
    price = np.exp(2 * size + 5 + draws.normal(0, 0.1, 400)).round(4)
    frame = pd.DataFrame({"size": size, "price": price})
    frame.to_csv(tmp_path / "x.csv", index=False)
    texts = {"data": f"csv:{tmp_path / 'x.csv'}", "data.label": "price", "epochs": "40"}
    run = fit(build("linear_regression", {**texts, "data.log_label": "true"}), callbacks=[])
    plain = fit(build("linear_regression", texts), callbacks=[])
    rows = pd.DataFrame({"size": [1.5, 2.5]})
    expected = np.exp(2 * rows["size"] + 5)
    np.testing.assert_allclose(run.predict(rows).outputs[:, 0], expected, rtol=0.04)
    assert run.metrics["test_absolute_error"] < 0.5 * plain.metrics["test_absolute_error"]
    truth = torch.tensor(frame["price"].to_numpy())
    errors = (run.predict(frame).outputs[:, 0] - truth).abs()
    held_out = split([0] * 400, 0.2, seed=0)[1]
    assert run.metrics["test_absolute_error"] == pytest.approx(
        errors[held_out].mean().item(), rel=1e-4
    )
    assert "mean of its logarithm" in "".join(run.recipe.data.describe())


def test_classes_have_no_logarithm(flower_file):
    with pytest.raises(UsageError, match="log_label=true is for numbers"):
        Table(flower_file, label="kind", log_label=True).open()


def test_marked_gaps_are_learned_from(tmp_path):
    frame = pd.DataFrame({"rooms": [3, 4, None, None] * 25, "price": [1.0, 1.0, 9.0, 9.0] * 25})
    frame.to_csv(tmp_path / "x.csv", index=False)
    texts = {"data": f"csv:{tmp_path / 'x.csv'}", "data.label": "price", "epochs": "40"}
    texts |= {"data.task": "regression", "lr": "0.1", "epochs": "100"}
    marked = fit(build("linear_regression", {**texts, "data.mark_gaps": "true"}), callbacks=[])
    plain = fit(build("linear_regression", texts), callbacks=[])
    assert marked.metrics["test_absolute_error"] < 0.2
    assert plain.metrics["test_absolute_error"] > 1
