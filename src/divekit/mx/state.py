"""Whether operations are recorded, and how gradients come to rest in their buffers.

MXNet records only inside ``autograd.record()``; torch records whatever needs a gradient. So the
operators run without grad mode outside a scope, wherever an input needs a gradient. Inside a
scope torch's own grad mode is on, and nothing need be done.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

set_grad_enabled = torch._C._set_grad_enabled  # five times quicker than torch.no_grad()


class State(threading.local):
    """Two switches, each thread's own."""

    recording = False
    training = False


STATE = State()


class Tape:
    """What was recorded together, so that ``backward`` can clear it.

    MXNet's backward frees the graph, and what was computed in it is a constant from then on: the
    book's training of recurrent nets relies on it, whose states go from batch to batch. Arrays
    that depend on each other share a tape; tapes that meet become one.
    """

    __slots__ = ("_cleared", "_joined")

    def __init__(self) -> None:
        self._cleared = False
        self._joined: Tape | None = None

    def root(self) -> "Tape":
        """Give the tape that this one has become part of."""
        tape = self
        while tape._joined is not None:
            tape = tape._joined
        return tape

    def join(self, other: "Tape") -> "Tape":
        """Make one tape of two."""
        first, second = self.root(), other.root()
        if first is not second:
            second._joined = first
        return first

    def clear(self) -> None:
        """Mark everything on the tape as constant."""
        self.root()._cleared = True

    @property
    def cleared(self) -> bool:
        """Whether a backward has freed the graph."""
        return self.root()._cleared


class _Backward:
    """Counts the calls of ``backward`` under way: gradient hooks run in threads of torch's own."""

    def __init__(self) -> None:
        self.running = 0
        self.lock = threading.Lock()


_backward = _Backward()


@contextmanager
def filling_buffers() -> Iterator[None]:
    """Let ``grad_req='write'`` act: MXNet's backward is under way, not torch's own."""
    with _backward.lock:
        _backward.running += 1
    try:
        yield
    finally:
        with _backward.lock:
            _backward.running -= 1


class _Overwrite:
    """Clears a gradient buffer just before torch adds the whole gradient of one backward to it."""

    def __init__(self, buffer: Tensor) -> None:
        self.buffer = buffer

    def __call__(self, gradient: Tensor) -> None:
        if _backward.running:
            self.buffer.detach().zero_()


def watch(leaf: Tensor, grad_req: str = "write", buffer: Tensor | None = None) -> Any:
    """Make a leaf tensor collect gradients as MXNet's variables do, in ``leaf.grad``.

    ``write``: each ``backward`` replaces the buffer, a leaf it does not reach keeps the old.
    ``add``: gradients add up. ``null``: no gradient at all. ``buffer`` is zeros if not given.
    Gluon's parameters come through here as well. Gives a handle whose ``remove()`` undoes
    ``write``, or None.
    """
    if grad_req not in ("write", "add", "null"):
        raise ValueError(f"grad_req is 'write', 'add' or 'null', not {grad_req!r}")
    if grad_req == "null":
        leaf.requires_grad_(False)
        leaf.grad = None
        return None
    leaf.requires_grad_(True)
    leaf.grad = torch.zeros_like(leaf, requires_grad=False) if buffer is None else buffer
    return leaf.register_hook(_Overwrite(leaf.grad)) if grad_req == "write" else None


@contextmanager
def unrecorded() -> Iterator[None]:
    """Run without grad mode unless inside ``record()``."""
    before = torch.is_grad_enabled()
    if STATE.recording or not before:
        yield
        return
    set_grad_enabled(False)
    try:
        yield
    finally:
        set_grad_enabled(True)
