"""``npx.random``: draws beside those of ``np.random``."""

from typing import Any

import torch

from divekit.mx.array import ndarray
from divekit.mx.np import random as _random
from divekit.mx.np.creation import shape_of
from divekit.mx.npx.activations import sigmoid

seed = _random.seed

_bernoulli = _random._family(
    "bernoulli",
    {"prob": ...},
    "Draw 1 with probability ``prob``, else 0.",
    lambda shape, prob: (torch.rand_like(prob) < prob).to(prob.dtype),
)


def bernoulli(
    prob: Any = None,
    logit: Any = None,
    size: Any = None,
    dtype: Any = None,
    ctx: Any = None,
    out: Any = None,
) -> ndarray:
    """Draw 1 with probability ``prob``, given itself or as its logit, else 0."""
    if (prob is None) == (logit is None):
        raise ValueError("bernoulli takes prob or logit, one of the two")
    if prob is None:
        prob = sigmoid(logit)
    return _bernoulli(prob, size=size, dtype=dtype, ctx=ctx, out=out)


def uniform_n(
    low: Any = 0.0, high: Any = 1.0, batch_shape: Any = None, dtype: Any = None, ctx: Any = None
) -> ndarray:
    """Draw ``batch_shape`` numbers for each pair of bounds."""
    return _random.uniform(low, high, _batched((low, high), batch_shape), dtype, ctx)


def normal_n(
    loc: Any = 0.0, scale: Any = 1.0, batch_shape: Any = None, dtype: Any = None, ctx: Any = None
) -> ndarray:
    """Draw ``batch_shape`` numbers for each pair of mean and deviation."""
    return _random.normal(loc, scale, _batched((loc, scale), batch_shape), dtype, ctx)


def _batched(parameters: Any, batch_shape: Any) -> Any:
    if batch_shape is None:
        return None
    shapes = [getattr(_random._parameter(p), "shape", ()) for p in parameters]
    return (*shape_of(batch_shape), *torch.broadcast_shapes(*shapes))
