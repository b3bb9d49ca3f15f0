"""Measures for regression.

Book: 4.10 Predicting House Prices on Kaggle
"""

from torch import Tensor


def squared_log_error(predictions: Tensor, targets: Tensor, least: float = 1.0) -> Tensor:
    """Give the mean of (log prediction - log target)^2; both of one shape, targets above zero.

    An error of a tenth of the price counts alike for a cottage and a mansion. Predictions below
    ``least``, of which there may be no logarithm, count as ``least``.
    """
    if predictions.shape != targets.shape:
        raise ValueError(
            f"predictions {tuple(predictions.shape)} and targets {tuple(targets.shape)} "
            "differ in shape"
        )
    return (predictions.clamp(min=least).log() - targets.log()).square().mean()
