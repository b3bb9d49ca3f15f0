"""A block seen as a ``torch.nn.Module``."""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from divekit.mx import autograd
from divekit.mx.array import ndarray, wrap

if TYPE_CHECKING:
    from divekit.mx.gluon.block import Block


class BlockModule(torch.nn.Module):
    """Takes and gives tensors; its parameters are the block's, those of the first device.

    Torch's rules hold inside: it records if grad mode is on, and trains in ``train()``.
    """

    def __init__(self, block: "Block") -> None:
        super().__init__()
        self._block = block
        attached = set()
        for name, parameter in block._reg_params.items():
            self.register_parameter(name, _leaf(parameter))
            attached.add(id(parameter))
        for name, parameter in block.params.items():
            if id(parameter) not in attached:
                self.register_parameter(name.removeprefix(block.prefix), _leaf(parameter))
        for name, child in block._children.items():
            self.add_module(name, BlockModule(child))

    def forward(self, *inputs: Any) -> Any:
        """Call the block with arrays over the tensors."""
        scope = autograd.record if torch.is_grad_enabled() else autograd.pause
        with scope(train_mode=self.training):
            return _tensors(self._block(*_arrays(inputs)))


def _leaf(parameter: Any) -> Any:
    return parameter.list_data()[0].tensor


def _arrays(value: Any) -> Any:
    if isinstance(value, Tensor):
        return wrap(value)
    return type(value)(map(_arrays, value)) if isinstance(value, list | tuple) else value


def _tensors(value: Any) -> Any:
    if isinstance(value, ndarray):
        return value.tensor
    return type(value)(map(_tensors, value)) if isinstance(value, list | tuple) else value
