"""A container from scratch: layers called one after the other; torch has ``nn.Sequential``.

Book: 5.1 Layers and Blocks
"""

from collections.abc import Iterator

from torch import Tensor, nn


class SequentialScratch(nn.Module):
    """Call layers in the order given, each on what the one before it gave.

    Names its layers ``0``, ``1``, ... as ``nn.Sequential`` does, so each loads the other's state.
    A layer may be given twice; it is then called twice and has one set of parameters.
    """

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        for number, layer in enumerate(layers):
            # Registered under a name: a layer in a plain list would be called, and never trained.
            self.add_module(str(number), layer)

    def forward(self, inputs: Tensor) -> Tensor:
        for layer in self:
            inputs = layer(inputs)
        return inputs

    def __iter__(self) -> Iterator[nn.Module]:
        # Not children(), which gives a layer once, however often it stands there.
        return iter([layer for layer in self._modules.values() if layer is not None])

    def __len__(self) -> int:
        return len(self._modules)

    def __getitem__(self, number: int) -> nn.Module:
        return list(self)[number]
