"""Models: plain ``torch.nn.Module`` classes with explicit sizes, scratch beside concise."""

from divekit.models.alexnet import AlexNet
from divekit.models.backpropagation import MLPKept, MLPWeights, mlp_backward, mlp_forward
from divekit.models.dropout_mlp import DropoutMLP, DropoutMLPScratch
from divekit.models.googlenet import INCEPTIONS, GoogLeNet, Inception
from divekit.models.lenet import LeNet
from divekit.models.linear_regression import (
    LinearRegression,
    LinearRegressionScratch,
    least_squares,
)
from divekit.models.mlp_ensemble import MLPEnsemble
from divekit.models.multilayer_perceptron import MLP, MLPScratch
from divekit.models.nin import NiN, nin_block
from divekit.models.softmax_regression import (
    SoftmaxRegression,
    SoftmaxRegressionScratch,
    softmax,
)
from divekit.models.vgg import VGG, VGG11, VGG13, VGG16, VGG19, vgg_block

__all__ = [
    "INCEPTIONS",
    "MLP",
    "VGG",
    "VGG11",
    "VGG13",
    "VGG16",
    "VGG19",
    "AlexNet",
    "DropoutMLP",
    "DropoutMLPScratch",
    "GoogLeNet",
    "Inception",
    "LeNet",
    "LinearRegression",
    "LinearRegressionScratch",
    "MLPEnsemble",
    "MLPKept",
    "MLPScratch",
    "MLPWeights",
    "NiN",
    "SoftmaxRegression",
    "SoftmaxRegressionScratch",
    "least_squares",
    "mlp_backward",
    "mlp_forward",
    "nin_block",
    "softmax",
    "vgg_block",
]
