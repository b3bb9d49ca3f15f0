"""Weights of the networks: from a file of the user's own, since MXNet's are no longer served."""

import os
import re
from pathlib import Path
from typing import Any

from divekit.errors import DataNotFoundError
from divekit.mx.gluon.hybrid import HybridBlock


def with_weights(net: HybridBlock, name: str, pretrained: bool, ctx: Any, root: Any) -> Any:
    """Give the network, with the weights of ``root/name*.params`` if ``pretrained``."""
    if not pretrained:
        return net
    folder = Path(os.path.expanduser("~/.mxnet/models" if root is None else root))
    # MXNet put eight digits of the file's hash behind the name.
    fits = re.compile(re.escape(name) + r"(-[0-9a-f]{8})?(-0000)?\.params")
    found = sorted(f for f in folder.glob(f"{name}*.params") if fits.fullmatch(f.name))
    if not found:
        raise DataNotFoundError(
            f"the weights of {name} are not in {folder}: MXNet's server is gone. Put {name}.params "
            "there or name its folder with root=, or train with pretrained=False; "
            "torchvision.models has such networks with weights"
        )
    net.load_parameters(found[0], ctx=ctx)
    return net
