"""Recurrent cells: one step at a time, and unrolled over sequences.

Shapes: N examples, C inputs, H hidden units, T steps; each state is (N, H)
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from divekit.mx import np, npx
from divekit.mx.array import ndarray
from divekit.mx.errors import MXNetError
from divekit.mx.gluon.hybrid import Layer, axis_size
from divekit.mx.npx.layers import dropout
from divekit.mx.npx.sequences import sequence_last, sequence_mask, sequence_reverse
from divekit.mx.state import STATE


class RecurrentCell(Layer):
    """The base of all cells: ``cell(inputs, states)`` gives the output and a list of states."""

    def reset(self) -> None:
        """Forget what a cell keeps from step to step beside its states."""
        for child in self._children.values():
            if isinstance(child, RecurrentCell):
                child.reset()

    def state_info(self, batch_size: int = 0) -> list[dict[str, Any]]:
        """Give the shape of each state."""
        raise NotImplementedError

    def begin_state(self, batch_size: int = 0, func: Any = None, **kwargs: Any) -> list[ndarray]:
        """Give states to begin with: zeros, or ``func(shape=..., ctx=...)``."""
        make = np.zeros if func is None else func
        return [make(shape=info["shape"], **kwargs) for info in self.state_info(batch_size)]

    def unroll(
        self,
        length: int,
        inputs: Any,
        begin_state: Any = None,
        layout: str = "NTC",
        merge_outputs: bool | None = None,
        valid_length: Any = None,
    ) -> tuple[Any, list[ndarray]]:
        """Take ``length`` steps over an array, or a list of the steps' inputs.

        Outputs are a list, or with ``merge_outputs`` one array. Beyond an example's
        ``valid_length`` they are 0, and its states are those of its last valid step.
        """
        self.reset()
        steps = _steps(inputs, layout)
        if len(steps) != length:
            raise MXNetError(f"unroll over {length} steps, but the inputs have {len(steps)}")
        states = begin_state
        if states is None:
            states = self.begin_state(steps[0].shape[0], ctx=steps[0].ctx)
        outputs, history = [], []
        for step in steps:
            output, states = self(step, states)
            outputs.append(output)
            history.append(states)
        if valid_length is not None:
            outputs, states = _cut(outputs, history, valid_length)
        if merge_outputs:
            return np.stack(outputs, axis=layout.find("T")), states
        return outputs, states


HybridRecurrentCell = RecurrentCell


def _steps(inputs: Any, layout: str) -> list[Any]:
    if layout not in ("NTC", "TNC"):
        raise ValueError(f"layout is NTC or TNC, not {layout!r}")
    if isinstance(inputs, list | tuple):
        return list(inputs)
    return list(inputs.swapaxes(0, 1) if layout == "NTC" else inputs)


def _cut(outputs: list[Any], history: list[Any], valid_length: Any) -> tuple[list[Any], list[Any]]:
    masked = sequence_mask(np.stack(outputs), valid_length, use_sequence_length=True)
    states = [
        sequence_last(np.stack(every), valid_length, use_sequence_length=True)
        for every in zip(*history, strict=True)
    ]
    return list(masked), states


class _Gated(RecurrentCell):
    """A cell with weights for the inputs and for its own output."""

    _gates = 1
    _states = 1

    def __init__(
        self,
        hidden_size: int,
        i2h_weight_initializer: Any = None,
        h2h_weight_initializer: Any = None,
        i2h_bias_initializer: Any = "zeros",
        h2h_bias_initializer: Any = "zeros",
        input_size: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(prefix, params)
        self._hidden_size = hidden_size
        units = self._gates * hidden_size
        self.i2h_weight = self.parameter(
            "i2h_weight", (units, input_size), i2h_weight_initializer, "float32"
        )
        self.h2h_weight = self.parameter(
            "h2h_weight", (units, hidden_size), h2h_weight_initializer, "float32"
        )
        self.i2h_bias = self.parameter("i2h_bias", (units,), i2h_bias_initializer, "float32")
        self.h2h_bias = self.parameter("h2h_bias", (units,), h2h_bias_initializer, "float32")

    def infer_shape(self, inputs: Any, *states: Any) -> None:
        """Take the number of inputs from an input."""
        self.i2h_weight.shape = (self._gates * self._hidden_size, axis_size(self, inputs, -1))

    def state_info(self, batch_size: int = 0) -> list[dict[str, Any]]:
        """Give the shape of each state."""
        info = {"shape": (batch_size, self._hidden_size), "__layout__": "NC"}
        return [dict(info) for _ in range(self._states)]

    def forward(self, inputs: Any, states: Any) -> tuple[Any, list[Any]]:
        """Take one step."""
        where = self.where(inputs)
        weights = [parameter.data(where) for parameter in self._reg_params.values()]
        states = list(states) if isinstance(states, list | tuple) else [states]
        new = self.compute(self._step, inputs, states, weights)
        return new[0], list(new)

    def _step(self, x: Tensor, states: list[Tensor], weights: list[Tensor]) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def __repr__(self) -> str:
        units, inputs = self.i2h_weight.shape or (None, None)
        return f"{type(self).__name__}({inputs} -> {units})"


class RNNCell(_Gated):
    """``h = act(W_i x + b_i + W_h h + b_h)``."""

    def __init__(self, hidden_size: int, activation: str = "tanh", **kwargs: Any) -> None:
        super().__init__(hidden_size, **kwargs)
        if activation not in ("tanh", "relu", "sigmoid"):
            raise ValueError(f"activation is tanh, relu or sigmoid, not {activation!r}")
        self._function = getattr(torch, activation)

    def _step(self, x: Tensor, states: list[Tensor], weights: list[Tensor]) -> tuple[Tensor, ...]:
        wi, wh, bi, bh = weights
        return (self._function(F.linear(x, wi, bi) + F.linear(states[0], wh, bh)),)


class LSTMCell(_Gated):
    """Long short-term memory: gates in the order in, forget, new, out; states h and c."""

    _gates = 4
    _states = 2

    def _step(self, x: Tensor, states: list[Tensor], weights: list[Tensor]) -> tuple[Tensor, ...]:
        return torch.lstm_cell(x, states, *weights)


class GRUCell(_Gated):
    """Gated recurrent units: gates in the order reset, update, new."""

    _gates = 3

    def _step(self, x: Tensor, states: list[Tensor], weights: list[Tensor]) -> tuple[Tensor, ...]:
        return (torch.gru_cell(x, states[0], *weights),)


class SequentialRNNCell(RecurrentCell):
    """Cells on top of each other; the states are those of all of them, in order."""

    def add(self, cell: RecurrentCell) -> None:
        """Put a cell on top."""
        self.register_child(cell)

    def __len__(self) -> int:
        return len(self._children)

    def __getitem__(self, place: int) -> Any:
        return list(self._children.values())[place]

    def state_info(self, batch_size: int = 0) -> list[dict[str, Any]]:
        """Give the shape of each state."""
        return [info for cell in self._children.values() for info in cell.state_info(batch_size)]  # type: ignore[attr-defined]

    def forward(self, inputs: Any, states: Any) -> tuple[Any, list[Any]]:
        """Take one step in each cell."""
        new, start = [], 0
        for cell in self._children.values():
            end = start + len(cell.state_info())  # type: ignore[attr-defined]
            inputs, own = cell(inputs, states[start:end])
            new += own
            start = end
        return inputs, new

    def __repr__(self) -> str:
        from divekit.mx.gluon.block import _printed

        return _printed(type(self).__name__, self._children)


HybridSequentialRNNCell = SequentialRNNCell


class DropoutCell(RecurrentCell):
    """Drop elements of the inputs in train mode."""

    def __init__(
        self, rate: float, axes: Any = (), prefix: str | None = None, params: Any = None
    ) -> None:
        super().__init__(prefix, params)
        self._rate, self._axes = rate, axes

    def state_info(self, batch_size: int = 0) -> list[dict[str, Any]]:
        """Give no states."""
        return []

    def forward(self, inputs: Any, states: Any) -> tuple[Any, list[Any]]:
        """Drop."""
        if STATE.training and self._rate:
            inputs = dropout(inputs, self._rate, axes=self._axes)
        return inputs, states

    def __repr__(self) -> str:
        return f"{type(self).__name__}(rate={self._rate}, axes={self._axes})"


class _Modifier(RecurrentCell):
    """A cell around another."""

    def __init__(self, base_cell: RecurrentCell) -> None:
        super().__init__()
        self.base_cell = base_cell

    def state_info(self, batch_size: int = 0) -> list[dict[str, Any]]:
        """Give the shape of each state."""
        return self.base_cell.state_info(batch_size)


class ResidualCell(_Modifier):
    """Add the inputs to the output."""

    def forward(self, inputs: Any, states: Any) -> tuple[Any, list[Any]]:
        """Take one step."""
        output, states = self.base_cell(inputs, states)
        return output + inputs, states


class ZoneoutCell(_Modifier):
    """Keep elements of the last output and states by chance, in train mode."""

    def __init__(
        self, base_cell: RecurrentCell, zoneout_outputs: float = 0.0, zoneout_states: float = 0.0
    ) -> None:
        super().__init__(base_cell)
        self._outputs, self._kept = zoneout_outputs, zoneout_states
        self._last: Any = None

    def reset(self) -> None:
        """Forget the last output."""
        super().reset()
        self._last = None

    def forward(self, inputs: Any, states: Any) -> tuple[Any, list[Any]]:
        """Take one step."""
        output, new = self.base_cell(inputs, states)
        if STATE.training:
            before = np.zeros_like(output) if self._last is None else self._last
            output = _mixed(output, before, self._outputs)
            new = [_mixed(one, old, self._kept) for one, old in zip(new, states, strict=True)]
        self._last = output
        return output, new


def _mixed(new: Any, old: Any, rate: float) -> Any:
    if not rate:
        return new
    keep = npx.random.bernoulli(rate, size=new.shape, ctx=new.ctx)
    return np.where(keep, old, new)


class BidirectionalCell(RecurrentCell):
    """Two cells, one of which goes backwards; only to be unrolled."""

    def __init__(self, l_cell: RecurrentCell, r_cell: RecurrentCell) -> None:
        super().__init__()
        self.l_cell, self.r_cell = l_cell, r_cell

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse single steps."""
        raise NotImplementedError("a BidirectionalCell cannot take single steps: unroll it")

    def state_info(self, batch_size: int = 0) -> list[dict[str, Any]]:
        """Give the shape of each state."""
        return self.l_cell.state_info(batch_size) + self.r_cell.state_info(batch_size)

    def unroll(
        self,
        length: int,
        inputs: Any,
        begin_state: Any = None,
        layout: str = "NTC",
        merge_outputs: bool | None = None,
        valid_length: Any = None,
    ) -> tuple[Any, list[ndarray]]:
        """Run both ways and join their outputs step by step."""
        self.reset()
        steps = _steps(inputs, layout)
        count = len(self.l_cell.state_info())
        states = begin_state
        if states is None:
            states = self.begin_state(steps[0].shape[0], ctx=steps[0].ctx)
        ahead, left = self.l_cell.unroll(
            length, steps, states[:count], "TNC", valid_length=valid_length
        )
        back, right = self.r_cell.unroll(
            length, _turned(steps, valid_length), states[count:], "TNC", valid_length=valid_length
        )
        outputs = [
            np.concatenate(pair, axis=-1)
            for pair in zip(ahead, _turned(back, valid_length), strict=True)
        ]
        if merge_outputs:
            return np.stack(outputs, axis=layout.find("T")), left + right
        return outputs, left + right


def _turned(steps: list[Any], valid_length: Any) -> list[Any]:
    if valid_length is None:
        return steps[::-1]
    return list(sequence_reverse(np.stack(steps), valid_length, use_sequence_length=True))
