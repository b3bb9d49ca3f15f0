"""Layers as functions of arrays: parameters are passed in.

Shapes: N examples, C channels, K output channels; spatial axes follow (N, C, ...)
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from divekit.mx.array import ndarray, write
from divekit.mx.calls import apply, as_operand, operator
from divekit.mx.errors import NotHereError, ShapeError
from divekit.mx.np.reductions import axes_of
from divekit.mx.state import STATE

_CONVOLUTIONS: dict[int, Any] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_DECONVOLUTIONS: dict[int, Any] = {
    1: F.conv_transpose1d,
    2: F.conv_transpose2d,
    3: F.conv_transpose3d,
}
_LAYOUTS = {1: "NCW", 2: "NCHW", 3: "NCDHW"}


def _sizes(given: Any, count: int, default: int) -> tuple[int, ...]:
    if given is None or given == ():
        return (default,) * count
    return tuple(given) if isinstance(given, list | tuple) else (int(given),) * count


def _check_layout(layout: str | None, count: int) -> None:
    if layout not in (None, _LAYOUTS[count]):
        raise NotHereError(f"layout {layout!r}; move the channels first: {_LAYOUTS[count]}")


def _only(name: str, size: int | None, given: int) -> None:
    if size is not None and size != given:
        raise ShapeError(f"{name} is {size}, but weight has {given}")


@operator(2)
def fully_connected(
    x: Any,
    weight: Any,
    bias: Any = None,
    num_hidden: int | None = None,
    no_bias: bool = True,
    flatten: bool = True,
) -> Tensor:
    """Give ``x weight^T + bias``: weight is (K, C); ``flatten`` makes (N, C) of x first."""
    _only("num_hidden", num_hidden, weight.shape[0])
    inputs = x.reshape(x.shape[0], -1) if flatten else x
    return F.linear(inputs, weight, None if no_bias else bias)


@operator(2)
def convolution(
    data: Any,
    weight: Any,
    bias: Any = None,
    kernel: Any = None,
    stride: Any = None,
    dilate: Any = None,
    pad: Any = None,
    num_filter: int | None = None,
    num_group: int = 1,
    no_bias: bool = False,
    layout: str | None = None,
    workspace: int = 1024,
    cudnn_tune: str | None = None,
    cudnn_off: bool = False,
) -> Tensor:
    """Cross-correlate with (K, C / num_group, ...); the last three arguments change no number."""
    count = data.ndim - 2
    _check_layout(layout, count)
    _only("num_filter", num_filter, weight.shape[0])
    if kernel is not None and _sizes(kernel, count, 1) != tuple(weight.shape[2:]):
        raise ShapeError(f"kernel is {kernel}, but weight has {tuple(weight.shape[2:])}")
    return _CONVOLUTIONS[count](
        data,
        weight,
        None if no_bias else bias,
        _sizes(stride, count, 1),
        _sizes(pad, count, 0),
        _sizes(dilate, count, 1),
        num_group,
    )


@operator(2)
def deconvolution(
    data: Any,
    weight: Any,
    bias: Any = None,
    kernel: Any = None,
    stride: Any = None,
    dilate: Any = None,
    pad: Any = None,
    adj: Any = None,
    num_filter: int | None = None,
    num_group: int = 1,
    no_bias: bool = True,
    layout: str | None = None,
    workspace: int = 512,
    cudnn_tune: str | None = None,
    cudnn_off: bool = False,
) -> Tensor:
    """Do the transpose of ``convolution`` with (C, K / num_group, ...)."""
    count = data.ndim - 2
    _check_layout(layout, count)
    _only("num_filter", num_filter, weight.shape[1] * num_group)
    return _DECONVOLUTIONS[count](
        data,
        weight,
        None if no_bias else bias,
        _sizes(stride, count, 1),
        _sizes(pad, count, 0),
        _sizes(adj, count, 0),
        num_group,
        _sizes(dilate, count, 1),
    )


@operator()
def pooling(
    data: Any,
    kernel: Any = None,
    pool_type: str = "max",
    global_pool: bool = False,
    pooling_convention: str = "valid",
    stride: Any = None,
    pad: Any = None,
    p_value: int = 2,
    count_include_pad: bool = True,
    layout: str | None = None,
    cudnn_off: bool = False,
) -> Tensor:
    """Give the max, avg, sum or lp norm of each window; the stride is 1 unless given."""
    count = data.ndim - 2
    _check_layout(layout, count)
    if global_pool:
        window = step = tuple(data.shape[2:])
        padding = (0,) * count
    else:
        if kernel is None:
            raise ValueError("pooling needs kernel, or global_pool")
        window, step = _sizes(kernel, count, 1), _sizes(stride, count, 1)
        padding = _sizes(pad, count, 0)
    if pooling_convention not in ("valid", "full"):
        raise NotHereError(f"pooling_convention {pooling_convention!r}; valid or full")
    ceil = pooling_convention == "full"
    volume = 1
    for size in window:
        volume *= size
    if pool_type == "max":
        # Torch pads by at most half a window, MXNet by less than a whole one.
        edged = _padded(data, padding, -torch.inf)
        return _pool("max_pool", count)(edged, window, step, 0, ceil_mode=ceil)
    if pool_type == "avg":
        average = _pool("avg_pool", count)
        return average(data, window, step, padding, ceil, count_include_pad)
    powered = {"sum": data, "lp": data.abs() ** p_value}
    if pool_type not in powered:
        raise ValueError(f"pool_type is max, avg, sum or lp, not {pool_type!r}")
    total = _pool("avg_pool", count)(_padded(powered[pool_type], padding, 0), window, step, 0, ceil)
    return total * volume if pool_type == "sum" else (total * volume) ** (1 / p_value)


def _pool(kind: str, count: int) -> Any:
    return getattr(F, f"{kind}{count}d")


def _padded(data: Tensor, padding: Sequence[int], value: float) -> Tensor:
    if not any(padding):
        return data
    return F.pad(
        data, [size for width in reversed(padding) for size in (width, width)], value=value
    )


def batch_norm(
    x: Any,
    gamma: Any,
    beta: Any,
    running_mean: ndarray,
    running_var: ndarray,
    eps: float = 1e-3,
    momentum: float = 0.9,
    fix_gamma: bool = True,
    use_global_stats: bool = False,
    output_mean_var: bool = False,
    axis: int = 1,
    cudnn_off: bool = False,
) -> Any:
    """Bring each channel to mean 0 and variance 1, then scale and shift.

    In training by the batch's own figures, and the running ones move towards them:
    ``running = momentum * running + (1 - momentum) * batch``. With ``fix_gamma`` the scale is 1.
    """
    training = STATE.training and not use_global_stats
    scale = None if fix_gamma else gamma
    result, mean, var = apply(
        _batch_norm, as_operand(x), scale, beta, running_mean, running_var, eps, axis, training
    )
    if training:
        for running, batch in ((running_mean, mean), (running_var, var)):
            moved = running.detach() * momentum + batch.detach() * (1 - momentum)
            write(running, lambda tensor, new: tensor.copy_(new), moved)
    return (result, mean, var) if output_mean_var else result


def _batch_norm(
    x: Tensor, gamma: Any, beta: Tensor, mean: Tensor, var: Tensor, eps: float, axis: int, own: bool
) -> tuple[Tensor, Tensor, Tensor]:
    channels = x.movedim(axis, 1) if x.ndim > 1 else x
    if own:
        others = [other for other in range(channels.ndim) if other != 1]
        mean = channels.detach().mean(others)
        # MXNet keeps the variance over n, torch the one over n - 1.
        var = channels.detach().var(others, correction=0)
    weight = torch.ones_like(beta) if gamma is None else gamma
    normed = F.batch_norm(
        channels, None if own else mean, None if own else var, weight, beta, own, 0.0, eps
    )
    return normed.movedim(1, axis) if x.ndim > 1 else normed, mean, var


@operator(3)
def layer_norm(data: Any, gamma: Any, beta: Any, axis: int = -1, eps: float = 1e-5) -> Tensor:
    """Bring each row along an axis to mean 0 and variance 1, then scale and shift."""
    place = axes_of(axis, data.ndim)[0]
    rows = data.movedim(place, -1)
    return F.layer_norm(rows, rows.shape[-1:], gamma, beta, eps).movedim(-1, place)


@operator(3)
def group_norm(data: Any, gamma: Any, beta: Any, num_groups: int = 1, eps: float = 1e-5) -> Tensor:
    """Normalise groups of channels; gamma and beta hold one number per group or per channel."""
    each = data.shape[1] // num_groups
    scale, shift = (p.repeat_interleave(each) if len(p) == num_groups else p for p in (gamma, beta))
    return F.group_norm(data, num_groups, scale, shift, eps)


@operator(3)
def instance_norm(data: Any, gamma: Any, beta: Any, eps: float = 1e-3) -> Tensor:
    """Normalise each channel of each example."""
    return F.instance_norm(data, weight=gamma, bias=beta, eps=eps)


@operator()
def dropout(
    data: Any, p: float = 0.5, mode: str = "training", axes: Any = (), cudnn_off: bool = False
) -> Tensor:
    """Set elements to 0 with probability ``p`` and scale the rest, in train mode or ``always``.

    Along ``axes`` all elements share one fate.
    """
    if mode not in ("training", "always"):
        raise ValueError(f"mode is 'training' or 'always', not {mode!r}")
    if not 0 <= p <= 1:
        raise ValueError(f"p is a probability, not {p}")
    if not p or not (STATE.training or mode == "always"):
        return data.clone()
    if not axes:
        return F.dropout(data, p, training=True)
    shared = axes_of(tuple(axes) if isinstance(axes, list | tuple) else axes, data.ndim)
    shape = [1 if axis in shared else size for axis, size in enumerate(data.shape)]
    return data * F.dropout(
        torch.ones(shape, dtype=data.dtype, device=data.device), p, training=True
    )
