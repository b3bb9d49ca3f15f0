"""Models: plain ``torch.nn.Module`` classes with explicit sizes, scratch beside concise."""

from divekit.models.backpropagation import MLPKept, MLPWeights, mlp_backward, mlp_forward
from divekit.models.dropout_mlp import DropoutMLP, DropoutMLPScratch
from divekit.models.lenet import LeNet
from divekit.models.linear_regression import (
    LinearRegression,
    LinearRegressionScratch,
    least_squares,
)
from divekit.models.mlp_ensemble import MLPEnsemble
from divekit.models.multilayer_perceptron import MLP, MLPScratch
from divekit.models.softmax_regression import (
    SoftmaxRegression,
    SoftmaxRegressionScratch,
    softmax,
)

__all__ = [
    "MLP",
    "DropoutMLP",
    "DropoutMLPScratch",
    "LeNet",
    "LinearRegression",
    "LinearRegressionScratch",
    "MLPEnsemble",
    "MLPKept",
    "MLPScratch",
    "MLPWeights",
    "SoftmaxRegression",
    "SoftmaxRegressionScratch",
    "least_squares",
    "mlp_backward",
    "mlp_forward",
    "softmax",
]
