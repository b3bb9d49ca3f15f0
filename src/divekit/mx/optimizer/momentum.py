"""Optimizers without a rate for each element: gradient descent and its relatives."""

import math
from typing import Any

import torch
from torch import Tensor

from divekit.mx.array import ndarray
from divekit.mx.optimizer.base import Rule, register


@register
class SGD(Rule):
    """Stochastic gradient descent: ``v = momentum v - lr (g + wd w)``; ``w += v``.

    ``lazy_update`` is about sparse gradients, of which there are none.
    """

    kept = ("velocity",)

    def __init__(self, momentum: float = 0.0, lazy_update: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.momentum = momentum

    def create_state(self, index: Any, weight: ndarray) -> Any:
        """Give the velocity, if there is momentum."""
        return super().create_state(index, weight) if self.momentum else None

    def step(
        self, weight: Tensor, grad: Tensor, kept: list[Tensor], lr: float, wd: float, count: int
    ) -> None:
        """Do one update."""
        grad = self.decayed(weight, grad, wd)
        if not kept:
            weight.sub_(grad, alpha=lr)
            return
        weight.add_(kept[0].mul_(self.momentum).sub_(grad, alpha=lr))


@register
class NAG(SGD):
    """Nesterov's: the velocity is looked ahead, ``w += momentum v - lr (g + wd w)``."""

    def step(
        self, weight: Tensor, grad: Tensor, kept: list[Tensor], lr: float, wd: float, count: int
    ) -> None:
        """Do one update."""
        grad = self.decayed(weight, grad, wd)
        if kept:
            velocity = kept[0].mul_(self.momentum).sub_(grad, alpha=lr)
            weight.add_(velocity, alpha=self.momentum)
        weight.sub_(grad, alpha=lr)


@register
class Signum(SGD):
    """Steps of ``lr`` by the sign of the momentum; ``wd_lh`` shrinks the weight beside it.

    Bernstein et al., 2018.
    """

    def __init__(
        self,
        learning_rate: float = 0.01,
        momentum: float = 0.9,
        wd_lh: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(momentum=momentum, learning_rate=learning_rate, **kwargs)
        self.wd_lh = wd_lh

    def step(
        self, weight: Tensor, grad: Tensor, kept: list[Tensor], lr: float, wd: float, count: int
    ) -> None:
        """Do one update."""
        if not kept:
            weight.mul_(1 - lr * wd).sub_(self.clipped(grad).sign(), alpha=lr)
            return
        grad = self.decayed(weight, grad, wd)
        velocity = kept[0].mul_(self.momentum).sub_(grad, alpha=1 - self.momentum)
        weight.mul_(1 - lr * self.wd_lh).add_(velocity.sign(), alpha=lr)


@register
class SGLD(Rule):
    """Stochastic gradient Langevin dynamics: half a step, and noise of variance ``lr``.

    Welling and Teh, 2011.
    """

    def step(
        self, weight: Tensor, grad: Tensor, kept: list[Tensor], lr: float, wd: float, count: int
    ) -> None:
        """Do one update."""
        weight.sub_(self.decayed(weight, grad, wd), alpha=lr / 2)
        weight.add_(torch.randn_like(weight), alpha=math.sqrt(lr))
