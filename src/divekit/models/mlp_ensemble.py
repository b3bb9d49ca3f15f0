"""Several multilayer perceptrons side by side, whose mean is the answer.

Book: 4.10 Predicting House Prices on Kaggle
Shapes: M members, B examples, D features, H hidden units, O outputs
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class MLPEnsemble(nn.Module):
    """Give (B, O) for inputs flattened to (B, D): the mean of M networks with one hidden layer.

    Each is dropout, linear, ReLU, dropout, linear, with weights of its own, which begin as
    ``nn.Linear`` draws them; the output's bias begins at zero. One product of matrices computes a
    layer of all members. To train each for itself, compare ``each(inputs)`` with the targets, not
    their mean.
    """

    def __init__(
        self,
        num_features: int,
        num_outputs: int = 1,
        num_hidden: int = 64,
        num_members: int = 5,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.dropout = dropout
        self.hidden_weight = nn.Parameter(torch.empty(num_members, num_features, num_hidden))
        self.hidden_bias = nn.Parameter(torch.empty(num_members, 1, num_hidden))
        self.output_weight = nn.Parameter(torch.empty(num_members, num_hidden, num_outputs))
        self.output_bias = nn.Parameter(torch.zeros(num_members, 1, num_outputs))
        for parameter, fan_in in (
            (self.hidden_weight, num_features),
            (self.hidden_bias, num_features),
            (self.output_weight, num_hidden),
        ):
            nn.init.uniform_(parameter, -(fan_in**-0.5), fan_in**-0.5)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.each(inputs).mean(dim=0)  # (M, B, O) -> (B, O)

    def each(self, inputs: Tensor) -> Tensor:
        """Give what each member says: (M, B, O). While training, each drops units of its own."""
        flat = inputs.flatten(1)
        inputs = flat.expand(len(self.hidden_weight), *flat.shape)  # (B, D) -> (M, B, D)
        kept = F.dropout(inputs, self.dropout, self.training)
        hidden = (kept @ self.hidden_weight + self.hidden_bias).relu()  # (M, B, D) -> (M, B, H)
        kept = F.dropout(hidden, self.dropout, self.training)
        return kept @ self.output_weight + self.output_bias  # (M, B, H) -> (M, B, O)
