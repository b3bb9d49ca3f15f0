import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close

from divekit.nn import DropoutScratch, dropout_scratch


def torchs_mask(shape, p, seed):
    """Give what torch keeps after this seed: dropout of ones shows it."""
    torch.manual_seed(seed)
    return F.dropout(torch.ones(shape, dtype=torch.float64), p) != 0


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_values_and_gradients_equal_torchs_under_the_same_mask(p):
    inputs = torch.randn(5, 7, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(5, 7, dtype=torch.float64)
    kept = torchs_mask((5, 7), p, seed=3)
    ours = dropout_scratch(inputs, p, kept=kept)
    torch.manual_seed(3)
    theirs = F.dropout(inputs, p)
    assert_close(ours, theirs)
    assert_close(
        *(torch.autograd.grad((weights * outputs).sum(), inputs)[0] for outputs in (ours, theirs))
    )


def test_a_mask_by_hand():
    kept = torch.tensor([True, False, True, False])
    inputs = torch.tensor([1.0, 2.0, -3.0, 4.0])
    assert dropout_scratch(inputs, 0.75, kept=kept).tolist() == [4.0, 0.0, -12.0, 0.0]


def test_nothing_is_dropped_at_zero_and_everything_at_one():
    inputs = torch.randn(4, 4, requires_grad=True)
    assert torch.equal(dropout_scratch(inputs, 0.0), inputs)
    gone = dropout_scratch(inputs, 1.0)
    gone.sum().backward()
    assert gone.abs().sum() == 0
    assert inputs.grad.abs().sum() == 0  # zero, and not NaN


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_mean_and_variance_are_those_of_the_definition(dtype):
    p, size = 0.1, 1_000_000
    generator = torch.Generator().manual_seed(0)
    outputs = dropout_scratch(torch.full((size,), 3.0, dtype=dtype), p, generator=generator)
    assert outputs.dtype == dtype
    share = (outputs == 0).double().mean().item()
    # Five standard deviations of a share; in bfloat16 a coarse draw would be six off.
    assert abs(share - p) < 5 * (p * (1 - p) / size) ** 0.5
    if dtype != torch.bfloat16:
        assert abs(outputs.double().mean().item() - 3) < 5 * 3 * (p / (1 - p) / size) ** 0.5
        assert_close(outputs.double().var().item(), 9 * p / (1 - p), rtol=0.02, atol=0)


def test_entries_are_dropped_one_by_one():
    """Neither rows nor columns go together: the mask's covariances are zero."""
    outputs = dropout_scratch(torch.ones(20_000, 6), 0.5, generator=torch.manual_seed(0))
    covariance = torch.cov(outputs.T)
    assert (covariance - torch.eye(6)).abs().max() < 0.05


@given(p=st.floats(0, 1), seed=st.integers(0, 2**32))
def test_every_entry_is_zero_or_stretched(p, seed):
    generator = torch.Generator().manual_seed(seed)
    outputs = dropout_scratch(torch.ones(50, dtype=torch.float64), p, generator=generator)
    stretched = torch.full_like(outputs, 0.0 if p == 1 else 1 / (1 - p))
    assert ((outputs == 0) | torch.isclose(outputs, stretched)).all()


def test_one_seed_gives_one_mask():
    draws = [
        dropout_scratch(torch.ones(100), 0.5, generator=torch.Generator().manual_seed(seed))
        for seed in (1, 1, 2)
    ]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_the_layer_drops_while_training_only():
    layer, inputs = DropoutScratch(0.5), torch.randn(100)
    assert (layer(inputs) == 0).any()
    assert layer.eval()(inputs) is inputs
    assert (layer.train()(inputs) == 0).any()
    assert repr(layer) == "DropoutScratch(p=0.5)"


def test_the_layer_goes_where_torchs_goes():
    model = nn.Sequential(nn.Linear(3, 4), DropoutScratch(0.3))
    assert list(model.state_dict()) == ["0.weight", "0.bias"]


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_a_p_that_is_no_probability_is_refused(p):
    with pytest.raises(ValueError, match="from 0 to 1"):
        DropoutScratch(p)
    with pytest.raises(ValueError, match="from 0 to 1"):
        dropout_scratch(torch.ones(2), p)
