"""``mx.autograd``: recording, and derivatives of what was recorded."""

from collections.abc import Sequence
from types import TracebackType
from typing import Any

import torch
from torch import Tensor

from divekit.mx.array import as_plain, ndarray, wrap
from divekit.mx.calls import apply
from divekit.mx.errors import MXNetError, not_here
from divekit.mx.state import STATE, Tape, filling_buffers, set_grad_enabled, watch


class _Scope:
    """Sets recording and training for a ``with`` block; None leaves one as it is."""

    def __init__(self, recording: bool | None, training: bool | None) -> None:
        self._wanted = (recording, training)
        self._before: list[tuple[bool, bool, bool]] = []

    def __enter__(self) -> None:
        self._before.append((STATE.recording, STATE.training, torch.is_grad_enabled()))
        recording, training = self._wanted
        if recording is not None:
            STATE.recording = recording
            set_grad_enabled(recording)
        if training is not None:
            STATE.training = training

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        STATE.recording, STATE.training, grad_mode = self._before.pop()
        set_grad_enabled(grad_mode)


def record(train_mode: bool = True) -> _Scope:
    """Record what is computed in the ``with`` block, for ``backward``; layers are in train mode."""
    return _Scope(True, train_mode)


def pause(train_mode: bool = False) -> _Scope:
    """Do not record in the ``with`` block."""
    return _Scope(False, train_mode)


def train_mode() -> _Scope:
    """Let layers behave as in training, whether recorded or not."""
    return _Scope(None, True)


def predict_mode() -> _Scope:
    """Let layers behave as in prediction, whether recorded or not."""
    return _Scope(None, False)


def is_recording() -> bool:
    """Tell whether operations are recorded."""
    return STATE.recording


def is_training() -> bool:
    """Tell whether layers behave as in training."""
    return STATE.training


def set_recording(is_recording: bool) -> bool:
    """Switch recording on or off until told otherwise; give what it was."""
    before, STATE.recording = STATE.recording, bool(is_recording)
    # Outside a scope torch's grad mode is as torch has it: on.
    set_grad_enabled(True)
    return before


def set_training(train_mode: bool) -> bool:
    """Switch train mode on or off until told otherwise; give what it was."""
    before, STATE.training = STATE.training, bool(train_mode)
    return before


def mark_variables(
    variables: Any, gradients: Any, grad_reqs: str | Sequence[str] = "write"
) -> None:
    """Attach given arrays as the gradients' buffers of given variables."""
    variables, gradients = _listed(variables), _listed(gradients)
    requests = [grad_reqs] * len(variables) if isinstance(grad_reqs, str) else list(grad_reqs)
    for variable, gradient, request in zip(variables, gradients, requests, strict=True):
        leaf = variable.tensor.detach()
        watch(leaf, request, buffer=gradient.tensor.detach())
        variable.tensor, variable._tape = leaf, None


def backward(
    heads: Any, head_grads: Any = None, retain_graph: bool = False, train_mode: bool = True
) -> None:
    """Differentiate arrays with respect to every variable they came from, into ``grad``.

    A head that is not a number is summed, or weighted by its entry of ``head_grads``. Without
    ``retain_graph`` the graph is freed: what was computed in it is constant from then on.
    """
    arrays = _listed(heads)
    tensors, weights = _heads(arrays, head_grads)
    before = set_training(train_mode)
    try:
        with filling_buffers():
            torch.autograd.backward(tensors, weights, retain_graph=retain_graph)
    except RuntimeError as error:
        raise _explained(error) from None
    finally:
        set_training(before)
    if not retain_graph:
        _clear(arrays)


def grad(
    heads: Any,
    variables: Any,
    head_grads: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    train_mode: bool = True,
) -> Any:
    """Give the gradients with respect to ``variables``, and leave their buffers alone.

    A list for a list, one array for one. With ``create_graph``, inside ``record()``, the
    gradients are recorded themselves and can be differentiated again.
    """
    arrays, wanted = _listed(heads), _listed(variables)
    tensors, weights = _heads(arrays, head_grads)
    keep = create_graph if retain_graph is None else retain_graph
    if not all(variable.tensor.requires_grad for variable in wanted):
        raise MXNetError("a variable is not in the graph: call attach_grad() on it before record()")
    try:
        found = torch.autograd.grad(
            tensors,
            [variable.tensor for variable in wanted],
            weights,
            retain_graph=keep,
            create_graph=create_graph,
            allow_unused=True,
        )
    except RuntimeError as error:
        raise _explained(error) from None
    results = []
    for variable, gradient in zip(wanted, found, strict=True):
        if gradient is None:
            raise MXNetError("the heads do not depend on one of the variables")
        result = wrap(gradient, variable._context)
        if gradient.requires_grad:
            result._tape = _joined_tape(arrays)
        results.append(result)
    if not keep:
        _clear(arrays)
    return results if isinstance(variables, list | tuple) else results[0]


def get_symbol(x: Any) -> None:
    """Refuse: there are no symbols."""
    raise not_here("autograd.get_symbol", "torch.fx or torch.export show what a function does")


class Function:
    """A function with a derivative of its own: subclasses write ``forward`` and ``backward``.

    ``forward`` takes and gives arrays and is not recorded; ``backward`` takes the gradients of its
    results and gives those of its inputs. ``save_for_backward(...)`` keeps arrays in
    ``saved_tensors``. An instance is called once.
    """

    def __init__(self) -> None:
        self._used = False
        self.saved_tensors: tuple[Any, ...] = ()

    def save_for_backward(self, *arrays: Any) -> None:
        """Keep arrays for ``backward``."""
        self.saved_tensors = arrays

    def forward(self, *inputs: Any) -> Any:
        raise NotImplementedError("write forward(self, *inputs)")

    def backward(self, *output_grads: Any) -> Any:
        raise NotImplementedError("write backward(self, *output_grads)")

    def __call__(self, *inputs: Any) -> Any:
        if self._used:
            raise MXNetError("each Function is called once: make a new one")
        self._used = True
        if not STATE.recording:
            return self.forward(*inputs)
        return apply(lambda *tensors: _CustomGradient.apply(self, *tensors), *inputs)


class _CustomGradient(torch.autograd.Function):
    """Runs a ``Function`` inside torch's autograd."""

    @staticmethod
    def forward(ctx: Any, function: Function, *tensors: Any) -> Any:
        ctx.function = function
        with pause(train_mode=STATE.training):
            results = function.forward(*(wrap(t) if isinstance(t, Tensor) else t for t in tensors))
        ctx.count = len(tensors)
        if isinstance(results, list | tuple):
            return tuple(as_plain(result) for result in results)
        # A result that is an input would lose its own gradient.
        return as_plain(results).view_as(as_plain(results))

    @staticmethod
    def backward(ctx: Any, *output_grads: Tensor) -> Any:
        given = ctx.function.backward(*(wrap(gradient) for gradient in output_grads))
        gradients = _listed(given)
        if len(gradients) != ctx.count:
            raise MXNetError(f"backward gave {len(gradients)} gradients for {ctx.count} inputs")
        return (None, *(as_plain(gradient) for gradient in gradients))


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _heads(arrays: list[ndarray], head_grads: Any) -> tuple[list[Tensor], list[Tensor | None]]:
    given = [None] * len(arrays) if head_grads is None else _listed(head_grads)
    if len(given) != len(arrays):
        raise MXNetError(f"{len(arrays)} heads, but {len(given)} head gradients")
    tensors: list[Tensor] = []
    weights: list[Tensor | None] = []
    for array, weight in zip(arrays, given, strict=True):
        if not array.tensor.requires_grad:
            raise MXNetError(
                "cannot differentiate what was not recorded: compute it inside autograd.record(), "
                "from an array with attach_grad()"
            )
        tensors.append(array.tensor)
        if weight is not None:
            weights.append(as_plain(weight))
        else:  # for a single number torch itself takes 1, more quickly
            single = array.tensor.numel() == 1
            weights.append(None if single else torch.ones_like(array.tensor))
    return tensors, weights


def _joined_tape(arrays: list[ndarray]) -> Tape:
    tape = Tape()
    for array in arrays:
        if array._tape is not None:
            tape = tape.join(array._tape)
    return tape


def _clear(arrays: list[ndarray]) -> None:
    for array in arrays:
        if array._tape is not None:
            array._tape.clear()


def _explained(error: RuntimeError) -> Exception:
    if isinstance(error, MXNetError):
        return error
    said = str(error)
    if "second time" in said:
        return MXNetError(
            "the graph was freed by an earlier backward; call that one with retain_graph=True, or "
            "record again"
        )
    if "inplace operation" in said:
        return MXNetError(
            "an array that the gradient needs was changed in place between record() and backward()"
        )
    return MXNetError(f"backward: {said.splitlines()[0]}")
