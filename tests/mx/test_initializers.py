"""Initial numbers: against bounds and deviations worked by hand, and the books' own subclass."""

import math

import numpy
import pytest
import torch

from divekit.mx import gluon, init, np, npx
from divekit.mx.gluon import nn


def filled(initializer, shape=(400, 300)):
    array = np.zeros(shape)
    initializer("some_weight", array)
    return array.asnumpy()


@pytest.fixture(autouse=True)
def _seed():
    npx.seed(1)


@pytest.mark.parametrize(
    ("initializer", "bound"),
    [
        (init.Uniform(), 0.07),
        (init.Uniform(0.5), 0.5),
        (init.Xavier(), math.sqrt(3 / 350)),
        (init.Xavier(factor_type="in", magnitude=2), math.sqrt(2 / 300)),
        (init.Xavier(factor_type="out", magnitude=2), math.sqrt(2 / 400)),
    ],
)
def test_uniform_draws_fill_their_bounds(initializer, bound):
    drawn = filled(initializer)
    assert numpy.abs(drawn).max() <= bound
    assert numpy.abs(drawn).max() > 0.999 * bound
    assert drawn.std() == pytest.approx(bound / math.sqrt(3), rel=0.01)
    assert abs(drawn.mean()) < 0.01 * bound


@pytest.mark.parametrize(
    ("initializer", "deviation"),
    [
        (init.Normal(), 0.01),
        (init.Normal(sigma=2), 2),
        (init.Xavier("gaussian", "avg", 3), math.sqrt(3 / 350)),
        (init.MSRAPrelu(), math.sqrt(2 / (1 + 0.0625) / 350)),
        (init.MSRAPrelu("in", 0), math.sqrt(2 / 300)),
    ],
)
def test_normal_draws_have_their_deviation(initializer, deviation):
    drawn = filled(initializer)
    assert drawn.std() == pytest.approx(deviation, rel=0.01)
    assert numpy.abs(drawn).max() > 3 * deviation


def test_xavier_counts_the_window_of_a_convolution():
    drawn = filled(init.Xavier(), (64, 32, 5, 5))
    assert numpy.abs(drawn).max() == pytest.approx(math.sqrt(3 / (25 * 48)), rel=1e-3)


def test_xavier_refuses_a_vector_and_wrong_words():
    with pytest.raises(ValueError, match="two axes"):
        filled(init.Xavier(), (3,))
    with pytest.raises(ValueError, match="factor_type"):
        filled(init.Xavier(factor_type="mean"))
    with pytest.raises(ValueError, match="rnd_type"):
        filled(init.Xavier(rnd_type="normal"))


@pytest.mark.parametrize("shape", [(4, 9), (9, 4), (6, 2, 3)])
@pytest.mark.parametrize("rand_type", ["uniform", "normal"])
def test_orthogonal_rows_or_columns(shape, rand_type):
    drawn = filled(init.Orthogonal(2.0, rand_type), shape).reshape(shape[0], -1)
    smaller = drawn @ drawn.T if drawn.shape[0] <= drawn.shape[1] else drawn.T @ drawn
    numpy.testing.assert_allclose(smaller, 4 * numpy.eye(len(smaller)), atol=1e-5)


def test_bilinear_upsamples_as_torch_does():
    net = nn.Conv2DTranspose(1, 4, strides=2, padding=1, use_bias=False, in_channels=1)
    net.initialize(init.Bilinear())
    image = np.random.uniform(size=(1, 1, 6, 6))
    theirs = torch.nn.functional.interpolate(
        image.tensor, scale_factor=2, mode="bilinear", align_corners=False
    )
    # At the border torch continues the image and the convolution sees zeros.
    numpy.testing.assert_allclose(
        net(image).asnumpy()[..., 1:-1, 1:-1], theirs.numpy()[..., 1:-1, 1:-1], atol=1e-6
    )


def test_lstm_bias_opens_the_forget_gate():
    assert filled(init.LSTMBias(2.0), (8,)).tolist() == [0, 0, 2, 2, 0, 0, 0, 0]


def test_constants_may_be_arrays():
    assert filled(init.Constant(3), (2,)).tolist() == [3, 3]
    numbers = np.arange(6).reshape(2, 3)
    for value in (numbers, numbers.asnumpy(), numbers.tolist()):
        assert filled(init.Constant(value), (2, 3)).tolist() == numbers.tolist()
    with pytest.raises(ValueError, match=r"\(3, 2\), the constant \(2, 3\)"):
        filled(init.Constant(numbers), (3, 2))


@pytest.mark.parametrize(
    ("name", "number"),
    [("x_bias", 0), ("x_gamma", 1), ("x_beta", 0), ("x_running_mean", 0), ("x_running_var", 1)],
)
def test_the_end_of_the_name_decides(name, number):
    array = np.full((3,), 7.0)
    init.Normal(1)(init.InitDesc(name), array)
    assert array.tolist() == [number] * 3


def test_a_name_that_says_nothing_is_an_error():
    with pytest.raises(ValueError, match="nothing says"):
        init.Normal()("scale", np.zeros(3))


def test_what_the_description_names_comes_first():
    array = np.zeros(3)
    init.Normal()(init.InitDesc("x_bias", {"__init__": "ones"}), array)
    assert array.tolist() == [1, 1, 1]


@pytest.mark.parametrize("one", [init.Xavier("gaussian", "in", 2), init.Normal(3), init.One()])
def test_created_from_text(one):
    assert init.create(one.dumps()) == one
    assert type(init.create(type(one).__name__.upper())) is type(one)
    with pytest.raises(ValueError, match="no initializer is called 'kaiming'"):
        init.create("kaiming")


def test_mixed_takes_the_first_pattern():
    mixed = init.Mixed(["bias", ".*"], [init.Zero(), init.One()])
    for name, number in (("bias", 0), ("weight", 1)):
        array = np.full((2,), 7.0)
        mixed(name, array)
        assert array.tolist() == [number] * 2


def test_loaded_numbers_by_name(tmp_path):
    npx.save(tmp_path / "w.params", {"arg:a_weight": np.arange(2)})
    loaded = init.Load(str(tmp_path / "w.params"), default_init=init.One())
    first, second = np.zeros(2), np.zeros((2, 2))
    loaded("a_weight", first)
    loaded("b_weight", second)
    assert first.tolist() == [0, 1]
    assert second.tolist() == [[1, 1], [1, 1]]
    with pytest.raises(ValueError, match="shape"):
        loaded("a_weight", second)


def test_a_subclass_writes_weights_and_is_called_with_names():
    calls = []

    @init.register
    class Stripes(init.Initializer):
        def _init_weight(self, name, data):
            calls.append((str(name), data.shape))
            data[:] = np.arange(data.size).reshape(data.shape)
            data *= data > 2

    net = nn.Sequential()
    net.add(nn.Dense(2, in_units=3), nn.Dense(1))
    net.initialize(Stripes())
    net(np.ones((1, 3)))
    first, second = net
    assert calls == [(first.weight.name, (2, 3)), (second.weight.name, (1, 2))]
    assert first.weight.data().tolist() == [[0, 0, 0], [3, 4, 5]]
    assert first.bias.data().tolist() == [0, 0]
    assert isinstance(init.create("stripes"), Stripes)


def test_a_parameters_own_initializer_goes_before_the_blocks():
    net = nn.Dense(2, in_units=2, weight_initializer=init.One(), bias_initializer="ones")
    net.initialize(init.Normal())
    assert net.weight.data().tolist() == [[1, 1], [1, 1]]
    assert net.bias.data().tolist() == [1, 1]
    # What is named for the parameter itself goes before its own.
    net.weight.initialize(init=init.Zero(), force_reinit=True)
    assert net.weight.data().tolist() == [[0, 0], [0, 0]]


def test_the_seed_repeats_a_network():
    def drawn():
        npx.seed(5)
        net = nn.Dense(3, in_units=2)
        net.initialize()
        return net.weight.data()

    first = drawn()
    assert numpy.array_equal(first.asnumpy(), drawn().asnumpy())
    assert numpy.abs(first.asnumpy()).max() < 0.07
    assert isinstance(gluon.nn.Dense(2), gluon.HybridBlock)
