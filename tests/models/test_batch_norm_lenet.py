import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from divekit.errors import UsageError
from divekit.models import BatchNormLeNet, BatchNormLeNetScratch


def test_it_is_the_books_network():
    """Compose it of functions, with the same weights."""
    model = BatchNormLeNet()
    images = torch.randn(3, 1, 28, 28)
    w = list(model.parameters())

    def bend(hidden, weight, bias):
        return F.batch_norm(hidden, None, None, weight, bias, training=True).sigmoid()

    hidden = F.avg_pool2d(bend(torch.conv2d(images, w[0], w[1]), w[2], w[3]), 2)
    hidden = F.avg_pool2d(bend(torch.conv2d(hidden, w[4], w[5]), w[6], w[7]), 2)
    hidden = bend(hidden.reshape(3, 256) @ w[8].T + w[9], w[10], w[11])
    hidden = bend(hidden @ w[12].T + w[13], w[14], w[15])
    assert_close(model(images), hidden @ w[16].T + w[17])
    assert sum(parameter.numel() for parameter in w) == 44_878


def test_scratch_and_concise_learn_the_same():
    concise = BatchNormLeNet(2, 5, (16, 21)).double()
    scratch = BatchNormLeNetScratch(2, 5, (16, 21)).double()
    scratch.load_state_dict(concise.state_dict())
    images = torch.randn(6, 2, 16, 21, dtype=torch.float64)
    for model in (concise, scratch):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
        for _ in range(3):
            optimizer.zero_grad()
            model(images).square().sum().backward()
            optimizer.step()
    assert_close(scratch.state_dict(), concise.state_dict())
    assert_close(scratch.eval()(images), concise.eval()(images))


@pytest.mark.parametrize("kind", [BatchNormLeNet, BatchNormLeNetScratch])
@pytest.mark.parametrize(("height", "width"), [(16, 16), (17, 40), (28, 28), (96, 96)])
def test_any_size_from_sixteen_and_any_channels(kind, height, width):
    assert kind(3, 7, (height, width))(torch.randn(2, 3, height, width)).shape == (2, 7)


@pytest.mark.parametrize("size", [15, (28, 15), (8, 8)])
def test_images_that_are_too_small_are_refused_with_both_sizes(size):
    with pytest.raises(UsageError, match=r"\d x \d+ pixels .* needs 16 x 16; data.resize=28"):
        BatchNormLeNet(image_size=size)


@pytest.mark.parametrize("kind", [BatchNormLeNet, BatchNormLeNetScratch])
def test_a_batch_of_one_is_used_but_not_trained_on(kind):
    model = kind()
    with pytest.raises(UsageError, match="batch of one example"):
        model(torch.randn(1, 1, 28, 28))
    images = torch.randn(4, 1, 28, 28)
    model.eval()
    assert_close(model(images[:1]), model(images)[:1])
