"""Everything that training changes: weights, optimizers, schedules, and where the loop stands.

All of it is owned by one ``State``, so that whatever a step does with it (two optimizers
of a GAN, say) is saved and continued in the same way.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from divekit.errors import DivergedError, UsageError
from divekit.train.means import Means, is_finite
from divekit.train.recipe import Recipe


class State:
    """The changing part of a run, for one model on one device."""

    epoch: int = 0
    """Epochs that are done."""
    step: int = 0
    """Steps of the running epoch that are done."""
    share: float = 1.0
    """What the loss of this process weighs, where several share a batch; see ``parallel``."""

    def __init__(self, recipe: Recipe, model: nn.Module, device: torch.device) -> None:
        self.recipe = recipe
        self.model = model
        self.device = device
        self.means = Means()
        self.carry: dict[str, Any] = {}
        """What a step hands to the next one: tensors, numbers, lists and dicts of them."""
        try:
            made = recipe.optimizer(model)
        except ValueError as error:  # of torch, which says which setting it does not take
            raise UsageError(f"no optimizer can be made with these settings: {error}") from error
        self.optimizers: dict[str, Optimizer] = (
            dict(made) if isinstance(made, Mapping) else {"optimizer": made}
        )
        self.schedulers = (
            {name: recipe.schedule(optimizer) for name, optimizer in self.optimizers.items()}
            if recipe.schedule is not None
            else {}
        )
        # On a CPU a loss is read at the cost of a microsecond; elsewhere that would wait for
        # the device, so losses are looked at when they are read anyway.
        self._watch_loss = device.type == "cpu"
        self._strides_checked = False

    def update(self, loss: Tensor, optimizer: str = "optimizer") -> None:
        """Differentiate the loss and let an optimizer take one step.

        Raises DivergedError before anything is changed when the loss is NaN or infinite
        (on a GPU that is noticed at the end of the epoch).
        """
        if self._watch_loss and not is_finite(loss):
            raise self.diverged(self.step + 1, loss.item())
        chosen = self.optimizers[optimizer]
        parameters = [item for group in chosen.param_groups for item in group["params"]]
        # What zero_grad() does, without its entry in torch's profiler: a tenth of a small step.
        for parameter in parameters:
            parameter.grad = None
        (loss if self.share == 1.0 else loss * self.share).backward()
        if self.recipe.clip is not None:
            nn.utils.clip_grad_norm_(parameters, self.recipe.clip)
        if not self._strides_checked:
            self._check_strides()
        chosen.step()
        if self.schedulers and self.recipe.schedule_every == "update":
            self.schedulers[optimizer].step()

    def end_epoch(self) -> None:
        """Let the schedules that count epochs take one step."""
        if self.recipe.schedule_every == "epoch":
            for scheduler in self.schedulers.values():
                scheduler.step()

    def autocast(self) -> AbstractContextManager[object]:
        """Give the context in which the recipe's precision holds; for the forward pass."""
        if self.recipe.precision == "bf16":
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return nullcontext()

    def diverged(self, step: int, loss: float) -> DivergedError:
        """Build the error for a loss that is no number."""
        return DivergedError(
            f"the loss became {loss} at epoch {self.epoch + 1}, step {step}; "
            "a smaller learning rate, or clipped gradients, may help"
        )

    def state_dict(self) -> dict[str, Any]:
        """Give all but the weights as nested plain values and tensors."""
        return {
            "epoch": self.epoch,
            "step": self.step,
            "means": self.means.state_dict(),
            "carry": self.carry,
            "optimizers": _states(self.optimizers),
            "schedulers": _states(self.schedulers),
            "generators": _read_generators(self.device),
        }

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Take over what ``state_dict`` gave; random generators are left to ``set_generators``."""
        self.epoch, self.step = saved["epoch"], saved["step"]
        self.means.load_state_dict(saved["means"], self.device)
        self.carry = _to_device(saved["carry"], self.device)
        for name, scheduler in self.schedulers.items():
            scheduler.load_state_dict(saved["schedulers"][name])
        # After the schedulers: making one writes into the groups of its optimizer.
        for name, optimizer in self.optimizers.items():
            _load_optimizer(optimizer, saved["optimizers"][name])
            # An earlier process took the steps: else schedulers warn that none was taken.
            optimizer._opt_called = True  # type: ignore[attr-defined]

    def _check_strides(self) -> None:
        """Use torch's fused CPU optimizers only where they are right.

        They go through parameter, gradient and state in the order of memory. Where the three
        lie differently (channels_last parameters, say) the updates are wrong without an error.
        """
        self._strides_checked = True
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                if group.get("fused") and not all(
                    _strides_agree(parameter, optimizer.state.get(parameter, {}))
                    for parameter in group["params"]
                ):
                    group["fused"] = False


def _states(holders: Mapping[str, Any]) -> dict[str, Any]:
    return {name: holder.state_dict() for name, holder in holders.items()}


def _load_optimizer(optimizer: Optimizer, saved: dict[str, Any]) -> None:
    """Load an optimizer's state; each tensor takes the strides of its parameter."""
    parameters = [item for group in optimizer.param_groups for item in group["params"]]
    state = {
        index: {name: _laid_out_like(parameters[index], value) for name, value in entry.items()}
        for index, entry in saved["state"].items()
    }
    optimizer.load_state_dict({**saved, "state": state})


def _laid_out_like(parameter: Tensor, value: Any) -> Any:
    if not isinstance(value, Tensor) or value.shape != parameter.shape:
        return value
    return torch.empty_like(parameter, dtype=value.dtype).copy_(value).detach()


def _strides_agree(parameter: Tensor, state: Mapping[str, Any]) -> bool:
    others = [value for value in state.values() if isinstance(value, Tensor)]
    if parameter.grad is not None:
        others.append(parameter.grad)
    # An axis of one entry has a stride too, which says nothing.
    return all(
        size == 1 or here == there
        for other in others
        if other.shape == parameter.shape
        for size, here, there in zip(
            parameter.shape, parameter.stride(), other.stride(), strict=True
        )
    )


def _to_device(value: Any, device: torch.device) -> Any:
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, dict):
        return {key: _to_device(part, device) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_to_device(part, device) for part in value)
    return value


def _read_generators(device: torch.device) -> dict[str, Tensor]:
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        states["mps"] = torch.mps.get_rng_state()
    return states


def set_generators(states: Mapping[str, Tensor], device: torch.device) -> None:
    """Set torch's random generators to saved states, as far as this device has them."""
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
    elif device.type == "mps" and "mps" in states:
        torch.mps.set_rng_state(states["mps"])
