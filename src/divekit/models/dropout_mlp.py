"""Multilayer perceptron with two hidden layers and dropout, from scratch and with torch's layers.

Book: 4.6 Dropout
Shapes: B examples, D features, H and G hidden units, O outputs
"""

import torch
from torch import Tensor, nn

from divekit.nn.activations import relu_scratch
from divekit.nn.dropout import DropoutScratch


class DropoutMLPScratch(nn.Module):
    """Give (B, O) for inputs flattened to (B, D), on bare tensors.

    Each hidden layer is linear, ReLU, dropout. ``dropout`` holds the probability of dropping for
    each hidden layer. Weights begin as draws from N(0, sigma^2), biases at zero.
    """

    def __init__(
        self,
        num_features: int,
        num_outputs: int,
        num_hidden: tuple[int, int] = (256, 256),
        dropout: tuple[float, float] = (0.2, 0.5),
        sigma: float = 0.01,
    ) -> None:
        super().__init__()
        first, second = num_hidden
        self.weight1 = nn.Parameter(sigma * torch.randn(num_features, first))
        self.bias1 = nn.Parameter(torch.zeros(first))
        self.weight2 = nn.Parameter(sigma * torch.randn(first, second))
        self.bias2 = nn.Parameter(torch.zeros(second))
        self.weight3 = nn.Parameter(sigma * torch.randn(second, num_outputs))
        self.bias3 = nn.Parameter(torch.zeros(num_outputs))
        self.dropout1, self.dropout2 = (DropoutScratch(p) for p in dropout)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = relu_scratch(inputs.flatten(1) @ self.weight1 + self.bias1)  # (B, D) -> (B, H)
        hidden = self.dropout1(hidden)
        hidden = relu_scratch(hidden @ self.weight2 + self.bias2)  # (B, H) -> (B, G)
        hidden = self.dropout2(hidden)
        return hidden @ self.weight3 + self.bias3  # (B, G) -> (B, O)


class DropoutMLP(nn.Module):
    """Give (B, O) for inputs flattened to (B, D), with torch's layers.

    Each hidden layer is linear, ReLU, dropout. ``dropout`` holds the probability of dropping for
    each hidden layer. Weights begin as draws from N(0, sigma^2), biases at zero.
    """

    def __init__(
        self,
        num_features: int,
        num_outputs: int,
        num_hidden: tuple[int, int] = (256, 256),
        dropout: tuple[float, float] = (0.2, 0.5),
        sigma: float = 0.01,
    ) -> None:
        super().__init__()
        first, second = num_hidden
        self.linear1 = nn.Linear(num_features, first)
        self.dropout1 = nn.Dropout(dropout[0])
        self.linear2 = nn.Linear(first, second)
        self.dropout2 = nn.Dropout(dropout[1])
        self.linear3 = nn.Linear(second, num_outputs)
        for layer in (self.linear1, self.linear2, self.linear3):
            nn.init.normal_(layer.weight, std=sigma)
            nn.init.zeros_(layer.bias)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.linear1(inputs.flatten(1)).relu()  # (B, D) -> (B, H)
        hidden = self.dropout1(hidden)
        hidden = self.linear2(hidden).relu()  # (B, H) -> (B, G)
        hidden = self.dropout2(hidden)
        return self.linear3(hidden)  # (B, G) -> (B, O)
