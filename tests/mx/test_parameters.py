"""Parameters: shapes that come later, devices, gradients, sharing."""

import numpy
import pytest

from divekit.errors import BadDataError
from divekit.mx import MXNetError, autograd, context, cpu, gluon, gpu, init, np
from divekit.mx.gluon import nn


@pytest.fixture
def two_gpus():
    context.set_virtual_gpus(2)
    yield [gpu(0), gpu(1)]
    context.set_virtual_gpus(0)


def parameter(**kwargs):
    made = gluon.Parameter("some_weight", **({"shape": (2, 3)} | kwargs))
    made.initialize()
    return made


def test_what_is_not_initialised_says_what_to_do():
    fresh = gluon.Parameter("some_weight", shape=(2,))
    for use in (fresh.data, fresh.grad, fresh.list_data, fresh.list_ctx, fresh.list_grad):
        with pytest.raises(RuntimeError, match=r"some_weight.*initialize\(\)"):
            use()
    with pytest.raises(RuntimeError, match="initialize"):
        fresh.reset_ctx(cpu())
    with pytest.raises(RuntimeError, match="initialize"):
        fresh.set_data(np.zeros(2))


def test_an_unknown_shape_waits_or_is_refused():
    with pytest.raises(ValueError, match="allow_deferred_init"):
        gluon.Parameter("w", shape=(2, 0)).initialize()
    late = gluon.Parameter("w", shape=(2, 0), allow_deferred_init=True)
    late.initialize(init=init.One(), ctx=cpu())
    assert late.shape == (2, -1)
    assert late.list_ctx() == [cpu()]
    with pytest.raises(gluon.DeferredInitializationError, match=r"deferred.*\(2, -1\)"):
        late.data()
    with pytest.raises(ValueError, match=r"\(2, -1\), not \(3, 4\)"):
        late.shape = (3, 4)
    late.shape = (2, 4)
    late.finish()
    assert late.data().tolist() == [[1] * 4] * 2


def test_numbers_set_before_the_shape_is_known_complete_it():
    late = gluon.Parameter("w", shape=(2, -1), allow_deferred_init=True)
    late.initialize()
    late.set_data(np.ones((2, 2)))
    assert late.data().tolist() == [[1, 1], [1, 1]]


def test_the_same_array_every_time_and_writing_reaches_it():
    w = parameter()
    assert w.data() is w.data()
    w.data()[:] += 1
    w.data()[0, 0] = 42
    assert w.data()[0, 0] == 42
    before = w.data()
    w.set_data(np.zeros((2, 3)))
    assert before.sum() == 0
    with pytest.raises(ValueError, match=r"\(2, 3\), not \(3, 2\)"):
        w.set_data(np.zeros((3, 2)))


def test_a_second_initialisation_is_passed_over_unless_forced():
    w = parameter(init=init.One())
    w.set_data(np.zeros((2, 3)))
    with pytest.warns(UserWarning, match="force_reinit"):
        w.initialize()
    assert w.data().sum() == 0
    w.initialize(force_reinit=True)
    assert w.data().sum() == 6


def backward(w, ctx=None, times=1.0):
    with autograd.record():
        loss = (w.data(ctx) * times).sum()
    loss.backward()


def test_gradients_are_replaced_added_or_left_out():
    w = parameter()
    backward(w)
    backward(w, times=2)
    assert w.grad().tolist() == [[2] * 3] * 2
    w.grad_req = "add"
    backward(w)
    backward(w)
    assert w.grad().tolist() == [[4] * 3] * 2
    w.zero_grad()
    assert w.grad().sum() == 0
    w.grad_req = "null"
    with pytest.raises(RuntimeError, match="'null'"):
        w.grad()
    with autograd.record(), pytest.raises(MXNetError):
        (w.data() * 1).sum().backward()
    w.grad_req = "write"
    assert w.grad().sum() == 0
    backward(w)
    assert w.grad().tolist() == [[1] * 3] * 2
    assert w.stale() == []
    with pytest.raises(ValueError, match="'always'"):
        w.grad_req = "always"


def test_a_step_of_torchs_that_drops_gradients_is_no_harm():
    w = parameter()
    backward(w)
    w.data().tensor.grad = None
    backward(w)
    backward(w)
    assert w.grad().tolist() == [[1] * 3] * 2


def test_copies_on_two_devices(two_gpus):
    w = gluon.Parameter("w", shape=(2,))
    w.initialize(ctx=two_gpus)
    assert w.list_ctx() == two_gpus
    first, second = w.list_data()
    assert (first.ctx, second.ctx) == (gpu(0), gpu(1))
    assert first.tolist() == second.tolist()
    backward(w, gpu(1), 3)
    assert [g.tolist() for g in w.list_grad()] == [[0, 0], [3, 3]]
    assert w.stale() == [gpu(0)]
    with pytest.raises(RuntimeError, match=r"not initialised on cpu\(0\)"):
        w.data()
    with pytest.raises(RuntimeError, match=r"cpu\(0\), only on \[gpu\(0\), gpu\(1\)\]"):
        w.data(cpu())
    with gpu(1):
        assert w.data() is second
    w.set_data(np.arange(2))
    assert [d.tolist() for d in w.list_data()] == [[0, 1], [0, 1]]
    second[:] = 3
    w.reset_ctx(cpu())
    assert w.list_ctx() == [cpu()]
    assert w.data().tolist() == [1.5, 2]


def test_all_cpus_are_one_so_two_of_them_are_refused():
    w = gluon.Parameter("w", shape=(2,))
    with pytest.raises(MXNetError, match="virtual-gpus"):
        w.initialize(ctx=[cpu(0), cpu(1)])
    w.initialize(ctx=cpu(1))
    assert w.data(cpu(0)) is w.data()


def test_cast_changes_the_numbers_and_keeps_the_values():
    w = parameter(init=init.One())
    w.cast("float64")
    assert w.data().dtype is numpy.float64
    assert w.data().sum() == 6
    backward(w)
    assert w.grad().dtype is numpy.float64


def test_printed_as_in_the_book():
    assert repr(parameter()) == (
        "Parameter some_weight (shape=(2, 3), dtype=<class 'numpy.float32'>)"
    )
    assert repr(parameter(dtype="float32")) == "Parameter some_weight (shape=(2, 3), dtype=float32)"
    params = gluon.ParameterDict("net_")
    params.get("weight", shape=(2, 0), dtype="float32")
    assert repr(params) == "net_ (\n  Parameter net_weight (shape=(2, -1), dtype=float32)\n)"


def test_constants_are_saved_but_not_trained():
    constant = gluon.Constant("c", np.arange(3))
    constant.initialize(init.One())
    assert constant.data().tolist() == [0, 1, 2]
    constant.grad_req = "write"
    assert constant.grad_req == "null"
    assert repr(constant).startswith("Constant c (shape=(3,)")
    with pytest.raises(ValueError, match="shape"):
        constant.shape = (4,)


def test_a_dict_makes_finds_and_compares():
    params = gluon.ParameterDict("net_")
    w = params.get("weight", shape=(2, 0), init="ones")
    assert params.get("weight", shape=(2, 3), init=init.One()) is w
    assert w.shape == (2, 3)
    assert params.get("weight", shape=(2, 0)) is w
    for wrong in ({"shape": (3, 3)}, {"shape": (2,)}, {"init": "zeros"}, {"dtype": "float16"}):
        with pytest.raises(MXNetError, match="net_weight"):
            params.get("weight", **wrong)
    constant = params.get_constant("c", np.ones(2))
    assert params.get_constant("c") is constant
    with pytest.raises(KeyError, match="net_d"):
        params.get_constant("d")
    with pytest.raises(MXNetError, match="no constant"):
        params.get_constant("weight")
    assert list(params) == ["net_weight", "net_c"]
    assert ("net_c" in params, len(params), params["net_c"]) == (True, 2, constant)
    other = gluon.ParameterDict("net_")
    other.get("weight")
    with pytest.raises(MXNetError, match="two parameters"):
        params.update(other)


def test_a_shared_dict_is_looked_into_first():
    params = gluon.ParameterDict("net_")
    w = params.get("weight", shape=(2,))
    sharing = gluon.ParameterDict("net_", shared=params)
    assert sharing.get("weight") is w
    assert sharing.get("bias", shape=(1,)) is not w
    assert "net_bias" not in params


def test_all_at_once(two_gpus):
    net = nn.Dense(2, in_units=2)
    net.initialize()
    every = net.collect_params()
    every.setattr("wd_mult", 0)
    assert [p.wd_mult for p in every.values()] == [0, 0]
    with pytest.raises(AttributeError, match="nonsense"):
        every.setattr("nonsense", 1)
    every.reset_ctx(two_gpus)
    assert every.list_ctx() == two_gpus
    backward(net.weight, gpu(0))
    every.zero_grad()
    assert net.weight.grad(gpu(0)).sum() == 0


def test_files_of_a_dict(tmp_path):
    file = tmp_path / "net.params"
    net = nn.Dense(2, in_units=3)
    net.initialize()
    net.collect_params().save(file, strip_prefix=net.prefix)
    other = nn.Dense(2)
    other.collect_params().load(file, restore_prefix=other.prefix)
    x = np.random.normal(size=(4, 3))
    assert other(x).tolist() == net(x).tolist()
    with pytest.raises(ValueError, match="does not begin"):
        net.collect_params().save(file, strip_prefix="conv")
    wrong = nn.Dense(2, in_units=4)
    with pytest.raises(BadDataError, match=r"weight' has shape \(2, 3\)"):
        wrong.collect_params().load(file, restore_prefix=wrong.prefix)


def test_a_refused_storage_type():
    with pytest.raises(NotImplementedError, match=r"torch\.nn\.Embedding"):
        gluon.Parameter("w", shape=(2,), stype="row_sparse")
    with pytest.raises(NotImplementedError, match="tensor"):
        parameter().var()
