"""Softmax regression: a linear score for each class, from scratch and with torch's layer.

Book: 3.4 Softmax Regression, 3.6 from scratch, 3.7 concisely
Shapes: B examples, D features, K classes
"""

import torch
from torch import Tensor, nn


class SoftmaxRegressionScratch(nn.Module):
    """Score inputs, flattened to (B, D), against classes: (B, K), on bare tensors."""

    def __init__(self, num_features: int, num_classes: int, sigma: float = 0.01) -> None:
        super().__init__()
        self.weight = nn.Parameter(sigma * torch.randn(num_features, num_classes))
        self.bias = nn.Parameter(torch.zeros(num_classes))

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs.flatten(1) @ self.weight + self.bias


class SoftmaxRegression(nn.Module):
    """Score inputs, flattened to (B, D), against classes: (B, K), with ``nn.Linear``."""

    def __init__(self, num_features: int, num_classes: int, sigma: float = 0.01) -> None:
        super().__init__()
        self.linear = nn.Linear(num_features, num_classes)
        nn.init.normal_(self.linear.weight, std=sigma)
        nn.init.zeros_(self.linear.bias)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.linear(inputs.flatten(1))


def softmax(scores: Tensor) -> Tensor:
    """Turn scores (B, K) into probabilities that sum to one in each row."""
    # Subtracting the row maximum changes nothing in exact arithmetic and
    # keeps exp() from overflowing.
    exp = (scores - scores.max(dim=1, keepdim=True).values).exp()
    return exp / exp.sum(dim=1, keepdim=True)
