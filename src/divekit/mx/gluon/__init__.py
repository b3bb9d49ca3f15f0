"""``mx.gluon``: networks, and what trains with them."""

import importlib
from typing import TYPE_CHECKING, Any

from divekit.mx.errors import no_attribute as _no_attribute
from divekit.mx.gluon import nn
from divekit.mx.gluon.block import Block
from divekit.mx.gluon.constant import Constant
from divekit.mx.gluon.hybrid import HybridBlock, SymbolBlock
from divekit.mx.gluon.parameter import DeferredInitializationError, Parameter
from divekit.mx.gluon.parameter_dict import ParameterDict

if TYPE_CHECKING:
    from divekit.mx import metric
    from divekit.mx.gluon import data, loss, model_zoo, rnn, utils
    from divekit.mx.gluon.trainer import Trainer

__all__ = [
    "Block",
    "Constant",
    "DeferredInitializationError",
    "HybridBlock",
    "Parameter",
    "ParameterDict",
    "SymbolBlock",
    "Trainer",
    "data",
    "loss",
    "metric",
    "model_zoo",
    "nn",
    "rnn",
    "utils",
]


def __getattr__(name: str) -> Any:
    if name == "Trainer":
        return importlib.import_module("divekit.mx.gluon.trainer").Trainer
    if name == "metric":  # where MXNet 2 has it
        return importlib.import_module("divekit.mx.metric")
    if name in ("data", "loss", "model_zoo", "rnn", "utils"):
        return importlib.import_module(f"divekit.mx.gluon.{name}")
    instead = "gluon.nn and gluon.rnn, or torch.nn" if name == "contrib" else None
    raise _no_attribute("mxnet.gluon", name, instead)
