"""Functions that layers put on their sums, and the special functions beside them."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from divekit.mx.calls import operator
from divekit.mx.dtypes import torch_dtype
from divekit.mx.np.reductions import axes_of
from divekit.mx.state import STATE


@operator()
def relu(data: Any) -> Tensor:
    """Set negative elements to 0."""
    return torch.relu(data)


@operator()
def sigmoid(data: Any) -> Tensor:
    """Give 1 / (1 + exp(-x))."""
    return torch.sigmoid(data)


@operator()
def softmax(
    data: Any,
    length: Any = None,
    axis: int = -1,
    temperature: float | None = None,
    use_length: bool = False,
    dtype: Any = None,
) -> Tensor:
    """Turn scores into probabilities along an axis; beyond ``length`` entries they are 0."""
    scores = _scores(data, temperature, dtype)
    place = axes_of(axis, scores.ndim)[0]
    if not use_length:
        if length is not None:
            raise ValueError("length is only used with use_length=True")
        return torch.softmax(scores, place)
    if length is None:
        raise ValueError("use_length needs length")
    beyond = _beyond(scores, torch.as_tensor(length, device=scores.device), place)
    # A row of length 0 is all -inf, whose softmax is nan: it is to be all 0.
    return torch.softmax(scores.masked_fill(beyond, -torch.inf), place).masked_fill(beyond, 0)


@operator()
def log_softmax(
    data: Any, axis: int = -1, temperature: float | None = None, dtype: Any = None
) -> Tensor:
    """Give the logarithms of ``softmax``, without its rounding."""
    return torch.log_softmax(_scores(data, temperature, dtype), axis)


def _scores(data: Tensor, temperature: float | None, dtype: Any) -> Tensor:
    kind = torch_dtype(dtype, data.dtype if data.is_floating_point() else torch.float32)
    return data.to(kind) / temperature if temperature else data.to(kind)


def _beyond(scores: Tensor, length: Tensor, axis: int) -> Tensor:
    places = torch.arange(scores.shape[axis], device=scores.device)
    shape = [-1 if other == axis else 1 for other in range(scores.ndim)]
    return places.reshape(shape) >= length.unsqueeze(axis)


_ACTIVATIONS = {
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "log_sigmoid": F.logsigmoid,
    "tanh": torch.tanh,
    "softrelu": F.softplus,
    "softsign": F.softsign,
    "mish": F.mish,
}


@operator()
def activation(data: Any, act_type: str = "relu") -> Tensor:
    """Apply the activation of that name: relu, sigmoid, tanh, softrelu, softsign."""
    if act_type not in _ACTIVATIONS:
        raise ValueError(
            f"no activation is called {act_type!r}; there is {', '.join(_ACTIVATIONS)}"
        )
    return _ACTIVATIONS[act_type](data)


@operator()
def leaky_relu(
    data: Any,
    gamma: Any = None,
    act_type: str = "leaky",
    slope: float = 0.25,
    lower_bound: float = 0.125,
    upper_bound: float = 0.334,
) -> Tensor:
    """Apply a relative of relu: leaky, prelu (``gamma`` is its slope), elu, selu, gelu, rrelu."""
    if act_type == "leaky":
        return F.leaky_relu(data, slope)
    if act_type == "prelu":
        if gamma is None:
            raise ValueError("prelu needs gamma")
        slopes = torch.as_tensor(gamma)
        shape = [1, -1] + [1] * (data.ndim - 2) if data.ndim > 1 else [-1]
        return torch.where(data > 0, data, data * slopes.reshape(shape))
    if act_type == "elu":
        return F.elu(data, slope)
    if act_type == "selu":
        return F.selu(data)
    if act_type == "gelu":
        return F.gelu(data)
    if act_type == "rrelu":
        return F.rrelu(data, lower_bound, upper_bound, training=STATE.training)
    raise ValueError(f"act_type is leaky, prelu, elu, selu, gelu or rrelu, not {act_type!r}")


@operator()
def gelu(data: Any) -> Tensor:
    """Give x times the normal distribution's share below x."""
    return F.gelu(data)


@operator()
def hard_sigmoid(data: Any, alpha: float = 0.2, beta: float = 0.5) -> Tensor:
    """Give ``alpha x + beta``, kept between 0 and 1."""
    return torch.clamp(alpha * data + beta, 0, 1)


@operator()
def smooth_l1(data: Any, scalar: float = 1.0) -> Tensor:
    """Give |x|, made round around 0: within 1 / scalar**2 it is (scalar x)**2 / 2."""
    near = data.abs() < 1 / scalar**2
    return torch.where(near, 0.5 * (scalar * data) ** 2, data.abs() - 0.5 / scalar**2)


@operator()
def erf(data: Any) -> Tensor:
    """Give the error function."""
    return torch.erf(data)


@operator()
def erfinv(data: Any) -> Tensor:
    """Give the inverse of the error function."""
    return torch.erfinv(data)


@operator()
def gammaln(data: Any) -> Tensor:
    """Give the logarithm of the gamma function's size."""
    return torch.lgamma(data)


@operator()
def gamma(data: Any) -> Tensor:
    """Give the gamma function."""
    # Below 0 its sign changes at every integer.
    negative = (data < 0) & (torch.floor(data) % 2 != 0)
    size = torch.exp(torch.lgamma(data))
    return torch.where(negative, -size, size)


@operator()
def digamma(data: Any) -> Tensor:
    """Give the derivative of ``gammaln``."""
    return torch.digamma(data)


@operator()
def stop_gradient(data: Any) -> Tensor:
    """Give the same numbers as a constant."""
    return data.detach()
