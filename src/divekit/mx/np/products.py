"""Products of vectors, matrices and tensors."""

from typing import Any

import torch
from torch import Tensor

from divekit.mx.arithmetic import matmul as _matmul
from divekit.mx.calls import operator
from divekit.mx.errors import ShapeError
from divekit.mx.np.reductions import axes_of
from divekit.mx.np.shapes import promoted


@operator(2)
def dot(a: Any, b: Any) -> Tensor:
    """Multiply numbers, vectors, matrices; else over the last axis and the last but one."""
    if 0 < a.ndim <= 2 and 0 < b.ndim <= 2 and a.dtype is b.dtype and a.shape[-1] == b.shape[0]:
        return _matmul(a, b)
    if a.dtype is not b.dtype:
        a, b = promoted([a, b])
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    over = b.ndim - 2 if b.ndim > 1 else 0
    if a.shape[-1] != b.shape[over]:
        raise ShapeError(f"dot: shapes {tuple(a.shape)} and {tuple(b.shape)} do not fit together")
    if a.ndim <= 2 and b.ndim <= 2:
        return _matmul(a, b)
    return torch.tensordot(a, b, ([a.ndim - 1], [over]))


@operator(2)
def matmul(a: Any, b: Any) -> Tensor:
    """Multiply matrices; leading axes are a batch and broadcast."""
    return _matmul(a, b)


@operator(2)
def vdot(a: Any, b: Any) -> Tensor:
    """Multiply all elements of two arrays pairwise, and add up."""
    a, b = promoted([a.reshape(-1), b.reshape(-1)])
    return torch.dot(a, b)


@operator(2)
def inner(a: Any, b: Any) -> Tensor:
    """Multiply along the last axes and add up."""
    a, b = promoted([a, b])
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    return torch.tensordot(a, b, ([a.ndim - 1], [b.ndim - 1]))


@operator(2)
def outer(a: Any, b: Any) -> Tensor:
    """Multiply every element of one with every element of the other."""
    a, b = promoted([a, b])
    return torch.outer(a.reshape(-1), b.reshape(-1))


@operator(2)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Tensor:
    """Multiply along several axes, given as a count or as a pair of lists, and add up."""
    a, b = promoted([a, b])
    if isinstance(axes, int):
        if axes > min(a.ndim, b.ndim):
            raise ShapeError(f"tensordot over {axes} axes of {tuple(a.shape)} and {tuple(b.shape)}")
        return torch.tensordot(a, b, axes)
    left, right = axes
    return torch.tensordot(a, b, (list(axes_of(left, a.ndim)), list(axes_of(right, b.ndim))))


@operator(2)
def kron(a: Any, b: Any) -> Tensor:
    """Give the Kronecker product."""
    return torch.kron(*promoted([a, b]))


@operator(2)
def cross(a: Any, b: Any, axis: int = -1) -> Tensor:
    """Give the vector product of vectors of three along an axis."""
    a, b = promoted([a, b])
    return torch.linalg.cross(a, b, dim=axis)


def einsum(subscripts: str, *operands: Any, out: Any = None, optimize: bool = False) -> Any:
    """Add up products of elements as the letters say; ``optimize`` is torch's affair."""
    return _einsum(operands, subscripts=subscripts, out=out)


@operator(-1)
def _einsum(operands: Any, subscripts: str) -> Tensor:
    return torch.einsum(subscripts, *promoted(operands))


@operator(2)
def polyval(p: Any, x: Any) -> Tensor:
    """Give the polynomial with coefficients ``p``, highest power first, at ``x``."""
    p, x = promoted([p, x])
    result = torch.zeros_like(x)
    for coefficient in p:
        result = result * x + coefficient
    return result
