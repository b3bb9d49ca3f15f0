"""Measures for classification.

Shapes: B examples, K classes
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
