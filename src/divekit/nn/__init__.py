"""What two or more models share: activations, losses, layers as chapters need them."""

from divekit.nn.activations import (
    ACTIVATIONS,
    prelu_scratch,
    relu_scratch,
    sigmoid_scratch,
    tanh_scratch,
)
from divekit.nn.losses import (
    cross_entropy,
    cross_entropy_scratch,
    log_softmax_scratch,
    squared_loss,
    squared_loss_scratch,
)
from divekit.nn.penalties import l2_penalty

__all__ = [
    "ACTIVATIONS",
    "cross_entropy",
    "cross_entropy_scratch",
    "l2_penalty",
    "log_softmax_scratch",
    "prelu_scratch",
    "relu_scratch",
    "sigmoid_scratch",
    "squared_loss",
    "squared_loss_scratch",
    "tanh_scratch",
]
