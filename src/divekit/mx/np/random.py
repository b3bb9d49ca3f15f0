"""``np.random``: draws on the current device, all from torch's generator.

``seed`` sets it; layers' initial weights and dropout draw from it as well. The numbers are not
those that MXNet drew from the same seed.
"""

from collections.abc import Callable
from typing import Any

import numpy
import torch
from torch import Tensor

from divekit.mx.array import ndarray, virtual, wrap, write
from divekit.mx.calls import apply, as_operand, stored
from divekit.mx.context import as_context
from divekit.mx.dtypes import torch_dtype
from divekit.mx.np.creation import shape_of


def seed(seed: int | None = None, ctx: Any = "all") -> None:
    """Start the generators of all devices, or of one, from a number; None takes one by chance."""
    if seed is None:
        torch.seed()
    elif ctx == "all" or as_context(ctx).place().type == "cpu":
        torch.manual_seed(int(seed))
    else:
        with torch.cuda.device(as_context(ctx).place()):
            torch.cuda.manual_seed(int(seed))


def _drawn(
    draw: Callable[..., Tensor],
    parameters: tuple[Any, ...],
    size: Any,
    dtype: Any,
    ctx: Any,
    out: Any,
    default: torch.dtype = torch.float32,
) -> ndarray:
    """Draw with parameters that are numbers or arrays; gradients pass into the arrays."""
    kind = torch_dtype(dtype, default)
    arrays = [p for p in map(_parameter, parameters) if isinstance(p, ndarray | Tensor)]
    first = next((p for p in arrays if isinstance(p, ndarray)), None)
    context = first.ctx if first is not None and ctx is None else as_context(ctx)
    place = context.place()
    shape = torch.broadcast_shapes(*(p.shape for p in arrays)) if size is None else shape_of(size)

    def call(*given: Any) -> Tensor:
        spread = [
            torch.as_tensor(p, dtype=_drawing(kind), device=place).expand(shape) for p in given
        ]
        return draw(torch.Size(shape), *spread).to(kind)

    result = apply(call, *map(_parameter, parameters))
    result._context = virtual(context)
    return result if out is None else stored(out, result)


def _drawing(kind: torch.dtype) -> torch.dtype:
    return kind if kind in (torch.float32, torch.float64) else torch.float32


def _parameter(value: Any) -> Any:
    return value if isinstance(value, int | float) else as_operand(value)


def uniform(
    low: Any = 0.0,
    high: Any = 1.0,
    size: Any = None,
    dtype: Any = None,
    ctx: Any = None,
    out: Any = None,
    *,
    device: Any = None,
) -> ndarray:
    """Draw evenly from ``low`` up to ``high``."""
    return _drawn(
        lambda shape, a, b: a + (b - a) * torch.rand(shape, dtype=a.dtype, device=a.device),
        (low, high),
        size,
        dtype,
        ctx or device,
        out,
    )


def normal(
    loc: Any = 0.0,
    scale: Any = 1.0,
    size: Any = None,
    dtype: Any = None,
    ctx: Any = None,
    out: Any = None,
    *,
    device: Any = None,
) -> ndarray:
    """Draw from normal distributions with mean ``loc`` and standard deviation ``scale``."""
    _not_negative("scale", scale)
    return _drawn(
        lambda shape, mean, deviation: (
            mean + deviation * torch.randn(shape, dtype=mean.dtype, device=mean.device)
        ),
        (loc, scale),
        size,
        dtype,
        ctx or device,
        out,
    )


def _not_negative(name: str, value: Any) -> None:
    if isinstance(value, int | float) and value < 0:
        raise ValueError(f"{name} is not negative, as {value} is")


def _family(name: str, defaults: dict[str, Any], about: str, draw: Callable[..., Tensor]) -> Any:
    """Make a function ``name(*parameters, size, dtype, ctx, out)`` of a way to draw."""
    order = list(defaults)

    def call(
        *args: Any,
        size: Any = None,
        dtype: Any = None,
        ctx: Any = None,
        out: Any = None,
        device: Any = None,
        **kwargs: Any,
    ) -> ndarray:
        if len(args) == len(order) + 1:
            args, size = args[:-1], args[-1]
        given = dict(zip(order, args, strict=False))
        unknown = [key for key in kwargs if key not in order or key in given]
        if unknown or len(args) > len(order):
            raise TypeError(f"{name} takes {', '.join(order)}, size, dtype, ctx and out")
        values = defaults | given | kwargs
        missing = [key for key, value in values.items() if value is ...]
        if missing:
            raise TypeError(f"{name} needs {missing[0]}")
        return _drawn(draw, tuple(values[key] for key in order), size, dtype, ctx or device, out)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = about
    return call


def _even(like: Tensor) -> Tensor:
    """Draw from the open interval (0, 1), whose logarithm is finite."""
    tiny = torch.finfo(like.dtype).tiny
    return torch.rand(like.shape, dtype=like.dtype, device=like.device).clamp_min(tiny)


def _gamma(shape: Any, a: Tensor, scale: Tensor) -> Tensor:
    return torch._standard_gamma(a.contiguous()) * scale


def _beta(shape: Any, a: Tensor, b: Tensor) -> Tensor:
    first, second = torch._standard_gamma(a.contiguous()), torch._standard_gamma(b.contiguous())
    return first / (first + second)


def _exponential(shape: Any, scale: Tensor) -> Tensor:
    return -scale * torch.log(_even(scale))


def _logistic(shape: Any, loc: Tensor, scale: Tensor) -> Tensor:
    return loc + scale * torch.logit(_even(loc).clamp_max(1 - torch.finfo(loc.dtype).eps))


def _laplace(shape: Any, loc: Tensor, scale: Tensor) -> Tensor:
    return loc + scale * (torch.log(_even(loc)) - torch.log(_even(loc)))


gamma = _family("gamma", {"shape": ..., "scale": 1.0}, "Draw from gamma distributions.", _gamma)
beta = _family("beta", {"a": ..., "b": ...}, "Draw from beta distributions.", _beta)
chisquare = _family(
    "chisquare",
    {"df": ...},
    "Draw from chi-square distributions.",
    lambda shape, df: 2 * torch._standard_gamma(df / 2),
)
exponential = _family(
    "exponential", {"scale": 1.0}, "Draw from exponential distributions.", _exponential
)
rayleigh = _family(
    "rayleigh",
    {"scale": 1.0},
    "Draw from Rayleigh distributions.",
    lambda shape, scale: scale * torch.sqrt(-2 * torch.log(_even(scale))),
)
weibull = _family(
    "weibull",
    {"a": ...},
    "Draw from Weibull distributions of scale 1.",
    lambda shape, a: (-torch.log(_even(a))) ** (1 / a),
)
pareto = _family(
    "pareto",
    {"a": ...},
    "Draw from Pareto distributions, less 1.",
    lambda shape, a: torch.exp(-torch.log(_even(a)) / a) - 1,
)
power = _family(
    "power",
    {"a": ...},
    "Draw from power distributions on [0, 1].",
    lambda shape, a: _even(a) ** (1 / a),
)
gumbel = _family(
    "gumbel",
    {"loc": 0.0, "scale": 1.0},
    "Draw from Gumbel distributions.",
    lambda shape, loc, scale: loc - scale * torch.log(-torch.log(_even(loc))),
)
logistic = _family(
    "logistic", {"loc": 0.0, "scale": 1.0}, "Draw from logistic distributions.", _logistic
)
laplace = _family(
    "laplace", {"loc": 0.0, "scale": 1.0}, "Draw from Laplace distributions.", _laplace
)
lognormal = _family(
    "lognormal",
    {"mean": 0.0, "sigma": 1.0},
    "Draw numbers whose logarithms are normal.",
    lambda shape, mean, sigma: torch.exp(mean + sigma * torch.randn_like(mean)),
)
poisson = _family(
    "poisson",
    {"lam": 1.0},
    "Draw counts from Poisson distributions.",
    lambda shape, lam: torch.poisson(lam.contiguous()),
)
binomial = _family(
    "binomial",
    {"n": ..., "p": ...},
    "Draw counts of successes in ``n`` trials.",
    lambda shape, n, p: torch.binomial(n.contiguous(), p.contiguous()),
)


def rand(*size: int, **kwargs: Any) -> ndarray:
    """Draw evenly from 0 up to 1."""
    return uniform(0.0, 1.0, size=size or None, **kwargs)


def randn(*size: int, **kwargs: Any) -> ndarray:
    """Draw from the standard normal distribution."""
    return normal(0.0, 1.0, size=size or None, **kwargs)


def random(size: Any = None, **kwargs: Any) -> ndarray:
    """Draw evenly from 0 up to 1."""
    return uniform(0.0, 1.0, size=size, **kwargs)


random_sample = random


def standard_normal(size: Any = None, **kwargs: Any) -> ndarray:
    """Draw from the standard normal distribution."""
    return normal(0.0, 1.0, size=size, **kwargs)


def randint(
    low: int,
    high: int | None = None,
    size: Any = None,
    dtype: Any = None,
    ctx: Any = None,
    out: Any = None,
    *,
    device: Any = None,
) -> ndarray:
    """Draw integers from ``low`` below ``high``, or from 0 below ``low``; int64 unless told."""
    start, end = (0, low) if high is None else (low, high)
    if int(end) <= int(start):
        raise ValueError(f"there is no integer from {start} below {end}")
    context = as_context(ctx or device)
    shape = () if size is None else shape_of(size)
    kind = torch_dtype(dtype, torch.int64)
    drawn = torch.randint(int(start), int(end), shape, dtype=kind, device=context.place())
    result = wrap(drawn, virtual(context))
    return result if out is None else stored(out, result)


def choice(
    a: Any,
    size: Any = None,
    replace: bool = True,
    p: Any = None,
    ctx: Any = None,
    out: Any = None,
    *,
    device: Any = None,
) -> ndarray:
    """Draw from the elements of a vector, or from 0 to ``a`` - 1, with probabilities ``p``."""
    context = as_context(ctx or device) if not isinstance(a, ndarray) else a.ctx
    pool = None if isinstance(a, int) else as_operand(a)
    count = int(a) if pool is None else pool.shape[0]
    shape = () if size is None else shape_of(size)
    number = torch.Size(shape).numel()
    if not replace and number > count:
        raise ValueError(f"{number} cannot be drawn out of {count} without replacement")
    if p is not None:
        weights = _probabilities(p)
        if len(weights) != count:
            raise ValueError(f"{len(weights)} probabilities for {count} elements")
        places = torch.multinomial(weights, number, replace) if number else torch.zeros(0).long()
    elif replace:
        places = torch.randint(0, count, (number,)) if number else torch.zeros(0).long()
    else:
        places = torch.randperm(count)[:number]
    places = places.reshape(shape).to(context.place())
    result = wrap(places, virtual(context)) if pool is None else apply(lambda t: t[places], pool)
    return result if out is None else stored(out, result)


def _probabilities(p: Any) -> Tensor:
    operand = as_operand(p)
    weights = (operand.tensor if isinstance(operand, ndarray) else operand).detach().double().cpu()
    if weights.ndim != 1 or bool((weights < 0).any()) or float(weights.sum()) > 1 + 1e-4:
        raise ValueError("probabilities are a vector of numbers from 0 on with the sum 1")
    return weights


def multinomial(n: int, pvals: Any, size: Any = None) -> ndarray:
    """Count how often each of several outcomes comes up in ``n`` draws; int64."""
    context = pvals.ctx if isinstance(pvals, ndarray) else as_context(None)
    weights = _probabilities(pvals)
    if len(weights) and n > 0:
        weights = weights.clone()
        weights[-1] = max(0.0, 1 - float(weights[:-1].sum()))  # as NumPy: the last is what is left
    shape = () if size is None else shape_of(size)
    counts = torch.zeros(*shape, len(weights), dtype=torch.int64)
    rows = counts.reshape(-1, len(weights))
    if n > 0 and rows.numel():
        drawn = torch.multinomial(weights.expand(len(rows), -1), n, replacement=True)
        rows.scatter_add_(1, drawn, torch.ones_like(drawn))
    return wrap(rows.reshape(counts.shape).to(context.place()), virtual(context))


def multivariate_normal(mean: Any, cov: Any, size: Any = None) -> ndarray:
    """Draw vectors from a normal distribution with the given mean and covariance."""
    shape = () if size is None else shape_of(size)

    def call(centre: Tensor, covariance: Tensor) -> Tensor:
        # The eigenvectors also serve a covariance that is only just not positive definite.
        values, vectors = torch.linalg.eigh(covariance.to(centre.dtype))
        noise = torch.randn(*shape, *centre.shape, dtype=centre.dtype, device=centre.device)
        root = vectors * values.clamp_min(0).sqrt().unsqueeze(-2)
        return centre + (root @ noise.unsqueeze(-1)).squeeze(-1)

    return apply(call, as_operand(mean), as_operand(cov))


def shuffle(x: ndarray) -> None:
    """Bring the slices along the first axis into a random order, in place."""
    order = torch.randperm(len(x), device=x.tensor.device)
    write(x, lambda tensor, new: tensor.copy_(new), wrap(x.tensor.detach()[order], x._context))


def permutation(x: Any) -> ndarray:
    """Give 0 to ``x`` - 1, or the slices of an array, in a random order."""
    if isinstance(x, int | numpy.integer):
        return wrap(torch.randperm(int(x)))
    array = as_operand(x)
    return apply(lambda tensor: tensor[torch.randperm(len(tensor))], array)
