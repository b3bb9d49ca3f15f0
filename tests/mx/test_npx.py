"""``mx.npx`` against torch, NumPy and numbers worked by hand; and every name that the book uses."""

import numpy
import pytest
import torch
import torch.nn.functional as F

from divekit.mx import autograd, nd, np, npx
from divekit.mx.errors import MXNetError, ShapeError


def normal(*shape):
    return np.array(numpy.random.default_rng(sum(shape)).normal(size=shape).astype("float32"))


def close(ours, theirs, tolerance=1e-5):
    theirs = theirs.detach().numpy() if isinstance(theirs, torch.Tensor) else numpy.asarray(theirs)
    assert ours.shape == theirs.shape
    numpy.testing.assert_allclose(ours.asnumpy(), theirs, rtol=tolerance, atol=tolerance)


# The names of the book's MXNet chapters and its package (the list of the edition's API surface).
BOOK = {
    np: """
array zeros arange dot concatenate expand_dims ones sqrt exp stack log float32 int32 sum sin pi
mean cos square squeeze abs argmax tanh tile meshgrid linspace full log2 nonzero max maximum eye
sign cosh power cumsum genfromtxt int64 minimum ones_like repeat sinh unique zeros_like arccos
broadcast_to clip empty float64 floor min reshape set_printoptions sort split
""",
    np.random: "normal uniform multinomial rand shuffle randint",
    np.linalg: "norm",
    npx: """
set_np relu waitall batch_dot sigmoid softmax gpu one_hot sequence_mask cpu num_gpus load save
convolution pooling topk batch_flatten smooth_l1
""",
    autograd: "record is_training predict_mode",
    nd: "nansum",
    np.ndarray: """
shape reshape sum astype grad size ctx mean as_in_ctx attach_grad transpose T tolist argmax
dtype repeat copyto swapaxes dot as_nd_ndarray cumsum squeeze detach std flatten item ndim clip all
argsort as_in_context sort abs asscalar copy max prod asnumpy backward wait_to_read split
""",
}


@pytest.mark.parametrize("home", BOOK, ids=lambda home: home.__name__)
def test_every_name_of_the_book_is_there(home):
    assert not [name for name in BOOK[home].split() if not hasattr(home, name)]


def test_the_names_that_are_missing_say_what_to_use():
    with pytest.raises(NotImplementedError, match=r"npx\.ctc_loss.*torch\.nn\.functional"):
        npx.ctc_loss  # noqa: B018
    with pytest.raises(AttributeError, match="nonsense"):
        npx.nonsense  # noqa: B018
    assert npx.set_np() is None
    assert npx.is_np_array()
    assert npx.is_np_shape()
    for call in (lambda: npx.set_np(shape=False), lambda: npx.set_np(dtype=True), npx.reset_np):
        with pytest.raises(NotImplementedError, match="PyTorch"):
            call()
    with npx.np_shape(), npx.np_array():
        assert npx.use_np(close) is close


def test_softmax_and_its_relatives():
    x = normal(2, 3)
    close(npx.softmax(x), F.softmax(x.tensor, -1))
    close(npx.softmax(x, axis=0, temperature=2.0), F.softmax(x.tensor / 2, 0))
    close(npx.log_softmax(x), F.log_softmax(x.tensor, -1))
    assert npx.softmax(x, dtype="float64").dtype is numpy.float64
    assert npx.softmax(np.ones(2, dtype="int32")).tolist() == [0.5, 0.5]
    partly = npx.softmax(np.zeros((3, 4)), np.array([1, 2, 0]), use_length=True)
    assert partly.tolist() == [[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0, 0, 0, 0]]
    with pytest.raises(ValueError, match="length"):
        npx.softmax(x, use_length=True)
    with pytest.raises(ValueError, match="use_length=True"):
        npx.softmax(x, np.array([1, 2, 0]))


def test_activations():
    x = normal(2, 3)
    t = x.tensor
    close(npx.relu(x), t.clamp(min=0))
    close(npx.sigmoid(x), 1 / (1 + (-t).exp()))
    for name, theirs in {
        "relu": F.relu,
        "tanh": torch.tanh,
        "softrelu": F.softplus,
        "softsign": F.softsign,
    }.items():
        close(npx.activation(x, act_type=name), theirs(t))
    close(npx.leaky_relu(x, slope=0.1), torch.where(t > 0, t, 0.1 * t))
    close(npx.leaky_relu(x), torch.where(t > 0, t, 0.25 * t))
    close(npx.leaky_relu(x, act_type="elu", slope=2.0), torch.where(t > 0, t, 2 * (t.exp() - 1)))
    close(npx.leaky_relu(x, act_type="gelu"), F.gelu(t))
    close(npx.leaky_relu(x, act_type="selu"), F.selu(t))
    slopes = np.array([0.1, 0.2, 0.3])
    close(npx.leaky_relu(x, slopes, act_type="prelu"), torch.where(t > 0, t, t * slopes.tensor))
    for wrong in (
        lambda: npx.activation(x, "relu6"),
        lambda: npx.leaky_relu(x, act_type="relu7"),
        lambda: npx.leaky_relu(x, act_type="prelu"),
    ):
        with pytest.raises(ValueError, match="relu"):
            wrong()
    assert npx.smooth_l1(np.array([0.25, 2, -3]), scalar=1).tolist() == [0.03125, 1.5, 2.5]
    assert npx.smooth_l1(np.array([0.25]), scalar=0.5).tolist() == [0.0078125]
    assert npx.hard_sigmoid(np.array([-5, 0, 5])).tolist() == [0, 0.5, 1]
    close(
        npx.gamma(np.array([0.5, 5, -0.5, -1.5])),
        [numpy.pi**0.5, 24, -2 * numpy.pi**0.5, 4 / 3 * numpy.pi**0.5],
    )
    close(npx.erfinv(npx.erf(x)), x.tensor)
    close(npx.gammaln(np.array([5.0])), [numpy.log(24)])


def test_one_hot_pick_and_topk():
    assert npx.one_hot(np.array([0, 2]), 3).tolist() == [[1, 0, 0], [0, 0, 1]]
    assert npx.one_hot(np.array([0, 5, -1]), 2, on_value=7, off_value=3).tolist() == [
        [7, 3],
        [3, 3],
        [3, 3],
    ]
    assert npx.one_hot(np.ones((2, 3)), 4).shape == (2, 3, 4)
    assert npx.one_hot(np.ones(1), 2, dtype="int32").dtype is numpy.int32
    x = np.array([[1, 5, 3], [9, 7, 9]])
    assert npx.pick(x, np.array([0, 2])).tolist() == [1, 9]
    assert npx.pick(x, np.array([0, 9]), keepdims=True).tolist() == [[1], [9]]
    assert npx.pick(x, np.array([0, 1, 1]), axis=0).tolist() == [1, 7, 9]
    assert npx.pick(x, np.array([-1, 4]), mode="wrap").tolist() == [3, 7]
    places = npx.topk(x, k=2)
    assert (places.tolist(), places.dtype) == ([[1, 2], [0, 2]], numpy.float32)
    assert npx.topk(x, k=2, ret_typ="value").tolist() == [[5, 3], [9, 9]]
    values, places = npx.topk(x, axis=0, k=1, ret_typ="both", dtype="int32", is_ascend=True)
    assert (values.tolist(), places.tolist()) == ([[1, 5, 3]], [[0, 0, 0]])
    assert npx.topk(x, k=1, ret_typ="mask").tolist() == [[0, 1, 0], [1, 0, 0]]
    assert npx.topk(x, axis=None, k=2).tolist() == [3, 5]
    for wrong in (
        lambda: npx.topk(x, k=4),
        lambda: npx.topk(x, ret_typ="all"),
        lambda: npx.pick(x, np.ones(2), mode="raise"),
    ):
        with pytest.raises(ValueError, match=r"k is 4|ret_typ|mode"):
            wrong()


def test_batch_dot():
    a, b = normal(2, 3, 4), normal(2, 4, 5)
    close(npx.batch_dot(a, b), torch.bmm(a.tensor, b.tensor))
    close(npx.batch_dot(a.swapaxes(1, 2), b, transpose_a=True), torch.bmm(a.tensor, b.tensor))
    close(npx.batch_dot(a, b.swapaxes(1, 2), transpose_b=True), torch.bmm(a.tensor, b.tensor))
    with pytest.raises(ShapeError, match=r"\(2, 3, 4\).*\(2, 5, 4\)"):
        npx.batch_dot(a, b.swapaxes(1, 2))
    with pytest.raises(ShapeError):
        npx.batch_dot(a, normal(1, 4, 5))


def test_sequences():
    x = np.arange(1, 7).reshape(2, 3)
    assert npx.sequence_mask(x, np.array([1, 2]), True, value=-1, axis=1).tolist() == [
        [1, -1, -1],
        [4, 5, -1],
    ]
    assert npx.sequence_mask(x, np.array([1, 2, 0]), True).tolist() == [[1, 2, 0], [0, 5, 0]]
    assert npx.sequence_mask(x).tolist() == x.tolist()
    wide = npx.sequence_mask(np.ones((2, 3, 4)), np.array([1, 3]), True, axis=1)
    assert wide.sum(axis=2).tolist() == [[4, 0, 0], [4, 4, 4]]
    assert npx.sequence_last(x.T, np.array([1, 3]), True).tolist() == [1, 6]
    assert npx.sequence_last(x).tolist() == [4, 5, 6]
    assert npx.sequence_reverse(x.T, np.array([2, 3]), True).T.tolist() == [[2, 1, 3], [6, 5, 4]]
    assert npx.sequence_reverse(x).tolist() == [[4, 5, 6], [1, 2, 3]]
    with pytest.raises(ShapeError, match=r"\(3,\).*\(2, 3\)"):
        npx.sequence_mask(x, np.ones(3), True, axis=1)
    with pytest.raises(ValueError, match="sequence_length"):
        npx.sequence_mask(x, use_sequence_length=True)


@pytest.mark.parametrize("name", ["sequence_mask", "sequence_last", "sequence_reverse"])
def test_lengths_are_not_passed_over(name):
    with pytest.raises(ValueError, match="use_sequence_length=True"):
        getattr(npx, name)(np.ones((2, 3)), np.array([1, 2, 1]))


def test_picking_and_arranging():
    table = np.arange(6).reshape(3, 2)
    assert npx.embedding(np.array([[2, 0]]), table, 3, 2).tolist() == [[[4, 5], [0, 1]]]
    with pytest.raises(IndexError):
        npx.embedding(np.array([3]), table)
    with pytest.raises(ShapeError):
        npx.embedding(np.array([0]), table, 4, 2)
    with pytest.raises(NotImplementedError, match="sparse"):
        npx.embedding(np.array([0]), table, sparse_grad=True)
    assert npx.gather_nd(table, np.array([[0, 2], [1, 0]])).tolist() == [1, 4]
    assert npx.batch_flatten(np.ones((2, 3, 4))).shape == (2, 12)
    assert npx.reshape_like(table, np.ones((2, 3))).shape == (2, 3)
    assert npx.broadcast_like(np.ones((1, 2)), table).shape == (3, 2)
    assert npx.arange_like(table, axis=0).tolist() == [0, 1, 2]
    assert npx.arange_like(table, start=1, step=2).tolist() == [[1, 3], [5, 7], [9, 11]]
    assert npx.slice_axis(table, 0, 1, None).tolist() == [[2, 3], [4, 5]]
    assert npx.nonzero(table)[0].tolist() == [0, 1, 1, 2, 2]
    close(npx.l2_normalization(np.array([[3.0, 4.0]])), [[0.6, 0.8]])


RESHAPES = [
    ((2, 3, 4), (-2, -1), False, (2, 12)),
    ((2, 3, 4), (-2, -5), False, (2, 12)),
    ((2, 3, 4), (6, -4), False, None),
    ((2, 3, 4), (-5, -4), False, (6, 4)),
    ((2, 3, 4), (-4,), False, (2, 3, 4)),
    ((2, 3, 4), (-4, 1, 1), False, (2, 3, 4, 1, 1)),
    ((2, 3, 4), (-6, 1, 2, -4), False, (1, 2, 3, 4)),
    ((2, 3, 4), (-2, -6, -1, 3, -2), False, (2, 1, 3, 4)),
    ((1, 3, 1), (-3, -2, -3), False, (3,)),
    ((2, 3), (-3, -2), False, None),
    ((2, 3, 4), (-2, -6, 2, 2, -2), False, None),
    ((8, 3, 3, 3, 4, 4), (-6, 2, -1, -4), False, (2, 4, 3, 3, 3, 4, 4)),
    ((8, 3, 3, 3, 4, 4), (-5, -4), False, (24, 3, 3, 4, 4)),
    ((8, 3, 3, 3, 8), (-4, -5), True, (8, 3, 3, 24)),
    ((8, 3, 3, 3, 4, 4), (-4, -6, 2, 2), True, (8, 3, 3, 3, 4, 2, 2)),
    ((10, 5, 4), (-1, -2), True, (50, 4)),
    ((2, 3), (-7,), False, None),
    ((2,), (-2, -2), False, None),
    ((4,), 4, False, (4,)),
]


@pytest.mark.parametrize(("shape", "codes", "reverse", "expected"), RESHAPES)
def test_the_codes_of_reshape(shape, codes, reverse, expected):
    x = np.arange(numpy.prod(shape)).reshape(shape)
    if expected is None:
        with pytest.raises(MXNetError):
            npx.reshape(x, codes, reverse)
        return
    found = npx.reshape(x, codes, reverse)
    assert found.shape == expected
    assert found.ravel().tolist() == x.ravel().tolist()


def test_convolution_and_its_transpose():
    x, weight, bias = normal(2, 3, 6, 7), normal(4, 3, 3, 2), normal(4)
    ours = npx.convolution(
        data=x,
        weight=weight,
        bias=bias,
        kernel=(3, 2),
        num_filter=4,
        stride=(2, 1),
        pad=(1, 0),
        dilate=(1, 2),
    )
    close(ours, F.conv2d(x.tensor, weight.tensor, bias.tensor, (2, 1), (1, 0), (1, 2)))
    close(
        npx.convolution(x, weight, kernel=(3, 2), num_filter=4, no_bias=True),
        F.conv2d(x.tensor, weight.tensor),
    )
    sound, taps = normal(2, 3, 9), normal(6, 1, 3)
    close(
        npx.convolution(sound, taps, num_group=3, no_bias=True),
        F.conv1d(sound.tensor, taps.tensor, groups=3),
    )
    back = normal(3, 4, 3, 2)
    ours = npx.deconvolution(
        x, back, kernel=(3, 2), stride=(2, 2), pad=(1, 0), adj=(1, 0), num_filter=4
    )
    close(ours, F.conv_transpose2d(x.tensor, back.tensor, None, 2, (1, 0), (1, 0)))
    with pytest.raises(ShapeError, match="num_filter is 5"):
        npx.convolution(x, weight, no_bias=True, num_filter=5)
    with pytest.raises(ShapeError, match="kernel"):
        npx.convolution(x, weight, no_bias=True, kernel=(3, 3))
    with pytest.raises(NotImplementedError, match="NCHW"):
        npx.convolution(x, weight, no_bias=True, layout="NHWC")
    with pytest.raises(TypeError, match="unexpected keyword"):
        npx.convolution(x, weight, padding=1)


def test_pooling():
    x = normal(2, 3, 6, 7)
    t = x.tensor
    close(npx.pooling(data=x, pool_type="avg", kernel=(2, 2), stride=(2, 2)), F.avg_pool2d(t, 2))
    close(npx.pooling(x, (3, 3), "max", pad=(1, 1)), F.max_pool2d(t, 3, 1, 1))
    close(
        npx.pooling(x, 2, "max", stride=3, pooling_convention="full"),
        F.max_pool2d(t, 2, 3, ceil_mode=True),
    )
    close(
        npx.pooling(x, 3, "avg", pad=1, count_include_pad=False),
        F.avg_pool2d(t, 3, 1, 1, count_include_pad=False),
    )
    close(npx.pooling(x, 2, "sum", stride=2), F.avg_pool2d(t, 2) * 4)
    close(npx.pooling(x, 2, "lp", stride=2, p_value=2), F.lp_pool2d(t, 2, 2))
    close(npx.pooling(x, global_pool=True, pool_type="avg"), t.mean((2, 3), keepdim=True))
    assert npx.pooling(x, (2, 2)).shape == (2, 3, 5, 6)  # the stride is 1 unless given
    # A padding wider than half the window, which torch refuses.
    assert npx.pooling(np.ones((1, 1, 3)), 3, "max", pad=2).shape == (1, 1, 5)
    with pytest.raises(ValueError, match="pool_type"):
        npx.pooling(x, 2, "median")
    with pytest.raises(ValueError, match="kernel"):
        npx.pooling(x)


def test_fully_connected():
    x, weight, bias = normal(2, 3, 4), normal(5, 12), normal(5)
    close(
        npx.fully_connected(x, weight, bias, num_hidden=5, no_bias=False),
        F.linear(x.tensor.reshape(2, 12), weight.tensor, bias.tensor),
    )
    close(
        npx.fully_connected(x, normal(5, 4), flatten=False), F.linear(x.tensor, normal(5, 4).tensor)
    )


def test_normalisations():
    x, scale, shift = normal(4, 3, 5), normal(3), normal(3, 1).reshape(3)
    t = x.tensor
    close(
        npx.layer_norm(x, normal(5), normal(5)),
        F.layer_norm(t, (5,), normal(5).tensor, normal(5).tensor),
    )
    close(
        npx.layer_norm(x, scale, shift, axis=1),
        F.layer_norm(t.transpose(1, 2), (3,), scale.tensor, shift.tensor).transpose(1, 2),
    )
    close(
        npx.instance_norm(x, scale, shift),
        F.instance_norm(t, weight=scale.tensor, bias=shift.tensor, eps=1e-3),
    )
    close(npx.group_norm(x, scale, shift, 3), F.group_norm(t, 3, scale.tensor, shift.tensor))
    close(
        npx.group_norm(normal(2, 4, 3), np.array([2.0, 3]), np.zeros(2), 2),
        F.group_norm(normal(2, 4, 3).tensor, 2, torch.tensor([2.0, 2, 3, 3])),
    )


def test_batch_norm_follows_the_mode_and_keeps_running_figures():
    x, scale, shift = normal(4, 3, 5), normal(3), np.ones(3)
    mean, var = np.zeros(3), np.ones(3)
    with autograd.record():
        y = npx.batch_norm(x, scale, shift, mean, var, eps=1e-5, momentum=0.9, fix_gamma=False)
    t = x.tensor
    close(y, F.batch_norm(t, None, None, scale.tensor, shift.tensor, True, eps=1e-5), 1e-4)
    close(mean, 0.1 * t.mean((0, 2)))
    close(var, 0.9 + 0.1 * t.var((0, 2), correction=0))  # over n, as MXNet
    kept = mean.copy()
    y = npx.batch_norm(x, scale, shift, mean, var, eps=1e-5)
    close(y, F.batch_norm(t, mean.tensor, var.tensor, None, shift.tensor, False, eps=1e-5))
    assert np.array_equal(mean, kept)
    with autograd.train_mode():
        _, batch_mean, _ = npx.batch_norm(x, scale, shift, mean, var, output_mean_var=True)
    close(batch_mean, t.mean((0, 2)))
    last = npx.batch_norm(x.swapaxes(1, 2), scale, shift, mean, var, axis=-1)
    close(last.swapaxes(1, 2), npx.batch_norm(x, scale, shift, mean, var).tensor)


def test_dropout_acts_in_train_mode_only():
    x = np.ones((100, 100))
    assert npx.dropout(x, 0.5).tolist() == x.tolist()
    with autograd.train_mode():
        y = npx.dropout(x, 0.4)
        shared = npx.dropout(x, 0.5, axes=(1,))
    assert set(numpy.unique(y.asnumpy()).round(4)) == {0, numpy.float32(1.6667)}
    assert abs(float((y == 0).mean()) - 0.4) < 0.03
    assert all(len(set(row)) == 1 for row in shared.tolist())
    assert float((npx.dropout(x, 0.5, mode="always") == 0).mean()) > 0.4
    with pytest.raises(ValueError, match="probability"):
        npx.dropout(x, 1.5)


def test_draws_of_npx():
    npx.random.seed(1)
    assert set(npx.random.bernoulli(0.5, size=50).tolist()) == {0, 1}
    assert npx.random.bernoulli(logit=np.array([50.0, -50.0])).tolist() == [1, 0]
    assert npx.random.uniform_n(np.zeros(3), np.ones(3), batch_shape=(2,)).shape == (2, 3)
    assert npx.random.normal_n(np.zeros(3), 1.0, batch_shape=4).shape == (4, 3)
    with pytest.raises(ValueError, match="one of the two"):
        npx.random.bernoulli()
