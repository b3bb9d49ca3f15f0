import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from divekit.nn import (
    cross_entropy,
    cross_entropy_scratch,
    log_softmax_scratch,
    squared_loss,
    squared_loss_scratch,
)


@pytest.mark.parametrize("loss", [squared_loss, squared_loss_scratch])
def test_squared_loss_keeps_its_half(loss):
    # Errors 2 and 0: (2^2 / 2 + 0) / 2 = 1, by hand.
    predictions, targets = torch.tensor([[1.0], [4.0]]), torch.tensor([[3.0], [4.0]])
    assert loss(predictions, targets).item() == 1.0


@pytest.mark.parametrize("loss", [squared_loss, squared_loss_scratch])
def test_squared_loss_does_not_broadcast_a_row_against_a_column(loss):
    with pytest.raises(ValueError, match=r"\(4, 1\) and targets \(4,\)"):
        loss(torch.zeros(4, 1), torch.zeros(4))


def test_cross_entropy_by_hand():
    scores = torch.tensor([[0.3, 0.2, 0.5]]).log()
    for loss in (cross_entropy, cross_entropy_scratch):
        assert_close(loss(scores, torch.tensor([2])).item(), 0.6931, atol=5e-5, rtol=0)
        assert_close(loss(torch.zeros(1, 10), torch.tensor([3])).item(), 2.3026, atol=5e-5, rtol=0)


@settings(deadline=None, max_examples=50)
@given(
    rows=st.integers(1, 6), classes=st.integers(1, 7), scale=st.sampled_from([0.1, 1.0, 1e3, 1e30])
)
def test_log_softmax_equals_torch_at_any_scale(rows, classes, scale):
    scores = torch.randn(rows, classes) * scale
    assert_close(log_softmax_scratch(scores), F.log_softmax(scores, dim=1))


PAIRS = [
    (squared_loss_scratch, squared_loss, lambda x: torch.randn_like(x)),
    (cross_entropy_scratch, cross_entropy, lambda x: torch.randint(0, x.shape[1], x.shape[:1])),
]


@pytest.mark.parametrize(("scratch", "concise", "make_targets"), PAIRS)
def test_scratch_and_concise_agree_on_values_and_gradients(scratch, concise, make_targets):
    scores = torch.randn(5, 4, dtype=torch.float64, requires_grad=True)
    targets = make_targets(scores.detach())
    assert_close(scratch(scores, targets), concise(scores, targets))
    ours, theirs = (
        torch.autograd.grad(loss(scores, targets), scores)[0] for loss in (scratch, concise)
    )
    assert_close(ours, theirs)
    assert torch.autograd.gradcheck(lambda x: scratch(x, targets), scores)


def test_gradients_stay_finite_where_the_naive_formula_overflows():
    scores = torch.tensor([[1000.0, 0.0, -1000.0]], requires_grad=True)
    cross_entropy_scratch(scores, torch.tensor([2])).backward()
    assert_close(scores.grad, torch.tensor([[1.0, 0.0, -1.0]]))
