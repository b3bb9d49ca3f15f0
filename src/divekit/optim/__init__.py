"""Optimizers from scratch, as ``torch.optim.Optimizer`` classes, and learning-rate schedules."""

from divekit.optim.schedules import cosine
from divekit.optim.sgd import SGD

__all__ = ["SGD", "cosine"]
