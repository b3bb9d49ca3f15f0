import pytest
import torch
from torch.testing import assert_close

from divekit.models import MLP, DropoutMLP, DropoutMLPScratch
from divekit.nn import cross_entropy, dropout_scratch


def twins(**arguments):
    """Make both models, in double precision, with the same weights."""
    scratch = DropoutMLPScratch(6, 3, (8, 5), sigma=0.5, **arguments).double()
    concise = DropoutMLP(6, 3, (8, 5), **arguments).double()
    with torch.no_grad():
        for number in (1, 2, 3):
            layer = getattr(concise, f"linear{number}")
            getattr(scratch, f"bias{number}").normal_()  # so that a lost bias is seen
            layer.weight.copy_(getattr(scratch, f"weight{number}").T)
            layer.bias.copy_(getattr(scratch, f"bias{number}"))
    return scratch, concise


def use_the_masks_of(scratch, concise):
    """Let the scratch model drop what the concise one drops."""
    for name in ("dropout1", "dropout2"):
        kept = {}

        def note(layer, inputs, outputs, kept=kept):
            kept["by torch"] = (outputs != 0) | (inputs[0] == 0)

        def apply(layer, inputs, outputs, kept=kept):
            return dropout_scratch(inputs[0], layer.p, kept=kept["by torch"])

        getattr(concise, name).register_forward_hook(note)
        getattr(scratch, name).register_forward_hook(apply)


@pytest.mark.parametrize("training", [True, False])
def test_scratch_and_concise_agree_on_scores_and_gradients(training):
    scratch, concise = (model.train(training) for model in twins())
    if training:
        use_the_masks_of(scratch, concise)
    images, labels = torch.randn(40, 2, 3, dtype=torch.float64), torch.arange(40) % 3
    concise_scores, scratch_scores = concise(images), scratch(images)
    assert_close(scratch_scores, concise_scores)
    for scores in (concise_scores, scratch_scores):
        cross_entropy(scores, labels).backward()
    for number in (1, 2, 3):
        layer = getattr(concise, f"linear{number}")
        assert_close(getattr(scratch, f"weight{number}").grad, layer.weight.grad.T)
        assert_close(getattr(scratch, f"bias{number}").grad, layer.bias.grad)
    dropped = not torch.equal(concise(images), concise.eval()(images))
    assert dropped == training


@pytest.mark.parametrize("kind", [DropoutMLPScratch, DropoutMLP])
def test_each_probability_belongs_to_its_layer(kind):
    model = kind(4, 2, (2000, 3000), dropout=(0.2, 0.5))
    shares = {}
    for name in ("dropout1", "dropout2"):
        getattr(model, name).register_forward_hook(
            lambda layer, inputs, outputs, name=name: shares.update(
                {name: ((outputs == 0) & (inputs[0] > 0)).sum() / (inputs[0] > 0).sum()}
            )
        )
    model(torch.rand(20, 4))
    assert_close(shares["dropout1"], torch.tensor(0.2), atol=0.02, rtol=0)
    assert_close(shares["dropout2"], torch.tensor(0.5), atol=0.02, rtol=0)


@pytest.mark.parametrize("kind", [DropoutMLPScratch, DropoutMLP])
def test_parameters_are_those_of_the_book(kind):
    model = kind(784, 10)
    assert sum(parameter.numel() for parameter in model.parameters()) == 269_322
    weights = [tensor for tensor in model.parameters() if tensor.ndim == 2]
    biases = [tensor for tensor in model.parameters() if tensor.ndim == 1]
    for weight in weights:
        assert_close(weight.std().item(), 0.01, rtol=0.1, atol=0)
    assert all(bias.abs().sum() == 0 for bias in biases)


def test_the_same_model_without_dropout_is_a_plain_network():
    model = DropoutMLP(6, 3, (8, 5), dropout=(0.0, 0.0), sigma=0.5)
    upper = MLP(8, 5, 3)
    upper.hidden.load_state_dict(model.linear2.state_dict())
    upper.output.load_state_dict(model.linear3.state_dict())
    inputs = torch.randn(4, 6)
    assert_close(model(inputs), upper(model.linear1(inputs).relu()))
