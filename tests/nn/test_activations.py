import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from divekit.nn import (
    ACTIVATIONS,
    SLOPES,
    prelu_scratch,
    relu_scratch,
    sigmoid_scratch,
    tanh_scratch,
)

SLOPE = 0.25
PAIRS = {
    "relu": (relu_scratch, torch.relu),
    "prelu": (
        lambda x: prelu_scratch(x, SLOPE),
        lambda x: F.prelu(x, torch.tensor(SLOPE, dtype=x.dtype)),
    ),
    "sigmoid": (sigmoid_scratch, torch.sigmoid),
    "tanh": (tanh_scratch, torch.tanh),
}


@pytest.mark.parametrize(("ours", "theirs"), PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0, 1e4])
def test_values_and_gradients_equal_torchs(ours, theirs, scale):
    inputs = torch.arange(-50, 51, dtype=torch.float64) / 50 * scale  # zero is among them
    inputs.requires_grad_()
    assert 0.0 in inputs
    weights = torch.randn(101, dtype=torch.float64)
    values, slopes = zip(
        *[
            (function(inputs), torch.autograd.grad((weights * function(inputs)).sum(), inputs)[0])
            for function in (ours, theirs)
        ],
        strict=True,
    )
    assert_close(*values)
    assert_close(*slopes)


@pytest.mark.parametrize("ours", [pair[0] for pair in PAIRS.values()], ids=PAIRS)
def test_gradients_by_finite_differences(ours):
    inputs = torch.randn(4, 5, dtype=torch.float64) * 3
    inputs[inputs.abs() < 0.1] = 1.0  # a corner has no slope
    assert torch.autograd.gradcheck(ours, inputs.requires_grad_())


@pytest.mark.parametrize(
    ("function", "largest"), [(sigmoid_scratch, 0.25), (tanh_scratch, 1.0), (relu_scratch, 1.0)]
)
def test_the_largest_slope(function, largest):
    inputs = torch.linspace(-8, 8, 1601, dtype=torch.float64, requires_grad=True)
    (slopes,) = torch.autograd.grad(function(inputs).sum(), inputs)
    assert_close(slopes.max().item(), largest)
    if function is not relu_scratch:
        assert inputs[slopes.argmax()].abs().item() < 1e-9


def test_prelu_by_hand_and_its_slope_is_learned():
    slope = torch.tensor(0.5, requires_grad=True)
    outputs = prelu_scratch(torch.tensor([-4.0, -1.0, 0.0, 3.0]), slope)
    assert outputs.tolist() == [-2.0, -0.5, 0.0, 3.0]
    outputs.sum().backward()
    assert slope.grad.item() == -5.0  # the negative inputs, summed


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slopes_from_outputs_are_autograds(name):
    inputs = (torch.arange(-40, 41, dtype=torch.float64) / 10).requires_grad_()  # with zero
    outputs = ACTIVATIONS[name](inputs)
    (slopes,) = torch.autograd.grad(outputs.sum(), inputs)
    assert_close(SLOPES[name](outputs.detach()), slopes)


def test_every_activation_has_a_slope():
    assert set(SLOPES) == set(ACTIVATIONS)
