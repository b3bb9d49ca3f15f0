import pytest
import torch
from torch import nn
from torch.testing import assert_close

from divekit.nn import materialize


def lazy():
    return nn.Sequential(
        nn.LazyConv2d(4, 3),
        nn.LazyBatchNorm2d(),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Flatten(),
        nn.LazyLinear(10),
    )


EAGER = (nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4 * 6 * 5, 10))


def test_shapes_are_those_of_a_model_with_sizes_written_out():
    model = lazy()
    assert materialize(model, torch.zeros(1, 3, 8, 7)) is model
    shapes = [parameter.shape for parameter in model.parameters()]
    assert shapes == [parameter.shape for layer in EAGER for parameter in layer.parameters()]
    assert [type(model[place]) for place in (0, 1, 5)] == [type(layer) for layer in EAGER]
    assert model[5].in_features == 120


def test_from_one_seed_the_weights_are_those_of_the_model_with_sizes():
    torch.manual_seed(5)
    model = materialize(lazy(), torch.zeros(1, 3, 8, 7))
    torch.manual_seed(5)
    eager = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Linear(120, 10))
    assert torch.equal(model[0].weight, eager[0].weight)
    assert torch.equal(model[5].weight, eager[1].weight)


def test_the_example_teaches_nothing_and_modes_stay():
    model = lazy()
    model[3].eval()  # somebody froze one layer
    calls = []
    model[0].register_forward_hook(
        lambda module, inputs, output: calls.append((module.training, output.requires_grad))
    )
    materialize(model, torch.randn(5, 3, 8, 7))
    assert calls == [(False, False)]
    assert [module.training for module in model.modules()] == [True] * 4 + [False] + [True] * 2
    assert torch.equal(model[1].running_mean, torch.zeros(4))
    assert model[1].num_batches_tracked == 0
    assert all(
        parameter.grad is None and parameter.requires_grad for parameter in model.parameters()
    )


def test_weights_are_filled_once_the_shapes_are_there():
    def fill(module):
        if isinstance(module, nn.Linear):
            nn.init.constant_(module.weight, 7.0)
            module.bias.zero_()

    model = materialize(lazy(), torch.zeros(1, 3, 8, 7), init=fill)
    assert_close(model[5].weight.detach(), torch.full((10, 120), 7.0))
    assert model[5].weight.requires_grad
    assert model[0].weight.unique().numel() > 1


def test_a_model_of_two_inputs_and_one_without_lazy_layers():
    bilinear = nn.Bilinear(3, 4, 2)
    weight = bilinear.weight.detach().clone()
    assert materialize(bilinear, torch.zeros(1, 3), torch.zeros(1, 4)) is bilinear
    assert torch.equal(bilinear.weight, weight)


class Fork(nn.Module):
    def __init__(self):
        super().__init__()
        self.taken, self.other = nn.LazyLinear(2), nn.LazyLinear(2)

    def forward(self, inputs):
        return self.taken(inputs) if inputs.sum() >= 0 else self.other(inputs)


def test_layers_that_the_example_missed_are_named():
    with pytest.raises(ValueError, match=r"other\.weight, other\.bias; the model calls"):
        materialize(Fork(), torch.zeros(1, 3), init=lambda module: pytest.fail("too early"))


def test_a_model_that_fails_keeps_its_modes():
    model = nn.Sequential(nn.LazyLinear(3), nn.Linear(4, 1))
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        materialize(model, torch.zeros(1, 2))
    assert all(module.training for module in model.modules())
