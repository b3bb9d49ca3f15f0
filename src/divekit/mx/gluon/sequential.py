"""``Sequential`` and ``HybridSequential``: blocks one after the other."""

from collections.abc import Iterator
from typing import Any

from divekit.mx import np
from divekit.mx.gluon.block import Block, _printed
from divekit.mx.gluon.hybrid import HybridBlock


class _Chain(Block):
    """What the two have in common."""

    def add(self, *blocks: Block) -> None:
        """Append blocks."""
        for block in blocks:
            self.register_child(block)

    def forward(self, x: Any, *args: Any) -> Any:
        """Hand the input from block to block; a tuple becomes the next one's arguments."""
        for block in self._children.values():
            x = block(x, *args)
            args = ()
            if isinstance(x, list | tuple):
                x, args = x[0], tuple(x[1:])
        return (x, *args) if args else x

    def __repr__(self) -> str:
        return _printed(type(self).__name__, self._children)

    def __getitem__(self, key: Any) -> Any:
        found = list(self._children.values())[key]
        if not isinstance(found, list):
            return found
        part = type(self)(prefix=self._prefix)
        part.add(*found)
        return part

    def __len__(self) -> int:
        return len(self._children)

    def __iter__(self) -> Iterator[Block]:
        return iter(list(self._children.values()))


class Sequential(_Chain):
    """Blocks of any kind, one after the other; by index, and by slices that share them."""


class HybridSequential(_Chain, HybridBlock):
    """Hybrid blocks, one after the other."""


class _Beside(Block):
    """What the two concatenations have in common."""

    def __init__(self, axis: int = -1, prefix: str | None = None, params: Any = None) -> None:
        super().__init__(prefix=prefix, params=params)
        self.axis = axis

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)  # type: ignore[misc]
        if isinstance(key, slice):
            found.axis = self.axis
        return found

    def forward(self, x: Any) -> Any:
        """Hand the input to every block and join what they give."""
        return np.concatenate([block(x) for block in self._children.values()], axis=self.axis)


class Concatenate(_Beside, Sequential):
    """Blocks side by side on one input; their results are joined along ``axis``."""


class HybridConcatenate(_Beside, HybridSequential):
    """Hybrid blocks side by side on one input; their results are joined along ``axis``."""
