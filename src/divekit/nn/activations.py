"""Activations from their definitions; torch has its own: ``torch.relu``, ``F.prelu`` and so on.

Book: 4.1 Multilayer Perceptrons, 4.7 (slopes)

All are elementwise: they take and give tensors of any one shape.
"""

from collections.abc import Callable

import torch
from torch import Tensor


def relu_scratch(inputs: Tensor) -> Tensor:
    """Keep what is positive, put zero for the rest. The slope at zero is zero, as in torch."""
    # A maximum with a tensor of zeros would split the gradient at a tie: slope 1/2 at zero.
    return torch.where(inputs > 0, inputs, 0.0)


def prelu_scratch(inputs: Tensor, slope: Tensor | float) -> Tensor:
    """Keep what is positive, multiply the rest by ``slope``: max(0, x) + slope * min(0, x).

    ``slope`` is a number, or a tensor that broadcasts against the inputs and is learned.
    """
    return torch.where(inputs > 0, inputs, slope * inputs)


def sigmoid_scratch(inputs: Tensor) -> Tensor:
    """Squash into (0, 1): 1 / (1 + exp(-x)), for inputs of any size."""
    # exp() of a large positive number overflows, so only minus the distance to zero is
    # exponentiated. abs() would do for the values, but its slope at zero is zero: ours must be 1/4.
    positive = inputs >= 0
    decay = torch.where(positive, -inputs, inputs).exp()  # at most one
    return torch.where(positive, 1.0, decay) / (1 + decay)


def tanh_scratch(inputs: Tensor) -> Tensor:
    """Squash into (-1, 1): a sigmoid, stretched to twice its height and half its width."""
    return 2 * sigmoid_scratch(2 * inputs) - 1


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "none": lambda hidden: hidden,
}
"""torch's activations by name, and none at all: for settings given as text."""

SLOPES: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": lambda hidden: (hidden > 0).to(hidden.dtype),
    "sigmoid": lambda hidden: hidden * (1 - hidden),
    "tanh": lambda hidden: 1 - hidden**2,
    "none": torch.ones_like,
}
"""The slope of each of them, written with what the activation *gave*: its input is not needed."""
