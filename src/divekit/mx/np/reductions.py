"""Sums, means, extremes and their kind: over all elements, over one axis, or over several."""

from collections.abc import Sequence
from typing import Any

import numpy
import torch
from torch import Tensor

from divekit.mx.calls import operator
from divekit.mx.dtypes import torch_dtype
from divekit.mx.errors import AxisError


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """Resolve ``axis`` (None, a number, several) to a tuple of axes from 0 on."""
    if axis is None:
        return tuple(range(ndim))
    given = tuple(axis) if isinstance(axis, list | tuple) else (axis,)
    resolved = []
    for one in given:
        place = int(one)
        if not -ndim <= place < ndim:
            raise AxisError(f"axis {place} is out of bounds for an array with {ndim} axes")
        resolved.append(place % ndim)
    if len(set(resolved)) != len(resolved):
        raise ValueError(f"axis {given} names an axis twice")
    return tuple(resolved)


def _gathered(a: Tensor, axes: Sequence[int]) -> Tensor:
    """Bring the axes to the end and make one of them."""
    kept = [axis for axis in range(a.ndim) if axis not in axes]
    shape = [a.shape[axis] for axis in kept]
    return a.permute((*kept, *axes)).reshape((*shape, _count(a, axes)))


def _count(a: Tensor, axes: Sequence[int]) -> int:
    count = 1
    for axis in axes:
        count *= a.shape[axis]
    return count


def _kept(result: Tensor, axes: Sequence[int], keepdims: bool) -> Tensor:
    if keepdims:
        for axis in sorted(axes):
            result = result.unsqueeze(axis)
    return result


def _total_type(a: Tensor, dtype: Any) -> torch.dtype:
    # MXNet's sums keep the type, where torch and NumPy go to int64; booleans are counted.
    return torch_dtype(dtype, torch.int64 if a.dtype is torch.bool else a.dtype)


def _mean_type(a: Tensor, dtype: Any) -> torch.dtype:
    return torch_dtype(dtype, a.dtype if a.is_floating_point() else torch.float32)


@operator()
def sum(
    a: Any, axis: Any = None, dtype: Any = None, *, keepdims: bool = False, initial: Any = None
) -> Tensor:
    """Add up; integers keep their type."""
    axes, kind = axes_of(axis, a.ndim), _total_type(a, dtype)
    result = a.sum(axes, keepdim=keepdims, dtype=kind) if axes else a.to(kind, copy=True)
    return result if initial is None else result + initial


@operator()
def mean(a: Any, axis: Any = None, dtype: Any = None, *, keepdims: bool = False) -> Tensor:
    """Give the mean; of integers as float32."""
    axes, kind = axes_of(axis, a.ndim), _mean_type(a, dtype)
    return a.mean(axes, keepdim=keepdims, dtype=kind) if axes else a.to(kind, copy=True)


@operator()
def prod(
    a: Any, axis: Any = None, dtype: Any = None, *, keepdims: bool = False, initial: Any = None
) -> Tensor:
    """Multiply up; integers keep their type."""
    axes = axes_of(axis, a.ndim)
    result = _gathered(a, axes).prod(-1, dtype=_total_type(a, dtype))
    result = _kept(result, axes, keepdims)
    return result if initial is None else result * initial


class _Extreme(torch.autograd.Function):
    """A largest or smallest element; each that equals it has the whole gradient, as in MXNet."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, axes: Any, function: Any) -> Tensor:
        result = function(a, axes, keepdim=True)
        ctx.save_for_backward(a == result)
        return result

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        (chosen,) = ctx.saved_tensors
        return gradient * chosen, None, None


def _extreme(a: Tensor, axis: Any, keepdims: bool, initial: Any, largest: bool) -> Tensor:
    axes, function = axes_of(axis, a.ndim), torch.amax if largest else torch.amin
    if initial is not None:
        shape = [1 if place in axes else size for place, size in enumerate(a.shape)]
        first = torch.full(shape, initial, dtype=a.dtype, device=a.device)
        both = [first, function(a, axes, keepdim=True)] if _count(a, axes) else [first]
        stacked = torch.stack(both)
        return _kept(
            function(stacked, (0,)).reshape([s for p, s in enumerate(a.shape) if p not in axes]),
            axes,
            keepdims,
        )
    if not axes:
        return a.clone()
    if not _count(a, axes):
        raise ValueError(
            f"no largest or smallest of no elements: shape {tuple(a.shape)}, axis {axis}"
        )
    if a.requires_grad and torch.is_grad_enabled():
        result = _Extreme.apply(a, axes, function)
        return result if keepdims else result.squeeze(axes)
    return function(a, axes, keepdim=keepdims)


@operator()
def max(a: Any, axis: Any = None, *, keepdims: bool = False, initial: Any = None) -> Tensor:
    """Give the largest element; nan if there is one."""
    return _extreme(a, axis, keepdims, initial, largest=True)


@operator()
def min(a: Any, axis: Any = None, *, keepdims: bool = False, initial: Any = None) -> Tensor:
    """Give the smallest element; nan if there is one."""
    return _extreme(a, axis, keepdims, initial, largest=False)


def _position(a: Tensor, axis: Any, keepdims: bool, largest: bool) -> Tensor:
    if not a.numel() and (axis is None or not a.shape[axes_of(axis, a.ndim)[0]]):
        raise ValueError(f"no largest or smallest of no elements: shape {tuple(a.shape)}")
    function = torch.argmax if largest else torch.argmin
    numbers = a.to(torch.uint8) if a.dtype is torch.bool else a
    if axis is None:
        found = function(numbers.reshape(-1), 0)
        found = found.reshape([1] * a.ndim) if keepdims else found
    else:
        found = function(numbers, axes_of(axis, a.ndim)[0], keepdim=keepdims)
    # MXNet gives positions in the array's own type. Small types cannot count far: int64 then.
    return found.to(a.dtype) if a.dtype in _COUNTING else found


_COUNTING = (torch.float32, torch.float64, torch.int32, torch.int64)


@operator()
def argmax(a: Any, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    """Give the place of the first largest element; in the array's type, as MXNet does."""
    return _position(a, axis, keepdims, largest=True)


@operator()
def argmin(a: Any, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    """Give the place of the first smallest element; in the array's type, as MXNet does."""
    return _position(a, axis, keepdims, largest=False)


@operator()
def var(
    a: Any, axis: Any = None, dtype: Any = None, *, ddof: float = 0, keepdims: bool = False
) -> Tensor:
    """Give the mean square distance from the mean, over n - ddof."""
    axes = axes_of(axis, a.ndim)
    numbers = a.to(_mean_type(a, dtype))
    distance = numbers - (numbers.mean(axes, keepdim=True) if axes else numbers)
    total = (distance**2).sum(axes, keepdim=keepdims) if axes else distance**2
    return total / numpy.maximum(_count(a, axes) - ddof, 0).item()


@operator()
def std(
    a: Any, axis: Any = None, dtype: Any = None, *, ddof: float = 0, keepdims: bool = False
) -> Tensor:
    """Give the square root of the variance."""
    return _variance(a, axis=axis, dtype=dtype, ddof=ddof, keepdims=keepdims).sqrt()


_variance = var.__wrapped__


@operator()
def any(a: Any, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    """Tell whether an element is not zero."""
    axes = axes_of(axis, a.ndim)
    return a.bool().any(axes, keepdim=keepdims) if axes else a.bool()


@operator()
def all(a: Any, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    """Tell whether no element is zero."""
    axes = axes_of(axis, a.ndim)
    return a.bool().all(axes, keepdim=keepdims) if axes else a.bool()


@operator()
def count_nonzero(a: Any, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    """Count the elements that are not zero."""
    axes = axes_of(axis, a.ndim)
    return (a != 0).sum(axes, keepdim=keepdims) if axes else (a != 0).long()


@operator()
def cumsum(a: Any, axis: Any = None, dtype: Any = None) -> Tensor:
    """Add up step by step along an axis, or over all elements in order."""
    return _running(torch.cumsum, a, axis, dtype)


@operator()
def cumprod(a: Any, axis: Any = None, dtype: Any = None) -> Tensor:
    """Multiply up step by step along an axis, or over all elements in order."""
    return _running(torch.cumprod, a, axis, dtype)


def _running(function: Any, a: Tensor, axis: Any, dtype: Any) -> Tensor:
    if axis is None:
        a, axis = a.reshape(-1), 0
    return function(a, axes_of(axis, a.ndim)[0], dtype=_total_type(a, dtype))


@operator()
def ptp(a: Any, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    """Give the distance from the smallest to the largest element."""
    return _extreme(a, axis, keepdims, None, True) - _extreme(a, axis, keepdims, None, False)


@operator()
def quantile(
    a: Any, q: Any, axis: Any = None, *, interpolation: str = "linear", keepdims: bool = False
) -> Tensor:
    """Give the value below which a share ``q`` (0 to 1) of the elements lies."""
    axes, kind = axes_of(axis, a.ndim), _mean_type(a, None)
    shares = torch.as_tensor(q, dtype=kind, device=a.device)
    if ((shares < 0) | (shares > 1)).any():
        raise ValueError("quantile takes shares from 0 to 1, percentile from 0 to 100")
    if not _count(a, axes):
        raise ValueError(f"no quantile of no elements: shape {tuple(a.shape)}, axis {axis}")
    numbers = _gathered(a.to(kind), axes)
    found = torch.quantile(numbers, shares.reshape(-1), -1, interpolation=interpolation)
    found = found.reshape((*shares.shape, *found.shape[1:]))
    return _kept(found, [axis + shares.ndim for axis in axes], keepdims)


_quantile = quantile.__wrapped__


@operator()
def percentile(
    a: Any, q: Any, axis: Any = None, *, interpolation: str = "linear", keepdims: bool = False
) -> Tensor:
    """Give the value below which ``q`` percent of the elements lie."""
    shares = torch.as_tensor(q, dtype=_mean_type(a, None)) / 100
    return _quantile(a, shares, axis, interpolation=interpolation, keepdims=keepdims)


@operator()
def median(a: Any, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    """Give the middle element, or the mean of the two middle ones."""
    return _quantile(a, 0.5, axis, keepdims=keepdims)


@operator()
def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False) -> Any:
    """Give the weighted mean; with ``returned`` also the sum of the weights."""
    kind = _mean_type(a, None)
    if weights is None:
        weights = torch.ones((), dtype=kind, device=a.device)
        weights = weights.expand(a.shape)
    weights = torch.as_tensor(weights, device=a.device)
    kind = torch.promote_types(kind, weights.dtype) if weights.is_floating_point() else kind
    if weights.shape != a.shape:
        if axis is None or isinstance(axis, tuple | list):
            raise TypeError("weights of another shape than the array need one axis")
        place = axes_of(axis, a.ndim)[0]
        if weights.ndim != 1 or len(weights) != a.shape[place]:
            raise ValueError(
                f"weights of shape {tuple(weights.shape)} for axis {place} of {tuple(a.shape)}"
            )
        weights = weights.reshape([-1 if other == place else 1 for other in range(a.ndim)]).expand(
            a.shape
        )
    axes = axes_of(axis, a.ndim)
    total = weights.to(kind).sum(axes) if axes else weights.to(kind)
    if (total == 0).any():
        raise ZeroDivisionError("the weights sum to zero")
    weighted = a.to(kind) * weights.to(kind)
    result = (weighted.sum(axes) if axes else weighted) / total
    return (result, total) if returned else result


def _without_nan(a: Tensor, filling: float) -> Tensor:
    return torch.where(a.isnan(), torch.full_like(a, filling), a) if a.is_floating_point() else a


@operator()
def nansum(a: Any, axis: Any = None, dtype: Any = None, *, keepdims: bool = False) -> Tensor:
    """Add up, taking nan for 0."""
    return sum.__wrapped__(_without_nan(a, 0), axis, dtype, keepdims=keepdims)


@operator()
def nanprod(a: Any, axis: Any = None, dtype: Any = None, *, keepdims: bool = False) -> Tensor:
    """Multiply up, taking nan for 1."""
    return prod.__wrapped__(_without_nan(a, 1), axis, dtype, keepdims=keepdims)


@operator()
def nanmean(a: Any, axis: Any = None, dtype: Any = None, *, keepdims: bool = False) -> Tensor:
    """Give the mean of what is not nan."""
    axes, kind = axes_of(axis, a.ndim), _mean_type(a, dtype)
    total = sum.__wrapped__(_without_nan(a, 0), axis, kind, keepdims=keepdims)
    there = (~a.isnan()).to(kind)
    return total / (there.sum(axes, keepdim=keepdims) if axes else there)


@operator()
def nanmax(a: Any, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    """Give the largest element that is not nan."""
    return _nan_extreme(a, axis, keepdims, largest=True)


@operator()
def nanmin(a: Any, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    """Give the smallest element that is not nan."""
    return _nan_extreme(a, axis, keepdims, largest=False)


def _nan_extreme(a: Tensor, axis: Any, keepdims: bool, largest: bool) -> Tensor:
    if not a.is_floating_point():
        return _extreme(a, axis, keepdims, None, largest)
    found = _extreme(
        _without_nan(a, -torch.inf if largest else torch.inf), axis, keepdims, None, largest
    )
    empty = all.__wrapped__(a.isnan(), axis, keepdims=keepdims)
    return torch.where(empty, torch.full_like(found, torch.nan), found)
