"""What two or more models share: losses today, layers as chapters need them."""

from divekit.nn.losses import (
    cross_entropy,
    cross_entropy_scratch,
    log_softmax_scratch,
    squared_loss,
    squared_loss_scratch,
)

__all__ = [
    "cross_entropy",
    "cross_entropy_scratch",
    "log_softmax_scratch",
    "squared_loss",
    "squared_loss_scratch",
]
