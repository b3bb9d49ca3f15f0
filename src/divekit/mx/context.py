"""Where arrays live: ``cpu()``, ``gpu(i)``, and GPUs that are only pretended.

Virtual GPUs let code for several devices run on a machine that has fewer: arrays carry the name
``gpu(1)``, their numbers are in main memory, and mixing devices is the error it would be.
"""

import threading
from types import TracebackType
from typing import Any

import torch

from divekit.mx.errors import MXNetError

_KINDS = {1: "cpu", 2: "gpu", 3: "cpu_pinned", 5: "cpu_shared"}
_NUMBERS = {name: number for number, name in _KINDS.items()}


class _Defaults(threading.local):
    def __init__(self) -> None:
        self.stack: list[Context] = []


_defaults = _Defaults()
_virtual_gpus = 0


class Context:
    """A device by kind and number; ``with gpu(1):`` makes it the default for new arrays."""

    devtype2str = _KINDS
    devstr2type = _NUMBERS
    __slots__ = ("device_id", "device_type", "device_typeid")

    def __init__(self, device_type: Any, device_id: int = 0) -> None:
        if isinstance(device_type, Context):
            device_type, device_id = device_type.device_type, device_type.device_id
        if device_type not in _NUMBERS:
            raise MXNetError(f"no kind of device is called {device_type!r}; there is cpu and gpu")
        self.device_type: str = device_type
        self.device_id = int(device_id)
        self.device_typeid = _NUMBERS[device_type]

    @property
    def is_virtual(self) -> bool:
        """Whether this names a GPU that is only pretended."""
        return self.device_type == "gpu" and self.device_id < _virtual_gpus

    def place(self) -> torch.device:
        """Give torch's device, or say that there is none."""
        if self.device_type != "gpu" or self.is_virtual:
            return torch.device("cpu")
        if self.device_id >= torch.cuda.device_count():
            raise MXNetError(
                f"{self} is not there: this machine has {torch.cuda.device_count()} GPUs; "
                f"`divekit run --virtual-gpus {self.device_id + 1}` pretends"
            )
        return torch.device("cuda", self.device_id)

    def empty_cache(self) -> None:
        """Hand unused GPU memory back."""
        if self.device_type == "gpu" and not self.is_virtual:
            torch.cuda.empty_cache()

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Context)
            and self.device_typeid == other.device_typeid
            and self.device_id == other.device_id
        )

    def __hash__(self) -> int:
        return hash((self.device_typeid, self.device_id))

    def __repr__(self) -> str:
        return f"{self.device_type}({self.device_id})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Context, (self.device_type, self.device_id)

    def __enter__(self) -> "Context":
        _defaults.stack.append(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _defaults.stack.pop()


CPU = Context("cpu")
"""The main memory; one object, so that look-ups by device are quick."""


def cpu(device_id: int = 0) -> Context:
    """Name the main memory; every number is the same one."""
    return Context("cpu", device_id) if device_id else CPU


def cpu_pinned(device_id: int = 0) -> Context:
    """Name page-locked memory; here it is the main memory."""
    return Context("cpu_pinned", device_id)


def gpu(device_id: int = 0) -> Context:
    """Name GPU ``device_id``, whether it is there or not; ``num_gpus`` says how many are."""
    return Context("gpu", device_id)


def num_gpus() -> int:
    """Count the GPUs, the pretended ones if there are any."""
    return _virtual_gpus or torch.cuda.device_count()


def set_virtual_gpus(count: int) -> None:
    """Pretend that there are ``count`` GPUs, with main memory behind them; 0 ends it."""
    global _virtual_gpus
    if count < 0:
        raise MXNetError(f"there cannot be {count} GPUs")
    _virtual_gpus = count


def gpu_memory_info(device_id: int = 0) -> tuple[int, int]:
    """Give (free, total) bytes of a GPU."""
    device = gpu(device_id).place()
    if device.type == "cpu":
        raise MXNetError(f"gpu({device_id}) is virtual and has no memory of its own")
    free, total = torch.cuda.mem_get_info(device)
    return int(free), int(total)


def current_context() -> Context:
    """Give the device on which new arrays are made."""
    return _defaults.stack[-1] if _defaults.stack else CPU


def as_context(given: Any) -> Context:
    """Read a device given as a Context or as torch's device; None is the current one."""
    if given is None:
        return current_context()
    if isinstance(given, Context):
        return given
    if isinstance(given, torch.device):
        return context_of(given)
    raise TypeError(f"a device is npx.cpu() or npx.gpu(i), not {given!r}")


def context_of(device: torch.device) -> Context:
    """Give the Context of torch's device."""
    if device.type == "cpu":
        return CPU
    if device.type != "cuda":
        raise MXNetError(f"arrays live on the CPU or on CUDA's GPUs, not on {device}")
    return Context("gpu", device.index or 0)


def synchronize() -> None:
    """Wait until every GPU has done what it was asked."""
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        for number in range(torch.cuda.device_count()):
            torch.cuda.synchronize(number)
