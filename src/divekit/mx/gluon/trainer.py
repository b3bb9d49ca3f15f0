"""``Trainer``: changes parameters by their gradients, on one device or several."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from divekit.errors import BadDataError
from divekit.mx import kvstore as kvstores
from divekit.mx import optimizer as optimizers
from divekit.mx.array import ndarray, wrap
from divekit.mx.errors import MXNetError, not_here
from divekit.mx.gluon.parameter import Parameter
from divekit.mx.kvstore import summed


class StaleGradientError(MXNetError, UserWarning):
    """A parameter that no backward has reached since the last step."""


class Trainer:
    """Updates ``params`` with an optimizer, by name or as an object.

    Gradients of several devices are summed, and every device gets the new numbers. ``kvstore`` is
    a local one by any of its names; nothing depends on which.
    """

    def __init__(
        self,
        params: Any,
        optimizer: Any,
        optimizer_params: Mapping[str, Any] | None = None,
        kvstore: Any = "device",
        compression_params: Any = None,
        update_on_kvstore: bool | None = None,
    ) -> None:
        if hasattr(params, "collect_params"):
            raise TypeError("a Trainer takes parameters: net.collect_params()")
        self._params: list[Parameter] = list(
            params.values() if hasattr(params, "values") else params
        )
        for one in self._params:
            if not isinstance(one, Parameter):
                raise ValueError(f"a Trainer takes parameters, not {type(one).__name__}")
        if compression_params:
            raise not_here("Trainer(compression_params=...)", "torch.distributed's gradient hooks")
        if isinstance(kvstore, str):
            kvstores.create(kvstore)
        indexed = dict(enumerate(self._params))
        settings = dict(optimizer_params or {})
        if isinstance(optimizer, optimizers.Optimizer):
            if settings:
                raise ValueError("an optimizer that is made already takes no optimizer_params")
            self._optimizer = optimizer
            optimizer.param_dict = indexed
        else:
            self._optimizer = optimizers.create(optimizer, param_dict=indexed, **settings)
        self._scale = self._optimizer.rescale_grad
        self._updater = optimizers.get_updater(self._optimizer)

    @property
    def optimizer(self) -> optimizers.Optimizer:
        """The optimizer."""
        return self._optimizer

    @property
    def learning_rate(self) -> float:
        """The rate now."""
        return self._optimizer.learning_rate

    def set_learning_rate(self, lr: float) -> None:
        """Set the rate; an error where a scheduler gives it."""
        self._optimizer.set_learning_rate(lr)

    def step(self, batch_size: float, ignore_stale_grad: bool = False) -> None:
        """Sum the gradients over the devices, divide by ``batch_size`` and update.

        Raises where a gradient is stale: no backward has reached it since the last step. Such
        parameters are passed over with ``ignore_stale_grad``.
        """
        self._update(batch_size, ignore_stale_grad, reduced=False)

    def allreduce_grads(self) -> None:
        """Replace the gradients on all devices by their sum, to be looked at before ``update``."""
        for parameter in self._params:
            if parameter.grad_req != "null" and len(parameter.list_data()) > 1:
                gradients = parameter.list_grad()
                total = summed([gradient.tensor for gradient in gradients])
                for gradient in gradients:
                    gradient.tensor.copy_(total)

    def update(self, batch_size: float, ignore_stale_grad: bool = False) -> None:
        """Divide by ``batch_size`` and update, after ``allreduce_grads``."""
        self._update(batch_size, ignore_stale_grad, reduced=True)

    def _update(self, batch_size: float, ignore_stale_grad: bool, reduced: bool) -> None:
        self._optimizer.rescale_grad = self._scale / batch_size
        reached = []
        for index, parameter in enumerate(self._params):
            if parameter.grad_req == "null":
                continue
            copies = parameter.list_data()
            stale = parameter.stale()
            if stale and not ignore_stale_grad:
                raise StaleGradientError(
                    f"no backward has reached the gradient of {parameter.name!r} on {stale[0]} "
                    "since the last step; if that is meant, step(..., ignore_stale_grad=True) "
                    "passes over it"
                )
            if len(stale) < len(copies):
                reached.append((index, parameter, copies))
        for index, parameter, copies in reached:
            gradients = parameter.list_grad()
            if len(copies) > 1 and not reduced:
                stale = parameter.stale()
                fresh = [g.tensor for g in gradients if g.ctx not in stale]
                total = summed(fresh).to(copies[0].tensor.device)
                self._updater(index, wrap(total, copies[0]._context), copies[0])
            else:
                self._updater(index, gradients[0], copies[0])
            for other in copies[1:]:
                other.tensor.detach().copy_(copies[0].tensor.detach())
            parameter.used()

    # Files

    def save_states(self, fname: str | os.PathLike[str]) -> None:
        """Write what the optimizer keeps: its states, counts, rate and schedule."""
        optimizer, scheduler = self._optimizer, self._optimizer.lr_scheduler
        torch.save(
            {
                "optimizer": type(optimizer).__name__,
                "states": {index: _plain(state) for index, state in self._updater.states.items()},
                "counts": dict(optimizer._counts),
                "num_update": optimizer.num_update,
                "lr": optimizer.lr,
                "scheduler": None if scheduler is None else _numbers(scheduler),
            },
            fname,
        )

    def load_states(self, fname: str | os.PathLike[str]) -> None:
        """Read what ``save_states`` wrote; MXNet's own are pickles and are not read."""
        path = Path(fname)
        if not path.is_file():
            raise BadDataError(f"{path}: no such file")
        try:
            found = torch.load(path, weights_only=True)
            kind = found["optimizer"]
        except Exception as error:
            raise BadDataError(f"{path}: not a file that Trainer.save_states wrote here") from error
        optimizer = self._optimizer
        if kind != type(optimizer).__name__:
            raise BadDataError(f"{path}: states of {kind}, not of {type(optimizer).__name__}")
        if not set(found["states"]) <= set(range(len(self._params))):
            raise BadDataError(f"{path}: states of more than {len(self._params)} parameters")
        states = {}
        for index, state in found["states"].items():
            context = self._params[index].list_data()[0]
            states[index] = _arrays(state, context)
        self._updater.states = states
        optimizer._counts, optimizer.num_update = found["counts"], found["num_update"]
        optimizer.lr = found["lr"]
        if optimizer.lr_scheduler is not None and found["scheduler"]:
            vars(optimizer.lr_scheduler).update(found["scheduler"])


def _plain(state: Any) -> Any:
    if isinstance(state, ndarray):
        return state.tensor.detach().cpu()
    if isinstance(state, list | tuple):
        return tuple(map(_plain, state))
    if state is None or isinstance(state, int | float | bool | str):
        return state
    raise TypeError(f"states are arrays, numbers and tuples of them, not {type(state).__name__}")


def _arrays(state: Any, like: ndarray) -> Any:
    if isinstance(state, Tensor):
        return wrap(state.to(like.tensor.device), like._context)
    return tuple(_arrays(one, like) for one in state) if isinstance(state, tuple) else state


def _numbers(scheduler: Any) -> dict[str, Any]:
    return {
        name: value
        for name, value in vars(scheduler).items()
        if isinstance(value, int | float | str) or (name == "step" and isinstance(value, list))
    }
