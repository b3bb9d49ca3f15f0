"""Sizes that are found out: torch's lazy layers brought to their shapes in one call.

Book: 5.3 Deferred Initialization
"""

from collections.abc import Callable
from itertools import chain
from typing import Any, TypeVar

import torch
from torch import nn
from torch.nn.parameter import is_lazy

Model = TypeVar("Model", bound=nn.Module)


def materialize(
    model: Model, *inputs: Any, init: Callable[[nn.Module], Any] | None = None
) -> Model:
    """Give every lazy layer its shape by one call of the model; give the model back.

    The call keeps no gradients and leaves running means, and whether each module is training,
    as they were. The shapes stay, so the example must have the sizes that the data will have;
    one example is enough.

    Args:
        model: where its lazy layers are to be; any other module is left as it is.
        inputs: what the model takes: ``torch.zeros(1, 1, 28, 28)``.
        init: called with each module once all shapes are known, inner modules first, as by
            ``model.apply``. Before that, weights cannot be filled.

    Raises ValueError when the example misses a lazy layer, and names what is without a shape. Where
    the model raises an error of its own, layers that the example had reached keep their shapes.
    """
    training = {module: module.training for module in model.modules()}
    model.eval()  # batch normalization must not learn from the example, nor dropout draw
    try:
        with torch.no_grad():
            model(*inputs)
    finally:
        for module, was_training in training.items():
            module.training = was_training
    named = chain(model.named_parameters(), model.named_buffers())
    if shapeless := [name for name, tensor in named if is_lazy(tensor)]:
        raise ValueError(
            f"without a shape after the example: {', '.join(shapeless)}; "
            "the model calls these layers only for other inputs, or never"
        )
    if init is not None:
        with torch.no_grad():
            model.apply(init)
    return model
