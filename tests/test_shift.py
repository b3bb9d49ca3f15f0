"""Weights for shifted distributions: numbers by hand, known densities, scikit-learn."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Normal
from torch.testing import assert_close

from divekit.errors import UsageError
from divekit.evaluate import confusion
from divekit.shift import (
    effective_size,
    estimate_label_shares,
    label_weights,
    learn_density_ratio,
)


def drawn(mean, spread, number, seed):
    generator = torch.Generator().manual_seed(seed)
    return mean + spread * torch.randn(number, 1, generator=generator).double()


def test_the_ratio_of_two_gaussians_of_one_width_is_found():
    # log N(x; 1, 1) - log N(x; 0, 1) = x - 1/2
    ratio = learn_density_ratio(drawn(0, 1, 50_000, 0), drawn(1, 1, 50_000, 1))
    assert ratio.weight.item() == pytest.approx(1, abs=0.03)
    assert ratio.bias.item() == pytest.approx(-0.5, abs=0.03)


@pytest.mark.parametrize("numbers", [(40_000, 40_000), (60_000, 15_000)])
def test_that_of_two_widths_takes_squares_and_no_notice_of_the_numbers(numbers):
    source, target = drawn(0, 1, numbers[0], 2), drawn(1, 0.5, numbers[1], 3)
    squares = [torch.cat([x, x**2], dim=1) for x in (source, target)]
    ratio = learn_density_ratio(*squares, decay=1e-8)
    grid = torch.linspace(-0.5, 2, 26).double()[:, None]
    found = ratio(torch.cat([grid, grid**2], dim=1))
    zero, one = torch.zeros((), dtype=torch.float64), torch.ones((), dtype=torch.float64)
    truth = (Normal(one, one / 2).log_prob(grid) - Normal(zero, one).log_prob(grid)).exp()[:, 0]
    assert_close(found, truth, rtol=0.12, atol=0.01)
    weights = ratio(squares[0])
    # The source, weighted, has the target's mean and spread; a density ratio has the mean 1.
    assert weights.mean().item() == pytest.approx(1, abs=0.03)
    mean = (weights * source[:, 0]).mean() / weights.mean()
    assert mean.item() == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("decay", [1e-4, 0.05])
def test_it_is_scikit_learns_balanced_logistic_regression(decay):
    linear_model = pytest.importorskip("sklearn.linear_model")
    generator = torch.Generator().manual_seed(0)
    source = torch.randn(70, 3, generator=generator).double()
    target = torch.randn(40, 3, generator=generator).double() + torch.tensor([0.5, 0.0, -1.0])
    # Their loss is a sum over the examples, balanced so that their weights sum to their number.
    theirs = linear_model.LogisticRegression(
        C=1 / (110 * decay), class_weight="balanced", tol=1e-12, max_iter=10_000
    ).fit(torch.cat([source, target]).numpy(), np.repeat([0, 1], [70, 40]))
    ours = learn_density_ratio(source, target, decay=decay)
    np.testing.assert_allclose(ours.weight.numpy(), theirs.coef_[0], rtol=1e-5, atol=1e-7)
    assert ours.bias.item() == pytest.approx(theirs.intercept_[0], rel=1e-5)
    odds = np.exp(theirs.decision_function(source.numpy()))
    np.testing.assert_allclose(ours(source).numpy(), odds, rtol=1e-4)
    np.testing.assert_allclose(ours(source, most=0.7).numpy(), odds.clip(max=0.7), rtol=1e-4)


def test_the_same_inputs_on_both_sides_have_the_ratio_one():
    inputs = torch.randn(50, 2)
    assert_close(learn_density_ratio(inputs, inputs)(inputs), torch.ones(50).double())


def test_what_a_plane_divides_has_finite_weights_still():
    ratio = learn_density_ratio(torch.zeros(20, 1) - 5, torch.zeros(30, 1) + 5)
    assert ratio.weight.isfinite().all()
    assert ratio(torch.tensor([[5.0], [-5.0]])).log().tolist() == pytest.approx(
        [-ratio(torch.tensor([[-5.0]])).log().item(), -ratio(torch.tensor([[5.0]])).log().item()]
    )


def test_inputs_far_from_spreads_of_one_are_found_too():
    source, target = drawn(3000, 500, 2000, 0), drawn(3500, 500, 2000, 1)
    ratio = learn_density_ratio(source, target, decay=1e-12)
    assert ratio.weight.item() == pytest.approx(1 / 500, rel=0.1)


@pytest.mark.parametrize(
    ("source", "target", "settings", "error", "message"),
    [
        (torch.zeros(3, 1), torch.zeros(3, 2), {}, ValueError, "with one D"),
        (torch.zeros(3), torch.zeros(3, 1), {}, ValueError, "with one D"),
        (torch.zeros(0, 1), torch.zeros(3, 1), {}, UsageError, "needs inputs"),
        (torch.zeros(3, 1), torch.zeros(3, 1), {"decay": 0.0}, UsageError, "decay is 0.0"),
        (torch.full((3, 1), torch.nan), torch.zeros(3, 1), {}, UsageError, "cannot be told apart"),
    ],
)
def test_inputs_that_cannot_be_compared_are_refused(source, target, settings, error, message):
    with pytest.raises(error, match=message):
        learn_density_ratio(source, target, **settings)


def test_the_effective_size_by_hand():
    assert effective_size(torch.full((7,), 0.3)) == pytest.approx(7)
    assert effective_size(torch.tensor([5.0, 0.0, 0.0])) == pytest.approx(1)
    assert effective_size(torch.tensor([1.0, 3.0])) == pytest.approx(16 / 10)


def test_two_classes_by_hand():
    # 10 of class 0, 8 of them recognised; 30 of class 1, 27 recognised. At the target 0.45 of the
    # answers are 0: 0.8 p + 0.1 (1 - p) = 0.45, so p = 1/2.
    counts = torch.tensor([[8, 2], [3, 27]])
    shares = estimate_label_shares(counts, torch.tensor([45, 55]))
    assert_close(shares, torch.tensor([0.5, 0.5], dtype=torch.float64))
    weights = label_weights(counts, torch.tensor([45, 55]))
    assert_close(weights, torch.tensor([0.5 / 0.25, 0.5 / 0.75], dtype=torch.float64))


@given(seed=st.integers(0, 1000), classes=st.integers(2, 6))
def test_shares_come_back_from_the_answers_that_they_cause(seed, classes):
    generator = np.random.default_rng(seed)
    counts = generator.integers(0, 20, (classes, classes)) + np.diag([100] * classes)
    truth = generator.dirichlet(np.ones(classes))
    answers = truth @ (counts / counts.sum(axis=1, keepdims=True))
    found = estimate_label_shares(torch.tensor(counts), torch.tensor(answers))
    np.testing.assert_allclose(found.numpy(), truth, atol=1e-10)
    weights = label_weights(torch.tensor(counts), torch.tensor(answers))
    # Weighted, the source has the shares of the target.
    again = weights.numpy() * counts.sum(axis=1) / counts.sum()
    np.testing.assert_allclose(again, truth, atol=1e-10)


def test_it_takes_counts_as_confusion_gives_them():
    scores = torch.eye(3)[torch.tensor([0, 0, 1, 2, 2, 1])]
    counts = confusion(scores, torch.tensor([0, 0, 1, 2, 2, 2]))
    # Class 2 is taken for 1 once in three.
    shares = estimate_label_shares(counts, torch.tensor([0, 1, 2]))
    assert_close(shares, torch.tensor([0, 0, 1], dtype=torch.float64))


def test_the_standard_error_by_hand_decides_what_may_be_chance():
    # 0.9 p + 0.1 (1 - p) = 0.96, so p = 1.075 and -0.075. Variance of the answers
    # 0.96 * 0.04 / 100, of the two columns of C (1.075^2 + 0.075^2) * 0.09 / 100; each over 0.8^2.
    counts, answers = torch.tensor([[90, 10], [10, 90]]), torch.tensor([96, 4])
    variance = (0.96 * 0.04 + (1.075**2 + 0.075**2) * 0.09) / 100 / 0.8**2
    errors = 0.075 / variance**0.5
    assert errors == pytest.approx(1.58, abs=0.01)
    assert estimate_label_shares(counts, answers, most_errors=1.59).tolist() == [1, 0]
    with pytest.raises(
        UsageError, match=r"share of -0\.075 .* error of 0\.047: .* more has shifted"
    ):
        estimate_label_shares(counts, answers, most_errors=1.57)


def test_chance_is_let_pass_and_another_shift_is_noticed():
    generator = torch.Generator().manual_seed(0)
    chances = torch.tensor([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.1, 0.2, 0.7]])

    def answered(shares, number):
        labels = torch.multinomial(torch.tensor(shares), number, True, generator=generator)
        answers = torch.multinomial(chances[labels], 1, generator=generator)[:, 0]
        return torch.bincount(labels * 3 + answers, minlength=9).view(3, 3)

    estimates = []
    for _ in range(300):
        counts = answered([1 / 3, 1 / 3, 1 / 3], 600)
        answers = answered([0.5, 0.5, 0.0], 400).sum(dim=0)
        estimates.append(estimate_label_shares(counts, answers))
    assert_close(
        torch.stack(estimates).mean(dim=0), torch.tensor([0.5, 0.5, 0]).double(), atol=0.03, rtol=0
    )
    # No class gives answer 0 alone.
    with pytest.raises(UsageError, match="more has shifted"):
        estimate_label_shares(answered([1 / 3, 1 / 3, 1 / 3], 6000), torch.tensor([4000, 0, 0]))


@pytest.mark.parametrize(
    ("counts", "answers", "message"),
    [
        ([[5, 5], [50, 50]], [1, 1], "does not tell the classes apart"),
        ([[50, 50], [49, 51]], [1, 1], "condition number"),
        ([[5, 5], [0, 0]], [1, 1], "class 1 has no examples"),
        ([[5, 1], [1, 5]], [0, 0], "no answers"),
    ],
)
def test_what_says_nothing_about_the_shares_is_refused(counts, answers, message):
    with pytest.raises(UsageError, match=message):
        estimate_label_shares(torch.tensor(counts), torch.tensor(answers))


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"\(2, 3\) and answers \(2,\)"):
        estimate_label_shares(torch.ones(2, 3), torch.ones(2))
