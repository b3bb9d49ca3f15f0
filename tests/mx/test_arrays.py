"""The array itself: making, printing, converting, copying, devices."""

import copy
import pickle
import subprocess
import sys

import numpy
import pytest
import torch

from divekit.mx import autograd, cpu, gpu, nd, np, npx
from divekit.mx import context as contexts
from divekit.mx.errors import DtypeError, MXNetError


@pytest.fixture
def two_virtual_gpus():
    contexts.set_virtual_gpus(2)
    yield
    contexts.set_virtual_gpus(0)


PRINTED = {
    "array([0., 1., 2.])": lambda: np.arange(3),
    "array([[0., 0.],\n       [0., 0.]])": lambda: np.zeros((2, 2)),
    "array([1, 0], dtype=int64)": lambda: np.array(numpy.array([1, 0])),
    "array([1, 0], dtype=uint8)": lambda: np.array([1, 0], dtype="uint8"),
    "array([0.5], dtype=float64)": lambda: np.array(numpy.array([0.5])),
    "array([ True, False])": lambda: np.arange(2) == 0,
    "array(True)": lambda: np.array(2.0) == 2,
    "array(5.)": lambda: np.array(3.0) + np.array(2.0),
    "array([], shape=(0, 3))": lambda: np.zeros((0, 3)),
    "array([])": lambda: np.zeros(0),
    "array([], dtype=int64)": lambda: np.zeros(0, dtype="int64"),
    "array([2.7182817e+00, 7.3890562e+00, 5.4598148e+01, 2.9809580e+03])": lambda: np.exp(
        np.array([1, 2, 4, 8])
    ),
    "array([  0.,   1.,   2., ..., 997., 998., 999.])": lambda: np.arange(1001)[:1000],
}


@pytest.mark.parametrize("text", PRINTED)
def test_printed_as_mxnet_prints(text):
    with numpy.printoptions(threshold=900):
        assert repr(PRINTED[text]()) == text


def test_a_type_that_does_not_fit_goes_on_the_next_line():
    x = np.arange(25, dtype="int32")
    assert repr(x) == repr(x.asnumpy())
    assert repr(np.ones((2, 12), dtype="float16")) == repr(numpy.ones((2, 12), "float16"))


def test_str_and_format():
    assert str(np.arange(3)) == "[0. 1. 2.]"
    assert f"{np.array(2.5):.2f}" == "2.50"
    assert f"{np.array([2.5]):.1f} {np.arange(2)}" == "2.5 [0. 1.]"
    with pytest.raises(TypeError):
        format(np.arange(2), ".2f")


def test_the_class_is_named_as_mxnets():
    assert repr(type(np.ones(1))) == "<class 'mxnet.numpy.ndarray'>"
    assert isinstance(np.ones(1), np.ndarray)


def test_types_of_new_arrays():
    for made in (
        np.array([1, 2]),
        np.array([True]),
        np.array(3),
        np.arange(3),
        np.zeros(2),
        np.ones((1, 2)),
        np.full(2, 7),
        np.eye(2),
        np.linspace(0, 1, 3),
        np.random.normal(size=2),
        np.empty(2),
        np.array([np.ones(1), 2 * np.ones(1)]),
    ):
        assert made.dtype is numpy.float32
    for kind in ("float64", "int64", "int32", "uint8", "int8", "bool", "float16"):
        assert np.array(numpy.ones(2, kind)).dtype is numpy.dtype(kind).type
        assert np.zeros(2, dtype=kind).dtype is np.zeros(2, dtype=numpy.dtype(kind)).dtype
        assert np.ones(2).astype(kind).dtype is numpy.dtype(kind).type
    assert np.array([1.9, -1.9], dtype="int32").tolist() == [1, -1]
    assert np.array([1], dtype=int).dtype is numpy.int64
    assert np.array([1], dtype=float).dtype is numpy.float64
    assert np.array(torch.ones(2, dtype=torch.int32)).dtype is numpy.int32
    assert np.zeros_like(np.ones(2, dtype="int8")).dtype is numpy.int8
    for wrong in ("float128", "complex64", "text", "U3", object):
        with pytest.raises(DtypeError):
            np.zeros(2, dtype=wrong)
    for wrong in ("text", [[1, 2], [3]], {1: 2}, [1j], ["a"], None, [None]):
        with pytest.raises(TypeError):
            np.array(wrong)


def test_pandas_columns_keep_their_type():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"rooms": [3.0, 2.0], "price": [127500, 106000]})
    X, y = np.array(frame[["rooms"]].values), np.array(frame["price"])
    assert (X.dtype, y.dtype) == (numpy.float64, numpy.int64)
    assert pandas.DataFrame(np.ones((2, 2))).to_numpy().tolist() == [[1, 1], [1, 1]]


def test_conversions():
    a = np.array([3.5])
    assert (a.item(), float(a), int(a), a.asscalar(), bool(a)) == (3.5, 3.5, 3, 3.5, True)
    assert (float(np.array(2)), np.ones((1, 1)).item(), np.arange(3).item(2)) == (2, 1, 2)
    assert list(range(np.array(3, dtype="int32"))) == [0, 1, 2]
    assert not np.zeros(0)
    for wrong in (float, int, lambda x: x.item(), bool):
        with pytest.raises(ValueError, match=r"\(2,\)"):
            wrong(np.ones(2))
    with pytest.raises(TypeError, match="index"):
        range(np.array(3.0))
    x = np.arange(3)
    numbers = x.asnumpy()
    numbers[0] = 9
    numpy.asarray(x)[1] = 9
    assert x.tolist() == [0, 1, 2]
    assert numpy.array_equal(numpy.sqrt(x), numpy.sqrt(numpy.arange(3, dtype="float32")))
    assert [float(row.sum()) for row in np.ones((2, 3))] == [3, 3]
    assert len(np.ones((2, 3))) == 2
    assert 2 in x
    assert 5 not in x
    for call in (len, iter):
        with pytest.raises(TypeError):
            list(call(np.array(1.0))) if call is iter else call(np.array(1.0))


def test_facts_of_an_array():
    x = np.ones((2, 3), dtype="float64")
    assert (x.shape, x.ndim, x.size, x.itemsize, x.nbytes, x.stype) == (
        (2, 3),
        2,
        6,
        8,
        48,
        "default",
    )
    assert x.T.shape == (3, 2)
    assert np.array(1.0).T.shape == ()
    assert len({x, x}) == 1
    assert hash(x) == hash(x)
    assert (x == None) is False  # noqa: E711  (as any object)
    assert (x != "a") is True


def test_copies_are_copies_and_views_are_views():
    x = np.arange(4)
    copies = [
        x.copy(),
        copy.copy(x),
        copy.deepcopy(x),
        np.array(x),
        x.astype("float32"),
        x.flatten(),
        x[[0, 1, 2, 3]],
        pickle.loads(pickle.dumps(x)),
        np.copy(x),
    ]
    views = [
        x.reshape(2, 2).reshape(4),
        x[:],
        x.detach(),
        x.ravel(),
        np.expand_dims(x, 0)[0],
        x.view(),
        x.as_in_ctx(cpu()),
        np.split(x, 1)[0],
        x.astype("float32", copy=False),
    ]
    x[0] = 7
    assert [float(c[0]) for c in copies] == [0] * len(copies)
    assert [float(v[0]) for v in views] == [7] * len(views)
    assert type(copies[7]) is np.ndarray
    assert pickle.loads(pickle.dumps(np.array(True))).dtype is numpy.float32
    assert np.shares_memory(x, views[0])
    assert not np.shares_memory(x, copies[0])


def test_the_tensor_is_shared_and_torch_takes_arrays():
    x = np.arange(4)
    x.tensor[0] = 5
    assert x.tolist() == [5, 1, 2, 3]
    assert type(torch.sum(x)) is np.ndarray
    assert type(torch.ones(4) + x) is np.ndarray
    assert type(x + torch.ones(4)) is np.ndarray
    assert torch.cat([x, x]).shape == (8,)
    values, places = torch.max(x.reshape(2, 2), dim=1)
    assert (values.tolist(), places.tolist()) == ([5, 3], [0, 1])
    assert torch.nn.Linear(4, 2)(x).shape == (2,)


def test_methods_with_numbers_one_by_one_or_as_a_tuple():
    x = np.arange(12)
    assert (
        x.reshape(3, 4).shape
        == x.reshape((3, 4)).shape
        == x.reshape(-1, 4).shape
        == x.reshape(newshape=(3, 4)).shape
    )
    y = x.reshape(1, 3, 4)
    assert y.transpose(2, 0, 1).shape == y.transpose((2, 0, 1)).shape == (4, 1, 3)
    assert y.transpose().shape == (4, 3, 1)
    assert y.swapaxes(0, 2).shape == (4, 3, 1)
    x.sort()
    z = np.array([3, 1, 2])
    assert z.sort() is None
    assert z.tolist() == [1, 2, 3]
    z.fill(4)
    assert z.tolist() == [4, 4, 4]
    with pytest.raises(ValueError, match=r"12 elements.*\(5, -1\)"):
        x.reshape(5, -1)


def test_devices():
    x = np.ones(2)
    assert (x.ctx, x.context, x.device) == (cpu(), cpu(), cpu())
    assert repr(x.ctx) == "cpu(0)"
    assert x.as_in_ctx(npx.cpu()) is x
    assert x.as_in_context(npx.cpu_pinned()) is not x
    assert (
        np.zeros(1, ctx=cpu()).ctx
        == np.zeros(1, device=torch.device("cpu")).ctx
        == npx.current_context()
    )
    assert cpu(0) != gpu(0)
    assert pickle.loads(pickle.dumps(gpu(1))) == gpu(1)
    if npx.num_gpus() == 0:
        with pytest.raises(MXNetError, match=r"gpu\(0\) is not there.*--virtual-gpus 1"):
            np.ones(2, ctx=gpu())
    with pytest.raises(TypeError, match="a device is"):
        np.ones(2, ctx="gpu")
    with pytest.raises(ValueError, match="name one"):
        np.ones(2, ctx=cpu(), device=gpu())
    x.wait_to_read()
    npx.waitall()


def test_matplotlib_takes_arrays_where_it_takes_numbers():
    figure = pytest.importorskip("matplotlib.figure").Figure()
    axes, x = figure.subplots(), np.array([0.5, 2.0])
    line = axes.axvline(x=x[0])
    axes.hlines(x.sum(), x[0], x[1])
    axes.set_xlim(x[0] - 1, x[1])
    (points,) = axes.plot([x.sum(), x.max()])
    assert [float(place) for place in line.get_xdata()] == [0.5, 0.5]
    assert axes.get_xlim() == (-0.5, 2)
    assert [float(height) for height in points.get_ydata()] == [2.5, 2]
    with pytest.raises(TypeError, match="without axes"):
        iter(x[0])


@pytest.mark.usefixtures("two_virtual_gpus")
def test_writing_brings_the_value_to_the_array():
    x = np.zeros((2, 3), ctx=gpu(1))
    x[:, 1] = np.array([1.0, 2.0])
    x[np.array([0], ctx=gpu()), :1] = np.full((1, 1), 5.0, ctx=gpu())
    assert x.tolist() == [[5, 1, 0], [0, 2, 0]]
    assert x.ctx == gpu(1)
    v, y = np.ones(2), np.zeros(2, ctx=gpu())
    v.attach_grad()
    with autograd.record():
        y[:] = 3 * v
        total = (y * y).sum()
    total.backward()
    assert v.grad.tolist() == [18, 18]
    assert v.grad.ctx == cpu()
    with pytest.raises(MXNetError, match="live on"):
        x += np.ones((2, 3))


@pytest.mark.usefixtures("two_virtual_gpus")
def test_virtual_gpus_behave_as_gpus():
    assert npx.num_gpus() == 2
    x = np.ones(2, ctx=gpu(1))
    assert repr(x) == "array([1., 1.], ctx=gpu(1))"
    assert str(x) == "[1. 1.] @gpu(1)"
    x.attach_grad()
    with autograd.record():
        y = npx.relu(x * 2).sum()
    y.backward()
    results = [
        y,
        x.grad,
        x + 1,
        np.exp(x),
        x[0],
        np.concatenate([x, x]),
        x.copy(),
        x.reshape(2, 1),
        np.zeros_like(x),
        x == x,
        np.random.normal(size=2, ctx=gpu(1)),
        np.array(x),
        x.detach(),
        x.T,
        np.dot(x, x),
        -x,
        1 / x,
        x.astype("int32"),
        np.array([1, 2], ctx=gpu(1)),
        np.random.randint(3, ctx=gpu(1)),
        np.random.uniform(x, x + 1),
    ]
    assert [r.ctx for r in results] == [gpu(1)] * len(results)
    on_cpu = x.as_in_ctx(cpu())
    assert on_cpu.ctx == cpu()
    assert x.copyto(gpu(0)).ctx == gpu(0)
    on_cpu[:] = 5
    assert x.tolist() == [1, 1]
    assert on_cpu.copyto(x) is x
    assert x.tolist() == [5, 5]
    for mix in (
        lambda: x + on_cpu,
        lambda: np.dot(x, on_cpu),
        lambda: on_cpu.__iadd__(x),
        lambda: np.concatenate([x, on_cpu]),
    ):
        with pytest.raises(MXNetError, match=r"gpu\(1\).*cpu\(0\)|cpu\(0\).*gpu\(1\)"):
            mix()
    with gpu(1):
        assert np.zeros(1).ctx == gpu(1)
    assert np.zeros(1).ctx == cpu()
    with pytest.raises(MXNetError, match=r"gpu\(2\) is not there"):
        np.ones(1, ctx=gpu(2))


def test_older_arrays_print_and_reduce_the_old_way():
    x = np.array([[1.0, float("nan")], [2.0, 3.0]])
    total = nd.nansum(x.as_nd_ndarray())
    assert repr(total) == "\n[6.]\n<NDArray 1 @cpu(0)>"
    assert repr(nd.array([[1, 2]])) == "\n[[1. 2.]]\n<NDArray 1x2 @cpu(0)>"
    assert type(-total) is type(total + 1) is type(total.abs()) is nd.NDArray
    assert total.asscalar() == 6
    assert type(total.as_np_ndarray()) is np.ndarray
    assert nd.nansum(x.as_nd_ndarray(), axis=0).tolist() == [3, 3]
    with pytest.raises(NotImplementedError, match=r"instead: np\.dot"):
        nd.dot  # noqa: B018
    assert nd.np is np


def test_the_old_arrays_pass_gradients():
    x = np.array([1.0, 2.0])
    x.attach_grad()
    with autograd.record():
        y = nd.nansum((x * x).as_nd_ndarray())
    y.backward()
    assert x.grad.tolist() == [2, 4]


def test_the_front_end_is_loaded_only_when_asked_for():
    code = (
        "import sys, divekit, divekit.train; assert not any('divekit.mx' in n for n in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    code = "import sys, divekit.mx; assert 'mxnet' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
