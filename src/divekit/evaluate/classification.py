"""Measures for classification.

Shapes: B examples, K classes, M mistakes
"""

import torch
from torch import Tensor


def accuracy(scores: Tensor, labels: Tensor) -> Tensor:
    """Give the share of examples whose highest score (B, K) is at the label (B,)."""
    return (scores.argmax(dim=1) == labels).float().mean()


def confusion(scores: Tensor, labels: Tensor) -> Tensor:
    """Count who is taken for whom: (K, K), a row for each true class, a column for each answer."""
    num_classes = scores.shape[1]
    pairs = labels * num_classes + scores.argmax(dim=1)  # each pair of classes has a number
    return torch.bincount(pairs, minlength=num_classes**2).view(num_classes, num_classes)


def confident_mistakes(scores: Tensor, labels: Tensor, most: int) -> Tensor:
    """Find the examples whose wrong answer was the surest, that one first.

    Args:
        scores: (B, K) logits; softmax makes probabilities of them.
        labels: (B,)
        most: how many to find at most.

    Returns:
        (M,) places in the batch, M at most ``most``; of equally sure ones the earlier comes first.
    """
    probability, answer = scores.softmax(dim=1).max(dim=1)  # (B,) each
    wrong = (answer != labels).nonzero()[:, 0]  # (M,)
    order = probability[wrong].argsort(descending=True, stable=True)
    return wrong[order[:most]]
