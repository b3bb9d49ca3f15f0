"""Multilayer perceptron with one hidden layer, with torch's layers.

Book: 4.1 Multilayer Perceptrons
Shapes: B examples, D features, H hidden units, O outputs
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn


class MLP(nn.Module):
    """Give (B, O) for inputs flattened to (B, D): linear, activation, linear.

    ``activation`` is any elementwise function of a tensor, from scratch or torch's.
    """

    def __init__(
        self,
        num_features: int,
        num_hidden: int,
        num_outputs: int,
        activation: Callable[[Tensor], Tensor] = torch.relu,
    ) -> None:
        super().__init__()
        self.hidden = nn.Linear(num_features, num_hidden)
        self.output = nn.Linear(num_hidden, num_outputs)
        self.activation = activation

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.activation(self.hidden(inputs.flatten(1)))  # (B, D) -> (B, H)
        return self.output(hidden)
