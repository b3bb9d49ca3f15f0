"""Where to compute: which devices there are, and which one is meant.

Book: 5.6 GPUs
"""

import torch

from divekit.errors import UsageError


def available_devices() -> list[torch.device]:
    """Give the devices of this machine: NVIDIA's or AMD's GPUs, Apple's, and the CPU at the end."""
    found = [torch.device("cuda", index) for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append(torch.device("mps"))
    return [*found, torch.device("cpu")]


def pick_device(device: str | torch.device = "auto") -> torch.device:
    """Turn ``auto`` into CUDA, else MPS, else the CPU; check that a named device is there.

    A device that is named and missing is a UsageError: a run that was meant for a GPU should not
    go on for days without one.
    """
    if device == "auto":
        # By its kind: which of several GPUs is current, torch knows.
        return torch.device(available_devices()[0].type)
    try:
        chosen = torch.device(device)
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"device {device!r} cannot be used: {reason}") from None
    return chosen
