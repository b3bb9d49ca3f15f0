"""Measures of predicted numbers."""

import math
from typing import Any

import numpy

from divekit.mx.errors import ShapeError
from divekit.mx.metric.base import Each, EvalMetric, alias, as_numbers, check_label_shapes, register


class _Difference(Each):
    """The mean over batches of a mean over a batch's differences, as MXNet has it."""

    def __init__(self, name: str = "", output_names: Any = None, label_names: Any = None) -> None:
        super().__init__(name or type(self).__name__.lower(), output_names, label_names)

    def measured(self, label: numpy.ndarray, pred: numpy.ndarray) -> tuple[float, float]:
        """Give a batch's mean."""
        if label.size != pred.size:
            raise ShapeError(f"labels of shape {label.shape} for predictions {pred.shape}")
        return self._mean(label.astype("float64").reshape(pred.shape) - pred), 1

    def _mean(self, apart: numpy.ndarray) -> float:
        raise NotImplementedError


@register
class MAE(_Difference):
    """The mean absolute difference."""

    def _mean(self, apart: numpy.ndarray) -> float:
        return float(numpy.abs(apart).mean())


@register
class MSE(_Difference):
    """The mean squared difference."""

    def _mean(self, apart: numpy.ndarray) -> float:
        return float((apart**2).mean())


@register
class RMSE(_Difference):
    """The root of the mean squared difference, of each batch."""

    def _mean(self, apart: numpy.ndarray) -> float:
        return math.sqrt((apart**2).mean())


@alias("pearsonr")
class PearsonCorrelation(EvalMetric):
    """The correlation of labels and predictions, over all batches together."""

    def __init__(
        self, name: str = "pearsonr", output_names: Any = None, label_names: Any = None
    ) -> None:
        super().__init__(name, output_names, label_names)

    def reset(self) -> None:
        """Forget everything."""
        super().reset()
        self._seen: list[numpy.ndarray] = []

    def update(self, labels: Any, preds: Any) -> None:
        """Keep a batch."""
        for label, pred in zip(*check_label_shapes(labels, preds), strict=True):
            self._seen.append(numpy.stack([as_numbers(label).ravel(), as_numbers(pred).ravel()]))

    def get(self) -> tuple[Any, Any]:
        """Give the name and the number."""
        if not self._seen:
            return self.name, math.nan
        return self.name, float(numpy.corrcoef(numpy.concatenate(self._seen, axis=1))[0, 1])
