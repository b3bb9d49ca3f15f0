"""MXNet 1.7's NumPy-style front end on PyTorch, so that the book's own code runs.

``from divekit.mx import np, npx, autograd`` gives it under its own name; after
``divekit.mx.install()`` so does ``from mxnet import np, npx, autograd``.
"""

import importlib
from typing import TYPE_CHECKING, Any

from divekit.mx import arithmetic as _arithmetic  # noqa: F401  (attaches the operators)
from divekit.mx import methods as _methods  # noqa: F401
from divekit.mx.context import (
    Context,
    cpu,
    cpu_pinned,
    current_context,
    gpu,
    gpu_memory_info,
    num_gpus,
)
from divekit.mx.errors import MXNetError
from divekit.mx.errors import no_attribute as _no_attribute
from divekit.mx.installing import install

if TYPE_CHECKING:
    from divekit.mx import (
        autograd,
        gluon,
        image,
        initializer,
        kvstore,
        lr_scheduler,
        metric,
        nd,
        np,
        npx,
        optimizer,
        random,
    )
    from divekit.mx import initializer as init

__version__ = "1.7.0"

# Parts that are loaded when they are first used, and MXNet's other names for them.
PARTS = {
    "autograd": "autograd",
    "gluon": "gluon",
    "image": "image",
    "img": "image",
    "init": "initializer",
    "initializer": "initializer",
    "kv": "kvstore",
    "kvstore": "kvstore",
    "lr_scheduler": "lr_scheduler",
    "metric": "metric",
    "nd": "nd",
    "ndarray": "nd",
    "np": "np",
    "numpy": "np",
    "npx": "npx",
    "opt": "optimizer",
    "optimizer": "optimizer",
    "numpy_extension": "npx",
    "random": "random",
}

# Parts of MXNet that are missing, and PyTorch's way.
_ELSEWHERE = {
    "sym": "the arrays themselves: torch computes at once, and torch.export.export writes graphs",
    "mod": "gluon's blocks, or torch.nn.Module, and a loop of your own",
    "model": "gluon's blocks, or torch.nn.Module, and a loop of your own",
    "io": "gluon.data.DataLoader, or torch.utils.data.DataLoader",
    "recordio": "gluon.data.vision.ImageFolderDataset, or torch.utils.data.IterableDataset",
    "rnn": "gluon.rnn, or torch.nn.RNN, GRU and LSTM",
    "viz": "print(net), net.summary(x)",
    "callback": "a call in the loop that trains",
    "monitor": "torch.nn.Module.register_forward_hook on net.module",
    "profiler": "torch.profiler",
    "onnx": "torch.onnx.export of net.module",
    "contrib": "torch, torchvision and their kind: what was tried out in MXNet's contrib is there",
    "executor": "calling the block",
    "library": "torch.library",
    "rtc": "torch.cuda.jiterator, or Triton",
}
_ELSEWHERE |= {
    "symbol": _ELSEWHERE["sym"],
    "module": _ELSEWHERE["mod"],
    "visualization": _ELSEWHERE["viz"],
}

__all__ = [
    "Context",
    "MXNetError",
    "autograd",
    "cpu",
    "cpu_pinned",
    "current_context",
    "gluon",
    "gpu",
    "gpu_memory_info",
    "image",
    "init",
    "initializer",
    "install",
    "kvstore",
    "lr_scheduler",
    "metric",
    "nd",
    "np",
    "npx",
    "num_gpus",
    "optimizer",
    "random",
]


def __getattr__(name: str) -> Any:
    if name in PARTS:
        return importlib.import_module(f"divekit.mx.{PARTS[name]}")
    raise _no_attribute("mxnet", name, _ELSEWHERE.get(name))
