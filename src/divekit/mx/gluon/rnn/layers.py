"""Recurrent layers over whole sequences, computed by torch's own kernels.

Shapes: T steps, N examples, C inputs, H hidden units, L layers times directions
"""

from typing import Any

import torch
from torch import Tensor

from divekit.mx import np
from divekit.mx.array import ndarray
from divekit.mx.errors import ShapeError, not_here
from divekit.mx.gluon.hybrid import Layer, axis_size
from divekit.mx.state import STATE


class _Recurrent(Layer):
    """What the three share: parameters by layer and direction, and states as a list.

    Inputs are (T, N, C), or (N, T, C) with ``layout="NTC"``; outputs have H times the directions
    in place of C. Each state is (L, N, H). Called without states a layer begins with zeros and
    gives its outputs alone, else outputs and a list of states. ``dropout`` is between layers.
    """

    _gates = 1
    _states = 1

    def __init__(
        self,
        hidden_size: int,
        num_layers: int,
        layout: str,
        dropout: float,
        bidirectional: bool,
        input_size: int,
        initializers: dict[str, Any],
        dtype: Any,
        prefix: str | None,
        params: Any,
        **refused: Any,
    ) -> None:
        super().__init__(prefix, params)
        if layout not in ("TNC", "NTC"):
            raise ValueError(f"layout is TNC or NTC, not {layout!r}")
        given = [name for name, value in refused.items() if value not in (None, False)]
        if given:
            raise not_here(f"{type(self).__name__}({given[0]}=...)", f"torch.nn's {self._torchs}")
        self._hidden_size, self._num_layers, self._layout = hidden_size, num_layers, layout
        self._dropout, self._input_size = dropout, input_size
        self._directions = 2 if bidirectional else 1
        self._dtype = dtype
        self._names = [
            f"{d}{layer}_" for layer in range(num_layers) for d in "lr"[: self._directions]
        ]
        units = self._gates * hidden_size
        for name in self._names:
            inputs = hidden_size * self._directions if int(name[1:-1]) else input_size
            shapes = {
                "i2h_weight": (units, inputs),
                "h2h_weight": (units, hidden_size),
                "i2h_bias": (units,),
                "h2h_bias": (units,),
            }
            for kind, shape in shapes.items():
                made = self.parameter(name + kind, shape, initializers[kind], dtype)
                setattr(self, name + kind, made)
        self._weights = list(self._reg_params.values())

    @property
    def _torchs(self) -> str:
        return type(self).__name__

    def infer_shape(self, inputs: Any, *states: Any) -> None:
        """Take the number of inputs from an input."""
        for name in self._names[: self._directions]:
            weight = self._reg_params[name + "i2h_weight"]
            weight.shape = (self._gates * self._hidden_size, axis_size(self, inputs, 2))

    def state_info(self, batch_size: int = 0) -> list[dict[str, Any]]:
        """Give the shape of each state."""
        shape = (self._num_layers * self._directions, batch_size, self._hidden_size)
        return [{"shape": shape, "__layout__": "LNC"} for _ in range(self._states)]

    def begin_state(self, batch_size: int = 0, func: Any = None, **kwargs: Any) -> list[ndarray]:
        """Give states to begin with: zeros, or ``func(shape=..., ctx=...)``."""
        make = np.zeros if func is None else func
        kwargs = {"dtype": self._dtype, **kwargs} if func is None else kwargs
        return [make(shape=info["shape"], **kwargs) for info in self.state_info(batch_size)]

    def __call__(self, inputs: Any, states: Any = None, sequence_length: Any = None) -> Any:
        """Run over the sequences."""
        if sequence_length is not None:
            raise not_here("sequence_length", "torch.nn.utils.rnn.pack_padded_sequence")
        return super().__call__(inputs, states)

    def forward(self, inputs: Any, states: Any = None) -> Any:
        """Run over the sequences."""
        where = self.where(inputs)
        weights = [parameter.data(where) for parameter in self._weights]
        if inputs.ndim != 3:
            raise ShapeError(f"{self.name} takes {self._layout}, not an input {inputs.shape}")
        examples = inputs.shape[self._layout.index("N")]
        given = self.begin_state(examples, ctx=where) if states is None else states
        given = list(given) if isinstance(given, list | tuple) else [given]
        for state, info in zip(given, self.state_info(examples), strict=True):
            if state.shape != info["shape"]:
                raise ShapeError(
                    f"{self.name}: a state has shape {state.shape}, inputs {inputs.shape} need "
                    f"{info['shape']}"
                )
        output, *new = self.compute(self._run, inputs, given, weights)
        return output if states is None else (output, new)

    def _run(self, inputs: Tensor, states: list[Tensor], weights: list[Tensor]) -> Any:
        return self._kernel(
            inputs,
            states if self._states > 1 else states[0],
            weights,
            True,
            self._num_layers,
            float(self._dropout),
            STATE.training,
            self._directions == 2,
            self._layout == "NTC",
        )

    _kernel: Any = None

    def __repr__(self) -> str:
        weight = self._reg_params["l0_i2h_weight"]
        units, inputs = weight.shape or (self._hidden_size, None)
        said = f"{inputs} -> {units // self._gates}, {self._layout}"
        if self._num_layers != 1:
            said += f", num_layers={self._num_layers}"
        if self._dropout:
            said += f", dropout={self._dropout}"
        if self._directions == 2:
            said += ", bidirectional"
        return f"{type(self).__name__}({said})"


def _initializers(*given: Any) -> dict[str, Any]:
    kinds = ("i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias")
    return dict(zip(kinds, given, strict=True))


class RNN(_Recurrent):
    """``h = act(W_i x + b_i + W_h h + b_h)`` with ``activation`` relu or tanh."""

    def __init__(
        self,
        hidden_size: int,
        num_layers: int = 1,
        activation: str = "relu",
        layout: str = "TNC",
        dropout: float = 0,
        bidirectional: bool = False,
        i2h_weight_initializer: Any = None,
        h2h_weight_initializer: Any = None,
        i2h_bias_initializer: Any = "zeros",
        h2h_bias_initializer: Any = "zeros",
        input_size: int = 0,
        dtype: Any = "float32",
        use_sequence_length: bool = False,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        if activation not in ("relu", "tanh"):
            raise ValueError(f"activation is relu or tanh, not {activation!r}")
        initializers = _initializers(
            i2h_weight_initializer, h2h_weight_initializer, i2h_bias_initializer,
            h2h_bias_initializer,
        )  # fmt: skip
        super().__init__(
            hidden_size, num_layers, layout, dropout, bidirectional, input_size, initializers,
            dtype, prefix, params, use_sequence_length=use_sequence_length,
        )  # fmt: skip
        self._kernel = torch._VF.rnn_relu if activation == "relu" else torch._VF.rnn_tanh


class LSTM(_Recurrent):
    """Long short-term memory: gates in the order in, forget, new, out; states h and c."""

    _gates = 4
    _states = 2
    _kernel = staticmethod(torch._VF.lstm)

    def __init__(
        self,
        hidden_size: int,
        num_layers: int = 1,
        layout: str = "TNC",
        dropout: float = 0,
        bidirectional: bool = False,
        input_size: int = 0,
        i2h_weight_initializer: Any = None,
        h2h_weight_initializer: Any = None,
        i2h_bias_initializer: Any = "zeros",
        h2h_bias_initializer: Any = "zeros",
        projection_size: int | None = None,
        h2r_weight_initializer: Any = None,
        state_clip_min: float | None = None,
        state_clip_max: float | None = None,
        state_clip_nan: bool = False,
        dtype: Any = "float32",
        use_sequence_length: bool = False,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        initializers = _initializers(
            i2h_weight_initializer, h2h_weight_initializer, i2h_bias_initializer,
            h2h_bias_initializer,
        )  # fmt: skip
        super().__init__(
            hidden_size, num_layers, layout, dropout, bidirectional, input_size, initializers,
            dtype, prefix, params, use_sequence_length=use_sequence_length,
            projection_size=projection_size, h2r_weight_initializer=h2r_weight_initializer,
            state_clip_min=state_clip_min, state_clip_max=state_clip_max,
            state_clip_nan=state_clip_nan,
        )  # fmt: skip


class GRU(_Recurrent):
    """Gated recurrent units: gates in the order reset, update, new."""

    _gates = 3
    _kernel = staticmethod(torch._VF.gru)

    def __init__(
        self,
        hidden_size: int,
        num_layers: int = 1,
        layout: str = "TNC",
        dropout: float = 0,
        bidirectional: bool = False,
        input_size: int = 0,
        i2h_weight_initializer: Any = None,
        h2h_weight_initializer: Any = None,
        i2h_bias_initializer: Any = "zeros",
        h2h_bias_initializer: Any = "zeros",
        dtype: Any = "float32",
        use_sequence_length: bool = False,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        initializers = _initializers(
            i2h_weight_initializer, h2h_weight_initializer, i2h_bias_initializer,
            h2h_bias_initializer,
        )  # fmt: skip
        super().__init__(
            hidden_size, num_layers, layout, dropout, bidirectional, input_size, initializers,
            dtype, prefix, params, use_sequence_length=use_sequence_length,
        )  # fmt: skip
