"""The linear layer from scratch; torch has its own: ``nn.Linear``.

Book: 5.4 Custom Layers
Shapes: D inputs, O outputs, and any axes before them
"""

import torch
from torch import Tensor, nn


class LinearScratch(nn.Module):
    """Give ``inputs @ weight.T + bias``: (..., D) -> (..., O).

    Weight (O, D) and bias (O,) have the names and shapes of ``nn.Linear``, and begin as there:
    uniform between -1 / sqrt(D) and 1 / sqrt(D), from the same seed the same numbers. Without
    ``bias``, the attribute is None.
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        super().__init__()
        if min(in_features, out_features) < 1:
            raise ValueError(f"a linear layer cannot be {in_features} -> {out_features}")
        bound = in_features**-0.5
        self.weight = nn.Parameter(torch.empty(out_features, in_features).uniform_(-bound, bound))
        self.bias = (
            nn.Parameter(torch.empty(out_features).uniform_(-bound, bound)) if bias else None
        )

    def forward(self, inputs: Tensor) -> Tensor:
        outputs = inputs @ self.weight.T  # (..., D) -> (..., O)
        return outputs if self.bias is None else outputs + self.bias

    def extra_repr(self) -> str:
        """Name the sizes where a model is printed."""
        out_features, in_features = self.weight.shape
        return f"{in_features} -> {out_features}, bias={self.bias is not None}"
