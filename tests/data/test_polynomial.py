import math

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from divekit.data import Polynomial, polynomial_data, polynomial_features
from divekit.errors import UsageError


def test_features_by_hand():
    features = polynomial_features(torch.tensor([2.0, -3.0]), degree=4)
    assert_close(features, torch.tensor([[2, 2, 8 / 6, 16 / 24], [-3, 9 / 2, -27 / 6, 81 / 24]]))


def test_features_equal_numpys_powers_over_factorials_at_any_degree():
    x = torch.linspace(-4, 4, 33, dtype=torch.float64)
    expected = np.vander(x.numpy(), 41, increasing=True)[:, 1:]
    expected = expected / np.array([math.factorial(i) for i in range(1, 41)], dtype=float)
    assert_close(polynomial_features(x, 40).numpy(), expected, rtol=1e-13, atol=0)


def test_targets_are_the_polynomial_and_noise_of_the_size_asked_for():
    coefficients = (5.0, 1.2, -3.4, 5.6)
    x, targets = polynomial_data(coefficients, 0.5, 20_000, torch.Generator().manual_seed(0))
    taylor = [c / math.factorial(i) for i, c in enumerate(coefficients)]
    rest = targets[:, 0].double().numpy() - np.polynomial.polynomial.polyval(
        x.double().numpy(), taylor
    )
    assert abs(rest.mean()) < 0.015  # four standard errors
    assert rest.std() == pytest.approx(0.5, rel=0.03)
    assert abs(x.mean()) < 0.03
    assert x.std() == pytest.approx(1, rel=0.03)


def test_a_constant_is_a_polynomial():
    x, targets = polynomial_data((5.0,), 0.0, 4, torch.Generator().manual_seed(0))
    assert x.unique().numel() == 4
    assert targets.tolist() == [[5.0]] * 4


def test_the_degree_on_offer_changes_the_features_and_nothing_else():
    low, high = (Polynomial(degree=degree).open() for degree in (2, 9))
    assert low.facts.num_features == 2
    assert high.facts.num_features == 9
    for left, right in ((low.train, high.train), (low.test, high.test)):
        assert torch.equal(left.tensors[0], right.tensors[0][:, :2])
        assert torch.equal(left.tensors[1], right.tensors[1])


def test_the_test_points_are_the_same_whatever_the_number_to_train_on():
    few, many = Polynomial(num_train=5).open(), Polynomial(num_train=500, draw=0).open()
    assert (few.train.num_examples, many.train.num_examples) == (5, 500)
    assert torch.equal(few.test.tensors[0], many.test.tensors[0])
    other = Polynomial(draw=1).open()
    assert not torch.equal(few.test.tensors[0], other.test.tensors[0])
    assert not torch.equal(few.test.tensors[0][:5], few.train.tensors[0])


@pytest.mark.parametrize(
    "settings",
    [{"degree": 0}, {"coefficients": ()}, {"num_train": 0}, {"num_test": 0}, {"noise": -1.0}],
)
def test_settings_without_sense_are_refused(settings):
    with pytest.raises(UsageError, match="must be at least"):
        Polynomial(**settings).open()
