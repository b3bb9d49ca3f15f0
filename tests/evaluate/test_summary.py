import json

import pytest
import torch
from torch import nn

from divekit.evaluate import Layer, summarise
from divekit.models import LeNet, SoftmaxRegressionScratch
from divekit.nn import Conv2dScratch


def test_lenet_worked_by_hand():
    summary = summarise(LeNet(), torch.empty(1, 1, 28, 28))
    found = [layer for layer in summary.layers if layer.parameters]
    assert found == [
        # 6 kernels of 1 x 5 x 5 and a bias; at 28 x 28 places, 25 products and as many sums
        Layer("features.0", "Conv2d", (1, 6, 28, 28), 6 * (25 + 1), 28 * 28 * 6 * 25 * 2),
        Layer("features.3", "Conv2d", (1, 16, 10, 10), 16 * (6 * 25 + 1), 100 * 16 * 150 * 2),
        Layer("classifier.1", "Linear", (1, 120), 120 * (16 * 25 + 1), 120 * 400 * 2),
        Layer("classifier.3", "Linear", (1, 84), 84 * 121, 84 * 120 * 2),
        Layer("classifier.5", "Linear", (1, 10), 10 * 85, 10 * 84 * 2),
    ]
    assert summary.parameters == 61_706  # the book's network
    assert summary.flops == sum(layer.flops for layer in found) == 833_040


def test_every_layer_stands_in_the_order_of_the_calls():
    summary = summarise(LeNet(), torch.empty(3, 1, 28, 28))
    kinds = [layer.kind for layer in summary.layers]
    assert kinds == ["Conv2d", "Sigmoid", "AvgPool2d"] * 2 + [
        "Flatten", "Linear", "Sigmoid", "Linear", "Sigmoid", "Linear"
    ]  # fmt: skip
    assert summary.layers[5].output_shape == (3, 16, 5, 5)
    assert summary.flops == 3 * 833_040


def test_our_convolution_counts_as_many_operations_as_torchs():
    images = torch.empty(2, 6, 9, 9)
    ours = summarise(Conv2dScratch(6, 4, 3, stride=2, groups=2), images)
    theirs = summarise(nn.Conv2d(6, 4, 3, stride=2, groups=2), images)
    assert ours.flops == theirs.flops == 2 * 16 * 4 * 27 * 2
    assert ours.parameters == theirs.parameters == 4 * 27 + 4
    assert ours.layers[0].name == ""


def test_a_layer_used_twice_has_its_parameters_once_and_its_operations_twice():
    shared = nn.Linear(5, 5, bias=False)
    summary = summarise(nn.Sequential(shared, nn.ReLU(), shared), torch.empty(1, 5))
    assert [layer.parameters for layer in summary.layers] == [25, 0, 0]
    assert [layer.flops for layer in summary.layers] == [50, 0, 50]
    assert (summary.parameters, summary.flops) == (25, 100)


def test_a_layer_around_another_counts_its_own_work_only():
    class Around(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(3, 4, bias=False)
            self.outer = nn.Parameter(torch.ones(4, 2))

        def forward(self, inputs):
            return self.inner(inputs) @ self.outer, "and more"

    summary = summarise(nn.Sequential(Around()), torch.empty(1, 3))
    assert summary.layers == (
        Layer("0.inner", "Linear", (1, 4), 12, 24),
        Layer("0", "Around", (1, 2), 8, 16),
    )


def test_frozen_parameters_are_not_counted():
    model = nn.Linear(3, 4)
    model.bias.requires_grad_(False)
    assert summarise(model, torch.empty(1, 3)).parameters == 12


def test_a_model_is_left_as_it_was_and_takes_no_memory_for_what_is_large():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Dropout(0.5), nn.BatchNorm2d(2)).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    # A batch of this size would be 4 PB.
    summary = summarise(model, torch.empty(10**9, 1, 1000, 1000, device="meta"))
    assert summary.layers[0].output_shape == (10**9, 2, 998, 998)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not model[0]._forward_hooks
    model(torch.zeros(2, 1, 8, 8))  # still on the CPU


def test_the_shapes_are_those_of_a_real_forward_pass_where_batches_are_normalised():
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=2), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.BatchNorm1d(36)
    ).double()
    images, found = torch.rand(2, 3, 7, 7, dtype=torch.float64), []
    for layer in model:
        layer.register_forward_hook(lambda layer, inputs, output: found.append(output))
    model(images)
    found, real = [], list(found)
    summary = summarise(model, images)
    assert [layer.output_shape for layer in summary.layers] == [tuple(x.shape) for x in real]
    assert [output.dtype for output in found] == [torch.float64] * 5
    assert summary.flops == 2 * 9 * 4 * 27 * 2


def test_a_normalisation_of_other_channels_is_refused():
    with pytest.raises(RuntimeError, match="4 elements not 5"):
        summarise(nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(5)), torch.empty(1, 3, 2, 2))


def test_in_words_and_in_json():
    summary = summarise(SoftmaxRegressionScratch(784, 10), torch.empty(1, 1, 28, 28))
    assert str(summary).splitlines() == [
        "layer     kind                      output  parameters   FLOPs",
        "(itself)  SoftmaxRegressionScratch  10           7,850  15,680",
    ]
    (row,) = json.loads(json.dumps(summary.to_json()))
    assert row["output_shape"] == [1, 10]
