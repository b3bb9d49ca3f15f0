"""Activations as blocks."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from divekit.mx import initializer
from divekit.mx.gluon.hybrid import Layer
from divekit.mx.npx.activations import _ACTIVATIONS


def as_activation(given: Any) -> Any:
    """Make the block for a layer's ``activation``: None, a name, or a block as it is."""
    return Activation(given, prefix=f"{given}_") if isinstance(given, str) else given


class Activation(Layer):
    """Apply relu, sigmoid, tanh, softrelu, softsign, log_sigmoid or mish."""

    def __init__(self, activation: str, prefix: str | None = None, params: Any = None) -> None:
        self._kind = activation
        super().__init__(prefix, params)
        if activation not in _ACTIVATIONS:
            raise ValueError(
                f"no activation is called {activation!r}; there is {', '.join(_ACTIVATIONS)}"
            )
        self._function = _ACTIVATIONS[activation]

    def _alias(self) -> str:
        return self._kind

    def forward(self, x: Any) -> Any:
        """Apply it."""
        return self.compute(self._function, x)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._kind})"


class LeakyReLU(Layer):
    """Give x where it is positive, else ``alpha`` x."""

    def __init__(self, alpha: float, prefix: str | None = None, params: Any = None) -> None:
        super().__init__(prefix, params)
        if alpha < 0:
            raise ValueError(f"alpha is a slope of 0 or more, not {alpha}")
        self._alpha = alpha

    def forward(self, x: Any) -> Any:
        """Apply it."""
        return self.compute(F.leaky_relu, x, self._alpha)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._alpha})"


class PReLU(Layer):
    """Give x where it is positive, else ``alpha`` x with a slope that is trained.

    ``in_channels`` slopes, one or one for each channel (axis 1).
    """

    def __init__(
        self,
        alpha_initializer: Any = None,
        in_channels: int = 1,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(prefix, params)
        init = initializer.Constant(0.25) if alpha_initializer is None else alpha_initializer
        self.alpha = self.parameter("alpha", (in_channels,), init, "float32")

    def forward(self, x: Any) -> Any:
        """Apply it."""
        return self.compute(F.prelu, x, self.alpha.data(self.where(x)))


class ELU(Layer):
    """Give x where it is positive, else ``alpha (exp(x) - 1)``."""

    def __init__(self, alpha: float = 1.0, prefix: str | None = None, params: Any = None) -> None:
        super().__init__(prefix, params)
        self._alpha = alpha

    def forward(self, x: Any) -> Any:
        """Apply it."""
        return self.compute(F.elu, x, self._alpha)


class SELU(Layer):
    """The scaled ELU that keeps mean 0 and variance 1."""

    def forward(self, x: Any) -> Any:
        """Apply it."""
        return self.compute(torch.selu, x)


class GELU(Layer):
    """Give x times the normal distribution's share below x; ``tanh`` is the quick approximation."""

    def __init__(
        self, approximation: str = "erf", prefix: str | None = None, params: Any = None
    ) -> None:
        super().__init__(prefix, params)
        if approximation not in ("erf", "tanh"):
            raise ValueError(f"approximation is erf or tanh, not {approximation!r}")
        self._approximate = "none" if approximation == "erf" else "tanh"

    def forward(self, x: Any) -> Any:
        """Apply it."""
        return self.compute(_gelu, x, self._approximate)


def _gelu(x: Tensor, approximate: str) -> Tensor:
    return F.gelu(x, approximate=approximate)


class Swish(Layer):
    """Give ``x sigmoid(beta x)``."""

    def __init__(self, beta: float = 1.0, prefix: str | None = None, params: Any = None) -> None:
        super().__init__(prefix, params)
        self._beta = beta

    def forward(self, x: Any) -> Any:
        """Apply it."""
        return self.compute(_swish, x, self._beta)


class SiLU(Swish):
    """Give ``x sigmoid(x)``."""

    def __init__(self, prefix: str | None = None, params: Any = None) -> None:
        super().__init__(1.0, prefix, params)


def _swish(x: Tensor, beta: float) -> Tensor:
    return x * torch.sigmoid(beta * x)
