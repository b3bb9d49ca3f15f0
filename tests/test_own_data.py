"""Data of the user's own, from the command line: train, info, eval, predict."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from sklearn.metrics import confusion_matrix, mean_squared_error, r2_score, recall_score

from divekit import fit, load, recipes
from divekit.data import Table
from divekit.data.splits import split
from divekit.runs import build, with_data
from tests.data.test_image_folder import draw, shapes
from tests.data.test_table import flowers

HOUSES = "".join(
    f"{n % 5 + 1},{'Pave' if n % 2 else 'Grvl'},{n * n},{n % 5 * 1000 + 7 * n}\n" for n in range(40)
)
HEADER = "rooms,alley,area,price\n"


@pytest.fixture
def houses(tmp_path):
    (tmp_path / "houses.csv").write_text(HEADER + HOUSES)
    return "data=csv:houses.csv", "data.label=price"


@pytest.fixture
def flower_run(divekit):
    flowers(300).to_csv("flowers.csv", index=False)
    words = ("data=csv:flowers.csv", "data.label=kind", "lr=0.5", "--out", "run")
    result = divekit("train", "softmax_regression", *words)
    assert result.exit_code == 0, result.output
    return result


def test_a_table_is_trained_on_measured_and_predicted_with(divekit, houses):
    result = divekit("train", "linear_regression", *houses, "epochs=30", "--out", "run")
    assert result.exit_code == 0, result.output
    assert "test absolute error" in result.stdout
    assert "none is known on csv:houses.csv" in result.stdout
    assert "divekit train linear_regression data=csv:houses.csv data.label=price" in result.stdout
    last = json.loads(Path("run/history.jsonl").read_text().splitlines()[-1])
    measured = json.loads(divekit("eval", "run", "--json").stdout)
    for name in ("loss", "absolute_error"):
        assert measured["metrics"][name] == pytest.approx(last[f"test_{name}"], rel=1e-6)
    assert measured["examples"] == 8

    rows = pd.read_csv("houses.csv")
    kept_apart = rows.iloc[split([0] * 40, 0.2, seed=0)[1]]
    guesses = load("run").predict(kept_apart).outputs[:, 0].numpy()
    theirs = {
        "root_mean_squared_error": mean_squared_error(kept_apart["price"], guesses) ** 0.5,
        "r_squared": r2_score(kept_apart["price"], guesses),
    }
    for name, value in theirs.items():
        assert measured["metrics"][name] == pytest.approx(value, rel=1e-4)
    assert "(price)" in divekit("eval", "run").stdout

    kept_apart.drop(columns="price").to_csv("new.csv", index=False, sep=";")
    answers = json.loads(divekit("predict", "run", "new.csv", "--json").stdout)
    assert [answer["value"] for answer in answers] == pytest.approx(guesses.tolist(), rel=1e-6)
    assert [answer["row"] for answer in answers] == list(range(2, 10))
    assert divekit("predict", "run", "new.csv").stdout.startswith("new.csv, row 2: price ")
    assert divekit("predict", "run", "new.csv", "--out", "out.csv").exit_code == 0
    written = pd.read_csv("out.csv")
    assert list(written.columns) == ["rooms", "alley", "area", "predicted_price"]
    assert written["predicted_price"].tolist() == pytest.approx(guesses.tolist(), rel=1e-6)
    assert divekit("predict", "run", "new.csv", "--out", "out.csv").exit_code == 2
    assert divekit("predict", "run", "out.csv", "--out", "again.csv").exit_code == 2


def test_classes_are_measured_one_by_one(divekit, flower_run):
    history = json.loads(Path("run/run.json").read_text())["history"][-1]
    measured = json.loads(divekit("eval", "run", "--json").stdout)
    assert measured["metrics"]["accuracy"] == pytest.approx(history["test_accuracy"], rel=1e-6)
    assert measured["metrics"]["loss"] == pytest.approx(history["test_loss"], rel=1e-6)

    flowers(100, seed=9).to_csv("other.csv", index=False, sep="\t")
    measured = json.loads(divekit("eval", "run", "data=csv:other.csv", "--json").stdout)
    truth = pd.read_csv("other.csv", sep="\t")["kind"]
    guesses = load("run").predict("other.csv").labels
    assert measured["examples"] == 100
    assert measured["confusion"] == confusion_matrix(truth, guesses).tolist()
    recalls = recall_score(truth, guesses, average=None).tolist()
    assert [row["recall"] for row in measured["classes"]] == pytest.approx(recalls)
    text = divekit("eval", "run", "data=csv:other.csv", "--out", "figures").stdout
    assert f"{recalls[0]:.1%}" in text
    assert sorted(path.name for path in Path("figures").iterdir()) == [
        "confusion.png",
        "figures.json",
    ]


def test_the_run_is_not_measured_on_data_that_have_changed(divekit, flower_run):
    flowers(301).to_csv("flowers.csv", index=False)
    result = divekit("eval", "run")
    assert result.exit_code == 2
    assert "csv:flowers.csv has changed since the run was trained" in result.stderr
    Path("flowers.csv").unlink()
    result = divekit("eval", "run")
    assert (result.exit_code, "flowers.csv: no such file" in result.stderr) == (3, True)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["data=csv:none.csv"], 3, "none.csv: no such file"),
        (["data=digits"], 2, "digits is not of the form of csv:flowers.csv"),
        (["data=digit"], 2, "did you mean digits"),
        (["data.label=x"], 2, "data.label: settings of the data go with data="),
        (["data=csv:tulips.csv"], 3, "tulips.csv, row 3, column kind: 'tulip' is not one of"),
        (["data=csv:unlabelled.csv"], 3, "unlabelled.csv: no column is called 'kind'"),
        (["data=images:folder"], 2, "which has no images"),
    ],
)  # fmt: skip
def test_data_of_another_form_are_refused(divekit, flower_run, words, code, message):
    frame = flowers(5)
    frame.drop(columns="kind").to_csv("unlabelled.csv", index=False)
    frame.loc[1, "kind"] = "tulip"
    frame.to_csv("tulips.csv", index=False)
    result = divekit("eval", "run", *words)
    assert (result.exit_code, message in result.stderr) == (code, True), result.output


def test_images_are_trained_on_measured_and_predicted_with(divekit, tmp_path):
    shapes("photos", 30)
    words = ("data=images:photos", "data.resize=12", "lr=0.05", "epochs=20", "--out", "run")
    trained = divekit("train", "softmax_regression", *words)
    assert trained.exit_code == 0
    again = "divekit train softmax_regression data=images:photos data.resize=12 epochs=60"
    assert again in trained.stdout
    assert "divekit eval run --out measured" in trained.stdout
    assert Path("run/predictions.png").exists()
    last = json.loads(Path("run/run.json").read_text())["history"][-1]
    measured = json.loads(divekit("eval", "run", "--json").stdout)
    assert measured["metrics"]["accuracy"] == pytest.approx(last["test_accuracy"], rel=1e-6)
    assert measured["examples"] == 12

    shapes("others", 8)
    Path("others/disc/00.jpg").rename("others/square/wrong.jpg")
    words = ("eval", "run", "data=images:others", "--out", "figures")
    text = divekit(*words).stdout
    (mistake,) = json.loads(Path("figures/figures.json").read_text())["mistakes"]
    assert mistake["file"] == "others/square/wrong.jpg"
    assert (mistake["answer"], mistake["truth"]) == ("disc", "square")
    (answer,) = json.loads(divekit("predict", "run", mistake["file"], "--json").stdout)
    assert mistake["probability"] == pytest.approx(answer["probabilities"]["disc"], rel=1e-5)
    assert f"others/square/wrong.jpg: disc {mistake['probability']:.1%}, is square" in text
    assert Image.open("figures/mistakes.png").width > 100

    shutil.rmtree("others/disc")  # one class alone can be measured on
    measured = json.loads(divekit("eval", "run", "data=images:others", "--json").stdout)
    assert [row["examples"] for row in measured["classes"]] == [0, 9]
    assert measured["classes"][0]["recall"] is None

    draw("square", 77).save("photo.png")
    answers = json.loads(
        divekit("predict", "run", "photo.png", "photos/disc/00.jpg", "--json").stdout
    )
    assert [answer["label"] for answer in answers] == ["square", "disc"]
    assert divekit("predict", "run", "photo.png", "--out", "p.csv").exit_code == 0
    (row,) = pd.read_csv("p.csv").to_dict("records")
    assert (row["file"], row["prediction"]) == ("photo.png", "square")
    result = divekit("predict", "run", "photos")
    assert (result.exit_code, "photos: a folder" in result.stderr) == (3, True)
    (tmp_path / "photos/disc/00.jpg").write_bytes(b"shorter")
    assert "has changed since" in divekit("eval", "run").stderr


def test_a_run_on_a_named_data_set_or_its_sample_is_measured_again(divekit):
    for folder, words in {"a": ["--sample"], "b": ["data=digits", "data.resize=6"]}.items():
        divekit("train", "softmax_regression", "epochs=2", *words, "--out", folder)
        last = json.loads(Path(folder, "run.json").read_text())["history"][-1]
        measured = json.loads(divekit("eval", folder, "--json").stdout)
        assert measured["metrics"]["loss"] == pytest.approx(last["test_loss"], rel=1e-6)
        assert measured["examples"] == 360
    divekit("train", "linear_regression", "--out", "line")
    result = divekit("eval", "line")
    assert (result.exit_code, "nothing that was not trained on" in result.stderr) == (2, True)
    assert divekit("eval", "line", "data=synthetic_regression").exit_code == 0


def test_a_run_on_own_data_is_continued_to_the_same_end(divekit, houses):
    words = ("train", "linear_regression", *houses)
    assert divekit(*words, "epochs=6", "--out", "whole").exit_code == 0
    assert divekit(*words, "epochs=3", "--out", "parts").exit_code == 0
    result = divekit("train", "--resume", "parts", "epochs=6", "--out", "more")
    assert result.exit_code == 0, result.output
    whole, parts = (json.loads(Path(run, "run.json").read_text()) for run in ("whole", "more"))
    assert parts["history"] == whole["history"]
    predictions = [load(run).predict("houses.csv").to_json() for run in ("whole", "more")]
    assert predictions[0] == predictions[1]


def test_a_run_is_not_continued_on_data_that_have_changed(divekit, houses):
    assert divekit("train", "linear_regression", *houses, "--out", "run").exit_code == 0
    with Path("houses.csv").open("a") as file:
        file.write("9,Pave,9,9\n")
    result = divekit("train", "--resume", "run", "epochs=6")
    assert (result.exit_code, "Traceback" in result.output) == (2, False), result.output


def test_the_best_epoch_can_be_measured_and_predicted_with(divekit, flower_run):
    words = ("data=csv:flowers.csv", "data.label=kind", "epochs=8", "lr=9", "--out", "wild")
    divekit("train", "softmax_regression", *words)
    history = json.loads(Path("wild/run.json").read_text())["history"]
    best = max(record["test_accuracy"] for record in history)
    measured = json.loads(divekit("eval", "wild", "--best", "--json").stdout)
    stored = json.loads(Path("wild/run.json").read_text())["best"]
    assert measured["metrics"]["loss"] == pytest.approx(stored["test_loss"], rel=1e-6)
    assert stored["epoch"] < 8 or best == history[-1]["test_accuracy"]
    assert divekit("predict", "wild", "flowers.csv", "--best").exit_code == 0


def test_info_says_what_training_would_make_of_it(divekit, houses):
    text = divekit("info", houses[0].removeprefix("data=")).stdout
    assert "alley: category (2 values)" in text
    assert "data.label=COLUMN" in text
    facts = json.loads(divekit("info", "csv:houses.csv", "data.label=price", "--json").stdout)
    assert facts["becomes"] == "rows of 4 numbers with a number to predict"
    assert facts["recipes"][:2] == ["linear_regression", "linear_regression_scratch"]
    assert facts["train"] == "divekit train linear_regression data=csv:houses.csv data.label=price"
    shapes("photos", 4)
    facts = json.loads(divekit("info", "images:photos", "data.resize=8", "--json").stdout)
    assert facts["becomes"] == "images of 1 x 8 x 8 in 2 classes"
    assert "softmax_regression" in facts["recipes"]
    assert divekit("info", "digits", "data.resize=8").exit_code == 2
    assert "csv: lacks the path" in divekit("info", "csv:").stderr


def test_a_recipe_that_does_not_suit_names_those_that_do(divekit, houses):
    result = divekit("train", "softmax_regression", *houses)
    assert result.exit_code == 2
    assert "these do: linear_regression, linear_regression_scratch" in result.stderr
    result = divekit("train", "linear_regression", houses[0], "data.label=alley")
    assert result.exit_code == 2
    assert "in 2 classes" in result.stderr
    assert "these do: softmax_regression" in result.stderr
    assert not Path("runs").exists()


def test_loss_above_that_of_guessing_brings_up_the_learning_rate(divekit):
    shapes("photos", 10)
    words = ("data=images:photos", "lr=50", "epochs=1", "--out", "run")
    assert "lr=5  smaller steps" in divekit("train", "softmax_regression", *words).stdout


def test_own_data_take_small_batches_unless_told_otherwise(houses):
    texts = dict(word.split("=", 1) for word in (houses[0], "data.label=alley"))
    assert build("softmax_regression", texts).data.batch_size == 32
    assert build("softmax_regression", {**texts, "batch_size": "99"}).data.batch_size == 99
    assert build("softmax_regression", {**texts, "data.batch_size": "88"}).data.batch_size == 88
    assert build("mlp_xor", {**texts, "batch_size": "3"}).data.batch_size == 3


def test_with_data_notes_the_settings_that_rebuild_it(houses):
    data = Table("houses.csv", label="price", leave_out=("area",), batch_size=5)
    run = fit(with_data(recipes.linear_regression(epochs=1), data), callbacks=[])
    assert run.recipe.overrides == {
        "epochs": 1, "data": "csv:houses.csv", "data.label": "price",
        "data.leave_out": ("area",), "data.batch_size": 5,
    }  # fmt: skip


def test_samples_and_own_data_do_not_go_together(divekit, houses):
    result = divekit("train", "linear_regression", *houses, "--sample")
    assert (result.exit_code, "csv:houses.csv is your own data" in result.stderr) == (2, True)
    assert not Path("runs").exists()
