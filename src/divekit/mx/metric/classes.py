"""Measures of predicted classes and of their probabilities."""

import math
from typing import Any

import numpy

from divekit.mx.errors import ShapeError
from divekit.mx.metric.base import Each, EvalMetric, alias, as_numbers, check_label_shapes, register


@alias("acc")
class Accuracy(Each):
    """The share of labels that are predicted, by scores along ``axis`` or as they are."""

    def __init__(
        self, axis: int = 1, name: str = "accuracy", output_names: Any = None,
        label_names: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(name, output_names, label_names)
        self.axis = axis

    def measured(self, label: numpy.ndarray, pred: numpy.ndarray) -> tuple[float, float]:
        """Count the right ones."""
        if pred.shape != label.shape:
            pred = pred.argmax(self.axis)
        said, right = pred.astype("int64").ravel(), label.astype("int64").ravel()
        if said.shape != right.shape:
            raise ShapeError(f"{right.size} labels for {said.size} predictions")
        return (said == right).sum(), right.size


@alias("top_k_accuracy", "top_k_acc")
class TopKAccuracy(Each):
    """The share of labels that are among the ``top_k`` largest scores."""

    def __init__(
        self, top_k: int = 1, name: str = "top_k_accuracy", output_names: Any = None,
        label_names: Any = None,
    ) -> None:  # fmt: skip
        if top_k < 2:
            raise ValueError("top_k is at least 2; for the largest score there is Accuracy")
        super().__init__(f"{name}_{top_k}", output_names, label_names)
        self.top_k = top_k

    def measured(self, label: numpy.ndarray, pred: numpy.ndarray) -> tuple[float, float]:
        """Count the labels among the largest scores of (N, K)."""
        largest = numpy.argsort(-pred, axis=1, kind="stable")[:, : self.top_k]
        return (largest == label.reshape(-1, 1).astype("int64")).any(1).sum(), len(label)


class _Binary(EvalMetric):
    """Counts of true and false positives and negatives, from labels 0 and 1.

    ``macro`` takes the mean of the batches' measures, ``micro`` that of all counts.
    """

    def __init__(
        self, name: str, output_names: Any = None, label_names: Any = None,
        average: str = "macro",
    ) -> None:  # fmt: skip
        if average not in ("macro", "micro"):
            raise ValueError(f"average is macro or micro, not {average!r}")
        self.average = average
        super().__init__(name, output_names, label_names)

    def reset(self) -> None:
        """Forget everything."""
        super().reset()
        self._counts = numpy.zeros(4)

    def update(self, labels: Any, preds: Any) -> None:
        """Count a batch."""
        for label, pred in zip(*check_label_shapes(labels, preds), strict=True):
            self._count(as_numbers(label).ravel().astype("int64"), as_numbers(pred))
            if self.average == "macro":
                self.add(self._measured(*self._counts), 1)
                self._counts[:] = 0
        if self.average == "micro":
            self.num_inst = self._counts.sum()
            self.sum_metric = self._measured(*self._counts) * self.num_inst

    def _count(self, label: numpy.ndarray, pred: numpy.ndarray) -> None:
        said = pred.argmax(1) if pred.ndim > 1 and pred.shape[1] > 1 else pred.ravel() > 0.5
        if not numpy.isin(label, (0, 1)).all():
            raise ValueError(f"{self.name} takes labels 0 and 1")
        yes, true = said.astype(bool), label.astype(bool)
        self._counts += [(yes & true).sum(), (yes & ~true).sum(), (~yes & true).sum(),
                         (~yes & ~true).sum()]  # fmt: skip

    def _measured(self, tp: float, fp: float, fn: float, tn: float) -> float:
        raise NotImplementedError


@register
class F1(_Binary):
    """The harmonic mean of precision and recall."""

    def __init__(
        self, name: str = "f1", output_names: Any = None, label_names: Any = None,
        average: str = "macro",
    ) -> None:  # fmt: skip
        super().__init__(name, output_names, label_names, average)

    def _measured(self, tp: float, fp: float, fn: float, tn: float) -> float:
        return 2 * tp / (2 * tp + fp + fn) if tp else 0.0


@register
class MCC(_Binary):
    """Matthews' correlation of labels and predictions, from -1 to 1."""

    def __init__(
        self, name: str = "mcc", output_names: Any = None, label_names: Any = None,
        average: str = "macro",
    ) -> None:  # fmt: skip
        super().__init__(name, output_names, label_names, average)

    def _measured(self, tp: float, fp: float, fn: float, tn: float) -> float:
        sides = [tp + fp, tp + fn, tn + fp, tn + fn]
        return (tp * tn - fp * fn) / math.sqrt(math.prod(side or 1 for side in sides))


@alias("ce", "cross-entropy")
class CrossEntropy(Each):
    """The mean of minus the logarithm of the probability that (N, K) gives each label."""

    def __init__(
        self, eps: float = 1e-12, name: str = "cross-entropy", output_names: Any = None,
        label_names: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(name, output_names, label_names)
        self.eps = eps

    def measured(self, label: numpy.ndarray, pred: numpy.ndarray) -> tuple[float, float]:
        """Add the logarithms."""
        places = label.ravel().astype("int64")
        if len(places) != len(pred):
            raise ShapeError(f"{len(places)} labels for predictions of shape {pred.shape}")
        given = pred[numpy.arange(len(places)), places].astype("float64")
        return -numpy.log(given + self.eps).sum(), len(places)


@alias("nll_loss")
class NegativeLogLikelihood(CrossEntropy):
    """``CrossEntropy`` under its other name."""

    def __init__(
        self, eps: float = 1e-12, name: str = "nll-loss", output_names: Any = None,
        label_names: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(eps, name, output_names, label_names)


@register
class Perplexity(Each):
    """The exponential of the cross-entropy; labels ``ignore_label`` do not count."""

    def __init__(
        self, ignore_label: int | None = None, axis: int = -1, name: str = "perplexity",
        output_names: Any = None, label_names: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(name, output_names, label_names)
        self.ignore_label, self.axis = ignore_label, axis

    def measured(self, label: numpy.ndarray, pred: numpy.ndarray) -> tuple[float, float]:
        """Add the logarithms."""
        rows = numpy.moveaxis(pred, self.axis, -1).reshape(-1, pred.shape[self.axis])
        places = label.ravel().astype("int64")
        if len(places) != len(rows):
            raise ShapeError(f"{len(places)} labels for predictions of shape {pred.shape}")
        counted = places != self.ignore_label
        given = rows[numpy.arange(len(places)), numpy.where(counted, places, 0)]
        logs = numpy.log(numpy.maximum(given.astype("float64"), 1e-10))
        return -logs[counted].sum(), int(counted.sum())

    def get(self) -> tuple[Any, Any]:
        """Give the name and the number."""
        name, mean = super().get()
        return name, math.exp(mean)
