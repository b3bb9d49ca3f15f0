"""Names that nobody wrote: ``dense0_``, and within a scope ``mlp0_dense0_``."""

import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from divekit.mx.gluon.block import Block


class Counter:
    """Numbers the blocks of each kind."""

    def __init__(self) -> None:
        self._used: dict[str, int] = {}

    def next(self, kind: str) -> str:
        """Give the next prefix of a kind: ``dense0_``, ``dense1_``."""
        number = self._used.get(kind, 0)
        self._used[kind] = number + 1
        return f"{kind}{number}_"

    def reset(self) -> None:
        """Begin with 0 again."""
        self._used.clear()


class _Current(threading.local):
    scope: "Scope | None" = None


_current = _Current()

COUNTER = Counter()
"""For blocks outside of every scope. A new notebook begins with 0."""


class Scope:
    """``with block.name_scope():`` names the blocks made inside after this one."""

    def __init__(self, block: "Block") -> None:
        self.block = block
        self.counter = Counter()
        self._before: list[Scope | None] = []

    def __enter__(self) -> "Scope":
        self._before.append(_current.scope)
        if not self.block._prefixless:
            _current.scope = self
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _current.scope = self._before.pop()


def named(kind: str, prefix: str | None, shared: Any) -> tuple[str, Any]:
    """Give a new block's prefix and its dict of parameters.

    ``shared`` is another block's dict: then the parameters are its own.
    """
    from divekit.mx.gluon.parameter_dict import ParameterDict

    scope = _current.scope
    if scope is None:
        own = COUNTER.next(kind) if prefix is None else prefix
        params = ParameterDict(own) if shared is None else ParameterDict(shared.prefix, shared)
        return own, params
    own = scope.counter.next(kind) if prefix is None else prefix
    parent = scope.block.params
    if shared is None:
        params = ParameterDict(parent.prefix + own, parent._shared)
    else:
        params = ParameterDict(shared.prefix, shared)
    return scope.block.prefix + own, params
