"""Picking, masking and arranging: what MXNet adds to NumPy for batches and sequences."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from divekit.mx.calls import operator
from divekit.mx.dtypes import torch_dtype
from divekit.mx.errors import NotHereError, ShapeError
from divekit.mx.np.reductions import axes_of


@operator()
def one_hot(
    data: Any, depth: int, on_value: float = 1.0, off_value: float = 0.0, dtype: Any = "float32"
) -> Tensor:
    """Turn places into rows with one ``on_value``; a place beyond the row gives none."""
    kind = torch_dtype(dtype)
    chosen = data.long().unsqueeze(-1) == torch.arange(int(depth), device=data.device)
    on, off = (
        torch.tensor(value, dtype=kind, device=data.device) for value in (on_value, off_value)
    )
    return torch.where(chosen, on, off)


@operator(2)
def pick(
    data: Any, index: Any, axis: Any = -1, mode: str = "clip", keepdims: bool = False
) -> Tensor:
    """Pick one element of each row along an axis; places beyond the ends are clipped or wrapped."""
    place = axes_of(axis, data.ndim)[0]
    size, wanted = data.shape[place], index.long()
    wanted = wanted if wanted.ndim == data.ndim else wanted.unsqueeze(place)
    if mode not in ("clip", "wrap"):
        raise ValueError(f"mode is 'clip' or 'wrap', not {mode!r}")
    wanted = wanted.clamp(0, size - 1) if mode == "clip" else wanted % size
    picked = torch.take_along_dim(data, wanted, place)
    return picked if keepdims else picked.squeeze(place)


@operator()
def topk(
    data: Any,
    axis: Any = -1,
    k: int = 1,
    ret_typ: str = "indices",
    is_ascend: bool = False,
    dtype: Any = "float32",
) -> Any:
    """Give the ``k`` largest (or smallest) along an axis: their places, values, both, or a mask."""
    numbers, place = (data.reshape(-1), 0) if axis is None else (data, axes_of(axis, data.ndim)[0])
    count = numbers.shape[place] if k < 1 else k
    if count > numbers.shape[place]:
        raise ValueError(f"k is {k}, but the axis has {numbers.shape[place]} elements")
    # Stable, so that of equal elements the first comes first, as MXNet has it.
    found = torch.sort(numbers, dim=place, descending=not is_ascend, stable=True)
    values = found.values.narrow(place, 0, count)
    places = found.indices.narrow(place, 0, count)
    if ret_typ == "mask":
        mask = torch.zeros_like(numbers).scatter(place, places, 1)
        return mask.reshape(data.shape)
    results = {
        "indices": places.to(torch_dtype(dtype)),
        "value": values,
        "both": (values, places.to(torch_dtype(dtype))),
    }
    if ret_typ not in results:
        raise ValueError(f"ret_typ is indices, value, both or mask, not {ret_typ!r}")
    return results[ret_typ]


@operator(2)
def batch_dot(a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False) -> Tensor:
    """Multiply matrices pairwise: (B, n, k) and (B, k, m) give (B, n, m)."""
    left = a.transpose(-1, -2) if transpose_a else a
    right = b.transpose(-1, -2) if transpose_b else b
    fits = a.ndim >= 3 and a.ndim == b.ndim and left.shape[:-2] == right.shape[:-2]
    if not fits or left.shape[-1] != right.shape[-2]:
        raise ShapeError(
            f"batch_dot: {tuple(left.shape)} and {tuple(right.shape)} do not fit together"
        )
    common = torch.promote_types(left.dtype, right.dtype)
    return left.to(common) @ right.to(common)


@operator()
def sequence_mask(
    data: Any,
    sequence_length: Any = None,
    use_sequence_length: bool = False,
    value: float = 0.0,
    axis: int = 0,
) -> Tensor:
    """Set what lies beyond each example's length to ``value``.

    ``axis`` (0 or 1) is time, the other of the first two axes the batch.
    """
    if not _uses_lengths(sequence_length, use_sequence_length):
        return data.clone()
    lengths = _lengths(data, sequence_length, axis)
    return torch.where(_within(data, lengths, axis), data, torch.full_like(data, value))


def _uses_lengths(sequence_length: Any, use_sequence_length: bool) -> bool:
    if use_sequence_length and sequence_length is None:
        raise ValueError("use_sequence_length needs sequence_length")
    if sequence_length is not None and not use_sequence_length:
        raise ValueError("sequence_length is only used with use_sequence_length=True")
    return use_sequence_length


def _lengths(data: Tensor, sequence_length: Any, axis: int) -> Tensor:
    if axis not in (0, 1) or data.ndim < 2:
        raise ValueError(f"axis is 0 or 1 of at least two, not {axis} of {tuple(data.shape)}")
    lengths = torch.as_tensor(sequence_length, device=data.device)
    if tuple(lengths.shape) != (data.shape[1 - axis],):
        raise ShapeError(
            f"{tuple(lengths.shape)} lengths for {tuple(data.shape)}, time on axis {axis}"
        )
    return lengths


def _within(data: Tensor, lengths: Tensor, axis: int) -> Tensor:
    steps = torch.arange(data.shape[axis], device=data.device)
    inside = steps[:, None] < lengths if axis == 0 else steps < lengths[:, None]
    return inside.reshape(*inside.shape, *[1] * (data.ndim - 2))


@operator()
def sequence_last(
    data: Any, sequence_length: Any = None, use_sequence_length: bool = False, axis: int = 0
) -> Tensor:
    """Give each example's last step."""
    if not _uses_lengths(sequence_length, use_sequence_length):
        return data.select(axis, data.shape[axis] - 1)
    lengths = _lengths(data, sequence_length, axis).long()
    rows = torch.arange(data.shape[1 - axis], device=data.device)
    return data[lengths - 1, rows] if axis == 0 else data[rows, lengths - 1]


@operator()
def sequence_reverse(
    data: Any, sequence_length: Any = None, use_sequence_length: bool = False, axis: int = 0
) -> Tensor:
    """Reverse each example's steps up to its length."""
    if axis != 0:
        raise ValueError("sequence_reverse has time on axis 0")
    if not _uses_lengths(sequence_length, use_sequence_length):
        return data.flip(0)
    lengths = _lengths(data, sequence_length, 0).long()
    steps = torch.arange(data.shape[0], device=data.device)[:, None]
    places = torch.where(steps < lengths, lengths - 1 - steps, steps)
    return data[places, torch.arange(data.shape[1], device=data.device)]


@operator(2)
def embedding(
    data: Any,
    weight: Any,
    input_dim: int | None = None,
    output_dim: int | None = None,
    dtype: Any = "float32",
    sparse_grad: bool = False,
) -> Tensor:
    """Give the row of ``weight`` for each place in ``data``."""
    if tuple(weight.shape) != (input_dim or weight.shape[0], output_dim or weight.shape[1]):
        raise ShapeError(f"weight is {tuple(weight.shape)}, not {(input_dim, output_dim)}")
    if sparse_grad:
        raise NotHereError("sparse_grad: gradients are dense; torch.nn.Embedding(sparse=True)")
    if torch_dtype(dtype) is not weight.dtype:
        raise ValueError(f"dtype is {dtype}, weight holds {weight.dtype}")
    return F.embedding(data.long(), weight)


@operator(2)
def gather_nd(data: Any, indices: Any) -> Tensor:
    """Pick the elements whose places are the columns of ``indices``."""
    return data[tuple(indices.long())]


@operator()
def batch_flatten(data: Any) -> Tensor:
    """Make one axis of all but the first."""
    return data.reshape(data.shape[0], -1)


@operator(2)
def reshape_like(lhs: Any, rhs: Any) -> Tensor:
    """Arrange the elements in another array's shape."""
    return lhs.reshape(rhs.shape)


@operator(2)
def broadcast_like(lhs: Any, rhs: Any) -> Tensor:
    """Broadcast to another array's shape."""
    return lhs.broadcast_to(rhs.shape)


@operator()
def arange_like(
    data: Any, start: float = 0.0, step: float = 1.0, repeat: int = 1, axis: Any = None
) -> Tensor:
    """Count through an axis, or through all elements, of another array."""
    if repeat != 1:
        raise NotHereError("arange_like with repeat; np.repeat(np.arange(...), n)")
    count = data.numel() if axis is None else data.shape[axes_of(axis, data.ndim)[0]]
    kind = data.dtype if data.is_floating_point() else torch.float32
    counted = start + step * torch.arange(count, device=data.device, dtype=kind)
    return counted.reshape(data.shape) if axis is None else counted


@operator()
def slice_axis(data: Any, axis: int, begin: int, end: int | None) -> Tensor:
    """Give the part of an axis from ``begin`` up to ``end``."""
    place = axes_of(axis, data.ndim)[0]
    return data[(slice(None),) * place + (slice(begin, end),)]


@operator()
def l2_normalization(data: Any, eps: float = 1e-10, mode: str = "instance") -> Tensor:
    """Divide by the length: of each example, of each place's channels, or of each channel."""
    axes = {
        "instance": tuple(range(1, data.ndim)),
        "channel": (1,),
        "spatial": tuple(range(2, data.ndim)),
    }
    if mode not in axes:
        raise ValueError(f"mode is {', '.join(axes)}, not {mode!r}")
    return data / ((data**2).sum(axes[mode], keepdim=True) + eps).sqrt()


@operator()
def reshape(a: Any, newshape: Any, reverse: bool = False, order: str = "C") -> Tensor:
    """Reshape with MXNet's codes.

    -1 is worked out; -2 copies this axis; -3 leaves out an axis of size 1; -4 copies all axes that
    are left; -5 makes one axis of two; -6 splits an axis into the two sizes that follow.
    ``reverse`` reads shape and codes from the right.
    """
    if order != "C":
        raise NotHereError("arrays are stored in C order")
    codes = [newshape] if isinstance(newshape, int) else [int(code) for code in newshape]
    sizes = list(a.shape)
    if reverse:
        return a.reshape(_resolved(sizes[::-1], _reversed(codes))[::-1])
    return a.reshape(_resolved(sizes, codes))


def _reversed(codes: list[int]) -> list[int]:
    """Reverse codes; -6 stays in front of its two sizes, which are reversed as well."""
    pieces, at = [], 0
    while at < len(codes):
        width = 3 if codes[at] == -6 else 1
        piece = codes[at : at + width]
        pieces.append([piece[0], *piece[:0:-1]])
        at += width
    return [code for piece in reversed(pieces) for code in piece]


def _resolved(sizes: list[int], codes: list[int]) -> list[int]:
    """Turn codes into sizes; at most one -1 is left for torch."""
    result: list[int] = []
    axis = at = 0

    def take(code: int) -> int:
        nonlocal axis
        if axis >= len(sizes):
            raise ShapeError(f"code {code} finds no axis left in shape {tuple(sizes)}")
        axis += 1
        return sizes[axis - 1]

    while at < len(codes):
        code = codes[at]
        at += 1
        if code == -2:
            result.append(take(code))
        elif code == -3:
            if take(code) != 1:
                raise ShapeError(f"code -3 leaves out an axis of size 1, not of {sizes[axis - 1]}")
        elif code == -4:
            result += sizes[axis:]
            axis = len(sizes)
        elif code == -5:
            result.append(take(code) * take(code))
        elif code == -6:
            whole, parts = take(code), codes[at : at + 2]
            at += 2
            if len(parts) < 2 or parts.count(-1) > 1:
                raise ShapeError("code -6 is followed by two sizes, at most one of them -1")
            known = -parts[0] * parts[1]
            parts = (
                [whole // known if part == -1 else part for part in parts] if -1 in parts else parts
            )
            if parts[0] * parts[1] != whole:
                raise ShapeError(f"code -6 cannot split an axis of size {whole} into {parts}")
            result += parts
        elif code >= -1:
            result.append(code)
            axis += 1
        else:
            raise ShapeError(f"{code} is no code of npx.reshape")
    return result
