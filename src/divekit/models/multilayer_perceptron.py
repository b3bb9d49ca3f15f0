"""Multilayer perceptron with one hidden layer: from scratch and with torch's layers.

Book: 4.1 Multilayer Perceptrons, 4.2 from scratch, 4.3 concisely
Shapes: B examples, D features, H hidden units, O outputs
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from divekit.nn.activations import relu_scratch


class MLPScratch(nn.Module):
    """Give (B, O) for inputs flattened to (B, D), on bare tensors: linear, activation, linear.

    Weights begin as draws from N(0, sigma^2), biases at zero. ``activation`` is any
    elementwise function of a tensor.
    """

    def __init__(
        self,
        num_features: int,
        num_hidden: int,
        num_outputs: int,
        activation: Callable[[Tensor], Tensor] = relu_scratch,
        sigma: float = 0.01,
    ) -> None:
        super().__init__()
        self.hidden_weight = nn.Parameter(sigma * torch.randn(num_features, num_hidden))
        self.hidden_bias = nn.Parameter(torch.zeros(num_hidden))
        self.output_weight = nn.Parameter(sigma * torch.randn(num_hidden, num_outputs))
        self.output_bias = nn.Parameter(torch.zeros(num_outputs))
        self.activation = activation

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = inputs.flatten(1) @ self.hidden_weight + self.hidden_bias  # (B, D) -> (B, H)
        return self.activation(hidden) @ self.output_weight + self.output_bias  # -> (B, O)


class MLP(nn.Module):
    """Give (B, O) for inputs flattened to (B, D): linear, activation, linear.

    ``activation`` is any elementwise function of a tensor, from scratch or torch's. With
    ``sigma``, weights begin as draws from N(0, sigma^2) and biases at zero; without, as
    ``nn.Linear`` draws them.
    """

    def __init__(
        self,
        num_features: int,
        num_hidden: int,
        num_outputs: int,
        activation: Callable[[Tensor], Tensor] = torch.relu,
        sigma: float | None = None,
    ) -> None:
        super().__init__()
        self.hidden = nn.Linear(num_features, num_hidden)
        self.output = nn.Linear(num_hidden, num_outputs)
        self.activation = activation
        if sigma is not None:
            for layer in (self.hidden, self.output):
                nn.init.normal_(layer.weight, std=sigma)
                nn.init.zeros_(layer.bias)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.activation(self.hidden(inputs.flatten(1)))  # (B, D) -> (B, H)
        return self.output(hidden)
