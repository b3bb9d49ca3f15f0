"""``mx.init``: how a parameter's first numbers are drawn.

An initializer fills an array in place. Subclasses write ``_init_weight(self, name, data)``; those
under ``@register`` can be asked for by name, as in ``net.initialize("xavier")``.
"""

import json
import math
import re
from collections.abc import Sequence
from typing import Any

import numpy
import torch
from torch import Tensor

from divekit.mx.array import as_plain, ndarray
from divekit.mx.errors import ShapeError

_BY_NAME: dict[str, type["Initializer"]] = {}


class InitDesc(str):
    """A parameter's name, with what is known of how it wants to be initialised."""

    attrs: dict[str, Any]
    global_init: "Initializer | None"

    def __new__(
        cls, name: str, attrs: dict[str, Any] | None = None, global_init: Any = None
    ) -> "InitDesc":
        """Make a name; ``attrs["__init__"]`` is the initializer of this parameter alone."""
        found = super().__new__(cls, name)
        found.attrs = attrs or {}
        found.global_init = global_init
        return found


def register(kind: type["Initializer"]) -> type["Initializer"]:
    """Make an initializer's class known by its name in lower case."""
    _BY_NAME[kind.__name__.lower()] = kind
    return kind


def create(given: Any, **kwargs: Any) -> "Initializer":
    """Give an initializer by its name, by what ``dumps`` wrote, or the one that is given."""
    if isinstance(given, Initializer) or (callable(given) and not isinstance(given, type)):
        return given
    if isinstance(given, str) and given.startswith("["):
        name, kwargs = json.loads(given)
        return create(name, **kwargs)
    found = _BY_NAME.get(str(given).lower())
    if found is None:
        raise ValueError(f"no initializer is called {given!r}; there is {', '.join(_BY_NAME)}")
    return found(**kwargs)


class Initializer:
    """Fills arrays; called with a name and an array it goes by the end of the name."""

    def __init__(self, **kwargs: Any) -> None:
        self._kwargs = kwargs

    def dumps(self) -> str:
        """Write the initializer as text that ``create`` reads."""
        return json.dumps([type(self).__name__.lower(), self._kwargs])

    def __repr__(self) -> str:
        said = ", ".join(f"{name}={value!r}" for name, value in self._kwargs.items())
        return f"{type(self).__name__}({said})"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and repr(self) == repr(other)

    __hash__ = None  # type: ignore[assignment]

    def __call__(self, desc: str, arr: ndarray) -> None:
        """Fill ``arr``: weights as this initializer has it, biases 0, scales 1."""
        own = getattr(desc, "attrs", {}).get("__init__")
        if own:
            create(own)._init_weight(desc, arr)
            return
        for end, fill in _BY_ENDING.items():
            if desc.endswith(end):
                getattr(self, fill)(desc, arr)
                return
        self._init_default(desc, arr)

    def _init_weight(self, name: str, data: ndarray) -> None:
        raise NotImplementedError("an initializer writes _init_weight(self, name, data)")

    def _init_zero(self, name: str, data: ndarray) -> None:
        data[:] = 0

    def _init_one(self, name: str, data: ndarray) -> None:
        data[:] = 1

    _init_bias = _init_beta = _init_zero
    _init_gamma = _init_one

    def _init_default(self, name: str, data: ndarray) -> None:
        raise ValueError(
            f"nothing says how to initialise {name!r}: names end in weight, bias, gamma or beta, "
            "or the parameter names its own with init="
        )


_BY_ENDING = {
    "weight": "_init_weight",
    "bias": "_init_bias",
    "gamma": "_init_gamma",
    "beta": "_init_beta",
    "min": "_init_zero",
    "max": "_init_one",
    "running_mean": "_init_zero",
    "moving_mean": "_init_zero",
    "running_var": "_init_one",
    "moving_var": "_init_one",
    "moving_inv_var": "_init_zero",
    "moving_avg": "_init_zero",
}


def _fill(data: ndarray, drawn: Tensor) -> None:
    data[...] = drawn.to(data.tensor.device)


def _uniform(data: ndarray, scale: float) -> None:
    _fill(data, torch.empty(data.shape).uniform_(-scale, scale))


def _normal(data: ndarray, sigma: float) -> None:
    _fill(data, torch.randn(data.shape) * sigma)


@register
class Zero(Initializer):
    """All 0."""

    def _init_weight(self, name: str, data: ndarray) -> None:
        data[...] = 0


@register
class One(Initializer):
    """All 1."""

    def _init_weight(self, name: str, data: ndarray) -> None:
        data[...] = 1


@register
class Constant(Initializer):
    """One number, or the numbers of an array that has the parameter's shape."""

    def __init__(self, value: Any = 0.0) -> None:
        super().__init__(value=value)
        self.value = value

    def dumps(self) -> str:
        """Write the initializer as text that ``create`` reads."""
        value = self.value
        plain = value.tolist() if isinstance(value, ndarray | numpy.ndarray | Tensor) else value
        return json.dumps(["constant", {"value": plain}])

    def _init_weight(self, name: str, data: ndarray) -> None:
        value = as_plain(self.value)
        if isinstance(value, list | tuple):
            value = torch.tensor(value)
        if isinstance(value, Tensor):
            if value.numel() != 1 and value.shape != data.tensor.shape:
                raise ShapeError(
                    f"{name} has shape {data.shape}, the constant {tuple(value.shape)}"
                )
            value = value.detach().to(data.tensor.device)
        data[...] = value


@register
class Uniform(Initializer):
    """Even between ``-scale`` and ``scale``; what ``initialize()`` takes unless told otherwise."""

    def __init__(self, scale: float = 0.07) -> None:
        super().__init__(scale=scale)
        self.scale = scale

    def _init_weight(self, name: str, data: ndarray) -> None:
        _uniform(data, self.scale)


@register
class Normal(Initializer):
    """Normal with mean 0 and standard deviation ``sigma``."""

    def __init__(self, sigma: float = 0.01) -> None:
        super().__init__(sigma=sigma)
        self.sigma = sigma

    def _init_weight(self, name: str, data: ndarray) -> None:
        _normal(data, self.sigma)


@register
class Xavier(Initializer):
    """Scaled to how many inputs and outputs each unit has.

    ``sqrt(magnitude / factor)``, where the factor is the number of inputs (``in``), outputs
    (``out``) or their mean (``avg``), is the bound of a ``uniform`` draw or the standard
    deviation of a ``gaussian`` one. Glorot and Bengio, 2010.
    """

    def __init__(
        self, rnd_type: str = "uniform", factor_type: str = "avg", magnitude: float = 3
    ) -> None:
        super().__init__(rnd_type=rnd_type, factor_type=factor_type, magnitude=magnitude)
        self.rnd_type, self.factor_type, self.magnitude = rnd_type, factor_type, float(magnitude)

    def _init_weight(self, name: str, data: ndarray) -> None:
        if data.ndim < 2:
            raise ValueError(
                f"{type(self).__name__} needs two axes at least, {name} has shape {data.shape}; "
                "give a vector its own init, such as init.Zero()"
            )
        window = math.prod(data.shape[2:])
        inputs, outputs = data.shape[1] * window, data.shape[0] * window
        factors = {"in": inputs, "out": outputs, "avg": (inputs + outputs) / 2}
        if self.factor_type not in factors:
            raise ValueError(f"factor_type is in, out or avg, not {self.factor_type!r}")
        scale = math.sqrt(self.magnitude / factors[self.factor_type])
        if self.rnd_type not in ("uniform", "gaussian"):
            raise ValueError(f"rnd_type is uniform or gaussian, not {self.rnd_type!r}")
        (_uniform if self.rnd_type == "uniform" else _normal)(data, scale)


@register
class MSRAPrelu(Xavier):
    """Xavier's with the factor of rectified units whose negative slope is ``slope``.

    He et al., 2015.
    """

    def __init__(self, factor_type: str = "avg", slope: float = 0.25) -> None:
        super().__init__("gaussian", factor_type, 2.0 / (1 + slope**2))
        self._kwargs = {"factor_type": factor_type, "slope": slope}


@register
class Orthogonal(Initializer):
    """Rows, or columns if there are fewer, at right angles and ``scale`` long.

    Saxe, McClelland and Ganguli, 2013.
    """

    def __init__(self, scale: float = 1.414, rand_type: str = "uniform") -> None:
        super().__init__(scale=scale, rand_type=rand_type)
        self.scale, self.rand_type = scale, rand_type

    def _init_weight(self, name: str, data: ndarray) -> None:
        shape = (data.shape[0], math.prod(data.shape[1:]))
        if self.rand_type not in ("uniform", "normal"):
            raise ValueError(f"rand_type is uniform or normal, not {self.rand_type!r}")
        drawn = torch.rand(shape) * 2 - 1 if self.rand_type == "uniform" else torch.randn(shape)
        left, _, right = torch.linalg.svd(drawn, full_matrices=False)
        chosen = left if left.shape == drawn.shape else right
        _fill(data, self.scale * chosen.reshape(data.shape))


@register
class Bilinear(Initializer):
    """The weights with which a transposed convolution interpolates."""

    def _init_weight(self, name: str, data: ndarray) -> None:
        if data.ndim != 4:
            raise ValueError(f"Bilinear is for (C, K, H, W), {name} has shape {data.shape}")
        half = math.ceil(data.shape[3] / 2)
        centre = (2 * half - 1 - half % 2) / (2 * half)
        across, down = (
            1 - (torch.arange(size) / half - centre).abs() for size in data.shape[:-3:-1]
        )
        _fill(data, (down[:, None] * across).expand(data.shape))


@register
class LSTMBias(Initializer):
    """All 0, but ``forget_bias`` for the forget gate, the second of four."""

    def __init__(self, forget_bias: float = 1.0) -> None:
        super().__init__(forget_bias=forget_bias)
        self.forget_bias = forget_bias

    def _init_weight(self, name: str, data: ndarray) -> None:
        data[:] = 0
        hidden = data.shape[0] // 4
        data[hidden : 2 * hidden] = self.forget_bias


class Mixed(Initializer):
    """The first initializer whose pattern fits the beginning of the parameter's name."""

    def __init__(self, patterns: Sequence[str], initializers: Sequence[Initializer]) -> None:
        super().__init__()
        self.pairs = list(zip(map(re.compile, patterns), initializers, strict=True))

    def __call__(self, desc: str, arr: ndarray) -> None:
        for pattern, initializer in self.pairs:
            if pattern.match(desc):
                initializer(desc, arr)
                return
        raise ValueError(f"no pattern fits {desc!r}; put '.*' last")

    def _init_weight(self, name: str, data: ndarray) -> None:
        self(name, data)


class Load(Initializer):
    """Numbers by name, from a file or a dict; ``default_init`` for those it does not have."""

    def __init__(self, param: Any, default_init: Any = None, verbose: bool = False) -> None:
        from divekit.mx import files

        super().__init__()
        found = param if isinstance(param, dict) else files.load(param)
        self.param = {
            name.removeprefix("arg:").removeprefix("aux:"): v for name, v in found.items()
        }
        self.default_init = default_init

    def __call__(self, desc: str, arr: ndarray) -> None:
        if desc in self.param:
            if self.param[desc].shape != arr.shape:
                raise ShapeError(
                    f"{desc} has shape {arr.shape}, the file's {self.param[desc].shape}"
                )
            arr[...] = self.param[desc].as_in_ctx(arr.ctx)
        elif self.default_init is None:
            raise ValueError(f"the file has no {desc}, and there is no default_init")
        else:
            self.default_init(desc, arr)

    def _init_weight(self, name: str, data: ndarray) -> None:
        self(name, data)


_BY_NAME.update(zeros=Zero, ones=One, gaussian=Normal)
