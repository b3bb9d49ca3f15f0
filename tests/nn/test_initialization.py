import math

import pytest
import torch
from scipy import stats
from torch import nn
from torch.testing import assert_close

from divekit.nn import (
    draw_weights,
    kaiming_normal_scratch,
    kaiming_uniform_scratch,
    xavier_normal_scratch,
    xavier_uniform_scratch,
)
from divekit.nn.initialization import fans

PAIRS = {
    "xavier_normal": (xavier_normal_scratch, nn.init.xavier_normal_),
    "xavier_uniform": (xavier_uniform_scratch, nn.init.xavier_uniform_),
    "kaiming_normal": (
        kaiming_normal_scratch,
        lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu"),
    ),
    "kaiming_uniform": (
        kaiming_uniform_scratch,
        lambda w: nn.init.kaiming_uniform_(w, nonlinearity="relu"),
    ),
}
each_pair = pytest.mark.parametrize(("ours", "theirs"), PAIRS.values(), ids=PAIRS)
SHAPES = [(300, 200), (40, 300), (64, 16, 3, 5)]


@each_pair
@pytest.mark.parametrize("shape", SHAPES)
def test_draws_are_distributed_as_torchs(ours, theirs, shape):
    """Kolmogorov and Smirnov: the largest gap between both shares below a value."""
    torch.manual_seed(0)
    mine, torchs = ours(torch.empty(shape)), theirs(torch.empty(shape))
    found = stats.ks_2samp(mine.flatten().numpy(), torchs.flatten().numpy())
    assert found.pvalue > 0.01
    # The test can tell: three percent more spread, and it says no where there are many draws.
    if mine.numel() > 50_000:
        wider = stats.ks_2samp(1.03 * mine.flatten().numpy(), torchs.flatten().numpy())
        assert wider.pvalue < 0.01


@each_pair
@pytest.mark.parametrize("shape", SHAPES)
def test_from_one_seed_they_are_the_same_numbers(ours, theirs, shape):
    weights = []
    for draw in (ours, theirs):
        torch.manual_seed(3)
        weights.append(draw(torch.empty(shape, dtype=torch.float64)))
    assert_close(*weights)


@pytest.mark.parametrize("gain", [1.0, 5 / 3])
def test_the_variance_and_the_bound_are_those_of_the_formula(gain):
    generator = torch.Generator().manual_seed(0)
    normal = xavier_normal_scratch(torch.empty(400, 600), gain, generator)
    uniform = xavier_uniform_scratch(torch.empty(400, 600), gain, generator)
    for weight in (normal, uniform):
        assert_close(weight.var().item(), gain**2 * 2 / 1000, rtol=0.02, atol=0)
        assert abs(weight.mean().item()) < 5 * weight.std().item() / math.sqrt(240_000)
    assert_close(uniform.abs().max().item(), gain * math.sqrt(6 / 1000), rtol=1e-3, atol=0)
    assert normal.abs().max() > 3.5 * normal.std()


def test_xavier_keeps_the_variance_forward_and_backward_in_a_square_layer():
    generator = torch.Generator().manual_seed(0)
    weight = xavier_uniform_scratch(torch.empty(512, 512), 1.0, generator)
    signal = torch.randn(1000, 512, generator=generator)
    assert_close((signal @ weight.T).var().item(), 1.0, rtol=0.02, atol=0)  # forward
    assert_close((signal @ weight).var().item(), 1.0, rtol=0.02, atol=0)  # a gradient, backward


def test_xavier_is_between_both_wishes_in_a_layer_that_is_not_square():
    generator = torch.Generator().manual_seed(0)
    weight = xavier_normal_scratch(torch.empty(200, 800), 1.0, generator)
    forward = torch.randn(4000, 800, generator=generator) @ weight.T
    backward = torch.randn(4000, 200, generator=generator) @ weight
    assert_close(forward.var().item(), 800 * 2 / 1000, rtol=0.03, atol=0)
    assert_close(backward.var().item(), 200 * 2 / 1000, rtol=0.03, atol=0)


@pytest.mark.parametrize("draw", [kaiming_normal_scratch, kaiming_uniform_scratch])
def test_kaiming_keeps_the_mean_square_through_relu(draw):
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(50, 300, generator=generator).relu()
    weight = draw(torch.empty(20_000, 300), generator)  # each output sees one common mean
    before, after = hidden.square().mean(), (hidden @ weight.T).relu().square().mean()
    assert_close(after.item(), before.item(), rtol=0.05, atol=0)


def test_fans_count_the_places_of_a_kernel():
    assert fans(torch.empty(7, 3)) == (3, 7)
    assert fans(torch.empty(7, 3, 5, 2)) == (30, 70)
    with pytest.raises(ValueError, match="at least two axes"):
        fans(torch.empty(7))


@each_pair
def test_a_parameter_is_filled_in_place_and_stays_a_leaf(ours, theirs):
    layer = nn.Linear(5, 4)
    before = layer.weight.detach().clone()
    assert ours(layer.weight) is layer.weight
    assert layer.weight.is_leaf
    assert layer.weight.requires_grad
    assert not torch.equal(layer.weight, before)


def test_weights_are_drawn_layer_by_layer_and_biases_stay():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Sequential(nn.Linear(4, 3)))
    biases = [model[0].bias.clone(), model[2][0].bias.clone()]
    drawn = []

    def draw(weight):
        drawn.append(weight)
        return nn.init.constant_(weight, 7.0)

    draw_weights(model, draw)
    assert [tuple(weight.shape) for weight in drawn] == [(2, 1, 3, 3), (3, 4)]
    assert (model[0].weight == 7).all()
    assert (model[2][0].weight == 7).all()
    assert (model[1].weight == 1).all()  # batch normalisation has a scale, not weights to draw
    assert_close([model[0].bias, model[2][0].bias], biases)
