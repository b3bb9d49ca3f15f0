"""``mx.autograd``: what is recorded, what backward does to buffers, and the derivatives."""

import math

import numpy
import pytest
import torch

from divekit.mx import autograd, np, npx
from divekit.mx.calls import apply
from divekit.mx.errors import MXNetError


def variable(values, grad_req="write", dtype=None):
    x = np.array(values, dtype=dtype)
    x.attach_grad(grad_req)
    return x


def test_nothing_is_recorded_outside_a_scope():
    x = variable([1, 2])
    for y in (x * x, np.exp(x), x.sum(), x[0], npx.relu(x), x.reshape(1, 2), 2 - x, x.copy(), x.T):
        assert not y.tensor.requires_grad
        with pytest.raises(MXNetError, match="not recorded"):
            y.backward()
    assert torch.is_grad_enabled()


def test_scopes_nest_and_end():
    assert not autograd.is_recording()
    assert not autograd.is_training()
    with autograd.record():
        assert autograd.is_recording()
        assert autograd.is_training()
        with autograd.pause():
            assert not autograd.is_recording()
            assert not autograd.is_training()
            assert not torch.is_grad_enabled()
        with autograd.predict_mode():
            assert autograd.is_recording()
            assert not autograd.is_training()
        assert autograd.is_training()
    with autograd.record(train_mode=False):
        assert not autograd.is_training()
    with autograd.train_mode():
        assert autograd.is_training()
        assert not autograd.is_recording()
    with pytest.raises(KeyError), autograd.record():
        raise KeyError
    assert not autograd.is_recording()
    assert torch.is_grad_enabled()
    assert autograd.set_recording(True) is False
    assert autograd.set_recording(False) is True
    assert autograd.set_training(True) is False
    assert autograd.set_training(False) is True


def test_paused_results_are_constants():
    x = variable([1, 2])
    with autograd.record():
        with autograd.pause():
            y = x * x
        z = (x * y).sum()
    z.backward()
    assert x.grad.tolist() == [1, 4]


def test_write_replaces_add_adds_and_null_skips():
    written, added, skipped = variable([1, 2]), variable([1, 2], "add"), variable([1, 2], "null")
    buffer = written.grad
    for _ in range(2):
        with autograd.record():
            # Each occurs twice: within one backward the parts are summed.
            y = (3 * written + 3 * added + 3 * skipped + 2 * written + 2 * added).sum()
        y.backward()
    assert written.grad.tolist() == [5, 5]
    assert added.grad.tolist() == [10, 10]
    assert skipped.grad is None
    assert buffer.tolist() == [5, 5]  # the buffer is one piece of memory from attach_grad on
    with pytest.raises(ValueError, match="grad_req"):
        variable([1.0], "sometimes")


def test_a_variable_that_is_not_reached_keeps_its_old_gradient():
    x, w = variable([1]), variable([2])
    with autograd.record():
        y = x * w
    y.backward()
    with autograd.record():
        y = 5 * x
    y.backward()
    assert x.grad.tolist() == [5]
    assert w.grad.tolist() == [1]


def test_attach_grad_cuts_off_the_past():
    x = variable([3])
    with autograd.record():
        y = x * x
        y.attach_grad()
        z = 2 * y
    z.backward()
    assert y.grad.tolist() == [2]
    assert x.grad.tolist() == [0]


def test_a_head_without_axes_or_with_many_is_weighted_by_ones_or_as_told():
    x = variable([[1, 2], [3, 4]])
    with autograd.record():
        y = x * x
    y.backward()
    assert x.grad.tolist() == [[2, 4], [6, 8]]
    with autograd.record():
        y = x * x
    y.backward(np.array([[1, 0], [0, 10]]))
    assert x.grad.tolist() == [[2, 0], [0, 80]]


def test_backward_on_a_list_and_after_the_scope():
    x = variable([1, 2])
    with autograd.record():
        heads = [x * 2, (x * x).sum()]
    autograd.backward(heads)
    assert x.grad.tolist() == [4, 6]
    with autograd.record():
        heads = [x * 2, x * 3]
    autograd.backward(heads, [None, np.array([1, 10])])
    assert x.grad.tolist() == [5, 32]
    with pytest.raises(MXNetError, match="2 heads, but 1"):
        autograd.backward(heads, [None])


def test_a_second_backward_needs_retain_graph():
    x = variable([2])
    with autograd.record():
        y = x**3
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [12]
    with pytest.raises(MXNetError, match="retain_graph"):
        y.backward()


def test_backward_makes_constants_of_what_it_went_through():
    # The book's recurrent nets hand their state on without detaching it: MXNet's backward has
    # cleared its past.
    w, state = variable([0.5]), np.array([1.0])
    for step in range(3):
        with autograd.record():
            state = state * w
            loss = state * 2
        before = float(state) / 0.5
        loss.backward()
        assert float(w.grad) == pytest.approx(2 * before), step
    # An array that only shares a variable with the head keeps its past.
    with autograd.record():
        y, z = w * w, w * 3
    z.backward()
    with autograd.record():
        again = y * 2
    again.backward()
    assert float(w.grad) == pytest.approx(2.0)


def test_writing_outside_a_scope_never_enters_the_graph():
    w = variable([1, 2])
    w[:] = w - 0.5 * np.array([2, 2])
    w += 1
    w[0] = 7
    assert w.tensor.is_leaf
    assert w.tolist() == [7, 2]
    with autograd.record():
        y = w * w
    y.backward()
    assert w.grad.tolist() == [14, 4]
    w.grad[:] = 0
    assert w.grad.tolist() == [0, 0]


def test_writing_inside_a_scope_is_refused_for_what_is_recorded():
    w = variable([1, 2])
    with autograd.record():
        y = w * 2

        def add():
            nonlocal y
            y += 1

        def put():
            w[0] = 1

        for change in (add, put, lambda: np.exp(w, out=y)):
            with pytest.raises(MXNetError, match="inside autograd"):
                change()
        z = np.zeros(2)
        z += 1  # not part of the graph
        z[0] = w[0] * 5  # becomes part of it
        with pytest.raises(MXNetError, match="inside autograd"):
            z[1] = 2
        total = z.sum()
    total.backward()
    assert w.grad.tolist() == [5, 0]


def test_a_change_between_record_and_backward_is_an_error_where_it_matters():
    x = variable([1, 2])
    with autograd.record():
        y = x * x
    x[:] = 5
    with pytest.raises(MXNetError, match="changed in place"):
        y.backward()


def test_grad_gives_gradients_and_leaves_buffers_alone():
    x, w = variable([1, 2]), variable([3, 4])
    with autograd.record():
        y = (x * w).sum()
    gx, gw = autograd.grad(y, [x, w], retain_graph=True)
    assert (gx.tolist(), gw.tolist()) == ([3, 4], [1, 2])
    assert x.grad.tolist() == [0, 0]
    assert autograd.grad(y, x, retain_graph=True).tolist() == [3, 4]
    assert autograd.grad([y], [x], [np.array(2.0)])[0].tolist() == [6, 8]
    with pytest.raises(MXNetError, match="attach_grad"):
        autograd.grad(y, np.ones(2))
    with pytest.raises(MXNetError, match="do not depend"), autograd.record():
        autograd.grad(x * 2, [w])


def test_derivatives_of_derivatives():
    x = variable([0.3, 1.2], dtype="float64")
    with autograd.record():
        y = np.sin(x) * x
        first = autograd.grad(y, x, create_graph=True)
        second = autograd.grad(first, x, create_graph=True)
        total = second.sum()
    total.backward()
    numbers = x.asnumpy()
    numpy.testing.assert_allclose(
        second.asnumpy(), 2 * numpy.cos(numbers) - numbers * numpy.sin(numbers)
    )
    numpy.testing.assert_allclose(
        x.grad.asnumpy(), -3 * numpy.sin(numbers) - numbers * numpy.cos(numbers)
    )


class Sigmoid(autograd.Function):
    def forward(self, x):
        assert not autograd.is_recording()
        y = 1 / (1 + np.exp(-x))
        self.save_for_backward(y)
        return y

    def backward(self, dy):
        (y,) = self.saved_tensors
        return dy * y * (1 - y)


def test_a_function_with_its_own_derivative():
    x = variable([0.5, -1.0])
    with autograd.record():
        y = Sigmoid()(x) * 3
    y.backward()
    expected = 1 / (1 + numpy.exp(-x.asnumpy()))
    numpy.testing.assert_allclose(x.grad.asnumpy(), 3 * expected * (1 - expected), rtol=1e-6)
    used = Sigmoid()
    assert used(x).shape == (2,)
    with pytest.raises(MXNetError, match="called once"):
        used(x)


class Pair(autograd.Function):
    def forward(self, a, b):
        return a + b, a * b

    def backward(self, da, db):
        return da * 10, db * 100


def test_a_function_of_several_arrays():
    a, b = variable([1, 2]), variable([3, 4])
    with autograd.record():
        first, second = Pair()(a, b)
        y = (first + second).sum()
    y.backward()
    assert (a.grad.tolist(), b.grad.tolist()) == ([10, 10], [100, 100])


def test_mark_variables_takes_given_buffers():
    x, buffer = np.array([1.0, 2.0]), np.zeros(2)
    autograd.mark_variables([x], [buffer])
    with autograd.record():
        y = x * x
    y.backward()
    assert buffer.tolist() == [2, 4]


def test_ties_have_the_gradient_that_mxnet_gives():
    x = variable([2, 5, 5])
    with autograd.record():
        y = x.max()
    y.backward()
    assert x.grad.tolist() == [0, 1, 1]  # torch.amax would give halves
    x = variable([-1, 0, 1])
    with autograd.record():
        y = np.maximum(x, 0)
    y.backward()
    assert x.grad.tolist() == [0, 1, 1]  # torch.maximum would give half at 0
    with autograd.record():
        y = np.minimum(0, x)
    y.backward()
    assert x.grad.tolist() == [1, 0, 0]
    with autograd.record():
        y = npx.relu(x)
    y.backward()
    assert x.grad.tolist() == [0, 0, 1]


def test_numpys_own_functions_are_refused_where_a_gradient_would_be_lost():
    x = variable([1, 2, 3])
    with autograd.record(), pytest.raises(MXNetError, match="no gradient"):
        np.interp(x, np.arange(4), np.arange(4))
    assert np.interp(x, np.arange(4), np.arange(4)).tolist() == [1, 2, 3]


def test_wrong_uses_say_so():
    with pytest.raises(MXNetError, match="int64 has no gradient"):
        variable([1, 2], dtype="int64")
    with pytest.raises(NotImplementedError, match="get_symbol"):
        autograd.get_symbol(np.ones(1))
    assert np.ones(2).grad is None


# Functions of one array, on which torch, ours and finite differences must agree. Values keep clear
# of corners.
FUNCTIONS = {
    "mix": lambda x: (np.exp(x) / (1 + x * x) - np.log(x) ** 2).sum(),
    "dot": lambda x: np.dot(x, x.T).mean(),
    "norm": lambda x: np.linalg.norm(x),
    "max": lambda x: x.max(axis=1).sum() + x.min(),
    "var": lambda x: x.var(axis=0).sum() + x.std(),
    "softmax": lambda x: (npx.softmax(x) * np.arange(3, dtype="float64")).sum(),
    "log_softmax": lambda x: npx.log_softmax(x, axis=0)[0].sum(),
    "pick": lambda x: npx.pick(x, np.array([0, 2])).sum(),
    "index": lambda x: (x[:, ::-1] * x[[1, 0]] * x[..., None, 1]).sum(),
    "concatenate": lambda x: (np.concatenate([x, x * 2]) ** 3).sum(),
    "split": lambda x: (np.split(x, 3, axis=1)[1] ** 2).sum(),
    "where": lambda x: np.where(x > 1, x**2, -x).sum(),
    "maximum": lambda x: np.maximum(x, 1.05).sum() + np.minimum(x, x.T.reshape(2, 3)).sum(),
    "clip": lambda x: (x.clip(0.5, 1.45) ** 2).sum(),
    "cumsum": lambda x: (x.cumsum(axis=1) ** 2).sum(),
    "prod": lambda x: x.prod(axis=0).sum(),
    "expand": lambda x: (np.expand_dims(x, 1) * np.tile(x, (2, 1, 1)).reshape(2, 2, 3)).sum(),
    "repeat": lambda x: (x.repeat(2, axis=1) * np.arange(6)).sum(),
    "batch_dot": lambda x: npx.batch_dot(
        x.reshape(1, 2, 3), x.reshape(1, 2, 3), transpose_b=True
    ).sum(),
    "mask": lambda x: (npx.sequence_mask(x, np.array([1, 3]), True, value=2, axis=1) ** 2).sum(),
    "smooth_l1": lambda x: npx.smooth_l1(x, scalar=1.0).sum(),
    "average": lambda x: np.average(x, axis=1, weights=np.array([1, 2, 3], dtype="float64")).sum(),
    "sort": lambda x: (np.sort(x, axis=1) * np.arange(3)).sum(),
    "layer_norm": lambda x: (
        npx.layer_norm(x, np.ones(3, dtype="float64"), np.zeros(3, dtype="float64")) ** 3
    ).sum(),
    "einsum": lambda x: np.einsum("ij,kj->ik", x, x).sum(),
    "inv": lambda x: np.linalg.inv(np.dot(x, x.T)).sum(),
    "gamma": lambda x: npx.gamma(x).sum() + npx.erf(x).sum(),
    "power": lambda x: (x**x).sum() + (2**x).sum() + (1 / x).sum() + (3 - x).sum(),
    "hypot": lambda x: np.hypot(x, 2).sum() + np.arctan2(x, 1).sum(),
}


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_gradients_are_the_slopes(name):
    function = FUNCTIONS[name]
    start = numpy.array([[0.7, 1.3, 1.9], [1.1, 0.4, 1.6]])
    x = variable(start)
    with autograd.record():
        y = function(x)
    y.backward()
    step = 1e-6
    slopes = numpy.zeros_like(start)
    for place in numpy.ndindex(start.shape):
        ends = []
        for sign in (1, -1):
            moved = start.copy()
            moved[place] += sign * step
            ends.append(float(function(np.array(moved))))
        slopes[place] = (ends[0] - ends[1]) / (2 * step)
    assert x.grad.dtype is numpy.float64
    numpy.testing.assert_allclose(x.grad.asnumpy(), slopes, rtol=1e-6, atol=1e-7)


def test_torchs_functions_are_recorded_only_inside_a_scope():
    x = variable([1, 2])
    assert not torch.sum(x).tensor.requires_grad
    with autograd.record():
        y = torch.nn.functional.softplus(x).sum() + math.pi
    y.backward()
    numpy.testing.assert_allclose(x.grad.asnumpy(), 1 / (1 + numpy.exp(-x.asnumpy())), rtol=1e-6)


def test_backward_of_torchs_own_adds_to_the_buffer_as_torch_has_it():
    x = variable([1, 2])
    for _ in range(2):
        (x.tensor * x.tensor).sum().backward()
    assert x.grad.tolist() == [4, 8]


def test_grad_mode_is_off_in_an_operator_outside_a_scope():
    x = variable([1])
    assert apply(lambda tensor: torch.is_grad_enabled(), x) is False
    with autograd.record():
        assert apply(lambda tensor: torch.is_grad_enabled(), x) is True


def test_several_results_without_a_common_past_are_freed_together():
    x = np.arange(4)
    x.attach_grad()
    with autograd.record():
        first, second = apply(lambda t: (t * t).exp().unbind(0)[:2], x)
    first.backward()
    with autograd.record():
        loss = second * 2
    with pytest.raises(MXNetError, match="not recorded"):
        loss.backward()


def test_reading_a_variable_outside_record_shares_its_numbers_and_not_its_gradient():
    x = np.array([1.0, 2.0, 3.0])
    x.attach_grad()
    part = x[1:]
    assert not part.tensor.requires_grad
    part[:] = 0
    x[0] += np.array(4.0)
    x[:] -= np.array([1.0, 1.0, 1.0])
    assert x.tolist() == [4, -1, -1]
    with autograd.record():
        y = x[1:] * x[:2] + 2 * x[0]
    y.backward()
    # y = (x1 x0 + 2 x0, x2 x1 + 2 x0)
    assert x.grad.tolist() == [-1 + 4, 4 - 1, -1]


def test_arrays_of_a_freed_graph_are_constants_in_any_operation():
    w = np.array([2.0])
    w.attach_grad()
    with autograd.record():
        state = np.tanh(w)
    state.backward()
    for use in (
        lambda s: s * w,
        lambda s: w - s,
        lambda s: np.dot(s, w),
        lambda s: np.maximum(s, w),
    ):
        with autograd.record():
            y = use(state)
        y.backward()
    assert w.grad.item() == 1  # of maximum(tanh(2), 2)
