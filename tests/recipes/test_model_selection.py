from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from divekit import recipes
from divekit.data import Batches, Polynomial, WideRegression
from divekit.models import LinearRegression, LinearRegressionScratch
from divekit.nn import l2_penalty, squared_loss, squared_loss_scratch
from divekit.optim import SGD
from divekit.train import fit


def copied(scratch):
    """Give torch's model with the weights of the one from scratch."""
    concise = LinearRegression(*scratch.weight.shape).to(scratch.weight.dtype)
    with torch.no_grad():
        concise.linear.weight.copy_(scratch.weight.T)
        concise.linear.bias.copy_(scratch.bias)
    return concise


def test_the_penalty_in_the_loss_equals_torchs_weight_decay_step_by_step():
    features, targets = torch.randn(20, 50).double(), torch.randn(20, 1).double()
    scratch = LinearRegressionScratch(50, sigma=1.0).double()
    concise = copied(scratch)
    ours = SGD(scratch.parameters(), lr=0.01)
    groups = [
        {"params": [concise.linear.weight], "weight_decay": 3.0},
        {"params": [concise.linear.bias]},
    ]
    theirs = torch.optim.SGD(groups, lr=0.01)
    for _ in range(25):
        for inputs, answers in Batches(features, targets, batch_size=5):
            ours.zero_grad()
            loss = squared_loss_scratch(scratch(inputs), answers)
            (loss + 3.0 * l2_penalty(scratch.weight)).backward()
            ours.step()
            theirs.zero_grad()
            squared_loss(concise(inputs), answers).backward()
            theirs.step()
            assert_close(scratch.weight, concise.linear.weight.T, rtol=1e-12, atol=1e-15)
            assert_close(scratch.bias, concise.linear.bias, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("decay", [0.0, 3.0])
def test_the_two_recipes_give_the_same_run_from_the_same_weights(decay):
    scratch = recipes.weight_decay_scratch(decay=decay, epochs=30, seed=5)
    concise = recipes.weight_decay(decay=decay, epochs=30, seed=5)
    concise = replace(concise, model=lambda facts: copied(scratch.model(facts)))
    ours, theirs = fit(scratch, callbacks=[]), fit(concise, callbacks=[])
    assert_close(ours.model.weight.T, theirs.model.linear.weight, rtol=1e-4, atol=1e-6)
    assert_close(ours.model.bias, theirs.model.linear.bias, rtol=1e-4, atol=1e-6)
    for mine, reference in zip(ours.history, theirs.history, strict=True):
        assert mine == pytest.approx(reference, rel=1e-3)


def test_a_long_run_comes_to_scikit_learns_ridge_regression():
    ridge = pytest.importorskip("sklearn.linear_model").Ridge
    features, targets = WideRegression().open().train.tensors
    # Full batches, so that the descent comes to rest. The mean in our loss is a sum in theirs.
    run = fit(recipes.weight_decay(batch_size=20, lr=0.05, epochs=1500), callbacks=[])
    reference = ridge(alpha=3.0 * len(features)).fit(features.numpy(), targets.numpy())
    weight = run.model.linear.weight.detach().numpy()
    np.testing.assert_allclose(weight, np.atleast_2d(reference.coef_), atol=2e-5)
    assert run.model.linear.bias.item() == pytest.approx(float(reference.intercept_[0]), abs=2e-5)


@pytest.mark.parametrize("name", ["weight_decay", "weight_decay_scratch"])
def test_norms_at_the_books_settings_lie_where_the_book_has_them(name):
    """The book printed 13.3 and 0.386, over runs 12.3-14.3 and 0.346-0.39."""
    for decay, low, high in ((0.0, 12.0, 14.8), (3.0, 0.3, 0.42)):
        make = recipes.RECIPES[name]
        run = fit(make(decay=decay, lr=0.003, epochs=100), callbacks=[])
        weight = next(parameter for parameter in run.model.parameters() if parameter.numel() > 1)
        assert low < weight.norm().item() < high


def test_the_cubic_is_found_again_and_agrees_with_numpys_fit():
    run = fit(recipes.polynomial_regression(), callbacks=[])
    learned = [run.model.linear.bias.item(), *run.model.linear.weight[0].tolist()]
    features, targets = (tensor.double().numpy() for tensor in run.data.train.tensors)
    highest_first = np.polyfit(features[:, 0], targets[:, 0], 3)
    fitted = highest_first[::-1] * [1, 1, 2, 6]  # of x^i, hence times i! for x^i/i!
    np.testing.assert_allclose(fitted, Polynomial().coefficients, atol=0.1)
    np.testing.assert_allclose(learned, fitted, atol=0.1)
