import torch
from torch.testing import assert_close

from divekit.nn import l2_penalty


def test_by_hand_and_against_torchs_norm():
    assert l2_penalty(torch.tensor([[3.0], [-4.0]])).item() == 12.5
    weight = torch.randn(4, 3, 2)
    assert_close(l2_penalty(weight), torch.linalg.vector_norm(weight) ** 2 / 2)


def test_its_gradient_is_the_weight():
    weight = torch.randn(5, 2, dtype=torch.float64, requires_grad=True)
    l2_penalty(weight).backward()
    assert_close(weight.grad, weight.detach())
    assert torch.autograd.gradcheck(l2_penalty, weight)
