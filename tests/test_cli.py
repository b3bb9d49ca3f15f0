import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from divekit import __version__, book, report
from divekit.data import DATA_SETS, FashionMNIST


def test_help_and_version(divekit):
    assert "train" in divekit("--help").stdout
    assert divekit("--version").stdout == f"divekit {__version__}\n"
    assert divekit().exit_code == 2  # no command: the help, and an error


def test_list_shows_every_section_by_chapter(divekit):
    text = divekit("list").stdout
    assert "3 Linear Neural Networks" in text
    assert "19.7" in text
    rows = json.loads(divekit("list", "--json").stdout)
    assert len(rows) == 144
    assert {row["shown"] for row in rows} <= {"planned", "sample", "real"}
    only = json.loads(divekit("list", "3", "--json").stdout)
    assert [row["number"] for row in only] == [f"3.{n}" for n in range(1, 8)]
    assert divekit("list", "20").exit_code == 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("alexnet", ["46,764,746", "features.0    Conv2d     96 x 54 x 54", "data.resize = 224"]),
        ("vgg", ["43,093,322", "width = 0.25", "on sample:  resize = 32", "7.2"]),
        ("nin", ["1,992,166", "10 x 5 x 5", "1,524,594,704", "7.3"]),
        ("googlenet", ["5,977,530", "inceptions.1.3.path2.2  Conv2d", "data.resize = 96", "7.4"]),
        ("3.7", ["softmax_regression", "fashion_mnist", "divekit run 3.7"]),
        ("17.2", ["planned"]),
        ("softmax_regression", ["7,850", "batch x 1 x 28 x 28", "at least 0.81", "lr = 0.1"]),
        ("fashion_mnist", ["60,000", "30.9 MB", "MIT", "github.com/zalandoresearch", "ankle boot"]),
        ("linear_regression", ["synthetic_regression", "data.noise = 0.01"]),
        ("lenet", ["61,706", "833,040", "features.3    Conv2d     16 x 10 x 10", "480,000"]),
        ("lenet", ["on sample:  optimizer = adam", "data.resize = 28"]),
    ],
)
def test_info_says_what_there_is_without_opening_anything(divekit, monkeypatch, name, expected):
    monkeypatch.setattr(FashionMNIST, "open", lambda *_: pytest.fail("opened"))
    result = divekit("info", name)
    assert result.exit_code == 0
    for text in expected:
        assert text in result.stdout
    assert json.loads(divekit("info", name, "--json").stdout)


def test_info_takes_settings_of_a_recipe(divekit):
    """Worked by hand: 32 pixels, halved five times, leave one of 41 channels."""
    text = divekit("info", "vgg", "depth=13", "width=0.08", "hidden=7", "resize=32").stdout
    layers = json.loads(
        divekit("info", "vgg", "depth=13", "width=0.08", "hidden=7", "resize=32", "--json").stdout
    )["layers"]
    channels = [layer["output_shape"][1] for layer in layers if layer["kind"] == "Conv2d"]
    assert channels == [5, 5, 10, 10, 20, 20, 41, 41, 41, 41]
    assert [layer["parameters"] for layer in layers if layer["kind"] == "Linear"] == [294, 56, 80]
    for line in ("depth = 13", "width = 0.08", "data.resize = 32"):
        assert line in text
    assert "batch x 1 x 32 x 32" in text
    assert divekit("info", "vgg", "depth=12").exit_code == 2
    assert divekit("info", "3.7", "depth=13").exit_code == 2


def test_info_names_the_script_from_where_the_user_stands(divekit, monkeypatch):
    script = "divekit/sections/03_linear_networks/07_softmax_regression_concise.py"
    assert json.loads(divekit("info", "3.7", "--json").stdout)["script"] == script
    monkeypatch.chdir(report.PACKAGE.parent.parent)
    told = Path(json.loads(divekit("info", "3.7", "--json").stdout)["script"])
    assert not told.is_absolute()
    assert told.is_file()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["info", "fashion_mnits"], 2, "did you mean fashion_mnist"),
        (["run", "3.77"], 2, "did you mean"),
        (["run", "17.2"], 2, "is planned"),
        (["notebook"], 2, "name a section"),
        (["train", "sofmax_regression"], 2, "did you mean softmax_regression"),
        (["train", "softmax_regression", "epochs=three"], 2, "epochs takes a whole number"),
        (["train", "softmax_regression", "epoch=3"], 2, "did you mean epochs"),
        (["train", "softmax_regression", "3"], 2, "not of the form"),
        (["train", "softmax_regression", "--precision", "fp8"], 2, "fp32 or bf16"),
        (["train", "linear_regression", "--device", "cuda:9"], 2, "cuda:9"),
        (["train", "linear_regression", "epochs=0"], 2, "epochs is 0"),
        (["train", "linear_regression", "batch_size=0"], 2, "batch_size is 0"),
        (["train", "softmax_regression"], 3, "Fashion-MNIST"),
        (["run", "3.7"], 3, "--sample"),
        (["predict", "nowhere", "x.png"], 3, "not a saved run"),
    ],
)
def test_errors_are_one_line_with_the_right_exit_code(divekit, words, code, message):
    result = divekit(*words)
    assert result.exit_code == code, result.output
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert "Traceback" not in result.output
    assert not list(Path().glob("runs/*/*")), "a failed command leaves no numbered folder"


def test_train_keeps_the_model_the_history_and_the_pictures(divekit):
    result = divekit("train", "softmax_regression", "--sample")
    assert result.exit_code == 0, result.output
    folder = Path("runs/softmax_regression/1")
    assert sorted(path.name for path in folder.iterdir()) == [
        "best.safetensors", "checkpoints", "curves.png", "curves.svg", "history.csv",
        "history.jsonl", "model.safetensors", "predictions.png", "run.json",
    ]  # fmt: skip
    assert len((folder / "history.csv").read_text().splitlines()) == 11
    assert "test accuracy" in result.stdout
    assert "Try next" in result.stdout
    assert "divekit notebook 3.7" in result.stdout


def test_on_the_sample_a_recipe_takes_its_settings_for_it(divekit):
    result = divekit("train", "lenet", "epochs=1", "--sample")
    assert result.exit_code == 1  # one epoch is too few
    overrides = json.loads(Path("runs/lenet/1/run.json").read_text())["overrides"]
    assert overrides == {"lr": 0.005, "optimizer": "adam", "epochs": 1}


def test_a_missed_goal_is_exit_code_1_and_keeps_the_run(divekit):
    result = divekit("train", "softmax_regression", "epochs=1", "--sample")
    assert result.exit_code == 1
    assert "goal missed: test_accuracy" in result.stderr
    assert Path("runs/softmax_regression/1/model.safetensors").exists()


def test_json_is_all_there_is_on_standard_output(divekit):
    result = divekit("train", "linear_regression", "--json")
    answer = json.loads(result.stdout)
    assert answer["reached"] is True
    assert answer["metrics"]["epoch"] == 3
    assert Path(answer["folder"]).is_dir()
    assert "epoch 3/3" in result.stderr
    answer = json.loads(divekit("run", "3.2", "--json").stdout)
    assert [Path(figure).exists() for figure in answer["figures"]] == [True, True]


def test_predict_reads_pictures_and_tables(divekit):
    divekit("train", "softmax_regression", "--sample", "--out", "digits")
    Image.new("L", (50, 50), 200).save("x.png")
    result = divekit("predict", "digits", "x.png")
    assert result.exit_code == 0
    assert result.stdout.startswith("x.png: ")
    (answer,) = json.loads(divekit("predict", "digits", "x.png", "--json").stdout)
    assert sum(answer["probabilities"].values()) == pytest.approx(1)
    divekit("train", "linear_regression", "--out", "line")
    Path("x.csv").write_text("1,1\n0,0\n")
    rows = json.loads(divekit("predict", "line", "x.csv", "--json").stdout)
    assert [row["value"] for row in rows] == pytest.approx([2.8, 4.2], abs=0.01)
    assert divekit("predict", "line", "none.csv").exit_code == 3


def test_results_are_not_overwritten(divekit):
    assert divekit("train", "linear_regression", "--out", "here").exit_code == 0
    again = divekit("train", "linear_regression", "--out", "here")
    assert again.exit_code == 2
    assert "is not an empty folder" in again.stderr
    for number in (1, 2):
        divekit("run", "3.3")
        assert Path(f"runs/3.3/{number}/figure-1.png").exists()


def test_run_saves_pictures_and_shows_progress(divekit):
    result = divekit("run", "3.7", "--sample")
    assert result.exit_code == 0, result.output
    assert "sample data" in result.stdout
    assert "epoch 10/10" in result.stdout
    assert "reaches the goal" in result.stdout
    assert "figure: runs/3.7/1/figure-1.png" in result.stdout


def test_notebooks_are_written_where_they_are_wanted(divekit):
    assert divekit("notebook", "3.7", "mine").exit_code == 0
    assert divekit("notebook", "3.7", "mine").exit_code == 2
    assert divekit("notebook", "3.7", "mine", "--force").exit_code == 0
    assert divekit("notebook", "--all", "every").exit_code == 0
    ready = [section for section in book.sections() if section.script]
    assert len(list(Path("every").glob("*.ipynb"))) == len(ready)


def test_data_are_listed_verified_and_fetched(divekit, monkeypatch, tmp_path):
    rows = json.loads(divekit("data", "list", "--json").stdout)
    states = {row["data"]: row["state"] for row in rows}
    assert states == {
        name: "missing" if kind.files else "nothing to download" for name, kind in DATA_SETS.items()
    }
    assert (states["fashion_mnist"], states["digits"]) == ("missing", "nothing to download")
    assert divekit("data", "verify").exit_code == 0
    (tmp_path / "mine/fashion-mnist").mkdir(parents=True)
    (tmp_path / "mine/fashion-mnist/t10k-labels-idx1-ubyte.gz").write_text("not it")
    monkeypatch.setenv("DIVEKIT_DATA", str(tmp_path / "mine"))
    result = divekit("data", "verify", "fashion_mnist")
    assert result.exit_code == 3
    assert "t10k-labels-idx1-ubyte.gz" in result.stderr
    result = divekit("data", "get", "fashion_mnist")
    assert result.exit_code == 3
    assert "DIVEKIT_OFFLINE" in result.stderr
    assert divekit("data", "get", "digits").exit_code == 0
    assert "did you mean digits" in divekit("data", "get", "digit").stderr


@pytest.mark.real
def test_the_real_data_are_verified(divekit):
    rows = json.loads(divekit("data", "verify", "fashion_mnist", "--json").stdout)
    assert [row["state"] for row in rows] == ["verified"] * 4


def test_doctor_names_what_is_wrong_and_how_to_mend_it(divekit, monkeypatch):
    monkeypatch.setenv("DIVEKIT_DATA", "/no/such/folder")
    found = json.loads(divekit("doctor", "--json").stdout)
    assert found["divekit"] == __version__
    assert "cpu" in found["device"]
    assert any("/no/such/folder" in line for line in found["mend"])
    assert "torch" in divekit("doctor").stdout


def test_debug_shows_where(divekit):
    result = divekit("--debug", "train", "linear_regression", "epochs=0")
    assert isinstance(result.exception, Exception)
    assert "epochs is 0" in str(result.exception)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")
def test_an_interrupted_run_is_exit_code_130(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "divekit", "train", "linear_regression", "epochs=1000000"],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    log = tmp_path / "runs/linear_regression/1/history.csv"
    for _ in range(600):
        if log.exists() and log.read_text():
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.startswith("divekit: interrupted; saved at epoch")
    assert errors.strip().endswith("divekit train --resume runs/linear_regression/1")


@pytest.mark.real
@pytest.mark.parametrize("number", ["3.6", "3.7"])
def test_sections_reach_their_goal_on_the_real_data(divekit, number):
    result = divekit("run", number)
    assert result.exit_code == 0, result.output
    assert "on fashion_mnist" in result.stdout
