import pytest
import torch
from torch.testing import assert_close

from divekit.models import MLP, MLPScratch
from divekit.nn import cross_entropy, relu_scratch


def test_scratch_and_concise_agree_on_scores_and_gradients():
    scratch, concise = MLPScratch(6, 5, 3, sigma=1.0).double(), MLP(6, 5, 3).double()
    pairs = [
        (scratch.hidden_weight, concise.hidden.weight),
        (scratch.hidden_bias, concise.hidden.bias),
        (scratch.output_weight, concise.output.weight),
        (scratch.output_bias, concise.output.bias),
    ]
    with torch.no_grad():
        torch.nn.init.normal_(scratch.hidden_bias)  # so that a bias left out would show
        torch.nn.init.normal_(scratch.output_bias)
        for ours, theirs in pairs:
            theirs.copy_(ours.T if ours.ndim == 2 else ours)
    images = torch.randn(4, 1, 2, 3, dtype=torch.float64)
    labels = torch.tensor([0, 1, 2, 1])

    for model in (scratch, concise):
        cross_entropy(model(images), labels).backward()

    assert_close(scratch(images), concise(images))
    for ours, theirs in pairs:
        assert_close(ours.grad, theirs.grad.T if ours.ndim == 2 else theirs.grad)


def test_gradients_in_double_precision():
    model = MLPScratch(3, 4, 2, activation=torch.tanh, sigma=1.0).double()
    inputs = torch.randn(5, 3, dtype=torch.float64)

    def outputs(*parameters):
        return torch.func.functional_call(model, dict(zip(names, parameters, strict=True)), inputs)

    names, values = zip(*model.named_parameters(), strict=True)
    assert torch.autograd.gradcheck(outputs, values)


@pytest.mark.parametrize("kind", [MLPScratch, MLP])
def test_exclusive_or_by_hand(kind):
    model = kind(2, 2, 1, activation=relu_scratch)
    # Two hidden units that see the sum of the inputs, the second of them above one.
    values = ([[1.0, 1.0], [1.0, 1.0]], [0.0, -1.0], [[1.0, -2.0]], [0.0])
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), map(torch.tensor, values), strict=True):
            parameter.copy_(value if parameter.shape == value.shape else value.T)
    corners = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    assert model(corners)[:, 0].tolist() == [0.0, 1.0, 1.0, 0.0]


@pytest.mark.parametrize("kind", [MLPScratch, MLP])
def test_without_an_activation_it_is_one_linear_layer(kind):
    model = kind(3, 5, 2, activation=lambda hidden: hidden).double()
    inputs, others = torch.randn(2, 4, 3, dtype=torch.float64)
    at_zero = model(torch.zeros_like(inputs))
    assert_close(model(inputs + 2 * others), model(inputs) + 2 * (model(others) - at_zero))


def test_sigma_sets_the_initial_weights_and_clears_the_biases():
    for model in (MLPScratch(300, 200, 100), MLP(300, 200, 100, sigma=0.01)):
        for parameter in model.parameters():
            if parameter.ndim == 2:
                assert abs(parameter.std() - 0.01) < 3e-4
            else:
                assert torch.all(parameter == 0)


def test_without_sigma_the_layers_are_as_torch_draws_them():
    torch.manual_seed(3)
    model = MLP(4, 3, 2)
    torch.manual_seed(3)
    assert torch.equal(model.hidden.weight, torch.nn.Linear(4, 3).weight)


def test_the_book_counts_203530_parameters():
    for kind in (MLPScratch, MLP):
        parameters = kind(784, 256, 10).parameters()
        assert sum(parameter.numel() for parameter in parameters) == 203_530
