"""What ``divekit doctor`` says: versions, devices, precision, threads, caches, what to mend."""

import importlib.metadata
import os
import platform
import sys
from typing import Any

from divekit import __version__
from divekit.data.hub import cache_folder, data_folders, offline
from divekit.train import keep_memory

# What each extra brings, by the name under which it is installed.
EXTRAS = {
    "plot": ("matplotlib",),
    "data": ("pandas", "pillow", "scikit-learn"),
    "export": ("onnx", "onnxscript", "onnxruntime"),
    "book": ("d2l", "ipython", "ipykernel", "nbclient", "markdown-it-py"),
    "notebook": ("jupytext", "nbclient", "ipykernel", "jupyterlab"),
}


def examine() -> dict[str, Any]:
    """Look at this machine; ``mend`` lists what is wrong, with the command that mends it."""
    import torch

    mend = []
    extras = {}
    for extra, packages in EXTRAS.items():
        missing = [package for package in packages if _version(package) is None]
        extras[extra] = "installed" if not missing else f"without {', '.join(missing)}"
        if missing:
            mend.append(f"pip install 'divekit[{extra}]'  (for {', '.join(missing)})")
    folders = {}
    for folder in data_folders():
        folders[str(folder)] = "found" if folder.is_dir() else "not there"
        if not folder.is_dir():
            mend.append(f"DIVEKIT_DATA names {folder}, which is not a folder")
    cache = cache_folder()
    if not _writable(cache):
        mend.append(f"the cache {cache} cannot be written; set DIVEKIT_HOME to a folder of yours")
    return {
        "divekit": __version__,
        "python": f"{platform.python_version()} ({sys.platform}, {platform.machine()})",
        "torch": torch.__version__,
        "packages": {
            package: _version(package) or "not installed"
            for package in ("numpy", "safetensors", "matplotlib", "pandas", "scikit-learn")
        },
        "device": _devices(),
        "precision": _precisions(),
        "threads": f"{torch.get_num_threads()} of {os.cpu_count()} processors",
        "memory": "freed memory is kept" if keep_memory() else "the allocator's default",
        "extras": extras,
        "data": folders or "DIVEKIT_DATA is not set",
        "cache": f"{cache} ({'there' if cache.is_dir() else 'empty'})",
        "network": "off (DIVEKIT_OFFLINE)" if offline() else "used for data that are not here",
        "mend": mend or "nothing",
    }


def _devices() -> list[str]:
    import torch

    from divekit.train import available_devices

    return [
        f"{device} {torch.cuda.get_device_name(device)}" if device.type == "cuda" else str(device)
        for device in available_devices()
    ]


def _precisions() -> str:
    import torch

    if torch.cuda.is_available():
        fast = torch.cuda.is_bf16_supported()
    else:
        fast = bool(getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)())
    return "fp32; bf16 in hardware" if fast else "fp32; bf16 would be emulated, and slow"


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _writable(folder: Any) -> bool:
    while not folder.exists():
        folder = folder.parent
    return os.access(folder, os.W_OK)
