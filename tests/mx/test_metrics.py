"""Measures beside scikit-learn's and sums worked by hand, over batches of unequal sizes."""

import math

import numpy
import pytest

from divekit.mx import metric, np

rng = numpy.random.default_rng(3)
SIZES = (3, 5, 1)


def over_batches(measure, labels, preds):
    start = 0
    for size in SIZES:
        part = slice(start, start + size)
        measure.update([np.array(labels[part])], [np.array(preds[part])])
        start += size
    return measure.get()[1]


def scores(classes):
    raw = numpy.exp(rng.normal(size=(9, classes)))
    return (raw / raw.sum(1, keepdims=True)).astype("float32")


def test_accuracies():
    sklearn = pytest.importorskip("sklearn.metrics")
    pred, label = scores(4), rng.integers(0, 4, 9)
    assert over_batches(metric.Accuracy(), label, pred) == pytest.approx(
        sklearn.accuracy_score(label, pred.argmax(1))
    )
    assert over_batches(metric.Accuracy(), label, pred.argmax(1)) == pytest.approx(
        sklearn.accuracy_score(label, pred.argmax(1))
    )
    measure = metric.TopKAccuracy(2)
    assert over_batches(measure, label, pred) == pytest.approx(
        sklearn.top_k_accuracy_score(label, pred, k=2)
    )
    assert measure.name == "top_k_accuracy_2"
    with pytest.raises(ValueError, match="Accuracy"):
        metric.TopKAccuracy(1)
    with pytest.raises(ValueError, match="4 labels for 3"):
        metric.Accuracy().update(np.zeros(4), np.zeros((3, 2)))


@pytest.mark.parametrize("kind", [metric.F1, metric.MCC])
def test_binary_measures(kind):
    sklearn = pytest.importorskip("sklearn.metrics")
    theirs = sklearn.f1_score if kind is metric.F1 else sklearn.matthews_corrcoef
    label, pred = rng.integers(0, 2, 9), scores(2)
    assert over_batches(kind(average="micro"), label, pred) == pytest.approx(
        theirs(label, pred.argmax(1))
    )
    assert over_batches(kind(average="micro"), label, pred[:, 1]) == pytest.approx(
        theirs(label, pred.argmax(1))
    )
    measure = kind()
    label, said = numpy.array([1, 0, 1, 1]), numpy.array([1.0, 1.0, 0.0, 1.0])
    measure.update(np.array(label), np.array(said))
    measure.update(np.array(1 - label), np.array(said))
    expected = (theirs(label, said) + theirs(1 - label, said)) / 2
    assert measure.get()[1] == pytest.approx(expected)
    with pytest.raises(ValueError, match="0 and 1"):
        kind().update(np.array([2]), np.array([1]))
    with pytest.raises(ValueError, match="macro"):
        kind(average="mean")


@pytest.mark.parametrize(
    ("measure", "function"),
    [
        (metric.MAE(), lambda d: numpy.abs(d).mean()),
        (metric.MSE(), lambda d: (d**2).mean()),
        (metric.RMSE(), lambda d: math.sqrt((d**2).mean())),
    ],
)
def test_differences_are_means_of_batches(measure, function):
    label, pred = rng.normal(size=9), rng.normal(size=(9, 1))
    apart = label - pred[:, 0]
    expected = numpy.mean([function(part) for part in numpy.split(apart, numpy.cumsum(SIZES)[:-1])])
    assert over_batches(measure, label, pred) == pytest.approx(expected)
    with pytest.raises(ValueError, match="shape"):
        measure.update(np.zeros(3), np.zeros(4))


def test_entropies():
    sklearn = pytest.importorskip("sklearn.metrics")
    pred, label = scores(3), rng.integers(0, 3, 9)
    expected = sklearn.log_loss(label, pred, labels=[0, 1, 2])
    for kind in (metric.CrossEntropy, metric.NegativeLogLikelihood):
        assert over_batches(kind(), label, pred) == pytest.approx(expected, rel=1e-5)
    assert over_batches(metric.Perplexity(), label, pred) == pytest.approx(
        math.exp(expected), rel=1e-5
    )
    counted = label != 1
    ignoring = metric.Perplexity(ignore_label=1)
    assert over_batches(ignoring, label, pred) == pytest.approx(
        math.exp(-numpy.log(pred[counted, label[counted]]).mean()), rel=1e-5
    )
    with pytest.raises(ValueError, match="labels"):
        metric.CrossEntropy().update(np.zeros(2), np.zeros((3, 2)))


def test_the_likelihood_of_the_books_appendix():
    measure = metric.NegativeLogLikelihood()
    measure.update(np.array([0, 2]), np.array([[0.3, 0.6, 0.1], [0.2, 0.3, 0.5]]))
    assert measure.get() == ("nll-loss", pytest.approx(-(math.log(0.3) + math.log(0.5)) / 2))


def test_correlation_over_all_batches():
    label, pred = rng.normal(size=9), rng.normal(size=9)
    assert over_batches(metric.PearsonCorrelation(), label, pred) == pytest.approx(
        numpy.corrcoef(label, pred)[0, 1], rel=1e-5
    )
    assert math.isnan(metric.PearsonCorrelation().get()[1])


def test_several_at_once_by_name():
    both = metric.create(["acc", "ce"])
    both.update([np.array([1, 0])], [np.array([[0.25, 0.75], [0.25, 0.75]])])
    names, values = both.get()
    assert names == ["accuracy", "cross-entropy"]
    assert values == pytest.approx([0.5, -(math.log(0.75) + math.log(0.25)) / 2])
    assert dict(both.get_name_value())["accuracy"] == 0.5
    both.add(metric.MAE())
    assert isinstance(both.get_metric(2), metric.MAE)
    both.reset()
    assert all(math.isnan(value) for value in both.get()[1])


def test_losses_and_functions():
    measure = metric.Loss()
    measure.update(None, [np.array([1, 2]), np.array([6])])
    assert measure.get() == ("loss", 3)

    def far(label, pred):
        return numpy.abs(label - pred).max()

    for made in (metric.np(far), metric.create(far), metric.CustomMetric(far)):
        made.update(np.array([1, 2]), np.array([1, 5]))
        made.update(np.array([1]), np.array([2]))
        assert made.get() == ("far", 2)
    pair = metric.create(lambda label, pred: (label.sum(), 2))
    pair.update(np.array([1, 2]), np.zeros(2))
    assert pair.get() == ("custom(<lambda>)", 1.5)
    extra = metric.CustomMetric(far, allow_extra_outputs=True)
    extra.update([np.zeros(1)], [np.ones(1), np.zeros(3)])
    assert extra.get()[1] == 1
    with pytest.raises(ValueError, match="1 arrays of labels for 2"):
        metric.np(far).update([np.zeros(1)], [np.ones(1), np.zeros(3)])


def test_by_dict_and_in_words():
    measure = metric.Accuracy(label_names=["y"], output_names=["scores"])
    measure.update_dict(
        {"y": np.array([1]), "z": np.array([0])},
        {"other": np.zeros(3), "scores": np.array([[0.1, 0.9]])},
    )
    assert str(measure) == "EvalMetric: {'accuracy': 1.0}"
    assert measure.get_config()["metric"] == "Accuracy"


def test_one_of_ones_own_and_unknown_ones():
    @metric.register
    class Count(metric.EvalMetric):
        def __init__(self):
            super().__init__("count")

        def update(self, labels, preds):
            self.sum_metric += len(labels)
            self.num_inst += 1

    made = metric.create("count")
    made.update(np.zeros(4), np.zeros(4))
    assert made.get() == ("count", 4)
    with pytest.raises(ValueError, match="'auc'"):
        metric.create("auc")
    with pytest.raises(NotImplementedError, match="Fbeta"):
        metric.Fbeta  # noqa: B018
    with pytest.raises(NotImplementedError, match="update"):
        metric.EvalMetric("x").update(1, 2)
