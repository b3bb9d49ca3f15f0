"""Linear regression: from scratch, with torch's layer, and in closed form.

Book: 3.1 Linear Regression, 3.2 from scratch, 3.3 concisely
Shapes: B examples, D features, O numbers predicted for each example
"""

import torch
from torch import Tensor, nn


class LinearRegressionScratch(nn.Module):
    """Predict (B, O) from inputs flattened to (B, D), on bare tensors."""

    def __init__(self, num_features: int, num_outputs: int = 1, sigma: float = 0.01) -> None:
        super().__init__()
        # Parameters, not plain tensors: .to(device) and state_dict() see them.
        self.weight = nn.Parameter(sigma * torch.randn(num_features, num_outputs))
        self.bias = nn.Parameter(torch.zeros(num_outputs))

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs.flatten(1) @ self.weight + self.bias


class LinearRegression(nn.Module):
    """Predict (B, O) from inputs flattened to (B, D), with ``nn.Linear``."""

    def __init__(self, num_features: int, num_outputs: int = 1, sigma: float = 0.01) -> None:
        super().__init__()
        self.linear = nn.Linear(num_features, num_outputs)
        nn.init.normal_(self.linear.weight, std=sigma)
        nn.init.zeros_(self.linear.bias)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.linear(inputs.flatten(1))


@torch.no_grad()
def least_squares(features: Tensor, targets: Tensor) -> LinearRegression:
    """Solve for the weights at once: the model with the smallest squared error.

    Takes features (B, D) and targets (B, O). Of many equally good solutions (collinear
    features, fewer examples than features) it is the one with the smallest weights.
    """
    if features.ndim != 2 or targets.ndim != 2 or len(features) != len(targets):
        raise ValueError(
            f"features {tuple(features.shape)} and targets {tuple(targets.shape)} "
            "must be (B, D) and (B, O) with one B"
        )
    # Centring takes the bias out of the problem, so that it is not shrunk with the weights.
    # In double precision: squaring a condition number of 1e4 would exhaust single precision.
    exact = torch.float32 if features.device.type == "mps" else torch.float64
    feature_mean, target_mean = features.to(exact).mean(0), targets.to(exact).mean(0)
    # The pseudo-inverse drops directions in which the features do not vary: by more than the
    # rounding of the type that they were given in, which a change to double does not undo.
    tolerance = max(features.shape) * torch.finfo(features.dtype).eps
    inverse = torch.linalg.pinv(features.to(exact) - feature_mean, rtol=tolerance)  # (D, B)
    weight = inverse @ (targets.to(exact) - target_mean)  # (D, B) @ (B, O) -> (D, O)
    model = LinearRegression(features.shape[1], targets.shape[1]).to(
        features.device, features.dtype
    )
    model.linear.weight.copy_(weight.T)
    model.linear.bias.copy_(target_mean - feature_mean @ weight)
    return model
