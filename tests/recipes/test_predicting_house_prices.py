import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from divekit import fit, load, recipes
from divekit.data import MadeHouses, Table, use_samples
from divekit.errors import UsageError
from divekit.nn import squared_loss
from divekit.predicting import write_submission
from divekit.runs import build, with_data


@pytest.fixture(autouse=True)
def on_samples():
    with use_samples():
        yield


def write_csv(sheet, path):
    with Path(path).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(sheet.columns)
        writer.writerows(zip(*sheet.columns.values(), strict=True))


@pytest.mark.parametrize("name", ["house_prices_linear", "house_prices_mlp"])
def test_the_figure_is_the_root_over_all_held_out_houses(name):
    run = fit(recipes.RECIPES[name](fold=3, epochs=2), callbacks=[])
    _, held_out = MadeHouses(fold=3).split(400)
    rows = MadeHouses().priced().take(held_out)
    guesses = run.predict(rows).outputs[:, 0].numpy()
    prices = np.array([float(price) for price in rows.columns["SalePrice"]])
    errors = np.log(guesses.clip(min=1)) - np.log(prices)
    assert run.metrics["test_log_rmse"] == pytest.approx(np.sqrt((errors**2).mean()), rel=1e-5)


def test_the_linear_model_is_one_of_dollars():
    run = fit(recipes.house_prices_linear(), callbacks=[])
    inputs, targets = run.data.test.tensors
    assert targets.mean() > 100_000
    outputs = run.model(inputs).detach()
    errors = outputs.clamp(min=1).log() - targets.log()
    assert run.metrics["test_log_rmse"] == pytest.approx(errors.square().mean().sqrt().item())
    assert run.metrics["test_loss"] == pytest.approx(((outputs - targets) ** 2).mean().item() / 2)


def test_a_step_of_the_ensemble_moves_its_members_as_if_each_were_alone():
    # A mean over five members has a fifth of the gradient.
    recipe = replace(
        recipes.house_prices_mlp(dropout=0.0, epochs=1),
        optimizer=lambda model: torch.optim.SGD(model.parameters(), lr=5 * 0.01),
        schedule=None,
    )
    torch.manual_seed(0)
    before = recipe.model(recipe.data.open(0).facts)
    after = fit(recipe, callbacks=[]).model
    for number in (0, 4):
        parts = [part[number].detach().requires_grad_() for part in before.parameters()]
        hidden, hidden_bias, output, output_bias = parts
        optimizer = torch.optim.SGD(parts, lr=0.01)
        for inputs, targets in recipe.data.open(0).train:
            guesses = (inputs @ hidden + hidden_bias).relu() @ output + output_bias
            optimizer.zero_grad()
            squared_loss(guesses, targets).backward()
            optimizer.step()
        for alone, together in zip(parts, after.parameters(), strict=True):
            torch.testing.assert_close(together[number], alone, rtol=1e-4, atol=1e-5)


def test_a_saved_run_predicts_prices_of_the_rows_without(divekit):
    run = fit(recipes.house_prices_mlp(epochs=2), callbacks=[])
    run.save("run")
    unpriced = MadeHouses().unpriced()
    write_csv(unpriced, "test.csv")
    expected = run.predict(unpriced).outputs
    assert torch.equal(load("run").predict("test.csv").outputs, expected)
    result = divekit("predict", "run", "test.csv", "--json")
    assert result.exit_code == 0, result.output
    values = [answer["value"] for answer in json.loads(result.stdout)]
    assert values == pytest.approx(expected[:, 0].tolist())
    assert min(values) > 10_000


def test_measured_again_the_figures_are_the_same_and_in_dollars_too(divekit):
    run = fit(recipes.house_prices_mlp(fold=2, epochs=3), callbacks=[])
    run.save("run")
    measured = json.loads(divekit("eval", "run", "--json").stdout)
    assert measured["examples"] == 80
    metrics = measured["metrics"]
    assert metrics["log_rmse"] == pytest.approx(run.metrics["test_log_rmse"], rel=1e-6)
    rows = MadeHouses().priced().take(MadeHouses(fold=2).split(400)[1])
    prices = np.array([float(price) for price in rows.columns["SalePrice"]])
    errors = run.predict(rows).outputs[:, 0].numpy() - prices
    assert metrics["absolute_error"] == pytest.approx(np.abs(errors).mean(), rel=1e-4)
    assert metrics["root_mean_squared_error"] == pytest.approx((errors**2).mean() ** 0.5, rel=1e-4)
    assert metrics["r_squared"] == pytest.approx(1 - (errors**2).mean() / prices.var(), rel=1e-4)
    refused = divekit("eval", "run", "data=made_houses")
    assert (refused.exit_code, "data=csv:FILE" in refused.stderr) == (2, True)


def test_a_submission_has_the_form_that_kaggle_asks_for(tmp_path):
    run = fit(recipes.house_prices_mlp(fold=None, epochs=1), callbacks=[])
    unpriced = MadeHouses().unpriced()
    write_submission(run, unpriced, Path("submission.csv"))
    with Path("submission.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["Id", "SalePrice"]
    assert [row[0] for row in rows] == [str(number) for number in range(401, 501)]
    assert [float(row[1]) for row in rows] == run.predict(unpriced).outputs[:, 0].tolist()
    with pytest.raises(UsageError, match="nothing is overwritten"):
        write_submission(run, unpriced, Path("submission.csv"))
    with torch.no_grad():
        run.model.output_bias.fill_(math.inf)
    with pytest.raises(UsageError, match="row 402: the model predicts inf"):
        write_submission(run, unpriced, Path("other.csv"))
    assert not Path("other.csv").exists()


@pytest.mark.parametrize("name", ["fold", "data.fold"])
def test_without_a_fold_there_is_nothing_to_measure_and_no_goal(name):
    run = fit(build("house_prices_linear", {name: "none", "epochs": "1"}), callbacks=[])
    assert run.data.train.num_examples == 400
    assert (run.reached, "test_loss" in run.metrics) == (None, False)
    with pytest.raises(UsageError, match="nothing was held out"):
        run.check()


def test_on_a_table_of_ones_own_the_networks_have_no_figure_for_prices(tmp_path):
    write_csv(MadeHouses().priced(), "houses.csv")
    sheet = MadeHouses().priced()
    columns = {"worth" if name == "SalePrice" else name: c for name, c in sheet.columns.items()}
    write_csv(type(sheet)("x", columns, sheet.lines), "renamed.csv")
    with use_samples(False):
        named, renamed = (
            fit(
                with_data(recipes.house_prices_mlp(epochs=1), Table(path, label=label)),
                callbacks=[],
            )
            for path, label in (("houses.csv", "SalePrice"), ("renamed.csv", "worth"))
        )
    assert "test_log_rmse" in named.metrics
    assert "test_log_rmse" not in renamed.metrics
    assert renamed.metrics["test_absolute_error"] == pytest.approx(
        named.metrics["test_absolute_error"]
    )
