import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.testing import assert_close

from divekit.errors import UsageError
from divekit.nn import BatchNormScratch, batch_norm_scratch

# Inputs, and torch's layer for them.
CASES = {
    "rows": ((7, 3), nn.BatchNorm1d),
    "rows of a length": ((4, 3, 5), nn.BatchNorm1d),
    "images": ((2, 3, 5, 4), nn.BatchNorm2d),
    "one image": ((1, 3, 5, 4), nn.BatchNorm2d),
    "volumes": ((2, 3, 2, 3, 2), nn.BatchNorm3d),
}


@pytest.fixture(params=CASES)
def case(request):
    """Give ours, torch's with the same settings and weights, and inputs far from the origin."""
    shape, kind = CASES[request.param]
    theirs = kind(3, eps=1e-3, momentum=0.3).double()
    with torch.no_grad():
        theirs.weight.copy_(torch.tensor([0.5, -2.0, 1.5]))
        theirs.bias.copy_(torch.tensor([1.0, 0.0, -3.0]))
    ours = BatchNormScratch(3, eps=1e-3, momentum=0.3).double()
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs, lambda: 5 + 2 * torch.randn(shape, dtype=torch.float64)


def test_it_equals_torch_in_outputs_gradients_and_running_statistics(case):
    ours, theirs, draw = case
    for _ in range(3):
        inputs = draw()
        pull = torch.randn_like(inputs)
        results = []
        for layer in (ours, theirs):
            layer.zero_grad()
            here = inputs.clone().requires_grad_()
            outputs = layer(here)
            outputs.backward(pull)
            results.append([outputs, here.grad, layer.weight.grad, layer.bias.grad])
        assert_close(*results)
    assert_close(ours.state_dict(), theirs.state_dict())
    assert theirs.num_batches_tracked == 3


def test_it_equals_torch_in_use_with_gradients_and_leaves_the_statistics_alone(case):
    ours, theirs, draw = case
    for layer in (ours, theirs):
        layer.running_mean.copy_(torch.tensor([1.0, 2.0, 3.0]))
        layer.running_var.copy_(torch.tensor([0.0, 2.0, 9.0]))
        layer.eval()
    before = {name: value.clone() for name, value in ours.state_dict().items()}
    inputs = draw()
    pull = torch.randn_like(inputs)
    results = []
    for layer in (ours, theirs):
        here = inputs.clone().requires_grad_()
        outputs = layer(here)
        outputs.backward(pull)
        results.append([outputs, here.grad, layer.weight.grad, layer.bias.grad])
    assert_close(*results)
    assert_close(ours.state_dict(), before, rtol=0, atol=0)


def test_the_mode_is_that_of_training_not_of_gradients():
    """Frozen weights are still measured, and a trained network's gradient is that of use."""
    layer, inputs = BatchNormScratch(2), torch.tensor([[0.0, 1.0], [2.0, 7.0]])
    with torch.no_grad():
        measured = layer(inputs)
    assert_close(measured, torch.tensor([[-1.0, -1.0], [1.0, 1.0]]), rtol=1e-4, atol=1e-4)
    assert layer.running_mean.tolist() == pytest.approx([0.1, 0.4])
    used = BatchNormScratch(2).eval()(inputs)
    assert used.requires_grad
    assert_close(used, inputs / (1 + 1e-5) ** 0.5)


def test_three_batches_worked_by_hand():
    """Batches (0, 2), (4, 8), (1, 1): means 1, 6, 1; variances with N - 1: 2, 8, 0."""
    layer = BatchNormScratch(1)
    for batch in ([0.0, 2.0], [4.0, 8.0], [1.0, 1.0]):
        layer(torch.tensor(batch)[:, None])
    assert layer.running_mean.item() == pytest.approx(0.9 * (0.9 * 0.1 + 0.6) + 0.1)
    assert layer.running_var.item() == pytest.approx(0.9 * (0.9 * (0.9 + 0.2) + 0.8))


@pytest.mark.parametrize("shape", [(5, 2), (3, 2, 2, 2)])
def test_the_gradient_by_hand_is_that_of_finite_differences(shape):
    def forward(inputs, weight, bias):
        running = torch.zeros(2, dtype=torch.float64), torch.ones(2, dtype=torch.float64)
        return batch_norm_scratch(inputs, weight, bias, *running, training=True)

    numbers = [torch.randn(size, dtype=torch.float64) for size in (shape, 2, 2)]
    assert torch.autograd.gradcheck(forward, [item.requires_grad_() for item in numbers])


def test_a_channel_far_from_the_origin_is_still_normalised():
    """The mean of the squares less the square of the mean would have nothing left in float32."""
    inputs = 10_000 + torch.randn(512, 1, 4, 4)
    outputs = BatchNormScratch(1)(inputs)
    assert outputs.mean().abs() < 1e-3
    assert outputs.std().item() == pytest.approx(1, abs=1e-3)


def test_narrow_numbers_are_measured_in_wide_ones_as_torch_does():
    inputs = (3 + torch.randn(64, 4, 6, 6)).bfloat16()
    ours, theirs = BatchNormScratch(4), nn.BatchNorm2d(4)
    outputs = ours(inputs)
    assert outputs.dtype == torch.bfloat16
    assert_close(outputs, theirs(inputs))
    assert_close(ours.state_dict(), theirs.state_dict())


def test_channels_last_stays_channels_last():
    inputs = torch.randn(4, 8, 5, 5).to(memory_format=torch.channels_last)
    outputs = BatchNormScratch(8)(inputs)
    assert outputs.is_contiguous(memory_format=torch.channels_last)
    assert_close(outputs, nn.BatchNorm2d(8)(inputs))


def test_scaling_and_shifting_a_channel_changes_nothing():
    inputs = torch.randn(6, 3, 4, 4, dtype=torch.float64)
    layer = BatchNormScratch(3, eps=0.0).double()
    scale = torch.tensor([3.0, 0.01, 40.0]).view(3, 1, 1)
    assert_close(layer(scale * inputs - 7), layer(inputs))


@pytest.mark.parametrize("shape", [(1, 3), (1, 3, 1, 1)])
def test_one_number_a_channel_cannot_be_trained_on_but_used(shape):
    layer = BatchNormScratch(3)
    with pytest.raises(UsageError, match=r"single number for each channel.*larger batches"):
        layer(torch.randn(shape))
    assert layer.eval()(torch.randn(shape)).shape == shape


def test_inputs_of_other_channels_are_refused():
    with pytest.raises(ValueError, match=r"\(4, 2\) must be \(B, 3\)"):
        BatchNormScratch(3)(torch.randn(4, 2))


def test_the_function_takes_statistics_of_the_callers_own():
    inputs, weight, bias = torch.randn(4, 3), torch.randn(3), torch.randn(3)
    ours, theirs = ((torch.zeros(3), torch.ones(3)) for _ in range(2))
    assert_close(
        batch_norm_scratch(inputs, weight, bias, *ours, training=True, momentum=0.5),
        F.batch_norm(inputs, *theirs, weight, bias, training=True, momentum=0.5),
    )
    assert_close(ours, theirs)
