import torch
from torch.testing import assert_close

from divekit.models import MLP
from divekit.nn import relu_scratch


def test_exclusive_or_by_hand():
    model = MLP(2, 2, 1, activation=relu_scratch)
    with torch.no_grad():
        model.hidden.weight.fill_(1.0)
        model.hidden.bias.copy_(torch.tensor([0.0, -1.0]))
        model.output.weight.copy_(torch.tensor([[1.0, -2.0]]))
        model.output.bias.zero_()
    corners = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    assert model(corners)[:, 0].tolist() == [0.0, 1.0, 1.0, 0.0]


def test_without_an_activation_it_is_one_linear_layer():
    model = MLP(3, 5, 2, activation=lambda hidden: hidden).double()
    inputs = torch.randn(4, 3, dtype=torch.float64)
    weight = model.output.weight @ model.hidden.weight
    assert_close(model(inputs) - model(torch.zeros_like(inputs)), inputs @ weight.T)
