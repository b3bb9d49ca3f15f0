"""``mx.optimizer``: how weights change, by MXNet's names and hyperparameters."""

from typing import Any

from divekit.mx.errors import MissingNameError
from divekit.mx.optimizer.adaptive import (
    FTML,
    LAMB,
    AdaDelta,
    AdaGrad,
    Adam,
    Adamax,
    AdamW,
    Ftrl,
    Nadam,
    RMSProp,
)
from divekit.mx.optimizer.base import Optimizer, Updater, create, get_updater, register
from divekit.mx.optimizer.momentum import NAG, SGD, SGLD, Signum

__all__ = [
    "FTML",
    "LAMB",
    "NAG",
    "SGD",
    "SGLD",
    "AdaDelta",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Nadam",
    "Optimizer",
    "RMSProp",
    "Signum",
    "Updater",
    "create",
    "get_updater",
    "register",
]

_ELSEWHERE = {"DCASGD": "SGD", "LARS": "LAMB", "LBSGD": "LAMB"}


def __getattr__(name: str) -> Any:
    if name in _ELSEWHERE:
        raise MissingNameError(
            f"optimizer.{name} is not part of divekit.mx; near to it is {_ELSEWHERE[name]}"
        )
    raise AttributeError(f"module 'mxnet.optimizer' has no attribute {name!r}")
