"""What two or more models share: activations, losses, layers as chapters need them."""

from divekit.nn.activations import (
    ACTIVATIONS,
    SLOPES,
    prelu_scratch,
    relu_scratch,
    sigmoid_scratch,
    tanh_scratch,
)
from divekit.nn.batch_norm import BatchNormScratch, batch_norm_scratch
from divekit.nn.containers import SequentialScratch
from divekit.nn.convolution import (
    Conv2dScratch,
    conv2d_scratch,
    convolve,
    cross_correlate,
    cross_correlate_channels,
    output_size,
    windows,
)
from divekit.nn.dropout import DropoutScratch, dropout_scratch
from divekit.nn.initialization import (
    draw_weights,
    kaiming_normal_scratch,
    kaiming_uniform_scratch,
    xavier_normal_scratch,
    xavier_uniform_scratch,
)
from divekit.nn.lazy import materialize
from divekit.nn.linear import LinearScratch
from divekit.nn.losses import (
    cross_entropy,
    cross_entropy_scratch,
    log_softmax_scratch,
    squared_loss,
    squared_loss_scratch,
)
from divekit.nn.penalties import l2_penalty
from divekit.nn.pooling import (
    AvgPool2dScratch,
    MaxPool2dScratch,
    avg_pool2d_scratch,
    max_pool2d_scratch,
)
from divekit.nn.receptive_field import Field, pixels_seen, receptive_fields

__all__ = [
    "ACTIVATIONS",
    "SLOPES",
    "AvgPool2dScratch",
    "BatchNormScratch",
    "Conv2dScratch",
    "DropoutScratch",
    "Field",
    "LinearScratch",
    "MaxPool2dScratch",
    "SequentialScratch",
    "avg_pool2d_scratch",
    "batch_norm_scratch",
    "conv2d_scratch",
    "convolve",
    "cross_correlate",
    "cross_correlate_channels",
    "cross_entropy",
    "cross_entropy_scratch",
    "draw_weights",
    "dropout_scratch",
    "kaiming_normal_scratch",
    "kaiming_uniform_scratch",
    "l2_penalty",
    "log_softmax_scratch",
    "materialize",
    "max_pool2d_scratch",
    "output_size",
    "pixels_seen",
    "prelu_scratch",
    "receptive_fields",
    "relu_scratch",
    "sigmoid_scratch",
    "squared_loss",
    "squared_loss_scratch",
    "tanh_scratch",
    "windows",
    "xavier_normal_scratch",
    "xavier_uniform_scratch",
]
