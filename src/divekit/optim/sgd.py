"""Minibatch stochastic gradient descent, from scratch.

Book: 3.1.1 and 3.2.6 Defining the Optimization Algorithm
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from divekit.errors import UsageError


class SGD(Optimizer):
    """Step every parameter against its gradient: ``w <- w - lr * gradient``.

    An ordinary ``torch.optim.Optimizer``: parameter groups, ``state_dict`` and torch's
    learning-rate schedulers work with it. The optimizers of later chapters differ in the
    lines of ``update`` alone.
    """

    def __init__(self, parameters: Iterable[Any], lr: float) -> None:
        if lr < 0:
            raise UsageError(f"lr is {lr}; it must not be negative")
        super().__init__(parameters, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self.update(parameter, parameter.grad, group)
        return loss

    def update(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        """Update one parameter in place."""
        # parameter -= lr * gradient, in one pass over memory
        parameter.sub_(gradient, alpha=group["lr"])
