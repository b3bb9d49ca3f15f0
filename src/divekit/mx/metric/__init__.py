"""``mx.metric``: measures that are added up over batches.

``update(labels, preds)`` takes arrays or lists of them, ``get()`` gives a name and a number, nan
before anything was added. What is counted stays in float64 on the CPU.
"""

from typing import Any

from divekit.mx.errors import no_attribute
from divekit.mx.metric.base import (
    CompositeEvalMetric,
    CustomMetric,
    EvalMetric,
    Loss,
    alias,
    check_label_shapes,
    create,
    np,
    register,
)
from divekit.mx.metric.classes import (
    F1,
    MCC,
    Accuracy,
    CrossEntropy,
    NegativeLogLikelihood,
    Perplexity,
    TopKAccuracy,
)
from divekit.mx.metric.differences import MAE, MSE, RMSE, PearsonCorrelation

__all__ = [
    "F1",
    "MAE",
    "MCC",
    "MSE",
    "RMSE",
    "Accuracy",
    "CompositeEvalMetric",
    "CrossEntropy",
    "CustomMetric",
    "EvalMetric",
    "Loss",
    "NegativeLogLikelihood",
    "PearsonCorrelation",
    "Perplexity",
    "TopKAccuracy",
    "alias",
    "check_label_shapes",
    "create",
    "np",
    "register",
]

_NOT_HERE = ("PCC", "Fbeta", "BinaryAccuracy", "MeanPairwiseDistance", "MeanCosineSimilarity")


def __getattr__(name: str) -> Any:
    instead = "metric.np(f) with a function f of your own" if name in _NOT_HERE else None
    raise no_attribute("mxnet.metric", name, instead)
