import torch
from torch.testing import assert_close

from divekit.models import SoftmaxRegression, SoftmaxRegressionScratch, softmax
from divekit.nn import cross_entropy


def test_scratch_and_concise_agree_on_scores_and_gradients():
    scratch, concise = SoftmaxRegressionScratch(6, 3), SoftmaxRegression(6, 3)
    with torch.no_grad():
        concise.linear.weight.copy_(scratch.weight.T)
        concise.linear.bias.copy_(scratch.bias)
    images, labels = torch.randn(4, 1, 2, 3), torch.tensor([0, 1, 2, 1])

    for model in (scratch, concise):
        cross_entropy(model(images), labels).backward()

    assert_close(scratch(images), concise(images))
    assert_close(scratch.weight.grad, concise.linear.weight.grad.T)
    assert_close(scratch.bias.grad, concise.linear.bias.grad)


def test_softmax_equals_torch_and_sums_to_one_at_any_scale():
    for scale in (1.0, 50.0, 1e4):
        scores = torch.randn(20, 7) * scale
        assert_close(softmax(scores), scores.softmax(dim=1))
        assert_close(softmax(scores).sum(dim=1), torch.ones(20))


def test_softmax_by_hand():
    assert_close(softmax(torch.tensor([[0.0, 0.0]])), torch.tensor([[0.5, 0.5]]))
    assert_close(softmax(torch.tensor([[0.0, 2.0]]).log()), torch.tensor([[0.0, 1.0]]))


def test_the_book_counts_7850_parameters():
    for model in (SoftmaxRegressionScratch(784, 10), SoftmaxRegression(784, 10)):
        assert sum(parameter.numel() for parameter in model.parameters()) == 7850
