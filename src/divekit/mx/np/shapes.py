"""Reshaping, joining, splitting and turning arrays."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from divekit.mx.calls import operator
from divekit.mx.errors import NotHereError, ShapeError
from divekit.mx.np.creation import shape_of
from divekit.mx.np.reductions import axes_of


@operator()
def reshape(a: Any, newshape: Any, order: str = "C") -> Tensor:
    """Arrange the elements in another shape; one size may be -1. A view where that is possible."""
    if order != "C":
        raise NotHereError("arrays are stored in C order")
    sizes = (
        tuple(int(size) for size in newshape)
        if isinstance(newshape, list | tuple)
        else (int(newshape),)
    )
    if any(size < -1 for size in sizes):
        raise ValueError(f"newshape {sizes}: the codes below -1 are those of npx.reshape")
    if sizes.count(-1) > 1:
        raise ValueError(f"newshape {sizes} has more than one -1")
    try:
        return a.reshape(sizes)
    except RuntimeError:
        raise ShapeError(
            f"cannot reshape {a.numel()} elements of shape {tuple(a.shape)} into {sizes}"
        ) from None


@operator()
def ravel(a: Any, order: str = "C") -> Tensor:
    """Give all elements as a vector: a view where that is possible."""
    if order != "C":
        raise NotHereError("arrays are stored in C order")
    return a.reshape(-1)


@operator()
def transpose(a: Any, axes: Any = None) -> Tensor:
    """Reorder the axes; without ``axes`` reverse them."""
    if axes is None:
        return a.permute(tuple(reversed(range(a.ndim))))
    order = axes_of(tuple(axes), a.ndim)
    if len(order) != a.ndim:
        raise ValueError(f"axes {tuple(axes)} do not name every axis of {tuple(a.shape)}")
    return a.permute(order)


@operator()
def swapaxes(a: Any, axis1: int, axis2: int) -> Tensor:
    """Exchange two axes."""
    return a.transpose(axes_of(axis1, a.ndim)[0], axes_of(axis2, a.ndim)[0])


@operator()
def moveaxis(a: Any, source: Any, destination: Any) -> Tensor:
    """Move axes to other places; the rest keep their order."""
    return a.movedim(axes_of(source, a.ndim), axes_of(destination, a.ndim))


@operator()
def rollaxis(a: Any, axis: int, start: int = 0) -> Tensor:
    """Move an axis back until it stands before ``start``."""
    place = axes_of(axis, a.ndim)[0]
    before = start + a.ndim if start < 0 else start
    if not 0 <= before <= a.ndim:
        raise ValueError(f"start {start} is out of bounds for an array with {a.ndim} axes")
    return a.movedim(place, before - 1 if place < before else before)


@operator()
def expand_dims(a: Any, axis: Any) -> Tensor:
    """Insert axes of size 1."""
    count = len(axis) if isinstance(axis, list | tuple) else 1
    for place in sorted(axes_of(axis, a.ndim + count)):
        a = a.unsqueeze(place)
    return a


@operator()
def squeeze(a: Any, axis: Any = None) -> Tensor:
    """Take out axes of size 1."""
    if axis is None:
        return a.squeeze()
    axes = axes_of(axis, a.ndim)
    if any(a.shape[place] != 1 for place in axes):
        raise ShapeError(f"squeeze: axis {axis} of shape {tuple(a.shape)} is not of size 1")
    return a.squeeze(axes)


@operator()
def broadcast_to(array: Any, shape: Any) -> Tensor:
    """Repeat along axes of size 1 until the shape is reached."""
    sizes = shape_of(shape)
    try:
        if torch.broadcast_shapes(array.shape, sizes) == torch.Size(sizes):
            return array.broadcast_to(sizes)
    except RuntimeError:
        pass
    raise ShapeError(f"cannot broadcast shape {tuple(array.shape)} to {sizes}")


def broadcast_arrays(*args: Any) -> Any:
    """Broadcast arrays against each other."""
    return _broadcast_arrays(args)


@operator(-1)
def _broadcast_arrays(arrays: Any) -> list[Tensor]:
    return list(torch.broadcast_tensors(*arrays))


def promoted(arrays: Sequence[Tensor]) -> list[Tensor]:
    """Bring tensors to the widest of their types."""
    if not arrays:
        raise ValueError("at least one array is needed")
    common = arrays[0].dtype
    for other in arrays[1:]:
        common = torch.promote_types(common, other.dtype)
    return [one.to(common) for one in arrays]


def _joined(arrays: Sequence[Tensor], axis: Any) -> Tensor:
    if axis is None:
        return torch.cat([one.reshape(-1) for one in promoted(arrays)])
    if any(one.ndim == 0 for one in arrays):
        raise ShapeError("arrays without axes cannot be joined; np.stack makes an axis")
    ndims = {one.ndim for one in arrays}
    place = axes_of(axis, max(ndims))[0]
    rests = {tuple(one.shape[:place]) + tuple(one.shape[place + 1 :]) for one in arrays}
    if len(ndims) > 1 or len(rests) > 1:
        shapes = " and ".join(str(tuple(one.shape)) for one in arrays)
        raise ShapeError(f"shapes {shapes} cannot be joined along axis {axis}")
    return torch.cat(promoted(arrays), place)


@operator(-1)
def concatenate(seq: Any, axis: Any = 0) -> Tensor:
    """Join arrays along an axis they have; with None, all elements in a row."""
    if not seq:
        raise ValueError("at least one array is needed")
    return _joined(seq, axis)


@operator(-1)
def stack(arrays: Any, axis: int = 0) -> Tensor:
    """Join arrays of one shape along a new axis."""
    parts = promoted(arrays)
    if len({one.shape for one in parts}) > 1:
        shapes = " and ".join(str(tuple(one.shape)) for one in parts)
        raise ShapeError(f"stack needs one shape, not {shapes}")
    return torch.stack(parts, axes_of(axis, parts[0].ndim + 1)[0])


@operator(-1)
def vstack(arrays: Any) -> Tensor:
    """Join arrays on top of each other; vectors are rows."""
    return _joined([_at_least(one, 2) for one in arrays], 0)


@operator(-1)
def hstack(arrays: Any) -> Tensor:
    """Join arrays side by side."""
    parts = [_at_least(one, 1) for one in arrays]
    return _joined(parts, 0 if parts and parts[0].ndim == 1 else 1)


@operator(-1)
def dstack(arrays: Any) -> Tensor:
    """Join arrays along a third axis."""
    return _joined([_at_least(one, 3) for one in arrays], 2)


@operator(-1)
def column_stack(tup: Any) -> Tensor:
    """Join vectors as columns, and matrices side by side."""
    return _joined([one.reshape(-1, 1) if one.ndim < 2 else one for one in tup], 1)


def _at_least(a: Tensor, ndim: int) -> Tensor:
    if ndim == 3:
        return torch.atleast_3d(a)
    return torch.atleast_2d(a) if ndim == 2 else torch.atleast_1d(a)


def _spread(ndim: int) -> Any:
    def call(*arys: Any) -> Any:
        results = _all_at_least(arys, ndim=ndim)
        return results[0] if len(arys) == 1 else results

    call.__name__ = call.__qualname__ = f"atleast_{ndim}d"
    call.__doc__ = f"Give arrays with at least {ndim} axes."
    return call


@operator(-1)
def _all_at_least(arrays: Any, ndim: int) -> list[Tensor]:
    return [_at_least(one, ndim) for one in arrays]


atleast_1d, atleast_2d, atleast_3d = _spread(1), _spread(2), _spread(3)


def _pieces(ary: Tensor, indices_or_sections: Any, axis: int, equal: bool) -> list[Tensor]:
    place = axes_of(axis, ary.ndim)[0]
    size = ary.shape[place]
    if isinstance(indices_or_sections, int):
        count = indices_or_sections
        if count < 1 or (equal and size % count):
            raise ValueError(f"an axis of size {size} does not split into {count} equal parts")
        return list(torch.tensor_split(ary, count, place))
    cuts = indices_or_sections
    places = cuts.tolist() if isinstance(cuts, Tensor) else [int(cut) for cut in cuts]
    return list(torch.tensor_split(ary, [int(cut) for cut in places], place))


@operator()
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """Cut along an axis into equal parts, or at the given places; the parts are views."""
    return _pieces(ary, indices_or_sections, axis, equal=True)


@operator()
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """Cut along an axis into parts as equal as may be, or at the given places."""
    return _pieces(ary, indices_or_sections, axis, equal=False)


@operator()
def hsplit(ary: Any, indices_or_sections: Any) -> list[Tensor]:
    """Cut into parts side by side."""
    return _pieces(ary, indices_or_sections, 0 if ary.ndim == 1 else 1, equal=True)


@operator()
def vsplit(ary: Any, indices_or_sections: Any) -> list[Tensor]:
    """Cut into parts on top of each other."""
    if ary.ndim < 2:
        raise ValueError("vsplit needs two axes")
    return _pieces(ary, indices_or_sections, 0, equal=True)


@operator()
def dsplit(ary: Any, indices_or_sections: Any) -> list[Tensor]:
    """Cut along the third axis."""
    if ary.ndim < 3:
        raise ValueError("dsplit needs three axes")
    return _pieces(ary, indices_or_sections, 2, equal=True)


@operator()
def repeat(a: Any, repeats: Any, axis: Any = None) -> Tensor:
    """Repeat each element, along an axis or of all in order."""
    if axis is None:
        a, axis = a.reshape(-1), 0
    place = axes_of(axis, a.ndim)[0]
    counts = (
        repeats if isinstance(repeats, int) else torch.as_tensor(repeats, device=a.device).long()
    )
    if isinstance(counts, Tensor) and counts.ndim and len(counts) == 1:
        counts = int(counts)
    return torch.repeat_interleave(a, counts, place)


@operator()
def tile(A: Any, reps: Any) -> Tensor:
    """Repeat the whole array as often along each axis as ``reps`` says."""
    times = tuple(int(r) for r in reps) if isinstance(reps, list | tuple) else (int(reps),)
    return torch.tile(A, times)


@operator()
def flip(m: Any, axis: Any = None) -> Tensor:
    """Reverse the order along axes, or along all."""
    return torch.flip(m, axes_of(axis, m.ndim))


@operator()
def flipud(m: Any) -> Tensor:
    """Reverse the order along the first axis."""
    return torch.flip(m, axes_of(0, m.ndim))


@operator()
def fliplr(m: Any) -> Tensor:
    """Reverse the order along the second axis."""
    return torch.flip(m, axes_of(1, m.ndim))


@operator()
def rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Tensor:
    """Turn by 90 degrees ``k`` times in the plane of two axes."""
    return torch.rot90(m, k, axes_of(tuple(axes), m.ndim))


@operator()
def roll(a: Any, shift: Any, axis: Any = None) -> Tensor:
    """Move elements along axes; those pushed out come in again at the other end."""
    if axis is None:
        return torch.roll(a, shift)
    axes = axes_of(axis, a.ndim)
    return torch.roll(a, shift if isinstance(shift, list | tuple) else (shift,) * len(axes), axes)


@operator()
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Tensor:
    """Put elements around: a number, the edge again, or the array mirrored (``symmetric`` too)."""
    widths = torch.as_tensor(pad_width).expand(x.ndim, 2).tolist() if x.ndim else []
    if any(width < 0 for pair in widths for width in pair):
        raise ValueError("pad_width is not negative")
    if mode == "constant":
        flat = [width for pair in reversed(widths) for width in pair]
        return F.pad(x, flat, value=constant_values)
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise NotHereError(
            f"pad with mode {mode!r}; there is constant, edge, reflect, symmetric, wrap"
        )
    for axis, (before, after) in enumerate(widths):
        if before or after:
            places = torch.arange(-before, x.shape[axis] + after, device=x.device)
            x = x.index_select(axis, _inside(places, x.shape[axis], mode))
    return x


def _inside(places: Tensor, size: int, mode: str) -> Tensor:
    """Give the places in an axis that stand for places outside of it."""
    if mode == "edge":
        return places.clamp(0, size - 1)
    if mode == "wrap":
        return places % size
    period = max(1, 2 * size - 2) if mode == "reflect" else 2 * size
    folded = places % period
    return torch.where(folded < size, folded, period - folded - int(mode == "symmetric"))
