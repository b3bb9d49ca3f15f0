import numpy as np
import pytest
import torch
from torch.testing import assert_close

from divekit.models import LinearRegression, LinearRegressionScratch, least_squares
from divekit.nn import squared_loss


def test_scratch_and_concise_agree_on_predictions_and_gradients():
    scratch, concise = LinearRegressionScratch(6, 2), LinearRegression(6, 2)
    with torch.no_grad():
        concise.linear.weight.copy_(scratch.weight.T)
        concise.linear.bias.copy_(scratch.bias)
    inputs, targets = torch.randn(4, 2, 3), torch.randn(4, 2)

    for model in (scratch, concise):
        squared_loss(model(inputs), targets).backward()

    assert_close(scratch(inputs), concise(inputs))
    assert_close(scratch.weight.grad, concise.linear.weight.grad.T)
    assert_close(scratch.bias.grad, concise.linear.bias.grad)


def test_initial_weights_are_small_and_initial_biases_zero():
    for model in (LinearRegressionScratch(2000, 5), LinearRegression(2000, 5)):
        parameters = dict(model.named_parameters())
        weight = next(value for name, value in parameters.items() if name.endswith("weight"))
        bias = next(value for name, value in parameters.items() if name.endswith("bias"))
        assert abs(weight.std() - 0.01) < 5e-4
        assert torch.all(bias == 0)


def test_least_squares_equals_numpy_and_scikit_learn():
    sklearn = pytest.importorskip("sklearn.linear_model")
    generator = np.random.default_rng(0)
    features, targets = generator.normal(3, 2, (50, 4)), generator.normal(-1, 2, (50, 2))
    model = least_squares(torch.from_numpy(features), torch.from_numpy(targets))
    reference = sklearn.LinearRegression().fit(features, targets)
    assert_close(model.linear.weight.detach().numpy(), reference.coef_)
    assert_close(model.linear.bias.detach().numpy(), reference.intercept_)


def test_least_squares_by_hand():
    # The line through (0, 1), (1, 3), (2, 5) is y = 1 + 2x.
    model = least_squares(torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([[1.0], [3.0], [5.0]]))
    assert_close(model.linear.weight.item(), 2.0)
    assert_close(model.linear.bias.item(), 1.0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_least_squares_stands_features_that_repeat_or_never_vary(dtype):
    feature = torch.randn(30, 1, dtype=dtype)
    features = torch.cat([feature, feature, torch.full_like(feature, 7)], dim=1)
    model = least_squares(features, 4 * feature + 1)
    # Of all exact solutions the smallest: the repeated feature shares, the constant gets nothing.
    assert_close(model.linear.weight.detach(), torch.tensor([[2.0, 2.0, 0.0]], dtype=dtype))
    assert_close(model(features).detach(), 4 * feature + 1)


def test_least_squares_sees_through_rounding_when_a_feature_repeats_another_in_other_units():
    kilometres = 2 + 18 * torch.rand(200, 1)
    features = torch.cat([kilometres, kilometres / 1.609], dim=1)  # equal up to float32 rounding
    model = least_squares(features, 3 * kilometres + 1)
    assert model.linear.weight.abs().max() < 3
    assert_close(model(features).detach(), 3 * kilometres + 1, atol=1e-4, rtol=1e-4)


def test_least_squares_with_fewer_examples_than_features_fits_them_exactly():
    features, targets = torch.randn(3, 10), torch.randn(3, 1)
    assert_close(least_squares(features, targets)(features).detach(), targets, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("shapes", [((5, 2), (5,)), ((5, 2), (4, 1)), ((5,), (5, 1))])
def test_least_squares_refuses_shapes_that_do_not_fit(shapes):
    with pytest.raises(ValueError, match=r"must be \(B, D\) and \(B, O\)"):
        least_squares(*(torch.zeros(shape) for shape in shapes))
