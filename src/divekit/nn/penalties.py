"""Penalties on the size of weights, to be added to a loss.

Book: 4.5 Weight Decay
"""

from torch import Tensor


def l2_penalty(weight: Tensor) -> Tensor:
    """Give half the sum of the squares of a tensor of any shape. Its gradient is the tensor."""
    return weight.square().sum() / 2
