"""Layers that bring their inputs to mean 0 and variance 1.

Shapes: N examples, C channels
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from divekit.mx.array import ndarray
from divekit.mx.errors import not_here
from divekit.mx.gluon.hybrid import Layer, axis_size
from divekit.mx.npx.layers import group_norm, layer_norm
from divekit.mx.state import STATE


class _Normalization(Layer):
    """What they share: a trained scale ``gamma`` and shift ``beta``, and how they print."""

    def __init__(
        self,
        settings: dict[str, Any],
        size: int,
        scale: bool,
        center: bool,
        gamma_initializer: Any,
        beta_initializer: Any,
        prefix: str | None,
        params: Any,
    ) -> None:
        super().__init__(prefix, params)
        self._settings = settings
        self.gamma = self._trained("gamma", size, gamma_initializer, scale)
        self.beta = self._trained("beta", size, beta_initializer, center)

    def _trained(self, name: str, size: int, init: Any, trained: bool) -> Any:
        request = "write" if trained else "null"
        return self.parameter(
            name, (size,), init, "float32", grad_req=request, differentiable=trained
        )

    def _size_of(self, x: Any) -> int:
        return axis_size(self, x, self._settings.get("axis", 1))

    def infer_shape(self, x: Any) -> None:
        """Take the number of channels from an input."""
        size = self._size_of(x)
        for parameter in self._reg_params.values():
            parameter.shape = (size,)

    def _scaling(self, x: Any) -> tuple[ndarray, ndarray]:
        where = self.where(x)
        return self.gamma.data(where), self.beta.data(where)

    def __repr__(self) -> str:
        size = (self.gamma.shape or (None,))[0]
        said = ", ".join(f"{name}={value!r}" for name, value in self._settings.items())
        return f"{type(self).__name__}({said}, in_channels={size})"


class BatchNorm(_Normalization):
    """Normalise each channel by the batch's own mean and variance, in prediction by running ones.

    ``running = momentum * running + (1 - momentum) * batch``, with the variance over n. Without
    ``scale`` the scale is 1 and without ``center`` the shift 0, untrained;
    ``use_global_stats`` takes the running figures in training too.
    """

    def __init__(
        self,
        axis: int = 1,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        center: bool = True,
        scale: bool = True,
        use_global_stats: bool = False,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        running_mean_initializer: Any = "zeros",
        running_variance_initializer: Any = "ones",
        in_channels: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        settings = {
            "axis": axis,
            "eps": epsilon,
            "momentum": momentum,
            "fix_gamma": not scale,
            "use_global_stats": use_global_stats,
        }
        super().__init__(
            settings, in_channels, scale, center, gamma_initializer, beta_initializer, prefix,
            params,
        )  # fmt: skip
        self.running_mean = self._trained(
            "running_mean", in_channels, running_mean_initializer, False
        )
        self.running_var = self._trained(
            "running_var", in_channels, running_variance_initializer, False
        )

    def forward(self, x: Any) -> Any:
        """Normalise, and in train mode move the running figures."""
        where = self.where(x)
        gamma = None if self._settings["fix_gamma"] else self.gamma.data(where)
        own = STATE.training and not self._settings["use_global_stats"]
        return self.compute(
            _batch_norm,
            x,
            gamma,
            self.beta.data(where),
            self.running_mean.data(where),
            self.running_var.data(where),
            self._settings["axis"],
            own,
            self._settings["momentum"],
            self._settings["eps"],
        )

    def cast(self, dtype: Any) -> None:
        """Change the type of the parameters; with float16 inputs they stay float32."""
        super().cast("float32" if str(dtype) == "float16" else dtype)


def _batch_norm(
    x: Tensor,
    gamma: Tensor | None,
    beta: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    axis: int,
    own: bool,
    momentum: float,
    epsilon: float,
) -> Tensor:
    moved = axis not in (1, 1 - x.ndim)
    channels = x.movedim(axis, 1) if moved else x
    count = channels.numel() // max(channels.shape[1], 1)
    if not own:
        result = F.batch_norm(channels, running_mean, running_var, gamma, beta, False, 0, epsilon)
        return result.movedim(1, axis) if moved else result
    mean, var = torch.zeros_like(running_mean), torch.zeros_like(running_var)
    if count > 1:
        result = F.batch_norm(channels, mean, var, gamma, beta, True, 1.0, epsilon)
    else:
        # A number alone in its channel is its own mean; torch refuses, MXNet gives the shift.
        mean += channels.detach().reshape(-1)
        shape = [1, -1] + [1] * (channels.ndim - 2)
        scale = 1 if gamma is None else gamma.reshape(shape)
        result = (channels - channels) * scale + beta.reshape(shape)
    # Torch gives the variance over n - 1, MXNet keeps the one over n.
    running_mean.mul_(momentum).add_(mean, alpha=1 - momentum)
    running_var.mul_(momentum).add_(var, alpha=(1 - momentum) * (count - 1) / count)
    return result.movedim(1, axis) if moved else result


class SyncBatchNorm(BatchNorm):
    """Not here: figures over several devices."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise not_here("SyncBatchNorm", "torch.nn.SyncBatchNorm")


class LayerNorm(_Normalization):
    """Normalise each row along ``axis``, then scale and shift each of its places."""

    def __init__(
        self,
        axis: int = -1,
        epsilon: float = 1e-5,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        in_channels: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        settings = {"eps": epsilon, "axis": axis, "center": center, "scale": scale}
        super().__init__(
            settings, in_channels, scale, center, gamma_initializer, beta_initializer, prefix,
            params,
        )  # fmt: skip
        self._axis, self._epsilon = axis, epsilon

    def forward(self, x: Any) -> Any:
        """Normalise."""
        return layer_norm(x, *self._scaling(x), axis=self._axis, eps=self._epsilon)


class InstanceNorm(_Normalization):
    """Normalise each channel of each example, then scale and shift the channels."""

    def __init__(
        self,
        axis: int = 1,
        epsilon: float = 1e-5,
        center: bool = True,
        scale: bool = False,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        in_channels: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        settings = {"eps": epsilon, "axis": axis, "center": center, "scale": scale}
        super().__init__(
            settings, in_channels, scale, center, gamma_initializer, beta_initializer, prefix,
            params,
        )  # fmt: skip
        self._axis, self._epsilon = axis, epsilon

    def forward(self, x: Any) -> Any:
        """Normalise."""
        return self.compute(_instance_norm, x, *self._scaling(x), self._axis, self._epsilon)


def _instance_norm(x: Tensor, gamma: Tensor, beta: Tensor, axis: int, epsilon: float) -> Tensor:
    channels = x.movedim(axis, 1)
    return F.instance_norm(channels, weight=gamma, bias=beta, eps=epsilon).movedim(1, axis)


class GroupNorm(_Normalization):
    """Normalise groups of the channels (axis 1) of each example, then scale and shift.

    There is one scale and shift for each group, as in MXNet 1.7; with ``in_channels`` one for each
    channel, as in MXNet 2.
    """

    def __init__(
        self,
        num_groups: int = 1,
        epsilon: float = 1e-5,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        in_channels: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        settings = {"eps": epsilon, "num_groups": num_groups, "center": center, "scale": scale}
        super().__init__(
            settings, in_channels or num_groups, scale, center, gamma_initializer,
            beta_initializer, prefix, params,
        )  # fmt: skip
        self._groups, self._epsilon = num_groups, epsilon

    def forward(self, x: Any) -> Any:
        """Normalise."""
        gamma, beta = self._scaling(x)
        return group_norm(x, gamma, beta, num_groups=self._groups, eps=self._epsilon)
