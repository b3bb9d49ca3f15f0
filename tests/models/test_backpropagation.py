from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from divekit.models import MLP, MLPWeights, mlp_backward, mlp_forward
from divekit.nn import ACTIVATIONS

NAMES = sorted(ACTIVATIONS)


def setting(activation, num_examples=5, num_features=4, num_hidden=6, num_classes=3):
    model = MLP(num_features, num_hidden, num_classes, ACTIVATIONS[activation]).double()
    inputs = torch.randn(num_examples, num_features, dtype=torch.float64)
    return model, inputs, torch.randint(num_classes, (num_examples,))


def by_hand(model, inputs, labels, activation, decay):
    weights = MLPWeights.of(model)
    objective, kept = mlp_forward(weights, inputs, labels, activation, decay)
    return objective, vars(mlp_backward(weights, kept, labels, activation, decay))


def by_autograd(model, inputs, labels, decay):
    squares = model.hidden.weight.square().sum() + model.output.weight.square().sum()
    objective = F.cross_entropy(model(inputs), labels) + decay / 2 * squares
    return objective, torch.autograd.grad(objective, list(model.parameters()))


@settings(max_examples=25, deadline=None)
@given(
    activation=st.sampled_from(NAMES),
    sizes=st.tuples(*[st.integers(1, 6)] * 3, st.integers(2, 6)),
    decay=st.floats(0, 10),
    seed=st.integers(0, 1000),
)
def test_objective_and_gradients_equal_autograds(activation, sizes, decay, seed):
    torch.manual_seed(seed)
    model, inputs, labels = setting(activation, *sizes)
    objective, ours = by_hand(model, inputs, labels, activation, decay)
    expected, theirs = by_autograd(model, inputs, labels, decay)
    assert_close(objective, expected.detach())
    for (name, gradient), other in zip(ours.items(), theirs, strict=True):
        assert_close(gradient, other, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_gradients_are_the_slopes_of_the_objective(activation):
    """A nudge in a random direction: independent of every formula and of autograd."""
    model, inputs, labels = setting(activation)
    weights, nudge = MLPWeights.of(model), 1e-6
    _, gradients = by_hand(model, inputs, labels, activation, 0.3)
    directions = {name: torch.randn_like(tensor) for name, tensor in vars(weights).items()}
    for name, direction in directions.items():
        ends = [
            mlp_forward(
                replace(weights, **{name: getattr(weights, name) + side * nudge * direction}),
                inputs,
                labels,
                activation,
                0.3,
            )[0]
            for side in (1, -1)
        ]
        slope = (ends[0] - ends[1]) / (2 * nudge)
        assert_close(slope, (gradients[name] * direction).sum(), rtol=1e-6, atol=1e-9)


def test_one_example_by_hand():
    """x = 2, hidden relu(3 * 2 - 1) = 5, scores (5, 0), the truth the second class."""
    weights = MLPWeights(
        torch.tensor([[3.0]]),
        torch.tensor([-1.0]),
        torch.tensor([[1.0], [0.0]]),
        torch.zeros(2),
    )
    label = torch.tensor([1])
    objective, kept = mlp_forward(weights, torch.tensor([[2.0]]), label, "relu", 0.1)
    p = torch.tensor(5.0).sigmoid()  # of two classes
    assert_close(objective, -(1 - p).log() + 0.1 * (9 + 1) / 2, rtol=1e-4, atol=0)
    gradient = mlp_backward(weights, kept, label, "relu", 0.1)
    assert_close(gradient.output_bias, torch.stack([p, -p]))
    assert_close(gradient.output_weight, torch.stack([5 * p + 0.1, -5 * p])[:, None])
    assert_close(gradient.hidden_weight, (2 * p + 0.1 * 3)[None, None])
    assert_close(gradient.hidden_bias, p[None])


def test_decay_spares_the_biases():
    model, inputs, labels = setting("tanh")
    (_, without), (_, decayed) = (by_hand(model, inputs, labels, "tanh", d) for d in (0.0, 2.0))
    assert_close(decayed["hidden_weight"] - without["hidden_weight"], 2 * model.hidden.weight.data)
    for name in ("hidden_bias", "output_bias"):
        assert torch.equal(decayed[name], without[name])


def test_images_are_flattened():
    model, inputs, labels = setting("relu")
    flat, folded = (
        by_hand(model, x, labels, "relu", 0.1) for x in (inputs, inputs.view(5, 1, 2, 2))
    )
    assert_close(flat, folded)


def test_nothing_is_noted_down_and_no_weight_is_changed():
    model, inputs, labels = setting("sigmoid")
    before = MLPWeights.of(model)
    objective, gradients = by_hand(model, inputs.requires_grad_(), labels, "sigmoid", 0.1)
    assert not objective.requires_grad
    assert not any(gradient.requires_grad for gradient in gradients.values())
    assert_close(vars(MLPWeights.of(model)), vars(before), rtol=0, atol=0)
