"""Layers beside torch's: the weights are copied over, outputs and gradients must be the same."""

import numpy
import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from divekit.mx import autograd, init, np, npx
from divekit.mx.gluon import nn


@pytest.fixture(autouse=True)
def _seed():
    npx.seed(3)


def gradients(net, x):
    """Run in train mode, differentiate a sum of squares, and give all that came out."""
    x.attach_grad()
    with autograd.record():
        y = net(x)
        loss = (y * y).sum()
    loss.backward()
    trained = {
        name: p.grad().tensor for name, p in net._structural().items() if p.grad_req != "null"
    }
    return y.tensor.detach(), x.grad.tensor, trained


def theirs(module, x, weights):
    """Do the same with a function of torch's."""
    x = x.tensor.detach().clone().requires_grad_()
    leaves = {name: w.detach().clone().requires_grad_() for name, w in weights.items()}
    y = module(x, **leaves)
    (y * y).sum().backward()
    return y.detach(), x.grad, {name: leaf.grad for name, leaf in leaves.items()}


def weights_of(net):
    return {name: p.data().tensor for name, p in net._structural().items() if p.grad_req != "null"}


def same(net, x, function):
    net.initialize(init.Normal(0.5))
    net(x)  # shapes
    ours = gradients(net, x)
    other = theirs(function, x, weights_of(net))
    assert_close(ours, other, rtol=1e-4, atol=1e-5)
    assert ours[1].abs().max() > 0


def images(*shape):
    return np.random.normal(size=shape)


@pytest.mark.parametrize("activation", [None, "relu", "tanh", "sigmoid", "softrelu", "softsign"])
def test_dense(activation):
    functions = {"softrelu": F.softplus, "softsign": F.softsign, None: lambda y: y}
    act = functions.get(activation) or getattr(torch, activation)
    same(
        nn.Dense(4, activation=activation, bias_initializer="ones"),
        images(3, 5),
        lambda x, weight, bias: act(F.linear(x, weight, bias)),
    )


def test_dense_flattens_or_takes_rows():
    same(nn.Dense(4, use_bias=False), images(3, 2, 5), lambda x, weight: x.flatten(1) @ weight.T)
    same(
        nn.Dense(4, flatten=False, bias_initializer="ones"),
        images(3, 2, 5),
        lambda x, weight, bias: F.linear(x, weight, bias),
    )


def test_dense_with_the_wrong_number_of_inputs():
    net = nn.Dense(2, in_units=3)
    net.initialize()
    with pytest.raises(ValueError, match=r"dense\d+: .*\(4, 5\)"):
        net(np.ones((4, 5)))


CONVOLUTIONS = [
    ({"channels": 4, "kernel_size": 3}, {}),
    ({"channels": 4, "kernel_size": 3, "strides": 2, "padding": 1}, {"stride": 2, "padding": 1}),
    ({"channels": 6, "kernel_size": 2, "dilation": 2, "groups": 2}, {"dilation": 2, "groups": 2}),
]


@pytest.mark.parametrize(("ours", "torchs"), CONVOLUTIONS)
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_convolutions(axes, ours, torchs):
    convolve = getattr(F, f"conv{axes}d")
    same(
        getattr(nn, f"Conv{axes}D")(**ours, activation="tanh", bias_initializer="ones"),
        images(2, 4, *[7] * axes),
        lambda x, weight, bias: torch.tanh(convolve(x, weight, bias, **torchs)),
    )


@pytest.mark.parametrize(
    ("ours", "torchs"),
    [
        *CONVOLUTIONS,
        (
            {"channels": 4, "kernel_size": 3, "strides": 2, "output_padding": 1},
            {"stride": 2, "output_padding": 1},
        ),
    ],
)
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_transposed_convolutions(axes, ours, torchs):
    convolve = getattr(F, f"conv_transpose{axes}d")
    same(
        getattr(nn, f"Conv{axes}DTranspose")(**ours, bias_initializer="ones"),
        images(2, 4, *[4] * axes),
        lambda x, weight, bias: convolve(x, weight, bias, **torchs),
    )


def test_a_convolution_with_sizes_for_each_axis_and_no_bias():
    same(
        nn.Conv2D(3, (3, 1), strides=(1, 2), padding=(0, 1), use_bias=False),
        images(2, 2, 6, 6),
        lambda x, weight: F.conv2d(x, weight, stride=(1, 2), padding=(0, 1)),
    )


def test_convolutions_say_what_is_wrong():
    with pytest.raises(NotImplementedError, match="NCHW"):
        nn.Conv2D(1, 1, layout="NHWC")
    with pytest.raises(ValueError, match="kernel_size is one number or 2"):
        nn.Conv2D(1, (1, 2, 3))
    net = nn.Conv2D(1, 1)
    net.initialize()
    with pytest.raises(ValueError, match="4 axes"):
        net(np.ones((2, 3, 4)))


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("ceil", [False, True])
@pytest.mark.parametrize(
    ("size", "strides", "padding"), [(2, None, 0), (3, 2, 1), (3, 1, 0), (2, 3, 1)]
)
def test_pooling(axes, ceil, size, strides, padding):
    x = images(2, 3, *[8] * axes)
    args = (size, strides, padding)
    same(
        getattr(nn, f"MaxPool{axes}D")(size, strides, padding, ceil_mode=ceil),
        x,
        lambda x: getattr(F, f"max_pool{axes}d")(x, *args, ceil_mode=ceil),
    )
    for include in (True, False):
        same(
            getattr(nn, f"AvgPool{axes}D")(
                size, strides, padding, ceil_mode=ceil, count_include_pad=include
            ),
            x,
            lambda x, include=include: getattr(F, f"avg_pool{axes}d")(x, *args, ceil, include),
        )


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_pooling_over_everything(axes):
    x = images(2, 3, *[4] * axes)
    spatial = tuple(range(2, axes + 2))
    same(getattr(nn, f"GlobalAvgPool{axes}D")(), x, lambda x: x.mean(spatial, keepdim=True))
    same(getattr(nn, f"GlobalMaxPool{axes}D")(), x, lambda x: x.amax(spatial, keepdim=True))


def test_pooling_padded_by_more_than_half_a_window():
    x = np.arange(1, 4).reshape(1, 1, 3) * -1
    assert nn.MaxPool1D(2, 1, 2)(x).tolist() == [[[-numpy.inf, -1, -1, -2, -3, -numpy.inf]]]
    assert nn.AvgPool1D(2, 1, 2)(x).tolist() == [[[0, -0.5, -1.5, -2.5, -1.5, 0]]]


def test_reflection():
    same(nn.ReflectionPad2D(2), images(1, 2, 4, 5), lambda x: F.pad(x, (2,) * 4, mode="reflect"))
    lopsided = nn.ReflectionPad2D((0, 0, 0, 0, 1, 0, 2, 3))
    same(lopsided, images(1, 1, 4, 5), lambda x: F.pad(x, (2, 3, 1, 0), mode="reflect"))
    with pytest.raises(ValueError, match="above"):
        nn.ReflectionPad2D((1, 1, 1, 1))


@pytest.mark.parametrize("shape", [(8, 3), (4, 3, 5), (4, 3, 2, 5), (2, 3, 2, 2, 2)])
@pytest.mark.parametrize("momentum", [0.9, 0.5])
def test_batch_norm(shape, momentum):
    net = nn.BatchNorm(
        momentum=momentum,
        epsilon=1e-3,
        gamma_initializer=init.Constant(2),
        running_mean_initializer=init.Constant(5),
    )
    x = images(*shape) * 3 + 1
    with autograd.predict_mode():
        same(
            net,
            x,
            lambda x, gamma, beta: F.batch_norm(x, None, None, gamma, beta, True, 0.1, 1e-3),
        )
    # Twice: by same's own call outside of train mode nothing moves, then once in record().
    others = [axis for axis in range(len(shape)) if axis != 1]
    mean, var = x.asnumpy().mean(tuple(others)), x.asnumpy().var(tuple(others))
    assert_close(
        net.running_mean.data().asnumpy(),
        5 * momentum + (1 - momentum) * mean,
        rtol=1e-4,
        atol=1e-6,
    )
    assert_close(
        net.running_var.data().asnumpy(), momentum + (1 - momentum) * var, rtol=1e-4, atol=1e-6
    )
    still = net(x).asnumpy()
    shaped = [1, 3] + [1] * (len(shape) - 2)
    expected = (
        (x.asnumpy() - net.running_mean.data().asnumpy().reshape(shaped))
        / numpy.sqrt(net.running_var.data().asnumpy().reshape(shaped) + 1e-3)
        * 2
    )
    assert_close(still, expected, rtol=1e-4, atol=1e-5)


def test_batch_norm_along_another_axis():
    same(
        nn.BatchNorm(axis=-1),
        images(4, 5, 3),
        lambda x, gamma, beta: F.batch_norm(
            x.transpose(1, 2), None, None, gamma, beta, True
        ).transpose(1, 2),
    )


def test_batch_norm_without_scale_or_with_given_figures():
    net = nn.BatchNorm(scale=False, center=False)
    net.initialize()
    x = images(4, 3)
    net(x)
    net.gamma.set_data(np.full((3,), 5))  # a file may say so; the scale is 1 all the same
    numbers = x.asnumpy()
    with autograd.train_mode():
        expected = (numbers - numbers.mean(0)) / numpy.sqrt(numbers.var(0) + 1e-5)
        assert_close(net(x).asnumpy(), expected, rtol=1e-4, atol=1e-5)
    assert [p.grad_req for p in net.collect_params().values()] == ["null"] * 4
    fixed = nn.BatchNorm(use_global_stats=True)
    fixed.initialize()
    with autograd.train_mode():
        assert_close(fixed(x).asnumpy(), numbers, rtol=1e-4, atol=1e-4)
    assert fixed.running_mean.data().tolist() == [0, 0, 0]


def test_batch_norm_of_one_number_is_the_shift():
    net = nn.BatchNorm(beta_initializer="ones")
    net.initialize()
    x = images(1, 3)
    y, gradient, trained = gradients(net, x)
    assert y.tolist() == [[1, 1, 1]]
    assert gradient.abs().max() == 0
    assert trained["beta"].tolist() == [2, 2, 2]
    assert_close(net.running_mean.data().asnumpy(), 0.1 * x.asnumpy()[0])
    assert_close(net.running_var.data().asnumpy(), numpy.full(3, 0.9, dtype="float32"))


def test_batch_norm_stays_exact_in_half_precision():
    net = nn.BatchNorm(in_channels=2)
    net.cast("float16")
    net.initialize()
    assert net.running_var.data().dtype is numpy.float32


@pytest.mark.parametrize("axis", [-1, 1])
def test_layer_norm(axis):
    def function(x, gamma, beta):
        rows = x.movedim(axis, -1)
        return F.layer_norm(rows, rows.shape[-1:], gamma, beta, 1e-3).movedim(-1, axis)

    same(nn.LayerNorm(axis=axis, epsilon=1e-3), images(4, 5, 6), function)


def test_instance_norm():
    same(
        nn.InstanceNorm(scale=True),
        images(2, 3, 4, 4),
        lambda x, gamma, beta: F.instance_norm(x, weight=gamma, bias=beta),
    )
    same(
        nn.InstanceNorm(axis=-1, center=False),
        images(2, 4, 3),
        lambda x: F.instance_norm(x.transpose(1, 2)).transpose(1, 2),
    )


@pytest.mark.parametrize("channels", [0, 6])
def test_group_norm(channels):
    def function(x, gamma, beta):
        each = [p if channels else p.repeat_interleave(3) for p in (gamma, beta)]
        return F.group_norm(x, 2, *each)

    net = nn.GroupNorm(2, in_channels=channels, beta_initializer="ones")
    same(net, images(2, 6, 4), function)
    assert net.gamma.shape == (channels or 2,)


def test_embedding():
    net = nn.Embedding(5, 3)
    net.initialize(init.Normal(1))
    places = np.array([[0, 4], [4, 1]])  # floats, as the book hands them over
    with autograd.record():
        y = net(places)
        loss = (y * y).sum()
    loss.backward()
    weight = net.weight.data().tensor.detach().clone().requires_grad_()
    other = F.embedding(places.tensor.long(), weight)
    (other * other).sum().backward()
    assert_close(y.tensor.detach(), other.detach())
    assert_close(net.weight.grad().tensor, weight.grad)
    with pytest.raises(IndexError, match="embedding"):
        net(np.array([5]))
    with pytest.raises(NotImplementedError, match="sparse=True"):
        nn.Embedding(2, 2, sparse_grad=True)


ACTIVATIONS = [
    (nn.Activation("log_sigmoid"), F.logsigmoid),
    (nn.LeakyReLU(0.2), lambda x: F.leaky_relu(x, 0.2)),
    (nn.ELU(0.7), lambda x: F.elu(x, 0.7)),
    (nn.SELU(), F.selu),
    (nn.GELU(), F.gelu),
    (nn.GELU("tanh"), lambda x: F.gelu(x, approximate="tanh")),
    (nn.Swish(2.0), lambda x: x * torch.sigmoid(2 * x)),
    (nn.SiLU(), F.silu),
    (nn.Flatten(), lambda x: x.flatten(1)),
]


@pytest.mark.parametrize(("net", "function"), ACTIVATIONS, ids=lambda one: repr(one)[:16])
def test_activations(net, function):
    same(net, images(3, 4, 2), function)


def test_slopes_that_are_trained():
    same(nn.PReLU(), images(3, 4), lambda x, alpha: F.prelu(x, alpha))
    each = nn.PReLU(in_channels=4)
    same(each, images(3, 4, 2), lambda x, alpha: F.prelu(x, alpha))
    fresh = nn.PReLU()
    fresh.initialize()
    assert fresh.alpha.data().item() == 0.25


def test_activations_refuse_unknown_names():
    with pytest.raises(ValueError, match=r"'swish'.*sigmoid"):
        nn.Activation("swish")
    with pytest.raises(ValueError, match="alpha"):
        nn.LeakyReLU(-1)
    with pytest.raises(ValueError, match="erf"):
        nn.GELU("exact")


def test_dropout_only_in_train_mode():
    net = nn.Dropout(0.25)
    x = np.ones((100, 100))
    assert (net(x).asnumpy() == 1).all()
    with autograd.record():
        dropped = net(x).asnumpy()
    assert set(numpy.unique(dropped)) == {0, numpy.float32(4 / 3)}
    assert (dropped == 0).mean() == pytest.approx(0.25, abs=0.02)
    with autograd.train_mode():
        rows = nn.Dropout(0.5, axes=(1,))(x).asnumpy()
    assert (rows == rows[:, :1]).all()
    assert 30 < (rows[:, 0] == 0).sum() < 70
    with pytest.raises(ValueError, match="probability"):
        nn.Dropout(2)


PRINTED = [
    (nn.Dense(3), "Dense(-1 -> 3, linear)"),
    (nn.Dense(3, "relu", in_units=2), "Dense(2 -> 3, Activation(relu))"),
    (
        nn.Conv2D(6, 5, padding=2, activation="sigmoid", in_channels=1),
        "Conv2D(1 -> 6, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2), Activation(sigmoid))",
    ),
    (
        nn.Conv2DTranspose(3, 2, strides=2, use_bias=False, output_padding=1),
        "Conv2DTranspose(3 -> -1, kernel_size=(2, 2), stride=(2, 2), output_padding=(1, 1), "
        "bias=False)",
    ),
    (
        nn.Conv1D(4, 3, dilation=2, groups=2, in_channels=4),
        "Conv1D(2 -> 4, kernel_size=(3,), stride=(1,), dilation=(2,), groups=2)",
    ),
    (
        nn.MaxPool2D(3, 2, 1),
        "MaxPool2D(size=(3, 3), stride=(2, 2), padding=(1, 1), ceil_mode=False, "
        "global_pool=False, pool_type=max, layout=NCHW)",
    ),
    (
        nn.GlobalAvgPool2D(),
        "GlobalAvgPool2D(size=(1, 1), stride=(1, 1), padding=(0, 0), ceil_mode=True, "
        "global_pool=True, pool_type=avg, layout=NCHW)",
    ),
    (
        nn.BatchNorm(),
        "BatchNorm(axis=1, eps=1e-05, momentum=0.9, fix_gamma=False, use_global_stats=False, "
        "in_channels=-1)",
    ),
    (nn.Dropout(0.5), "Dropout(p = 0.5, axes=())"),
    (nn.Embedding(10, 4), "Embedding(10 -> 4, float32)"),
    (nn.LeakyReLU(0.2), "LeakyReLU(0.2)"),
    (nn.Flatten(), "Flatten"),
]


@pytest.mark.parametrize(("layer", "text"), PRINTED, ids=lambda one: str(one)[:12])
def test_printed_as_mxnet_did(layer, text):
    assert repr(layer) == text
