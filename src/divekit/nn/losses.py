"""Losses: the mathematics spelled out, beside the same from torch.

Book: 3.1 (squared loss), 3.4 and 3.6 (cross-entropy), 3.7 (the stable log-softmax)
Shapes: B examples, K classes

Every loss is the mean over the batch, so a learning rate means the same for any batch size.
"""

import torch.nn.functional as F
from torch import Tensor


def squared_loss_scratch(predictions: Tensor, targets: Tensor) -> Tensor:
    """Half the squared error, averaged; both (B, ...) of one shape. Its gradient is the error."""
    _require_same_shape(predictions, targets)
    return ((predictions - targets) ** 2 / 2).mean()


def squared_loss(predictions: Tensor, targets: Tensor) -> Tensor:
    """Half the squared error, averaged, with torch's own mean squared error.

    torch leaves the half out; here it stays in, so that scratch and concise models have
    the same loss, the same gradient and the same weight decay.
    """
    _require_same_shape(predictions, targets)
    return F.mse_loss(predictions, targets) / 2


def log_softmax_scratch(scores: Tensor) -> Tensor:
    """Turn scores (B, K) into logarithms of probabilities (B, K), for scores of any size."""
    # exp() overflows above 88 in float32. Subtracting the row maximum changes nothing in
    # exact arithmetic and leaves every exponent at or below zero.
    shifted = scores - scores.max(dim=1, keepdim=True).values
    return shifted - shifted.exp().sum(dim=1, keepdim=True).log()


def cross_entropy_scratch(scores: Tensor, labels: Tensor) -> Tensor:
    """Minus the log-probability of the true class, averaged: scores (B, K), labels (B,)."""
    log_probabilities = log_softmax_scratch(scores)
    # Pick, in each row, the entry of the label: (B, K) -> (B, 1).
    return -log_probabilities.gather(1, labels[:, None]).mean()


def cross_entropy(scores: Tensor, labels: Tensor) -> Tensor:
    """Minus the log-probability of the true class, averaged: scores (B, K), labels (B,)."""
    return F.cross_entropy(scores, labels)


def _require_same_shape(predictions: Tensor, targets: Tensor) -> None:
    # (B, 1) minus (B,) broadcasts to (B, B) without a word: the classic way to train on nonsense.
    if predictions.shape != targets.shape:
        raise ValueError(
            f"predictions {tuple(predictions.shape)} and targets {tuple(targets.shape)} "
            "differ in shape"
        )
