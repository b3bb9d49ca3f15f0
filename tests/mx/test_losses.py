"""Losses beside torch's and beside sums worked with NumPy: one for each example."""

import itertools
import math

import numpy
import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from divekit.mx import autograd, gluon, np
from divekit.mx.gluon import loss as losses

rng = numpy.random.default_rng(7)


def arrays(*shape):
    return np.array(rng.normal(size=shape).astype("float32"))


def signs(*shape):
    return np.array(rng.choice([-1.0, 1.0], size=shape).astype("float32"))


def per_example(loss):
    return loss.reshape(len(loss), -1).mean(1)


def mse(p, y):
    return F.mse_loss(p, y, reduction="none") / 2


CASES = [
    (losses.L2Loss(), arrays, mse),
    (losses.L1Loss(), arrays, lambda p, y: F.l1_loss(p, y, reduction="none")),
    (losses.HuberLoss(), arrays, lambda p, y: F.smooth_l1_loss(p, y, reduction="none")),
    (
        losses.HuberLoss(rho=0.5),
        arrays,
        lambda p, y: F.smooth_l1_loss(p, y, reduction="none", beta=0.5),
    ),
    (losses.HingeLoss(), signs, lambda p, y: (1 - p * y).clamp(min=0)),
    (losses.HingeLoss(margin=2), signs, lambda p, y: (2 - p * y).clamp(min=0)),
    (losses.SquaredHingeLoss(), signs, lambda p, y: (1 - p * y).clamp(min=0) ** 2),
    (losses.LogisticLoss(), signs, lambda p, y: F.soft_margin_loss(p, y, reduction="none")),
    (
        losses.LogisticLoss(label_format="binary"),
        lambda *shape: signs(*shape) > 0,
        lambda p, y: F.binary_cross_entropy_with_logits(p, y.float(), reduction="none"),
    ),
    (
        losses.SigmoidBCELoss(),
        lambda *shape: signs(*shape) > 0,
        lambda p, y: F.binary_cross_entropy_with_logits(p, y.float(), reduction="none"),
    ),
]


@pytest.mark.parametrize(("loss", "labels", "function"), CASES, ids=lambda one: repr(one)[:20])
@pytest.mark.parametrize("shape", [(5,), (5, 1), (4, 3), (4, 2, 3)])
def test_elementwise_losses(loss, labels, function, shape):
    pred, label = arrays(*shape), labels(*shape)
    pred.attach_grad()
    with autograd.record():
        ours = loss(pred, label)
    ours.backward()
    theirs_pred = pred.tensor.detach().clone().requires_grad_()
    theirs = per_example(function(theirs_pred, label.tensor))
    theirs.sum().backward()
    assert_close(ours.tensor.detach(), theirs.detach())
    assert_close(pred.grad.tensor, theirs_pred.grad)


@pytest.mark.parametrize(("loss", "labels", "function"), CASES, ids=lambda one: repr(one)[:20])
def test_weights(loss, labels, function):
    pred, label = arrays(4, 3), labels(4, 3)
    each = np.array([[1], [0], [2], [0.5]])
    theirs = function(pred.tensor, label.tensor) * each.tensor
    assert_close(loss(pred, label, each).tensor, theirs.mean(1))
    heavy = type(loss)(weight=3.0)
    assert_close(heavy(pred, label).tensor, type(loss)()(pred, label).tensor * 3)
    assert heavy(pred, label).shape == (4,)
    sideways = type(loss)(batch_axis=1)
    assert_close(sideways(pred, label).tensor, type(loss)()(pred.T.copy(), label.T.copy()).tensor)


def test_labels_are_arranged_as_predictions_or_refused():
    assert losses.L2Loss()(np.ones((3, 1)), np.zeros(3)).tolist() == [0.5] * 3
    with pytest.raises(ValueError, match=r"\(4,\) for \(3, 1\)"):
        losses.L2Loss()(np.ones((3, 1)), np.zeros(4))


def test_scores_far_from_zero_do_not_overflow():
    far = np.array([-200, 200, -200, 200])
    label = np.array([0, 1, 1, 0])
    assert losses.SigmoidBCELoss()(far, label).tolist() == [0, 0, 200, 200]
    assert losses.LogisticLoss(label_format="binary")(far, label).tolist() == [0, 0, 200, 200]


@pytest.mark.parametrize("from_sigmoid", [False, True])
def test_positive_labels_weigh_more(from_sigmoid):
    scores, label = arrays(4, 3), signs(4, 3) > 0
    weight = np.array([1, 2, 3])
    pred = np.array(torch.sigmoid(scores.tensor)) if from_sigmoid else scores
    ours = losses.SigmoidBCELoss(from_sigmoid)(pred, label, None, weight)
    theirs = F.binary_cross_entropy_with_logits(
        scores.tensor, label.tensor.float(), pos_weight=weight.tensor, reduction="none"
    )
    assert_close(ours.tensor, theirs.mean(1))
    plain = losses.SigmoidBCELoss(from_sigmoid)(pred, label)
    expected = F.binary_cross_entropy(
        torch.sigmoid(scores.tensor), label.tensor.float(), reduction="none"
    )
    assert_close(plain.tensor, expected.mean(1))


def test_softmax_cross_entropy_of_classes():
    scores, label = arrays(5, 4), np.array([0, 3, 1, 2, 2])
    theirs = F.cross_entropy(scores.tensor, label.tensor.long(), reduction="none")
    assert_close(losses.SoftmaxCELoss()(scores, label).tensor, theirs)
    logs = np.array(torch.log_softmax(scores.tensor, 1))
    assert_close(losses.SoftmaxCELoss(from_logits=True)(logs, label).tensor, theirs)
    assert_close(losses.SoftmaxCELoss()(scores, np.expand_dims(label, 1)).tensor, theirs)
    hot = np.array(F.one_hot(label.tensor.long(), 4))
    assert_close(losses.SoftmaxCELoss(sparse_label=False)(scores, hot).tensor, theirs)


def test_softmax_cross_entropy_with_classes_on_another_axis():
    scores = arrays(2, 4, 3, 3)
    label = np.array(rng.integers(0, 4, size=(2, 3, 3)))
    theirs = F.cross_entropy(scores.tensor, label.tensor, reduction="none")
    assert_close(losses.SoftmaxCELoss(axis=1)(scores, label).tensor, per_example(theirs))


def test_steps_of_a_sequence_are_masked_by_weights():
    scores, label = arrays(2, 3, 5), np.array(rng.integers(0, 5, size=(2, 3)))
    mask = np.array([[1, 1, 0], [1, 0, 0]])
    theirs = F.cross_entropy(scores.tensor.movedim(-1, 1), label.tensor, reduction="none")
    ours = losses.SoftmaxCELoss()(scores, label, np.expand_dims(mask, -1))
    assert_close(ours.tensor, (theirs * mask.tensor).mean(1))


def test_labels_beyond_the_classes_count_as_the_nearest():
    scores = arrays(2, 3)
    ours = losses.SoftmaxCELoss()
    assert ours(scores, np.array([-1, 7])).tolist() == ours(scores, np.array([0, 2])).tolist()
    with pytest.raises(ValueError, match=r"labels of shape \(3,\)"):
        ours(scores, np.array([0, 1, 2]))


@pytest.mark.parametrize("from_logits", [True, False])
def test_kl_divergence(from_logits):
    scores, label = arrays(4, 3), np.array(torch.softmax(arrays(4, 3).tensor, 1))
    logs = torch.log_softmax(scores.tensor, 1)
    pred = np.array(logs) if from_logits else scores
    theirs = F.kl_div(logs, label.tensor, reduction="none").mean(1)
    assert_close(losses.KLDivLoss(from_logits)(pred, label).tensor, theirs)


def test_triplets():
    anchor, near, far = arrays(6, 2, 3), arrays(6, 2, 3), arrays(6, 2, 3)
    a, n, f = anchor.asnumpy(), near.asnumpy(), far.asnumpy()
    expected = numpy.maximum(((n - a) ** 2 - (f - a) ** 2).sum((1, 2)) + 2, 0)
    assert (expected > 0).any()
    assert (expected == 0).any()
    ours = losses.TripletLoss(margin=2)(anchor, near, far)
    assert_close(ours.asnumpy(), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("from_logits", [True, False])
@pytest.mark.parametrize("full", [True, False])
def test_poisson_gives_one_number(from_logits, full):
    pred, count = np.abs(arrays(4, 3)), np.array(rng.integers(0, 6, size=(4, 3)).astype("float32"))
    ours = losses.PoissonNLLLoss(from_logits=from_logits, compute_full=full)(pred, count)
    p, y = pred.asnumpy(), count.asnumpy()
    each = numpy.exp(p) - y * p if from_logits else p - y * numpy.log(p + 1e-8)
    if full:
        safe = numpy.where(y > 1, y, 2)
        stirling = safe * numpy.log(safe) - safe + 0.5 * numpy.log(2 * math.pi * safe)
        each = each + numpy.where(y > 1, stirling, 0)
    assert ours.shape == ()
    assert ours.item() == pytest.approx(each.mean(), rel=1e-5)


def test_cosine_embedding():
    first, second, label = arrays(6, 3), arrays(6, 3), np.array([1, -1, 1, -1, 1, -1])
    theirs = F.cosine_embedding_loss(
        first.tensor, second.tensor, label.tensor, margin=0.2, reduction="none"
    )
    ours = losses.CosineEmbeddingLoss(margin=0.2)(first, second, label)
    assert_close(ours.tensor, theirs)


@pytest.mark.parametrize("layout", ["NTC", "TNC"])
@pytest.mark.parametrize("label_layout", ["NT", "TN"])
def test_ctc_sums_over_all_alignments(layout, label_layout):
    scores = rng.normal(size=(2, 4, 3)).astype("float32")  # classes 0, 1 and the blank, 2
    labels = numpy.array([[0, 1], [1, -1]], dtype="float32")
    logs = torch.log_softmax(torch.tensor(scores), -1).numpy()

    def probability(example, wanted):
        total = 0.0
        for path in itertools.product(range(3), repeat=4):
            said = [c for place, c in enumerate(path) if place == 0 or path[place - 1] != c]
            if [c for c in said if c != 2] == wanted:
                total += math.exp(sum(logs[example, t, c] for t, c in enumerate(path)))
        return -math.log(total)

    expected = [probability(0, [0, 1]), probability(1, [1])]
    pred = scores if layout == "NTC" else scores.transpose(1, 0, 2).copy()
    label = labels if label_layout == "NT" else labels.T.copy()
    ours = gluon.loss.CTCLoss(layout, label_layout)(np.array(pred), np.array(label))
    assert_close(ours.asnumpy(), numpy.array(expected, dtype="float32"), rtol=1e-4, atol=1e-5)
    with_lengths = gluon.loss.CTCLoss(layout, label_layout)(
        np.array(pred), np.array(label), np.array([4, 4]), np.array([2, 1])
    )
    assert_close(with_lengths.tensor, ours.tensor)


def test_a_loss_of_ones_own():
    class Ranking(gluon.loss.Loss):
        def __init__(self, weight=None, batch_axis=0, **kwargs):
            super().__init__(weight=weight, batch_axis=batch_axis, **kwargs)

        def forward(self, good, bad):
            return -np.sum(np.log(1 / (1 + np.exp(bad - good))), axis=0, keepdims=True)

    assert Ranking()(np.array([0, 0]), np.array([0, 0])).item() == pytest.approx(2 * math.log(2))
    assert repr(losses.L2Loss()) == "L2Loss(batch_axis=0, w=1.0)"
    with pytest.raises(NotImplementedError, match="SDMLLoss"):
        losses.SDMLLoss  # noqa: B018
