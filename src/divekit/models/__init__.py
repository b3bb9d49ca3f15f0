"""Models: plain ``torch.nn.Module`` classes with explicit sizes, scratch beside concise."""

from divekit.models.alexnet import AlexNet
from divekit.models.backpropagation import MLPKept, MLPWeights, mlp_backward, mlp_forward
from divekit.models.batch_norm_lenet import BatchNormLeNet, BatchNormLeNetScratch
from divekit.models.densenet import (
    DenseLayer,
    DenseNet,
    dense_block,
    densenet121,
    transition,
)
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
from divekit.models.resnet import (
    Residual,
    ResNet,
    resnet18,
    resnet34,
    resnet50,
    resnet101,
    resnet152,
)
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
    "BatchNormLeNet",
    "BatchNormLeNetScratch",
    "DenseLayer",
    "DenseNet",
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
    "ResNet",
    "Residual",
    "SoftmaxRegression",
    "SoftmaxRegressionScratch",
    "dense_block",
    "densenet121",
    "least_squares",
    "mlp_backward",
    "mlp_forward",
    "nin_block",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "softmax",
    "transition",
    "vgg_block",
]
