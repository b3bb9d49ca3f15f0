"""``np.linalg``: torch's linear algebra under NumPy's names."""

from typing import Any, NamedTuple

import numpy
import torch
from torch import Tensor

from divekit.mx.calls import operator
from divekit.mx.errors import NotHereError
from divekit.mx.np.reductions import axes_of
from divekit.mx.np.shapes import promoted

LinAlgError = numpy.linalg.LinAlgError
_SINGULAR: type[RuntimeError] = getattr(torch.linalg, "LinAlgError")  # noqa: B009  (untyped)


def _floats(a: Tensor) -> Tensor:
    return a if a.is_floating_point() else a.float()


@operator()
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Give the norm of all elements, of vectors along one axis, or of matrices along two."""
    numbers = _floats(x)
    if axis is None and (ord is None or numbers.ndim == 0):
        result = torch.linalg.vector_norm(numbers, 2)
        return result.reshape([1] * numbers.ndim) if keepdims else result
    axes = axes_of(axis, numbers.ndim)
    if len(axes) == 1:
        return torch.linalg.vector_norm(numbers, 2 if ord is None else ord, axes, keepdim=keepdims)
    if len(axes) != 2:
        raise ValueError(f"norm {ord!r} is that of vectors or matrices, not of {len(axes)} axes")
    if ord in (None, "fro"):
        return torch.linalg.vector_norm(numbers, 2, axes, keepdim=keepdims)
    return torch.linalg.matrix_norm(numbers, ord, axes, keepdim=keepdims)


@operator()
def inv(a: Any) -> Tensor:
    """Invert square matrices."""
    return _solved(torch.linalg.inv, _floats(a))


@operator()
def pinv(a: Any, rcond: float = 1e-15, hermitian: bool = False) -> Tensor:
    """Give the Moore-Penrose inverse."""
    return torch.linalg.pinv(_floats(a), rtol=rcond, hermitian=hermitian)


@operator()
def det(a: Any) -> Tensor:
    """Give the determinant."""
    return torch.linalg.det(_floats(a))


class SlogdetResult(NamedTuple):
    """Sign and logarithm of a determinant."""

    sign: Any
    logabsdet: Any


def slogdet(a: Any) -> SlogdetResult:
    """Give sign and logarithm of the determinant."""
    return SlogdetResult(*_slogdet(a))


@operator()
def _slogdet(a: Any) -> tuple[Tensor, Tensor]:
    return tuple(torch.linalg.slogdet(_floats(a)))


@operator()
def svd(a: Any) -> tuple[Tensor, ...]:
    """Give U, S and V with ``a = U diag(S) V``, U and V as narrow as may be."""
    return tuple(torch.linalg.svd(_floats(a), full_matrices=False))


@operator()
def cholesky(a: Any) -> Tensor:
    """Give the lower triangle L with ``a = L L^T``."""
    return _solved(torch.linalg.cholesky, _floats(a))


@operator()
def qr(a: Any, mode: str = "reduced") -> tuple[Tensor, ...]:
    """Give Q and R with ``a = Q R``."""
    if mode not in ("reduced", "complete"):
        raise ValueError(f"mode is 'reduced' or 'complete', not {mode!r}")
    return tuple(torch.linalg.qr(_floats(a), mode))


@operator()
def eigh(a: Any, UPLO: str = "L") -> tuple[Tensor, ...]:
    """Give eigenvalues, rising, and eigenvectors of symmetric matrices."""
    return tuple(torch.linalg.eigh(_floats(a), UPLO))


@operator()
def eigvalsh(a: Any, UPLO: str = "L") -> Tensor:
    """Give the eigenvalues of symmetric matrices, rising."""
    return torch.linalg.eigvalsh(_floats(a), UPLO)


def _real(values: Tensor) -> Tensor:
    if values.is_complex():
        if bool((values.imag != 0).any()):
            raise NotHereError("complex eigenvalues: arrays are real; use torch.linalg.eig")
        return values.real
    return values


@operator()
def eig(a: Any) -> tuple[Tensor, ...]:
    """Give eigenvalues and eigenvectors of matrices whose eigenvalues are real."""
    values, vectors = torch.linalg.eig(_floats(a))
    return _real(values), vectors.real


@operator()
def eigvals(a: Any) -> Tensor:
    """Give the eigenvalues of matrices whose eigenvalues are real."""
    return _real(torch.linalg.eigvals(_floats(a)))


@operator(2)
def solve(a: Any, b: Any) -> Tensor:
    """Solve ``a x = b``."""
    a, b = promoted([_floats(a), _floats(b)])
    # NumPy 2: only a vector is a vector, whatever the batch.
    if b.ndim == 1:
        return _solved(torch.linalg.solve, a, b.unsqueeze(-1)).squeeze(-1)
    return _solved(torch.linalg.solve, a, b)


@operator(2)
def lstsq(a: Any, b: Any, rcond: Any = "warn") -> tuple[Any, ...]:
    """Give the least-squares solution of ``a x = b``, residuals, rank and singular values."""
    a, b = promoted([_floats(a), _floats(b)])
    limit = None if rcond in ("warn", None) else rcond
    if limit is None:
        limit = torch.finfo(a.dtype).eps * max(a.shape)
    values = torch.linalg.svdvals(a)
    found = torch.linalg.pinv(a, rtol=limit) @ b
    rank = (values > limit * values.max()).sum() if values.numel() else torch.tensor(0)
    full = int(rank) == a.shape[1] < a.shape[0]
    left = b - a @ found
    residuals = torch.atleast_1d((left**2).sum(0)) if full else a.new_empty(0)
    return found, residuals, int(rank), values


@operator()
def matrix_rank(M: Any, tol: Any = None, hermitian: bool = False) -> Tensor:
    """Count the singular values that are not zero."""
    if M.ndim < 2:
        return (M != 0).any().long()
    return torch.linalg.matrix_rank(
        _floats(M), atol=tol, rtol=None if tol is None else 0.0, hermitian=hermitian
    )


@operator()
def matrix_power(a: Any, n: int) -> Tensor:
    """Multiply a square matrix with itself ``n`` times; a negative ``n`` inverts it."""
    return torch.linalg.matrix_power(_floats(a) if n < 0 else a, n)


@operator(-1)
def multi_dot(arrays: Any) -> Tensor:
    """Multiply matrices in the cheapest order."""
    return torch.linalg.multi_dot([_floats(one) for one in arrays])


@operator()
def cond(x: Any, p: Any = None) -> Tensor:
    """Give the condition number."""
    return torch.linalg.cond(_floats(x), p)


@operator()
def tensorinv(a: Any, ind: int = 2) -> Tensor:
    """Invert a tensor as ``tensordot`` multiplies over ``ind`` axes."""
    return torch.linalg.tensorinv(_floats(a), ind)


@operator(2)
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Tensor:
    """Solve ``tensordot(a, x) = b``."""
    return torch.linalg.tensorsolve(*promoted([_floats(a), _floats(b)]), axes)


def _solved(function: Any, *inputs: Tensor) -> Tensor:
    try:
        return function(*inputs)
    except _SINGULAR as error:
        said = str(error).split("(")[0].strip(" :.")
        raise LinAlgError(f"{said}; shape {tuple(inputs[0].shape)}") from None
