"""Every operator of ``mx.np`` against NumPy itself: types, shapes, axes, empties, broadcasting."""

import inspect
import warnings

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from divekit.mx import np
from divekit.mx.errors import AxisError, MXNetError, ShapeError
from divekit.mx.np import elementwise

DTYPES = ("float32", "float64", "int32", "int64", "uint8", "bool")
FLOATS = ("float32", "float64")
# Small numbers: what is tested is the rule, not the range.
NUMBERS = {
    "float32": st.floats(-4, 4, width=16) | st.sampled_from([numpy.inf, -numpy.inf, numpy.nan]),
    "float64": st.floats(-4, 4, width=16) | st.sampled_from([numpy.inf, -numpy.inf, numpy.nan]),
    "int32": st.integers(-5, 5),
    "int64": st.integers(-5, 5),
    "uint8": st.integers(0, 9),
    "bool": st.booleans(),
}
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
FULL_SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=4)


@st.composite
def arrays(draw, shapes=SHAPES, dtypes=DTYPES, finite=False):
    dtype = draw(st.sampled_from(dtypes))
    numbers = st.floats(-4, 4, width=16) if finite and dtype in FLOATS else NUMBERS[dtype]
    return draw(hnp.arrays(dtype, draw(shapes), elements=numbers))


def kind(theirs, ours_dtype):
    """NumPy's kind of type with float32 in the place of the float64 that integers become."""
    return numpy.dtype(theirs).kind == numpy.dtype(ours_dtype).kind


def check(ours, theirs, rtol=2e-5, atol=1e-5, dtype=None):
    theirs = numpy.asarray(theirs)
    assert ours.shape == theirs.shape
    if dtype is not None:
        assert ours.dtype is numpy.dtype(dtype).type
    else:
        assert kind(theirs.dtype, ours.dtype), (ours.dtype, theirs.dtype)
    numpy.testing.assert_allclose(
        ours.asnumpy().astype(float), theirs.astype(float), rtol=rtol, atol=atol
    )


def numpys(function, *args, **kwargs):
    """What NumPy says, without its warnings; None where it refuses."""
    with warnings.catch_warnings(), numpy.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return function(*args, **kwargs)
        except (TypeError, ValueError, IndexError, ZeroDivisionError):
            return None


# Where MXNet's rule is another: integers become float32, not float64 of a width of their own.
INTEGER_ONLY = ("bitwise_not", "invert")
NO_BOOL = ("negative", "positive", "sign")


@pytest.mark.parametrize("name", sorted(elementwise.UNARY))
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_unary(name, data):
    if numpy.__version__.startswith("1.") and name in ("ceil", "fix", "floor", "trunc"):
        pytest.skip("NumPy 1 makes floats of whole numbers here; NumPy 2 keeps them, as we do")
    dtypes = ("int32", "int64", "bool") if name in INTEGER_ONLY else DTYPES
    dtypes = [d for d in dtypes if d != "bool" or name not in NO_BOOL]
    x = data.draw(arrays(dtypes=dtypes))
    theirs = numpys(getattr(numpy, name), x.astype("float64") if x.dtype.kind == "f" else x)
    ours = getattr(np, name)(np.array(x))
    if theirs is None:
        return
    if theirs.dtype == numpy.float16 or (name == "reciprocal" and x.dtype.kind in "iub"):
        theirs = numpys(getattr(numpy, name), x.astype("float64"))  # MXNet gives float32
    if x.dtype == numpy.bool_ and theirs.dtype.kind != "b" and theirs.dtype.kind != "f":
        check(ours, theirs, dtype=ours.dtype)  # abs, square of booleans: torch keeps int64
        return
    check(ours, theirs)
    if x.dtype.kind == "f" and theirs.dtype.kind == "f":
        assert ours.dtype is x.dtype.type
    elif theirs.dtype.kind == "f":
        assert ours.dtype is numpy.float32


UNSIGNED_WRAPS = ("subtract", "left_shift", "right_shift", "power", "ldexp", "multiply", "add")
BITS = ("bitwise_and", "bitwise_or", "bitwise_xor")
WHOLE = ("gcd", "lcm", "left_shift", "right_shift")


def binary_dtypes(name):
    if name in WHOLE:
        return ("int32", "int64")
    if name in BITS:
        return ("int32", "int64", "bool")
    if name in ("float_power", "power"):
        return ("float32", "float64")
    if name == "nextafter":
        return ("float32",)
    return ("float32", "float64", "int32", "int64")


@pytest.mark.parametrize("name", sorted(elementwise.BINARY))
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_binary_over_types_and_broadcasting(name, data):
    shapes = data.draw(
        hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3)
    )
    dtypes = binary_dtypes(name)
    a, b = (data.draw(arrays(st.just(s), dtypes)) for s in shapes.input_shapes)
    if name in WHOLE:
        b = numpy.abs(b)
    if name in ("mod", "fmod", "floor_divide") and b.dtype.kind in "iu":
        b = numpy.where(b == 0, b.dtype.type(1), b)  # an error in torch, a warning in NumPy
    if name == "ldexp":
        b = b.astype("int64").clip(-5, 5)
    if name in ("mod", "floor_divide"):
        a, b = numpy.nan_to_num(a, posinf=1, neginf=1), numpy.nan_to_num(b, posinf=1, neginf=1)
        b = numpy.where(b == 0, b.dtype.type(1), b)
    # In float64: MXNet keeps float32 where NumPy mixes float32 and int64 to float64.
    exact = [x.astype("float64") if x.dtype.kind == "f" else x for x in (a, b)]
    theirs = numpys(getattr(numpy, name), *(exact if name != "nextafter" else (a, b)))
    ours = getattr(np, name)(np.array(a), np.array(b))
    assert theirs is not None
    check(ours, theirs, rtol=1e-4, atol=1e-4)
    if theirs.dtype.kind == "f":
        widths = [x.dtype.itemsize for x in (a, b) if x.dtype.kind == "f"]
        if name != "float_power":
            assert ours.dtype().itemsize == max(widths, default=4)


@pytest.mark.parametrize(
    "name", ["add", "subtract", "multiply", "true_divide", "power", "maximum", "less"]
)
def test_numbers_stand_on_either_side(name):
    x = numpy.array([0.5, 2.0], dtype="float32")
    function = getattr(np, name)
    check(function(np.array(x), 3), getattr(numpy, name)(x, 3))
    check(function(3, np.array(x)), getattr(numpy, name)(3, x))
    value = function(2, 3)
    assert type(value) in (int, float, bool)
    assert value == getattr(numpy, name)(2, 3)


AXIS_FREE = (
    "sum",
    "mean",
    "prod",
    "max",
    "min",
    "any",
    "all",
    "std",
    "var",
    "ptp",
    "count_nonzero",
)
NAN_FREE = ("nansum", "nanprod", "nanmax", "nanmin", "nanmean")


@st.composite
def axes(draw, ndim):
    if not ndim:
        return None
    one = st.integers(-ndim, ndim - 1)
    several = st.lists(one, min_size=0, max_size=ndim, unique_by=lambda axis: axis % ndim).map(
        tuple
    )
    return draw(st.none() | one | several)


@pytest.mark.parametrize("name", AXIS_FREE + NAN_FREE)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_reductions_over_axes(name, data):
    x = data.draw(arrays(finite=name not in NAN_FREE and name not in ("any", "all")))
    axis, keepdims = data.draw(axes(x.ndim)), data.draw(st.booleans())
    if name == "ptp" and x.dtype == bool:
        x = x.astype("int32")
    wide = x.astype("float64") if x.dtype.kind == "f" else x
    if name in NAN_FREE:
        wide = wide.copy()
        x[numpy.isinf(x)] = 1
        wide[numpy.isinf(wide)] = 1
    function = getattr(numpy, name)
    if name in ("mean", "std", "var", "nanmean") and x.dtype.kind != "f":
        wide = wide.astype("float64")
    given_axis = list(axis) if isinstance(axis, tuple) and data.draw(st.booleans()) else axis
    theirs = numpys(function, wide, axis=axis, keepdims=keepdims)
    if theirs is None:
        with pytest.raises((ValueError, MXNetError)):
            getattr(np, name)(np.array(x), axis=given_axis, keepdims=keepdims)
        return
    ours = getattr(np, name)(np.array(x), axis=given_axis, keepdims=keepdims)
    expected = None
    if name in ("sum", "prod", "nansum", "nanprod"):  # MXNet keeps the type of integers
        expected = "int64" if x.dtype == bool else x.dtype
        if numpy.dtype(expected).kind in "iu":
            theirs = numpy.asarray(theirs).astype(expected)
    elif name in ("mean", "std", "var", "nanmean"):
        expected = x.dtype if x.dtype.kind == "f" else "float32"
    check(ours, theirs, rtol=1e-4, atol=1e-4, dtype=expected)


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_places_of_extremes(name, data):
    x = data.draw(arrays(FULL_SHAPES, finite=True))
    axis = data.draw(st.none() | st.integers(-x.ndim, x.ndim - 1)) if x.ndim else None
    theirs, ours = getattr(numpy, name)(x, axis), getattr(np, name)(np.array(x), axis)
    # MXNet gives places in the array's own type.
    expected = x.dtype if x.dtype.name not in ("uint8", "bool") else "int64"
    check(ours, theirs, dtype=expected)


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "sort", "argsort", "flip", "median"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_along_one_axis(name, data):
    x = data.draw(
        arrays(FULL_SHAPES if name == "median" else SHAPES, (*FLOATS, "int32"), finite=True)
    )
    if not x.ndim and name in ("sort", "argsort"):
        return
    axis = data.draw(st.none() | st.integers(-x.ndim, x.ndim - 1)) if x.ndim else None
    kwargs = {"kind": "stable"} if name in ("sort", "argsort") else {}
    if name.startswith("cum"):
        kwargs["dtype"] = x.dtype  # ours keeps the type; NumPy would go on in int64
    theirs = getattr(numpy, name)(x, axis, **kwargs)
    check(getattr(np, name)(np.array(x), axis), theirs, rtol=1e-4, atol=1e-4)


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_quantiles(data):
    x = data.draw(arrays(FULL_SHAPES, ("float64",), finite=True))
    axis, keepdims = data.draw(axes(x.ndim)), data.draw(st.booleans())
    q = data.draw(st.sampled_from((0.3, [0.0, 0.5, 1.0], [[0.1], [0.9]])))
    if axis == ():
        return
    theirs = numpy.quantile(x, q, axis=axis, keepdims=keepdims)
    check(np.quantile(np.array(x), q, axis, keepdims=keepdims), theirs)
    percent = (numpy.array(q) * 100).tolist()
    check(np.percentile(np.array(x), percent, axis, keepdims=keepdims), theirs)


@pytest.mark.parametrize("name", ["dot", "matmul", "inner", "outer", "kron", "vdot"])
@pytest.mark.parametrize(
    "shapes",
    [
        ((3,), (3,)),
        ((2, 3), (3,)),
        ((3,), (3, 2)),
        ((2, 3), (3, 4)),
        ((2, 2, 3), (3, 4)),
        ((2, 2, 3), (2, 3, 4)),
        ((), (3,)),
        ((2, 0), (0, 3)),
        ((2, 3), (2, 3)),
    ],
)
def test_products(name, shapes):
    generator = numpy.random.default_rng(0)
    a, b = (generator.integers(-4, 4, shape).astype("float32") for shape in shapes)
    theirs = numpys(getattr(numpy, name), a, b)
    if theirs is None:
        with pytest.raises((ValueError, MXNetError)):
            getattr(np, name)(np.array(a), np.array(b))
    else:
        check(getattr(np, name)(np.array(a), np.array(b)), theirs)


def test_types_mix_as_in_mxnet():
    def mixed(first, second, shape=(2,)):
        return (np.ones(shape, dtype=first) + np.ones(2, dtype=second)).dtype

    assert mixed("float32", "int64") is numpy.float32
    assert mixed("float16", "float32") is numpy.float32
    assert mixed("float64", "float32", shape=()) is numpy.float64  # no axes, but an array
    assert mixed("int32", "int64") is numpy.int64
    assert mixed("bool", "float32") is numpy.float32
    assert (np.ones(2, dtype="int32") + 1.5).dtype is numpy.float32
    assert (np.ones(2, dtype="int32") / np.ones(2, dtype="int32")).dtype is numpy.float32
    assert (1 / np.ones(2, dtype="uint8")).dtype is numpy.float32
    assert (np.ones(2, dtype="int32") * 2).dtype is numpy.int32
    assert (np.ones(2) == 1).dtype is numpy.bool_
    assert (numpy.float64(2) * np.ones(2)).dtype is numpy.float32
    assert type(numpy.ones(2) + np.ones(2)) is np.ndarray


@pytest.mark.parametrize(
    "symbol", ["+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", "<=", ">", ">="]
)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_pythons_operators(symbol, data):
    a = data.draw(hnp.arrays("float64", 3, elements=st.floats(0.5, 4)))
    b = data.draw(hnp.arrays("float64", 3, elements=st.floats(0.5, 4)))
    number = data.draw(st.sampled_from((2, 1.5, numpy.float32(0.5), numpy.int64(3))))
    for left, right in ((a, b), (a, number), (number, a)):
        ours = eval(f"l {symbol} r", {"l": wrapped(left), "r": wrapped(right)})
        check(ours, eval(f"l {symbol} r", {"l": left, "r": right}))


@pytest.mark.parametrize("symbol", ["&", "|", "^", "<<", ">>", "//", "%"])
def test_pythons_operators_on_integers(symbol):
    a, b = numpy.array([6, -7, 3]), numpy.array([2, 3, 1])
    for left, right in ((a, b), (a, 2), (5, b)):
        ours = eval(f"l {symbol} r", {"l": wrapped(left), "r": wrapped(right)})
        check(ours, eval(f"l {symbol} r", {"l": left, "r": right}), dtype="int64")


def wrapped(value):
    return np.array(value) if isinstance(value, numpy.ndarray) else value


def test_in_place_keeps_the_type_or_refuses():
    x = np.ones(2, dtype="int32")
    x += 1
    x *= np.array([2, 3], dtype="int32")
    assert x.dtype is numpy.int32
    assert x.tolist() == [4, 6]
    with pytest.raises(MXNetError, match=r"Float.*Int"):
        x /= 2
    y = np.ones(2)
    y -= np.array([1, 2], dtype="int64")
    assert y.dtype is numpy.float32
    with pytest.raises(MXNetError, match="shape"):
        y += np.ones((2, 2))


def test_out_takes_the_result():
    x, out = np.arange(4), np.zeros(4)
    assert np.exp(x, out=out) is out
    assert np.add(x, 1, out) is out
    assert out.tolist() == [1, 2, 3, 4]
    assert np.sum(np.ones((2, 4)), axis=0, out=out) is out
    assert out.tolist() == [2, 2, 2, 2]
    with pytest.raises(ShapeError, match=r"\(4,\).*\(3,\)"):
        np.exp(x, out=np.zeros(3))
    with pytest.raises(MXNetError, match=r"float32.*int32"):
        np.exp(x, out=np.zeros(4, dtype="int32"))


@pytest.mark.parametrize(
    "call",
    [
        lambda: np.ones((2, 3)) + np.ones((4,)),
        lambda: np.add(np.ones((2, 3)), np.ones((4,))),
        lambda: np.dot(np.ones((2, 3)), np.ones((4,))),
        lambda: np.concatenate([np.ones((2, 3)), np.ones((4,))]),
        lambda: np.where(np.ones((2, 3)), np.ones((4,)), 0),
        lambda: np.matmul(np.ones((2, 3)), np.ones((4,))),
    ],
)
def test_wrong_shapes_are_named(call):
    with pytest.raises(ShapeError, match=r"\(2, 3\).*\(4,\)"):
        call()


def test_wrong_axes_and_keywords_are_errors():
    x = np.ones((2, 3))
    for call in (x.sum, x.max, x.argmax, x.cumsum, x.squeeze, x.mean):
        with pytest.raises(AxisError, match="axis 5"):
            call(axis=5)
    with pytest.raises(TypeError, match="unexpected keyword"):
        np.sum(x, axes=0)
    with pytest.raises(TypeError, match="unexpected keyword"):
        np.exp(x, where=x > 0)
    with pytest.raises(ValueError, match="twice"):
        x.sum(axis=(0, -2))


def test_numpys_names_that_are_missing_say_so():
    with pytest.raises(NotImplementedError, match=r"np\.fft is not part"):
        np.fft  # noqa: B018
    assert not hasattr(np, "fft")
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        np.nonsense  # noqa: B018


def test_every_operator_has_a_name_a_docstring_and_a_signature():
    for name, value in np._operators.items():
        assert value.__doc__, name
        inspect.signature(value)
