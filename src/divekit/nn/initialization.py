"""Initial values of weights from their definitions; torch has its own in ``torch.nn.init``.

Book: 4.8 Numerical Stability and Initialization
Papers: Glorot and Bengio, 2010, https://proceedings.mlr.press/v9/glorot10a.html (Xavier);
He et al., 2015, https://arxiv.org/abs/1502.01852 (Kaiming)

A weight is (outputs, inputs) as in ``nn.Linear``, or (outputs, inputs, ...) as in convolutions,
where each place of the kernel counts. All fill the tensor they are given, and give it back.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn


def fans(weight: Tensor) -> tuple[int, int]:
    """Give how many inputs each output sums over, and how many outputs each input goes into."""
    if weight.ndim < 2:
        raise ValueError(f"a weight has at least two axes; this one is {tuple(weight.shape)}")
    places = math.prod(weight.shape[2:])
    return weight.shape[1] * places, weight.shape[0] * places


def xavier_normal_scratch(
    weight: Tensor, gain: float = 1.0, generator: torch.Generator | None = None
) -> Tensor:
    """Draw from a normal distribution whose variance suits the way forward and the way back.

    The way forward asks for a variance of 1 / inputs, the way back for 1 / outputs; theirs is
    the harmonic mean of both, 2 / (inputs + outputs), times the square of ``gain``.
    """
    fan_in, fan_out = fans(weight)
    return _normal(weight, gain * math.sqrt(2 / (fan_in + fan_out)), generator)


def xavier_uniform_scratch(
    weight: Tensor, gain: float = 1.0, generator: torch.Generator | None = None
) -> Tensor:
    """Draw from a uniform distribution with the variance of ``xavier_normal_scratch``."""
    fan_in, fan_out = fans(weight)
    return _uniform(weight, gain * math.sqrt(2 / (fan_in + fan_out)), generator)


def kaiming_normal_scratch(weight: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Draw from a normal distribution of variance 2 / inputs: ReLU halves, the 2 restores."""
    return _normal(weight, math.sqrt(2 / fans(weight)[0]), generator)


def kaiming_uniform_scratch(weight: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Draw from a uniform distribution with the variance of ``kaiming_normal_scratch``."""
    return _uniform(weight, math.sqrt(2 / fans(weight)[0]), generator)


@torch.no_grad()
def _normal(weight: Tensor, deviation: float, generator: torch.Generator | None) -> Tensor:
    draws = torch.randn(weight.shape, generator=generator, dtype=weight.dtype, device=weight.device)
    return weight.copy_(deviation * draws)


@torch.no_grad()
def _uniform(weight: Tensor, deviation: float, generator: torch.Generator | None) -> Tensor:
    # Between -a and a the variance is a^2 / 3.
    bound = math.sqrt(3) * deviation
    draws = torch.rand(weight.shape, generator=generator, dtype=weight.dtype, device=weight.device)
    return weight.copy_(bound * (2 * draws - 1))


def draw_weights(model: nn.Module, draw: Callable[[Tensor], object]) -> None:
    """Draw the weights of all convolutions and dense layers anew, in the order of the layers.

    ``draw`` fills the tensor that it is given, as ``nn.init.xavier_uniform_`` and the functions of
    this file do. Biases stay what torch has made them.
    """
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            draw(layer.weight)
