"""Recurrent layers and cells beside torch's, with the weights copied over."""

import numpy
import pytest
import torch
from torch.testing import assert_close

from divekit.mx import MXNetError, autograd, context, gpu, init, np, npx
from divekit.mx.gluon import rnn

THEIRS = {rnn.RNN: torch.nn.RNN, rnn.LSTM: torch.nn.LSTM, rnn.GRU: torch.nn.GRU}


@pytest.fixture(autouse=True)
def _seed():
    npx.random.seed(2)


def copied(layer, theirs):
    """Copy our weights into torch's, whose names differ only in how they are put together."""
    kinds = {
        "i2h_weight": "weight_ih",
        "h2h_weight": "weight_hh",
        "i2h_bias": "bias_ih",
        "h2h_bias": "bias_hh",
    }
    pairs = []
    for name, parameter in layer._structural().items():
        place, kind = name.split("_", 1)
        end = f"_l{place[1:]}" + ("_reverse" if place[0] == "r" else "")
        their = getattr(theirs, kinds[kind] + end)
        their.data.copy_(parameter.data().tensor)
        pairs.append((parameter, their))
    return pairs


@pytest.mark.parametrize("kind", [rnn.RNN, rnn.LSTM, rnn.GRU])
@pytest.mark.parametrize("layout", ["TNC", "NTC"])
@pytest.mark.parametrize(("layers", "both"), [(1, False), (2, False), (1, True), (2, True)])
def test_layers_outputs_states_and_gradients(kind, layout, layers, both):
    layer = kind(5, layers, layout=layout, bidirectional=both)
    extra = {"nonlinearity": "relu"} if kind is rnn.RNN else {}
    theirs = THEIRS[kind](3, 5, layers, batch_first=layout == "NTC", bidirectional=both, **extra)
    layer.initialize(init.Normal(0.5))
    x = np.random.normal(size=(4, 2, 3))
    examples = x.shape[layout.index("N")]
    state = [np.random.normal(size=one.shape) for one in layer.begin_state(examples)]
    layer(x, state)
    layer.collect_params(".*bias").initialize(init.Normal(0.5), force_reinit=True)
    for parameter in layer.collect_params(".*bias").values():
        parameter.set_data(np.random.normal(size=parameter.shape))
    pairs = copied(layer, theirs)
    with autograd.record():
        output, new = layer(x, state)
        loss = (output**2).sum() + sum((one * 3).sum() for one in new)
    loss.backward()
    their_state = [one.tensor for one in state]
    their_state = tuple(their_state) if kind is rnn.LSTM else their_state[0]
    expected, their_new = theirs(x.tensor, their_state)
    their_new = list(their_new) if kind is rnn.LSTM else [their_new]
    ((expected**2).sum() + sum((one * 3).sum() for one in their_new)).backward()
    assert type(new) is list
    assert_close(output.tensor, expected)
    assert_close([one.tensor for one in new], their_new)
    for ours, their in pairs:
        assert_close(ours.grad().tensor, their.grad, rtol=1e-4, atol=1e-5)


def test_the_books_way_of_calling():
    layer = rnn.RNN(256)
    layer.initialize()
    state = layer.begin_state(batch_size=2)
    assert (len(state), state[0].shape) == (1, (1, 2, 256))
    x = np.random.uniform(size=(35, 2, 28))
    y, new = layer(x, state)
    assert (y.shape, len(new), new[0].shape) == ((35, 2, 256), 1, (1, 2, 256))
    assert layer(x).tolist() == y.tolist()  # zeros to begin with, and outputs alone
    assert repr(layer) == "RNN(28 -> 256, TNC)"
    assert layer.params[f"{layer.prefix}l0_i2h_weight"].shape == (256, 28)
    alone, _ = layer(x, state[0])
    assert alone.tolist() == y.tolist()
    lstm = rnn.LSTM(4, num_layers=2, dropout=0.5, bidirectional=True, input_size=3)
    assert repr(lstm) == "LSTM(3 -> 4, TNC, num_layers=2, dropout=0.5, bidirectional)"
    assert [s.shape for s in lstm.begin_state(7)] == [(4, 7, 4)] * 2


def test_states_of_a_batch_that_was_differentiated_go_on():
    layer = rnn.GRU(3)
    layer.initialize()
    state = layer.begin_state(batch_size=1)
    for _ in range(3):
        with autograd.record():
            y, state = layer(np.ones((2, 1, 2)), state)
            loss = y.sum()
        loss.backward()
    assert layer.l0_i2h_weight.grad().asnumpy().any()


def test_dropout_between_layers_in_train_mode_alone():
    layer = rnn.RNN(8, num_layers=2, dropout=0.5)
    layer.initialize(init.Uniform(0.5))
    x = np.ones((3, 2, 4))
    assert layer(x).tolist() == layer(x).tolist()
    with autograd.train_mode():
        assert layer(x).tolist() != layer(x).tolist()


def test_states_are_where_the_inputs_are():
    context.set_virtual_gpus(1)
    try:
        layer = rnn.LSTM(3)
        layer.initialize(ctx=gpu(0))
        assert layer(np.ones((2, 1, 2), ctx=gpu(0))).ctx == gpu(0)
        assert layer.begin_state(1, ctx=gpu(0))[1].ctx == gpu(0)
    finally:
        context.set_virtual_gpus(0)


def test_what_layers_refuse():
    with pytest.raises(ValueError, match="TNC or NTC"):
        rnn.GRU(2, layout="NCT")
    with pytest.raises(ValueError, match="relu or tanh"):
        rnn.RNN(2, activation="sigmoid")
    with pytest.raises(NotImplementedError, match="projection_size"):
        rnn.LSTM(2, projection_size=1)
    with pytest.raises(NotImplementedError, match="pack_padded"):
        rnn.LSTM(2)(np.ones((1, 1, 1)), sequence_length=np.ones(1))
    layer = rnn.GRU(2)
    layer.initialize()
    with pytest.raises(ValueError, match=r"\(1, 3, 2\).*need \(1, 4, 2\)"):
        layer(np.ones((5, 4, 1)), layer.begin_state(3))
    fresh = rnn.GRU(2)
    fresh.initialize()
    with pytest.raises(ValueError, match="axis 2"):
        fresh(np.ones((5, 4)))


# Cells

CELLS = {
    rnn.RNNCell: torch.nn.RNNCell,
    rnn.LSTMCell: torch.nn.LSTMCell,
    rnn.GRUCell: torch.nn.GRUCell,
}


@pytest.mark.parametrize("kind", list(CELLS))
def test_cells(kind):
    cell, theirs = kind(5), CELLS[kind](3, 5)
    cell.initialize(init.Normal(0.5))
    x = np.random.normal(size=(2, 3))
    states = [np.random.normal(size=one.shape) for one in cell.begin_state(2)]
    cell(x, states)
    kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    for parameter, name in zip(cell._reg_params.values(), kinds, strict=True):
        parameter.set_data(np.random.normal(size=parameter.shape))
        getattr(theirs, name).data.copy_(parameter.data().tensor)
    with autograd.record():
        output, new = cell(x, states)
        loss = (output**2).sum()
    loss.backward()
    hidden = [one.tensor for one in states]
    expected = theirs(x.tensor, tuple(hidden) if len(hidden) > 1 else hidden[0])
    expected = list(expected) if len(hidden) > 1 else [expected]
    (expected[0] ** 2).sum().backward()
    assert_close([one.tensor for one in new], expected)
    assert_close(output.tensor, expected[0])
    assert_close(cell.h2h_weight.grad().tensor, theirs.weight_hh.grad)


@pytest.mark.parametrize("layout", ["NTC", "TNC"])
def test_a_cell_unrolled_is_the_layer(layout):
    layer = rnn.LSTM(4, layout=layout, input_size=3, prefix="same_l0_")
    cell = rnn.LSTMCell(4, input_size=3)
    layer.initialize(init.Normal(0.5))
    cell.initialize()
    for name, parameter in cell._reg_params.items():
        parameter.set_data(layer._reg_params[f"l0_{name}"].data())
    x = np.random.normal(size=(2, 5, 3))
    steps = x.shape[layout.index("T")]
    outputs, states = cell.unroll(steps, x, layout=layout, merge_outputs=True)
    examples = x.shape[layout.index("N")]
    expected, new = layer(x, layer.begin_state(examples))
    assert_close(outputs.tensor, expected.tensor)
    assert_close(states[1].tensor, new[1].tensor[0])
    listed, _ = cell.unroll(steps, x, layout=layout)
    assert type(listed) is list
    assert len(listed) == steps
    with pytest.raises(MXNetError, match="9 steps"):
        cell.unroll(9, x, layout=layout)


def test_examples_of_unequal_lengths():
    cell = rnn.GRUCell(4)
    cell.initialize(init.Normal(0.5))
    x = np.random.normal(size=(2, 5, 3))
    outputs, states = cell.unroll(5, x, merge_outputs=True, valid_length=np.array([3, 5]))
    short, last = cell.unroll(3, x[:1, :3], merge_outputs=True)
    assert_close(outputs.tensor[0, :3], short.tensor[0])
    assert outputs.tensor[0, 3:].abs().max() == 0
    assert_close(states[0].tensor[0], last[0].tensor[0])


def test_cells_on_top_of_each_other():
    stack = rnn.SequentialRNNCell()
    for cell in (rnn.LSTMCell(4), rnn.DropoutCell(0.5), rnn.GRUCell(3)):
        stack.add(cell)
    stack.initialize(init.Normal(0.5))
    assert [info["shape"] for info in stack.state_info(2)] == [(2, 4), (2, 4), (2, 3)]
    x = np.random.normal(size=(2, 5))
    output, states = stack(x, stack.begin_state(2))
    first, own = stack[0](x, stack[0].begin_state(2))
    second, last = stack[2](first, stack[2].begin_state(2))
    assert output.tolist() == second.tolist()
    assert [s.tolist() for s in states] == [s.tolist() for s in (*own, *last)]
    assert len(stack) == 3
    assert "(1): DropoutCell(rate=0.5, axes=())" in repr(stack)
    with autograd.train_mode():
        assert stack(x, stack.begin_state(2))[0].tolist() != output.tolist()


def test_cells_around_others():
    base = rnn.RNNCell(3, input_size=3)
    residual = rnn.ResidualCell(base)
    residual.initialize(init.Normal(0.5))
    x, state = np.ones((2, 3)), [np.zeros((2, 3))]
    assert residual(x, state)[0].tolist() == (base(x, state)[0] + x).tolist()
    zoneout = rnn.ZoneoutCell(base, zoneout_outputs=1.0, zoneout_states=1.0)
    assert zoneout(x, state)[0].tolist() == base(x, state)[0].tolist()
    zoneout.reset()
    with autograd.train_mode():
        output, new = zoneout(x, state)
    assert output.asnumpy().any() == new[0].asnumpy().any() == 0


@pytest.mark.parametrize("lengths", [None, [2, 4]])
def test_both_directions_unrolled(lengths):
    both = rnn.BidirectionalCell(rnn.GRUCell(3), rnn.GRUCell(3))
    both.initialize(init.Normal(0.5))
    x = np.random.normal(size=(2, 4, 2))
    given = None if lengths is None else np.array(lengths)
    outputs, states = both.unroll(4, x, merge_outputs=True, valid_length=given)
    assert outputs.shape == (2, 4, 6)
    assert len(states) == 2
    for place, length in enumerate(lengths or [4, 4]):
        part = x[place : place + 1, :length]
        ahead, _ = both.l_cell.unroll(length, part, merge_outputs=True)
        back, _ = both.r_cell.unroll(length, part[:, ::-1].copy(), merge_outputs=True)
        expected = numpy.concatenate([ahead.asnumpy(), back.asnumpy()[:, ::-1]], -1)
        numpy.testing.assert_allclose(
            outputs.asnumpy()[place, :length], expected[0], rtol=1e-5, atol=1e-6
        )
    with pytest.raises(NotImplementedError, match="unroll"):
        both(x[:, 0], states)
