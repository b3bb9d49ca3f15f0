"""``gluon.utils``: batches over several devices, gradients within a bound, files."""

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from divekit.data.by_url import fetch_url, file_sha1
from divekit.mx import np
from divekit.mx.array import ndarray
from divekit.mx.errors import ShapeError
from divekit.mx.npx.sequences import slice_axis


def split_data(
    data: Any, num_slice: int, batch_axis: int = 0, even_split: bool = True
) -> list[Any]:
    """Cut an array into ``num_slice`` parts along ``batch_axis``.

    Without ``even_split`` the last part may be larger, and of fewer examples than parts each is a
    part of its own; with it both are errors.
    """
    size = data.shape[batch_axis]
    if not even_split:
        num_slice = max(1, min(num_slice, size))
    elif size < num_slice:
        raise ShapeError(
            f"{size} examples cannot be cut into {num_slice} parts; batches are small, and "
            "even_split=False makes fewer parts"
        )
    elif size % num_slice:
        raise ShapeError(
            f"{size} examples cannot be cut into {num_slice} equal parts; even_split=False allows "
            "others"
        )
    step = size // num_slice
    ends = [step * (place + 1) for place in range(num_slice - 1)] + [size]
    starts = [0, *ends[:-1]]
    return [
        slice_axis(data, batch_axis, start, end) for start, end in zip(starts, ends, strict=True)
    ]


def split_and_load(
    data: Any, ctx_list: Sequence[Any], batch_axis: int = 0, even_split: bool = True
) -> list[ndarray]:
    """Cut an array into a part for each device, and move the parts there.

    Without ``even_split`` a batch smaller than the number of devices gives fewer parts.
    """
    array = data if isinstance(data, ndarray) else np.array(data, ctx=ctx_list[0])
    if len(ctx_list) == 1:
        return [array.as_in_ctx(ctx_list[0])]
    parts = split_data(array, len(ctx_list), batch_axis, even_split)
    return [part.as_in_ctx(ctx) for part, ctx in zip(parts, ctx_list, strict=False)]


def clip_global_norm(
    arrays: Sequence[ndarray], max_norm: float, check_isfinite: bool = True
) -> Any:
    """Scale arrays in place so that their common norm is at most ``max_norm``; give what it was.

    A number with ``check_isfinite``, which also warns of a norm that is none; else an array.
    """
    import warnings

    if not arrays:
        raise ValueError("there are no arrays to clip")
    place = arrays[0].tensor.device
    with torch.no_grad():
        norms = [array.tensor.detach().float().norm().to(place) for array in arrays]
        total = torch.stack(norms).norm()
        scale = (max_norm / (total + 1e-8)).clamp(max=1.0)
        for array in arrays:
            array.tensor.mul_(scale.to(array.tensor.device))
    if not check_isfinite:
        return np.array(total)
    if not math.isfinite(total.item()):
        warnings.warn("the gradients' norm is not finite", stacklevel=2)
    return total.item()


def check_sha1(filename: str | os.PathLike[str], sha1_hash: str) -> bool:
    """Tell whether a file has this SHA-1."""
    return file_sha1(Path(filename)) == sha1_hash


def download(
    url: str,
    path: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    sha1_hash: str | None = None,
    retries: int = 5,
    verify_ssl: bool = True,
) -> str:
    """Give the file of an address, downloaded unless it is on this machine; give its path.

    It goes to ``path``, or under the address's last part into that folder, or into the working
    folder. With ``sha1_hash`` it is looked for in ``DIVEKIT_DATA`` too. Connections that fail are
    not tried again and again, and certificates are always checked: the last two arguments are
    there for old code.

    Raises DataNotFoundError and BadDataError as ``divekit.data.by_url.fetch_url`` does.
    """
    name = url.split("/")[-1]
    target = Path(name if path is None else path)
    if target.is_dir():
        target = target / name
    return str(fetch_url(url, target, sha1_hash or None, again=overwrite))
