"""Layers without a subject of their own: dense, dropout, embedding, flattening, functions.

Shapes: N examples, C inputs, K outputs
"""

import math
from collections.abc import Callable
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from divekit.mx import nd, np, npx
from divekit.mx.errors import NotHereError
from divekit.mx.gluon.block import Block
from divekit.mx.gluon.hybrid import HybridBlock, Layer, axis_size
from divekit.mx.gluon.nn.activations import as_activation
from divekit.mx.npx.layers import dropout
from divekit.mx.state import STATE


class Dense(Layer):
    """Give ``x weight^T + bias``, then ``activation``: (N, C) to (N, K).

    Inputs of more axes are flattened to (N, C), or with ``flatten=False`` taken row by row:
    (..., C) to (..., K). ``weight`` is (units, in_units).
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        flatten: bool = True,
        dtype: Any = "float32",
        weight_initializer: Any = None,
        bias_initializer: Any = "zeros",
        in_units: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(prefix, params)
        self._units, self._flatten = units, flatten
        self.weight = self.parameter("weight", (units, in_units), weight_initializer, dtype)
        self.bias = self.parameter("bias", (units,), bias_initializer, dtype) if use_bias else None
        self.act = as_activation(activation)

    def infer_shape(self, x: Any) -> None:
        """Take the number of inputs from an input."""
        inputs = math.prod(x.shape[1:]) if self._flatten else axis_size(self, x, -1)
        self.weight.shape = (self._units, inputs)

    def forward(self, x: Any) -> Any:
        """Multiply and add."""
        where = self.where(x)
        bias = None if self.bias is None else self.bias.data(where)
        function = _flat_linear if self._flatten else F.linear
        result = self.compute(function, x, self.weight.data(where), bias)
        return result if self.act is None else self.act(result)

    def __repr__(self) -> str:
        units, inputs = self.weight.shape or (self._units, None)
        return f"{type(self).__name__}({inputs} -> {units}, {self.act or 'linear'})"


def _flat_linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return F.linear(x if x.ndim == 2 else x.flatten(1), weight, bias)


class Dropout(Layer):
    """In train mode set elements to 0 with probability ``rate`` and scale the others up.

    Along ``axes`` all elements share one fate.
    """

    def __init__(
        self, rate: float, axes: Any = (), prefix: str | None = None, params: Any = None
    ) -> None:
        super().__init__(prefix, params)
        if not 0 <= rate <= 1:
            raise ValueError(f"rate is a probability, not {rate}")
        self._rate, self._axes = rate, axes

    def forward(self, x: Any) -> Any:
        """Drop in train mode, else give the input."""
        if not STATE.training or not self._rate:
            return x
        return dropout(x, self._rate, axes=self._axes)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p = {self._rate}, axes={self._axes})"


class Embedding(Layer):
    """Give the row of ``weight`` (input_dim, output_dim) for each integer of the input."""

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        dtype: Any = "float32",
        weight_initializer: Any = None,
        sparse_grad: bool = False,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(prefix, params)
        if sparse_grad:
            raise NotHereError(
                "sparse_grad: gradients are dense; in PyTorch: torch.nn.Embedding(sparse=True)"
            )
        self._size = input_dim
        self.weight = self.parameter("weight", (input_dim, output_dim), weight_initializer, dtype)

    def forward(self, x: Any) -> Any:
        """Look the rows up."""
        return self.compute(_looked_up, x, self.weight.data(self.where(x)))

    def __repr__(self) -> str:
        rows, size = self.weight.shape or (self._size, None)
        return f"{type(self).__name__}({rows} -> {size}, {self.weight.dtype})"


def _looked_up(places: Tensor, weight: Tensor) -> Tensor:
    return F.embedding(places.long(), weight)


class Flatten(Layer):
    """Make one axis of all but the first."""

    def forward(self, x: Any) -> Any:
        """Flatten."""
        return self.compute(_flattened, x)

    def __repr__(self) -> str:
        return type(self).__name__


def _flattened(x: Tensor) -> Tensor:
    return x.reshape(x.shape[0], -1)


class Identity(HybridBlock):
    """Give the input as it is."""

    def forward(self, x: Any) -> Any:
        """Give the input."""
        return x


class Lambda(Block):
    """A function as a block; by name it is one of ``np`` or ``npx``."""

    def __init__(self, function: Any, prefix: str | None = None) -> None:
        super().__init__(prefix)
        self._function = _named_function(function)

    def forward(self, *args: Any) -> Any:
        """Call the function."""
        return self._function(*args)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._function.__name__})"


class HybridLambda(HybridBlock):
    """A function ``f(F, x, ...)`` as a hybrid block; by name it is one of ``np`` or ``npx``."""

    def __init__(self, function: Any, prefix: str | None = None) -> None:
        super().__init__(prefix)
        self._by_name = isinstance(function, str)
        self._function = _named_function(function)

    def forward(self, *args: Any) -> Any:
        """Call the function."""
        return self._function(*args) if self._by_name else self._function(nd, *args)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._function.__name__})"


def _named_function(given: Any) -> Callable[..., Any]:
    if callable(given):
        return given
    if not isinstance(given, str):
        raise ValueError(f"a Lambda takes a function or the name of one, not {given!r}")
    for part in (np, npx):
        if hasattr(part, given):
            return getattr(part, given)
    raise ValueError(f"neither np nor npx has a function {given!r}")
