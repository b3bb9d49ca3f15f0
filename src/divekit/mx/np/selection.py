"""Sorting, searching and picking elements."""

from typing import Any

import torch
from torch import Tensor

from divekit.mx.calls import as_operand, operator
from divekit.mx.np.reductions import axes_of
from divekit.mx.np.shapes import promoted


def _on_axis(a: Tensor, axis: Any) -> tuple[Tensor, int]:
    return (a.reshape(-1), 0) if axis is None else (a, axes_of(axis, a.ndim)[0])


@operator()
def sort(a: Any, axis: Any = -1) -> Tensor:
    """Give the elements in rising order along an axis; nan comes last."""
    a, place = _on_axis(a, axis)
    return torch.sort(a, dim=place, stable=True).values


@operator()
def argsort(a: Any, axis: Any = -1) -> Tensor:
    """Give the places of the elements in rising order, int64; equal elements keep theirs."""
    a, place = _on_axis(a, axis)
    return torch.sort(a, dim=place, stable=True).indices


@operator()
def nonzero(a: Any) -> tuple[Tensor, ...]:
    """Give, for each axis, the places of the elements that are not zero."""
    return torch.atleast_1d(a).nonzero(as_tuple=True)


@operator()
def argwhere(a: Any) -> Tensor:
    """Give the places of the elements that are not zero, one row each."""
    return torch.nonzero(a)


@operator()
def flatnonzero(a: Any) -> Tensor:
    """Give the places of the elements that are not zero, counted over all axes."""
    return a.reshape(-1).nonzero().reshape(-1)


@operator(2)
def take(a: Any, indices: Any, axis: Any = None, mode: str = "raise") -> Tensor:
    """Pick slices along an axis; ``mode`` says what is done beyond the ends: raise, clip, wrap."""
    a, place = _on_axis(a, axis)
    size, wanted = a.shape[place], indices.long()
    if mode == "clip":
        wanted = wanted.clamp(0, size - 1)
    elif mode == "wrap":
        wanted = wanted % size
    elif mode != "raise":
        raise ValueError(f"mode is 'raise', 'clip' or 'wrap', not {mode!r}")
    elif wanted.numel() and not bool(((wanted >= -size) & (wanted < size)).all()):
        raise IndexError(f"an index is out of bounds for an axis of size {size}")
    wanted = torch.where(wanted < 0, wanted + size, wanted)
    shape = (*a.shape[:place], *wanted.shape, *a.shape[place + 1 :])
    return a.index_select(place, wanted.reshape(-1)).reshape(shape)


@operator(2)
def take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Tensor:
    """Pick along an axis, in each row by its own indices."""
    arr, place = _on_axis(arr, axis)
    size = arr.shape[place]
    wanted = indices.long()
    wanted = torch.where(wanted < 0, wanted + size, wanted)
    return torch.take_along_dim(arr, wanted, place)


@operator(2)
def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Tensor:
    """Give the places at which ``v`` would go into the sorted ``a``."""
    if sorter is not None:
        a = a[as_operand(sorter)]
    a, v = promoted([a, v])
    return torch.searchsorted(a.contiguous(), v.contiguous(), side=side)


@operator(2)
def digitize(x: Any, bins: Any, right: bool = False) -> Tensor:
    """Give for each number the interval between ``bins`` that it falls into."""
    x, bins = promoted([x, bins])
    # In falling bins the count runs from the other end.
    falling = len(bins) > 1 and bool(bins[0] > bins[-1])
    edges = bins.flip(0) if falling else bins
    found = torch.searchsorted(edges.contiguous(), x.contiguous(), right=not right)
    return len(bins) - found if falling else found


@operator()
def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Tensor:
    """Count how often 0, 1, 2, ... occur, or sum their weights."""
    if x.is_floating_point():
        raise TypeError("bincount counts integers")
    return torch.bincount(x, weights, minlength)


@operator()
def unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: Any = None,
) -> Any:
    """Give the elements that occur, sorted; on request first places, numbering and counts too."""
    flat, place = _on_axis(ar, axis)
    values, inverse, counts = torch.unique(
        flat, True, True, True, dim=None if axis is None else place
    )
    inverse = inverse.reshape(-1)
    results = [values]
    if return_index:
        places = torch.arange(len(inverse), device=ar.device)
        first = torch.full((len(counts),), len(inverse), device=ar.device)
        results.append(first.scatter_reduce(0, inverse, places, "amin"))
    results += [inverse] if return_inverse else []
    results += [counts] if return_counts else []
    return tuple(results) if len(results) > 1 else values


@operator()
def diff(a: Any, n: int = 1, axis: int = -1) -> Tensor:
    """Give the differences of neighbours along an axis, ``n`` times over."""
    return torch.diff(a, n, axes_of(axis, a.ndim)[0])


@operator()
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Tensor:
    """Give the differences of neighbours of all elements, between what is asked for at the ends."""
    ends = [None if end is None else torch.as_tensor(end).reshape(-1) for end in (to_begin, to_end)]
    parts = [ends[0], torch.diff(ary.reshape(-1)), ends[1]]
    return torch.cat([part.to(ary) for part in parts if part is not None])


@operator()
def delete(arr: Any, obj: Any, axis: Any = None) -> Tensor:
    """Leave out the slices at the given places."""
    arr, place = _on_axis(arr, axis)
    size = arr.shape[place]
    keep = torch.ones(size, dtype=torch.bool, device=arr.device)
    keep[obj if isinstance(obj, slice | int) else _places(obj, size)] = False
    return arr.index_select(place, keep.nonzero().reshape(-1))


def _places(obj: Any, size: int) -> Tensor:
    places = torch.as_tensor(obj)
    return places if places.dtype is torch.bool else places.long()


@operator()
def insert(arr: Any, obj: Any, values: Any, axis: Any = None) -> Tensor:
    """Put a value or a slice before the given place or places."""
    arr, place = _on_axis(arr, axis)
    size = arr.shape[place]
    where = (
        torch.arange(size, device=arr.device)[obj]
        if isinstance(obj, slice)
        else torch.as_tensor(obj)
    )
    single, where = where.ndim == 0, where.reshape(-1).long()
    if where.numel() and not bool(((where >= -size) & (where <= size)).all()):
        raise IndexError(f"a place is out of bounds for an axis of size {size}")
    where = torch.where(where < 0, where + size, where)
    new = torch.as_tensor(values, device=arr.device).to(arr.dtype)
    count = where.numel()
    if single:  # one place for one slice, or for several, which lie along the value's first axis
        new = new.reshape([1] * (arr.ndim - new.ndim) + list(new.shape)).movedim(0, place)
        count = new.shape[place]
    shape = [*arr.shape[:place], count, *arr.shape[place + 1 :]]
    where = where.expand(count) if single else where
    both = torch.cat([arr, new.expand(shape)], place)
    # A stable sort by place, the new slices before the old ones.
    keys = torch.cat([2 * torch.arange(size, device=arr.device) + 1, 2 * where])
    return both.index_select(place, torch.argsort(keys, stable=True))


@operator(2)
def append(arr: Any, values: Any, axis: Any = None) -> Tensor:
    """Join values to the end."""
    if axis is None:
        return torch.cat(promoted([arr.reshape(-1), values.reshape(-1)]))
    return torch.cat(promoted([arr, values]), axes_of(axis, arr.ndim)[0])


@operator()
def unravel_index(indices: Any, shape: Any) -> Tensor:
    """Give the place along each axis of elements counted over all axes, one row per axis."""
    return torch.stack(torch.unravel_index(indices.long(), tuple(shape)))


@operator()
def tril(m: Any, k: int = 0) -> Tensor:
    """Set what is above diagonal ``k`` to zero."""
    return torch.tril(m, k)


@operator()
def triu(m: Any, k: int = 0) -> Tensor:
    """Set what is below diagonal ``k`` to zero."""
    return torch.triu(m, k)


@operator()
def diag(v: Any, k: int = 0) -> Tensor:
    """Make a matrix with a vector on diagonal ``k``, or give a matrix's diagonal."""
    if v.ndim not in (1, 2):
        raise ValueError(f"diag takes a vector or a matrix, not an array with {v.ndim} axes")
    return torch.diag(v, k)


@operator()
def diagflat(v: Any, k: int = 0) -> Tensor:
    """Make a matrix with all elements on diagonal ``k``."""
    return torch.diagflat(v, k)


@operator()
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Give the diagonals in the plane of two axes, as the last axis."""
    return torch.diagonal(a, offset, axes_of(axis1, a.ndim)[0], axes_of(axis2, a.ndim)[0])


@operator()
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Add up the diagonal in the plane of two axes."""
    first, second = axes_of((axis1, axis2), a.ndim)
    return torch.diagonal(a, offset, first, second).sum(-1, dtype=a.dtype)
