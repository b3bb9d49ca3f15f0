import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.testing import assert_close

from divekit.nn import LinearScratch

each_bias = pytest.mark.parametrize("bias", [True, False])


@each_bias
def test_from_one_seed_it_is_torchs_layer(bias):
    found = []
    for kind in (LinearScratch, nn.Linear):
        torch.manual_seed(3)
        layer = kind(5, 4, bias)
        inputs = torch.randn(2, 3, 5, requires_grad=True)
        outputs = layer(inputs)
        outputs.square().sum().backward()
        gradients = [parameter.grad for parameter in layer.parameters()]
        found.append([*layer.state_dict().values(), outputs, inputs.grad, *gradients])
    assert len(found[0]) == (6 if bias else 4)
    for ours, theirs in zip(*found, strict=True):
        assert_close(ours, theirs)


@each_bias
def test_gradients_are_those_of_differences(bias):
    layer = LinearScratch(4, 3, bias).double()
    inputs = torch.randn(5, 4, dtype=torch.float64, requires_grad=True)

    def call(inputs, *parameters):
        names = dict(zip(dict(layer.named_parameters()), parameters, strict=True))
        return torch.func.functional_call(layer, names, (inputs,))

    assert torch.autograd.gradcheck(call, (inputs, *layer.parameters()))


def test_a_number_by_hand():
    layer = LinearScratch(2, 1)
    layer.load_state_dict({"weight": torch.tensor([[2.0, -1.0]]), "bias": torch.tensor([0.5])})
    assert_close(layer(torch.tensor([3.0, 4.0])), torch.tensor([2.5]))


def test_states_are_exchanged_with_torchs():
    theirs, ours = nn.Linear(5, 4), LinearScratch(5, 4)
    ours.load_state_dict(theirs.state_dict())
    inputs = torch.randn(7, 5)
    assert_close(ours(inputs), F.linear(inputs, theirs.weight, theirs.bias))


def test_sizes_are_printed_and_must_be_positive():
    assert repr(LinearScratch(5, 4, bias=False)) == "LinearScratch(5 -> 4, bias=False)"
    for sizes in ((0, 3), (3, 0)):
        with pytest.raises(ValueError, match="cannot be"):
            LinearScratch(*sizes)
