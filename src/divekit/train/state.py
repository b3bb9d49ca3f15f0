"""What a training step may change: the modules, the optimizers, the schedules.

All of it is owned by one ``State``, so that whatever a step does with it (two optimizers
of a GAN, say) is saved and continued in the same way.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from divekit.train.recipe import Recipe


class State:
    """The changing part of a run, for one model on one device."""

    def __init__(self, recipe: Recipe, model: nn.Module, device: torch.device) -> None:
        self.recipe = recipe
        self.model = model
        self.device = device
        made = recipe.optimizer(model)
        self.optimizers: dict[str, Optimizer] = (
            dict(made) if isinstance(made, Mapping) else {"optimizer": made}
        )
        self.schedulers = (
            {name: recipe.schedule(optimizer) for name, optimizer in self.optimizers.items()}
            if recipe.schedule is not None
            else {}
        )

    def update(self, loss: Tensor, optimizer: str = "optimizer") -> None:
        """Differentiate the loss and let an optimizer take one step."""
        chosen = self.optimizers[optimizer]
        parameters = [item for group in chosen.param_groups for item in group["params"]]
        # What zero_grad() does, without its entry in torch's profiler: a tenth of a small step.
        for parameter in parameters:
            parameter.grad = None
        loss.backward()
        if self.recipe.clip is not None:
            nn.utils.clip_grad_norm_(parameters, self.recipe.clip)
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
