"""Averages over the examples of an epoch."""

import math
from typing import Any

import torch
from torch import Tensor

from divekit.errors import UsageError
from divekit.train.recipe import Metrics, Record

ROOT = "rmse"


class Means:
    """Averages over examples of what batches report. Values stay on the device until read.

    Reading a number off a device waits for all work before it, so it is done once an epoch.
    """

    def __init__(self) -> None:
        self._counts: list[int] = []
        self._values: dict[str, list[Tensor]] = {"loss": []}

    def add(self, count: int, loss: Tensor, metrics: Metrics) -> None:
        """Take the means over a batch of ``count`` examples."""
        self._counts.append(count)
        self._values["loss"].append(loss)
        for name, value in metrics.items():
            self._values.setdefault(name, []).append(value)

    def sums(self) -> dict[str, Tensor]:
        """Give the sum over examples by name, and their number as ``count``: float64, CPU."""
        if not self._counts:
            raise UsageError("there are no batches: the data set is empty")
        counts = torch.tensor(self._counts, dtype=torch.float64)
        sums = {name: (_gather(values) * counts).sum() for name, values in self._values.items()}
        return sums | {"count": counts.sum()}

    def read(self) -> Record:
        """Give the means over all examples, as numbers."""
        return divide(self.sums())

    def first_bad_step(self) -> tuple[int, float] | None:
        """Give the first batch, counted from 1, whose loss is NaN or infinite, and that loss."""
        if not self._counts:
            return None
        losses = _gather(self._values["loss"])
        if losses.isfinite().all():
            return None
        index = int((~losses.isfinite()).nonzero()[0])
        return index + 1, losses[index].item()

    def state_dict(self) -> dict[str, Any]:
        """Give what was added so far."""
        return {
            "counts": list(self._counts),
            "values": {
                name: torch.stack(values).detach() if values else torch.zeros(0)
                for name, values in self._values.items()
            },
        }

    def load_state_dict(self, state: dict[str, Any], device: torch.device) -> None:
        """Take over what ``state_dict`` gave."""
        self._counts = list(state["counts"])
        self._values = {
            name: list(values.to(device).unbind()) for name, values in state["values"].items()
        }


def divide(sums: dict[str, Tensor]) -> Record:
    """Turn the sums over examples into means; of a name that ends in ``rmse``, into its root."""
    count = sums["count"].item()
    means = {name: (total / count).item() for name, total in sums.items() if name != "count"}
    # Of the mean over all examples: a mean of the batches' roots would depend on their size.
    return {name: math.sqrt(mean) if name.endswith(ROOT) else mean for name, mean in means.items()}


def is_finite(loss: Tensor) -> bool:
    """Tell whether a loss is a number. Reads it, so it waits for the device."""
    return math.isfinite(loss.item())


def _gather(values: list[Tensor]) -> Tensor:
    return torch.stack(values).cpu().double()  # MPS has no float64, hence in this order
