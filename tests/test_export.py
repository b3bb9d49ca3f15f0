"""Trained models leave the library: compiled, exported, as ONNX, as plain weights."""

import json
import re
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.testing import assert_close

import divekit as library
from divekit import recipes
from divekit.data import use_samples
from divekit.errors import DivekitError, MissingExtraError, UsageError
from divekit.export import describe, export_model
from divekit.train import Trained, fit

SIZES = (1, 3, 64)
PAGE = Path(__file__).parent.parent / "docs/parts/export.md"


@pytest.fixture(scope="module")
def train(tmp_path_factory):
    """Train a recipe for an epoch, once, and load it; give it and 64 inputs it has not seen."""
    done = {}

    def train_once(name):
        if name not in done:
            folder = tmp_path_factory.mktemp(name)
            with use_samples():
                run = fit(recipes.RECIPES[name](epochs=1), callbacks=[])
            run.save(folder)
            batches = run.data.test or run.data.train
            inputs = torch.cat([batch[0] for batch in batches])
            done[name] = library.load(folder), inputs[torch.arange(64) % len(inputs)]
        return done[name]

    return train_once


@torch.no_grad()
def assert_agree(model, other, inputs, **tolerance):
    assert model(inputs).std() > 0
    for size in SIZES:
        assert_close(other(inputs[:size]), model(inputs[:size]), **tolerance)


@pytest.mark.slow  # as made, every model compiles in the quick tests of models
@pytest.mark.parametrize("name", recipes.RECIPES)
def test_a_trained_model_compiles_in_one_graph(name, train):
    trained, inputs = train(name)
    torch.compiler.reset()
    compiled = torch.compile(trained.model, backend="eager", fullgraph=True)
    assert_agree(trained.model, compiled, inputs)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++") and not shutil.which("clang++"), reason="no compiler")
@pytest.mark.parametrize("name", ["softmax_regression_scratch", "lenet"])
def test_a_trained_model_compiles_to_machine_code(name, train):
    trained, inputs = train(name)
    torch.compiler.reset()
    assert_agree(trained.model, torch.compile(trained.model, fullgraph=True), inputs)


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_a_trained_model_survives_export(name, train):
    trained, inputs = train(name)
    exported = torch.export.load(export_model(trained, "model.pt2"))
    assert_agree(trained.model, exported.module(), inputs)


@pytest.mark.slow
@pytest.mark.parametrize("name", recipes.RECIPES)
def test_a_trained_model_survives_onnx(name, train):
    onnxruntime = pytest.importorskip("onnxruntime")
    trained, inputs = train(name)
    session = onnxruntime.InferenceSession(export_model(trained, "model.onnx"))

    def run(inputs):
        return torch.from_numpy(session.run(None, {"inputs": inputs.numpy()})[0])

    assert_agree(trained.model, run, inputs, rtol=1e-4, atol=1e-5)
    assert session.get_modelmeta().custom_metadata_map == describe(trained.facts)
    assert [path.name for path in Path().iterdir()] == ["model.onnx"]  # weights are inside


def test_the_export_tells_how_to_call_it(train):
    trained, _ = train("softmax_regression")
    about = {"about.json": ""}
    torch.export.load(export_model(trained, "model.pt2"), extra_files=about)
    told = json.loads(about["about.json"])
    assert told == describe(trained.facts)
    assert told["inputs"].startswith("float32 (batch, 1, 8, 8): pixels in 0-1")
    assert told["outputs"].startswith("scores (batch, 10)")
    assert json.loads(told["class_names"]) == [str(digit) for digit in range(10)]
    told = describe(train("linear_regression")[0].facts)
    assert (told["inputs"], told["outputs"]) == ("float32 (batch, 2)", "numbers (batch, 1)")
    assert json.loads(told["class_names"]) == []


class Noise(nn.Module):
    def forward(self, inputs):
        return inputs + torch.rand_like(inputs)


class Pair(nn.Module):
    def forward(self, inputs):
        return inputs.reshape(2, -1)


def test_an_export_that_would_be_wrong_is_not_written(train):
    facts = train("softmax_regression")[0].facts
    with pytest.raises(DivekitError, match="other outputs than the model"):
        export_model(Trained(Noise(), facts), "model.pt2")
    with pytest.raises(DivekitError, match=r"^torch cannot export Pair: .*batch.*$"):
        export_model(Trained(Pair(), facts), "model.pt2")
    assert list(Path().iterdir()) == []


def test_the_callers_model_stays_as_it_is(train):
    trained, inputs = train("softmax_regression")
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 10)).train()
    export_model(Trained(model, trained.facts), "model.pt2")
    assert model.training
    exported = torch.export.load("model.pt2").module()
    assert_agree(model.eval(), exported, inputs)  # as it is used, without dropout


def test_nothing_is_overwritten_unless_asked(train, monkeypatch):
    trained, _ = train("linear_regression")
    Path("model.pt2").write_text("precious")
    with pytest.raises(UsageError, match="is there already; --force"):
        export_model(trained, "model.pt2")
    assert Path("model.pt2").read_text() == "precious"
    export_model(trained, "model.pt2", overwrite=True)
    torch.export.load("model.pt2")
    with pytest.raises(UsageError, match=r"must end in \.onnx or \.pt2"):
        export_model(trained, "model.bin")
    monkeypatch.setattr("divekit.export.PACKAGES", ("no_such_package",))
    with pytest.raises(MissingExtraError, match=r"divekit\[export\]"):
        export_model(trained, "model.onnx")


def test_the_command_exports_and_says_what(divekit, tmp_path):
    divekit("train", "linear_regression", "--out", "line")
    result = divekit("export", "line", "deeper/model.pt2")
    assert result.exit_code == 0, result.output
    assert "float32 (batch, 2)" in result.stdout
    exported = torch.export.load("deeper/model.pt2").module()
    assert_close(exported(torch.ones(1, 2)), torch.tensor([[2.8]]), rtol=0, atol=0.01)
    again = divekit("export", "line", "deeper/model.pt2")
    assert again.exit_code == 2
    assert "--force" in again.stderr
    result = divekit("export", "line", "deeper/model.pt2", "--force", "--json")
    assert json.loads(result.stdout)["data"] == "synthetic_regression"
    assert divekit("export", "nowhere", "model.pt2").exit_code == 3


def cells(text):
    return re.findall(r"^```\{code-cell\}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def test_the_pages_code_runs_with_plain_torch():
    """Each cell's last line may be a value; what the page claims of it is checked here."""
    names = {}
    for cell in cells(PAGE.read_text(encoding="utf-8").split("## A file that needs no torch")[0]):
        exec(cell, names)
    assert torch.equal(names["scores"], names["exported"](names["images"][:5]))
    weights = load_file("my_run/model.safetensors")
    linear = nn.functional.linear(
        names["images"][:5].flatten(1), weights["linear.weight"], weights["linear.bias"]
    )
    assert_close(names["scores"], linear)


@pytest.mark.slow
def test_the_pages_code_runs_with_onnx():
    pytest.importorskip("onnxruntime")
    names = {}
    for cell in cells(PAGE.read_text(encoding="utf-8")):
        exec(cell, names)
    assert_close(torch.from_numpy(names["outputs"]), names["scores"], rtol=1e-4, atol=1e-5)
