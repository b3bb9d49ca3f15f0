"""``mx.optimizer``: how weights change, by MXNet's names and hyperparameters."""

from typing import Any

from divekit.mx.errors import no_attribute
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
    raise no_attribute("mxnet.optimizer", name, _ELSEWHERE.get(name))
