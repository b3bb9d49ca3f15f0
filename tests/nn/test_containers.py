import pytest
import torch
from torch import nn
from torch.testing import assert_close

from divekit.nn import SequentialScratch


def layers():
    torch.manual_seed(0)
    return [nn.Linear(20, 256), nn.ReLU(), nn.Linear(256, 10)]


def test_outputs_gradients_and_names_are_those_of_torchs():
    ours, theirs = SequentialScratch(*layers()), nn.Sequential(*layers())
    assert list(ours.state_dict()) == list(theirs.state_dict())
    theirs[0].weight.data.normal_()
    ours.load_state_dict(theirs.state_dict())
    inputs = torch.randn(2, 20)
    for model in (ours, theirs):
        model(inputs).square().sum().backward()
    assert_close(ours(inputs), theirs(inputs))
    for mine, torchs in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert_close(mine.grad, torchs.grad)


def test_a_layer_given_twice_is_called_twice_and_counted_once():
    shared = nn.Linear(3, 3)
    ours, theirs = (kind(shared, nn.Tanh(), shared) for kind in (SequentialScratch, nn.Sequential))
    inputs = torch.randn(2, 3)
    assert torch.equal(ours(inputs), theirs(inputs))
    assert len(ours) == 3
    assert ours[0] is ours[2] is shared
    assert len(list(ours.parameters())) == 2


def test_without_layers_it_gives_what_it_takes():
    inputs = torch.randn(2)
    assert SequentialScratch()(inputs) is inputs


def test_modes_and_types_reach_the_layers():
    model = SequentialScratch(SequentialScratch(nn.Dropout(0.5)), nn.Linear(1, 1)).eval().double()
    assert not model[0][0].training
    assert model[1].weight.dtype == torch.float64


def test_what_is_no_layer_is_an_error():
    with pytest.raises(TypeError, match="not a Module"):
        SequentialScratch(torch.relu)
    with pytest.raises(IndexError):
        SequentialScratch()[0]
