import pytest
import torch
from torch import nn
from torch.testing import assert_close

from divekit.models import MLP, MLPEnsemble
from divekit.nn import squared_loss


def member(ensemble, number):
    """Give one member as a network by itself, of torch's layers."""
    _, num_features, num_hidden = ensemble.hidden_weight.shape
    alone = MLP(num_features, num_hidden, ensemble.output_weight.shape[2]).double()
    with torch.no_grad():
        alone.hidden.weight.copy_(ensemble.hidden_weight[number].T)
        alone.hidden.bias.copy_(ensemble.hidden_bias[number, 0])
        alone.output.weight.copy_(ensemble.output_weight[number].T)
        alone.output.bias.copy_(ensemble.output_bias[number, 0])
    return alone


@pytest.fixture
def ensemble():
    model = MLPEnsemble(6, 2, num_hidden=5, num_members=3, dropout=0.0).double()
    nn.init.normal_(model.output_bias)
    return model


def test_its_answer_is_the_mean_of_networks_with_the_same_weights(ensemble):
    inputs = torch.randn(4, 6, dtype=torch.float64)
    alone = torch.stack([member(ensemble, number)(inputs) for number in range(3)])
    assert_close(ensemble.each(inputs), alone)
    assert_close(ensemble(inputs), alone.mean(dim=0))


def test_each_member_gets_the_gradient_of_its_own_loss(ensemble):
    inputs, targets = torch.randn(4, 6).double(), torch.randn(4, 2).double()
    each = ensemble.each(inputs)
    (3 * squared_loss(each, targets.expand_as(each))).backward()
    for number in range(3):
        alone = member(ensemble, number)
        squared_loss(alone(inputs), targets).backward()
        assert_close(ensemble.hidden_weight.grad[number], alone.hidden.weight.grad.T)
        assert_close(ensemble.output_bias.grad[number, 0], alone.output.bias.grad)


def test_members_drop_units_of_their_own_and_only_while_training():
    model = MLPEnsemble(40, num_hidden=7, num_members=4, dropout=0.5)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter[:1].expand_as(parameter))  # twins
    inputs = torch.randn(3, 40)
    each = model.each(inputs)
    assert len({tuple(rows.flatten().tolist()) for rows in each}) == 4
    each = model.eval().each(inputs)
    assert_close(each, each[:1].expand_as(each))
    assert_close(model(inputs), each[0])


def test_members_begin_different_and_as_torchs_linear_layer_does():
    model = MLPEnsemble(400, num_hidden=300, num_members=2)
    layer = nn.Linear(400, 300)
    for weight in model.hidden_weight:
        assert weight.abs().max() <= 1 / 20
        assert weight.std().item() == pytest.approx(layer.weight.std().item(), rel=0.02)
    assert not torch.equal(*model.hidden_weight)
    assert model.output_weight.abs().max() <= 300**-0.5
    assert not model.output_bias.any()
