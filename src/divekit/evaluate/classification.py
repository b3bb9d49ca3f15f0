"""Measures for classification.

Shapes: B examples, K classes
"""

from torch import Tensor


def accuracy(scores: Tensor, labels: Tensor) -> Tensor:
    """Give the share of examples whose highest score (B, K) is at the label (B,)."""
    return (scores.argmax(dim=1) == labels).float().mean()
