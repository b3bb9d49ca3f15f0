import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.testing import assert_close

from divekit import load, recipes, runs
from divekit.data import SyntheticRegression, use_samples
from divekit.errors import BadDataError, GoalMissedError, UsageError
from divekit.models import SoftmaxRegression
from divekit.train import Goal, fit, load_weights, numbered


@pytest.fixture(scope="module")
def run():
    with use_samples():
        return fit(recipes.softmax_regression(epochs=4, seed=3), callbacks=[])


@pytest.fixture(scope="module")
def line():
    return fit(recipes.linear_regression(), callbacks=[])


def test_predictions_have_names_and_probabilities(run):
    images, labels = next(iter(run.data.test))
    predictions = run.predict(images)
    expected = torch.softmax(run.model(images), dim=1)
    assert_close(predictions.probabilities, expected.detach())
    assert predictions.labels == [str(index) for index in expected.argmax(1).tolist()]
    assert sum(predictions.to_json()[0]["probabilities"].values()) == pytest.approx(1)
    right = [
        truth == guess
        for truth, guess in zip(labels.tolist(), map(int, predictions.labels), strict=True)
    ]
    assert sum(right) / len(right) > 0.7


def test_predicting_takes_raw_bytes_arrays_and_single_images(run):
    raw = run.data.test.tensors[0][:5]  # uint8
    expected = run.predict(raw / 255).outputs
    for inputs in (raw, raw[:, 0], raw.numpy(), raw.numpy().astype(np.float64) / 255):
        assert_close(run.predict(inputs).outputs, expected)
    assert_close(run.predict(raw[0]).outputs, expected[:1])


def test_regression_predicts_numbers(line):
    assert line.predict([1.0, 1.0]).outputs.item() == pytest.approx(2 - 3.4 + 4.2, abs=0.01)
    assert line.predict([1.0, 1.0]).to_json() == [
        {"value": line.predict([1.0, 1.0]).outputs.item()}
    ]
    with pytest.raises(UsageError, match="regression"):
        line.predict([1.0, 1.0]).probabilities  # noqa: B018


def test_a_saved_model_loads_whole_and_predicts_the_same(run, tmp_path):
    folder = run.save(tmp_path / "run")
    trained = load(folder)
    images = next(iter(run.data.test))[0]
    assert torch.equal(trained.predict(images).outputs, run.predict(images).outputs)
    assert trained.predict(images).labels == run.predict(images).labels
    assert not trained.model.training
    description = json.loads((folder / "run.json").read_text())
    assert description["recipe"] == "softmax_regression"
    assert description["overrides"] == {"epochs": 4, "seed": 3}
    assert description["history"] == run.history
    assert sorted(path.name for path in folder.iterdir()) == ["model.safetensors", "run.json"]


def test_saved_weights_load_with_plain_torch(run, tmp_path):
    model = SoftmaxRegression(64, 10)
    model.load_state_dict(load_file(run.save(tmp_path) / "model.safetensors"))
    assert torch.equal(model.linear.weight, run.model.linear.weight)


def test_a_run_is_never_overwritten(run, tmp_path):
    run.save(tmp_path)
    with pytest.raises(UsageError, match="holds a run already"):
        run.save(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("run.json", "{", "not valid JSON"),
        ("run.json", "{}", "not a run of format"),
        ("model.safetensors", "x", "cannot be read"),
    ],
)
def test_a_damaged_run_is_refused_in_one_line(run, tmp_path, name, content, message):
    run.save(tmp_path)
    (tmp_path / name).write_text(content)
    with pytest.raises(BadDataError, match=message):
        load(tmp_path)


def test_other_runs_are_refused_in_one_line(run, tmp_path):
    with pytest.raises(BadDataError, match="not a saved run"):
        load(tmp_path)
    run.save(tmp_path)
    with pytest.raises(BadDataError, match="do not fit the model"):
        load_weights(tmp_path, SoftmaxRegression(5, 10))
    description = json.loads((tmp_path / "run.json").read_text())
    description["recipe"] = "os.system"
    (tmp_path / "run.json").write_text(json.dumps(description))
    with pytest.raises(UsageError, match=r"'os\.system' is not one of divekit's"):
        load(tmp_path)


def test_a_recipe_written_in_a_notebook_says_where_it_is_from():
    namespace = {"__name__": "__main__"}
    exec("from divekit.train import recipe\n@recipe\ndef mine(): return made", namespace)
    namespace["made"] = recipes.linear_regression()
    assert namespace["mine"]().name == "__main__.mine"


def test_check_says_what_was_reached_or_missed(run):
    with (
        pytest.raises(
            GoalMissedError, match=r"test_accuracy 0\.\d+; the goal is .* at least 0.9 on digits"
        ),
        use_samples(),
    ):
        fit(recipes.softmax_regression(epochs=1), callbacks=[]).check()
    with use_samples():
        assert "reaches the goal" in fit(recipes.softmax_regression(), callbacks=[]).check()


def test_check_refuses_data_it_knows_no_goal_for():
    run = fit(runs.build("linear_regression", {"data": "synthetic_regression"}), callbacks=[])
    object.__setattr__(run.recipe, "goals", (Goal("test_accuracy", at_least=0.5, on="other"),))
    with pytest.raises(UsageError, match="no goal is known on synthetic_regression"):
        run.check()


def test_goals_have_two_sides_and_nan_reaches_none():
    assert Goal("loss", at_most=1.0, on="x").reached(1.0)
    assert not Goal("loss", at_most=1.0, on="x").reached(1.1)
    assert not Goal("accuracy", at_least=0.5, on="x").reached(float("nan"))
    assert str(Goal("a", at_least=1, at_most=2, on="x")) == "a at least 1 and at most 2 on x"


def test_run_folders_are_numbered_and_never_reused(tmp_path):
    assert numbered(tmp_path / "a").name == "1"
    assert numbered(tmp_path / "a").name == "2"
    (tmp_path / "a/7").mkdir()
    (tmp_path / "a/notes").mkdir()
    assert numbered(tmp_path / "a").name == "8"


def test_settings_in_text_build_the_same_recipe_as_python():
    built = runs.build("softmax_regression", {"lr": "0.5", "data.resize": "16", "data": "digits"})
    assert built.data.name == "digits"
    assert (built.data.resize, built.data.batch_size) == (16, 256)  # the recipe's batch size stays
    assert built.overrides == {"lr": 0.5, "data": "digits", "data.resize": 16}
    for wrong, message in [
        ({"data": "digit"}, "did you mean digits"),
        ({"data.resise": "1"}, r"did you mean data\.resize"),
        ({"rate": "1"}, "no setting is called 'rate'"),
    ]:
        with pytest.raises(UsageError, match=message):
            runs.build("softmax_regression", wrong)
    with pytest.raises(UsageError, match="did you mean softmax_regression"):
        runs.build("softmax_regresion", {})


def test_data_that_do_not_suit_the_model_are_named():
    recipe = replace(recipes.softmax_regression(), data=SyntheticRegression())
    with pytest.raises(UsageError, match="synthetic_regression has no classes"):
        fit(recipe, callbacks=[])


@pytest.mark.parametrize(
    "change",
    [
        {"recipe": {}},
        {"overrides": []},
        {"overrides": {"epochs": "three"}},
        {"overrides": {"batch_size": 2.5}},
        {"overrides": {"__class__": 1}},
        {"overrides": {"data": 5}},
        {"overrides": {"data.label": "price"}},
        {"history": {}},
        {"history": [1]},
        {"facts": None},
        {"facts": {"input_shape": [1, 28, -28]}},
        {"facts": {"input_shape": [10**6, 28, 28]}},
        {"facts": {"input_shape": [float("inf")]}},
        {"facts": {"num_targets": 0}},
    ],
    ids=str,
)
def test_an_edited_run_is_refused_in_one_line(run, tmp_path, change):
    run.save(tmp_path)
    path = tmp_path / "run.json"
    description = json.loads(path.read_text())
    for name, value in change.items():
        if isinstance(value, dict) and value and isinstance(description[name], dict):
            description[name] |= value
        else:
            description[name] = value
    path.write_text(json.dumps(description))
    with pytest.raises(BadDataError, match=re.escape(str(tmp_path))):
        load(tmp_path)
