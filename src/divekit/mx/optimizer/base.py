"""``Optimizer``: what all of them count and scale, and how one of your own is written.

A subclass writes ``create_state(self, index, weight)`` and ``update(self, index, weight, grad,
state)`` on arrays, calling ``_update_count(index)`` and asking ``_get_lr`` and ``_get_wd``.
"""

import warnings
from typing import Any, ClassVar

import torch
from torch import Tensor

from divekit.mx import autograd
from divekit.mx.array import ndarray, without_grad, wrap, write
from divekit.mx.errors import MXNetError
from divekit.mx.state import STATE


class Optimizer:
    """The base of all optimizers.

    Gradients are multiplied by ``rescale_grad`` and kept within ``clip_gradient``; ``wd`` times
    the weight is added to them. ``lr_scheduler`` gives the rate of each update.
    ``multi_precision`` keeps a float32 copy of float16 weights.
    """

    opt_registry: ClassVar[dict[str, type["Optimizer"]]] = {}

    def __init__(
        self,
        rescale_grad: float = 1.0,
        param_idx2name: dict[int, str] | None = None,
        wd: float = 0.0,
        clip_gradient: float | None = None,
        learning_rate: float | None = None,
        lr_scheduler: Any = None,
        sym: Any = None,
        begin_num_update: int = 0,
        multi_precision: bool = False,
        param_dict: dict[int, Any] | None = None,
        aggregate_num: int = 0,
        use_fused_step: bool = True,
    ) -> None:
        self.rescale_grad, self.wd, self.clip_gradient = rescale_grad, wd, clip_gradient
        self.multi_precision = multi_precision
        self.lr_scheduler = lr_scheduler
        if learning_rate is None and lr_scheduler is None:
            learning_rate = 0.01
        self.lr = learning_rate
        if lr_scheduler is not None and learning_rate is not None:
            if lr_scheduler.base_lr != learning_rate:
                warnings.warn(
                    f"the optimizer's learning_rate={learning_rate} takes the place of the "
                    f"scheduler's base_lr={lr_scheduler.base_lr}",
                    stacklevel=3,
                )
            lr_scheduler.base_lr = learning_rate
        self.begin_num_update = self.num_update = begin_num_update
        self.idx2name = dict(param_idx2name or {})
        self.param_dict = dict(param_dict or {})
        self.lr_mult: dict[Any, float] = {}
        self.wd_mult: dict[Any, float] = {}
        self._counts: dict[Any, int] = {}

    # Finding one by its name

    @staticmethod
    def register(kind: type["Optimizer"]) -> type["Optimizer"]:
        """Make an optimizer's class known by its name in lower case."""
        Optimizer.opt_registry[kind.__name__.lower()] = kind
        return kind

    @staticmethod
    def create_optimizer(name: str, **kwargs: Any) -> "Optimizer":
        """Make the optimizer of that name."""
        found = Optimizer.opt_registry.get(str(name).lower())
        if found is None:
            known = ", ".join(sorted(Optimizer.opt_registry))
            raise ValueError(f"no optimizer is called {name!r}; there is {known}")
        return found(**kwargs)

    # What subclasses write

    def create_state(self, index: Any, weight: ndarray) -> Any:
        """Give what is kept for a weight from update to update: arrays, or None."""
        return None

    def update(self, index: Any, weight: ndarray, grad: ndarray, state: Any) -> None:
        """Change a weight in place."""
        raise NotImplementedError("an optimizer writes update(self, index, weight, grad, state)")

    # In half precision

    def _keeps_copy(self, weight: ndarray) -> bool:
        return self.multi_precision and weight.tensor.dtype is torch.float16

    def create_state_multi_precision(self, index: Any, weight: ndarray) -> Any:
        """Give the state, with a float32 copy of a float16 weight before it."""
        if not self._keeps_copy(weight):
            return self.create_state(index, weight)
        copy = wrap(weight.tensor.detach().float(), weight._context)
        return copy, self.create_state(index, copy)

    def update_multi_precision(
        self, index: Any, weight: ndarray, grad: ndarray, state: Any
    ) -> None:
        """Update the weight, or its float32 copy and then the weight."""
        if not self._keeps_copy(weight):
            self.update(index, weight, grad, state)
            return
        copy, inner = state
        self.update(index, copy, wrap(grad.tensor.float(), grad._context), inner)
        write(weight, lambda tensor, new: tensor.copy_(new), copy)

    # Rates

    @property
    def learning_rate(self) -> float:
        """The rate now."""
        if self.lr_scheduler is not None:
            return float(self.lr_scheduler(self.num_update))
        return float(self.lr or 0.0)

    def set_learning_rate(self, lr: float) -> None:
        """Set the rate; an error where a scheduler gives it."""
        if self.lr_scheduler is not None:
            raise RateError("the rate comes from lr_scheduler; change that one's base_lr")
        self.lr = lr

    def set_lr_mult(self, args_lr_mult: dict[Any, float]) -> None:
        """Multiply the rate of parameters, by index or name."""
        self.lr_mult = dict(args_lr_mult)

    def set_wd_mult(self, args_wd_mult: dict[Any, float]) -> None:
        """Multiply the weight decay of parameters, by index or name."""
        self.wd_mult = dict(args_wd_mult)

    def _multiplier(self, index: Any, name: str) -> float:
        if index in self.param_dict:
            return float(getattr(self.param_dict[index], name))
        given = getattr(self, name)
        return float(given.get(index, given.get(self.idx2name.get(index), 1.0)))

    def _update_count(self, index: Any) -> None:
        for one in index if isinstance(index, list | tuple) else [index]:
            self._counts[one] = self._counts.get(one, self.begin_num_update) + 1
            self.num_update = max(self._counts[one], self.num_update)

    def _get_lr(self, index: Any) -> float:
        return self.learning_rate * self._multiplier(index, "lr_mult")

    def _get_wd(self, index: Any) -> float:
        return self.wd * self._multiplier(index, "wd_mult")

    def _get_lrs(self, indices: Any) -> list[float]:
        return [self._get_lr(index) for index in indices]

    def _get_wds(self, indices: Any) -> list[float]:
        return [self._get_wd(index) for index in indices]


class RateError(MXNetError, UserWarning):
    """A learning rate that cannot be set."""


class Rule(Optimizer):
    """An optimizer whose step is written on tensors.

    Subclasses name the tensors they keep in ``kept`` and write ``step``, which changes ``weight``
    and the kept tensors in place; ``grad`` is rescaled already.
    """

    kept: tuple[str, ...] = ()

    def create_state(self, index: Any, weight: ndarray) -> Any:
        """Give one array of zeros for each name in ``kept``."""
        made = tuple(wrap(torch.zeros_like(weight.tensor), weight._context) for _ in self.kept)
        return None if not made else made[0] if len(made) == 1 else made

    def update(self, index: Any, weight: ndarray, grad: ndarray, state: Any) -> None:
        """Change a weight, or a list of weights, in place."""
        if isinstance(index, list | tuple):
            for each in zip(index, weight, grad, state, strict=True):
                self.update(*each)
            return
        self._update_count(index)
        kept = () if state is None else state if isinstance(state, tuple) else (state,)
        without_grad(
            self.step,
            weight.tensor,
            grad.tensor if self.rescale_grad == 1 else grad.tensor * self.rescale_grad,
            [array.tensor for array in kept],
            self._get_lr(index),
            self._get_wd(index),
            self._counts[index],
        )

    def step(
        self, weight: Tensor, grad: Tensor, kept: list[Tensor], lr: float, wd: float, count: int
    ) -> None:
        """Do the update number ``count``, from 1."""
        raise NotImplementedError

    def clipped(self, grad: Tensor) -> Tensor:
        """Keep each element within ``clip_gradient``."""
        limit = self.clip_gradient
        return grad if limit is None or limit < 0 else grad.clamp(-limit, limit)

    def decayed(self, weight: Tensor, grad: Tensor, wd: float) -> Tensor:
        """Clip, then add the weight decay."""
        grad = self.clipped(grad)
        return grad.add(weight, alpha=wd) if wd else grad

    def decayed_first(self, weight: Tensor, grad: Tensor, wd: float) -> Tensor:
        """Add the weight decay, then clip, as MXNet's adaptive optimizers do."""
        return self.clipped(grad.add(weight, alpha=wd) if wd else grad)


class Updater:
    """Calls an optimizer by index and keeps its states; what a kvstore runs."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.states: dict[Any, Any] = {}

    def __call__(self, index: Any, grad: Any, weight: Any) -> None:
        """Update one weight, or a list of them."""
        if isinstance(index, list | tuple):
            for one in zip(index, grad, weight, strict=True):
                self(*one)
            return
        if STATE.recording:
            with autograd.pause(train_mode=STATE.training):
                self(index, grad, weight)
            return
        if index not in self.states:
            self.states[index] = self.optimizer.create_state_multi_precision(index, weight)
        self.optimizer.update_multi_precision(index, weight, grad, self.states[index])


def get_updater(optimizer: Optimizer) -> Updater:
    """Make the updater of an optimizer."""
    return Updater(optimizer)


register, create = Optimizer.register, Optimizer.create_optimizer
