"""Convolutions and transposed convolutions over one, two and three axes.

Shapes: N examples, C channels, K output channels; the spatial axes follow
"""

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from divekit.mx.errors import NotHereError
from divekit.mx.gluon.hybrid import Layer, axis_size
from divekit.mx.gluon.nn.activations import as_activation

_FUNCTIONS: dict[tuple[bool, int], Any] = {
    (False, 1): F.conv1d,
    (False, 2): F.conv2d,
    (False, 3): F.conv3d,
    (True, 1): F.conv_transpose1d,
    (True, 2): F.conv_transpose2d,
    (True, 3): F.conv_transpose3d,
}
LAYOUTS = {1: "NCW", 2: "NCHW", 3: "NCDHW"}


def sizes(name: str, given: Any, count: int) -> tuple[int, ...]:
    """Give one size for each spatial axis."""
    if isinstance(given, int):
        return (given,) * count
    if len(given) != count:
        raise ValueError(f"{name} is one number or {count}, not {given!r}")
    return tuple(given)


def check_layout(layout: str | None, count: int) -> None:
    """Refuse inputs whose channels are not on axis 1."""
    if layout not in (None, LAYOUTS[count]):
        raise NotHereError(f"layout {layout!r}: move the channels first, {LAYOUTS[count]}")


class _Conv(Layer):
    """Cross-correlation with ``weight`` (K, C / groups, ...), or its transpose."""

    _count = 2
    _transposed = False

    def __init__(
        self,
        channels: int,
        kernel_size: Any,
        strides: Any,
        padding: Any,
        dilation: Any,
        groups: int,
        layout: str | None,
        in_channels: int,
        activation: Any,
        use_bias: bool,
        weight_initializer: Any,
        bias_initializer: Any,
        prefix: str | None,
        params: Any,
        output_padding: Any = 0,
    ) -> None:
        super().__init__(prefix, params)
        count = self._count
        check_layout(layout, count)
        self._channels, self._groups = channels, groups
        self._kernel = sizes("kernel_size", kernel_size, count)
        self._strides = sizes("strides", strides, count)
        self._padding = sizes("padding", padding, count)
        self._dilation = sizes("dilation", dilation, count)
        self._output_padding = sizes("output_padding", output_padding, count)
        self._function = _FUNCTIONS[self._transposed, count]
        self.weight = self.parameter(
            "weight", self._weight_shape(in_channels), weight_initializer, "float32"
        )
        self.bias = (
            self.parameter("bias", (channels,), bias_initializer, "float32") if use_bias else None
        )
        self.act = as_activation(activation)

    def _weight_shape(self, inputs: int) -> tuple[int, ...]:
        if self._transposed:
            return (inputs, self._channels // self._groups, *self._kernel)
        return (self._channels, inputs // self._groups, *self._kernel)

    def infer_shape(self, x: Any) -> None:
        """Take the number of channels from an input."""
        self.weight.shape = self._weight_shape(axis_size(self, x, 1))

    def forward(self, x: Any) -> Any:
        """Convolve."""
        where = self.where(x)
        bias = None if self.bias is None else self.bias.data(where)
        result = self.compute(self._convolved, x, self.weight.data(where), bias)
        return result if self.act is None else self.act(result)

    def _convolved(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if x.ndim != self._count + 2:
            raise RuntimeError(f"the shape of the input has {self._count + 2} axes")
        if self._transposed:
            return self._function(
                x, weight, bias, self._strides, self._padding, self._output_padding, self._groups,
                self._dilation,
            )  # fmt: skip
        return self._function(
            x, weight, bias, self._strides, self._padding, self._dilation, self._groups
        )

    def __repr__(self) -> str:
        shape = self.weight.shape or (self._channels, None)
        said = [f"{shape[1]} -> {shape[0]}", f"kernel_size={self._kernel}"]
        said.append(f"stride={self._strides}")
        zeros, ones = (0,) * self._count, (1,) * self._count
        if self._padding != zeros:
            said.append(f"padding={self._padding}")
        if self._dilation != ones:
            said.append(f"dilation={self._dilation}")
        if self._output_padding != zeros:
            said.append(f"output_padding={self._output_padding}")
        if self._groups != 1:
            said.append(f"groups={self._groups}")
        if self.bias is None:
            said.append("bias=False")
        if self.act is not None:
            said.append(repr(self.act))
        return f"{type(self).__name__}({', '.join(said)})"


def _convolution(count: int) -> Any:
    class Convolution(_Conv):
        _count = count

        def __init__(
            self,
            channels: int,
            kernel_size: Any,
            strides: Any = 1,
            padding: Any = 0,
            dilation: Any = 1,
            groups: int = 1,
            layout: str | None = None,
            activation: Any = None,
            use_bias: bool = True,
            weight_initializer: Any = None,
            bias_initializer: Any = "zeros",
            in_channels: int = 0,
            prefix: str | None = None,
            params: Any = None,
        ) -> None:
            super().__init__(
                channels, kernel_size, strides, padding, dilation, groups, layout, in_channels,
                activation, use_bias, weight_initializer, bias_initializer, prefix, params,
            )  # fmt: skip

        def _alias(self) -> str:
            return "conv"

    return _called(Convolution, f"Conv{count}D", f"Convolve (N, C, ...) over {count} axes.")


def _transpose(count: int) -> Any:
    class Transposed(_Conv):
        _count = count
        _transposed = True

        def __init__(
            self,
            channels: int,
            kernel_size: Any,
            strides: Any = 1,
            padding: Any = 0,
            output_padding: Any = 0,
            dilation: Any = 1,
            groups: int = 1,
            layout: str | None = None,
            activation: Any = None,
            use_bias: bool = True,
            weight_initializer: Any = None,
            bias_initializer: Any = "zeros",
            in_channels: int = 0,
            prefix: str | None = None,
            params: Any = None,
        ) -> None:
            super().__init__(
                channels, kernel_size, strides, padding, dilation, groups, layout, in_channels,
                activation, use_bias, weight_initializer, bias_initializer, prefix, params,
                output_padding,
            )  # fmt: skip

        def _alias(self) -> str:
            return "conv"

    return _called(
        Transposed, f"Conv{count}DTranspose", f"Do the transpose of Conv{count}D: (N, K, ...)."
    )


def _called(kind: type, name: str, about: str) -> type:
    kind.__name__ = kind.__qualname__ = name
    kind.__doc__ = (
        f"{about} ``channels`` come out; sizes are one number or one for each axis.\n\n"
        "    ``weight`` is (K, C / groups, ...), transposed (C, K / groups, ...).\n    "
    )
    return kind


Conv1D, Conv2D, Conv3D = map(_convolution, (1, 2, 3))
Conv1DTranspose, Conv2DTranspose, Conv3DTranspose = map(_transpose, (1, 2, 3))
