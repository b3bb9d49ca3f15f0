"""The book's package ``d2l``, of release 0.16: chapters 2 to 7 in both editions.

``from divekit.d2l import mxnet as d2l`` works with arrays of ``divekit.mx`` and Gluon's nets,
``from divekit.d2l import torch as d2l`` with tensors and modules. Old programs keep their own
imports: ``divekit run FILE`` and ``divekit.mx.install()`` answer for ``d2l``. Names of later
chapters come from an installed ``d2l`` (the extra ``book``), running on divekit.

New code has better places to go: ``divekit info d2l.train_ch6`` names them.
"""

from typing import Any

__version__ = "0.16.6"


def __getattr__(name: str) -> Any:
    from divekit.d2l.homes import ALIASES, HOMES

    missing = f"module 'd2l' has no attribute {name!r}"
    if name in HOMES or name in ALIASES:
        missing += "; its editions have it: from d2l import torch as d2l, or mxnet as d2l"
    raise AttributeError(missing)
