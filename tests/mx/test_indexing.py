"""Reading and writing by index, held against NumPy itself."""

import numpy
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from divekit.mx import np
from divekit.mx.errors import ShapeError

SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4)


@st.composite
def keys(draw, shape):
    """A key of any kind that NumPy takes for an array of this shape, or an IndexError."""
    items, axis = [], 0
    advanced = draw(hnp.array_shapes(min_dims=0, max_dims=2, min_side=1, max_side=3))
    has_ellipsis = False
    while axis < len(shape):
        kind = draw(
            st.sampled_from(("int", "slice", "array", "mask", "new", "...", "flag", "stop"))
        )
        size = shape[axis]
        if kind == "int":
            items.append(draw(st.integers(-size, size - 1)))
            axis += 1
        elif kind == "slice":
            bound = st.none() | st.integers(-size - 1, size + 1)
            step = st.none() | st.integers(-3, 3).filter(bool)
            items.append(slice(draw(bound), draw(bound), draw(step)))
            axis += 1
        elif kind == "array":
            wanted = draw(st.sampled_from(((), (1,), advanced, advanced[-1:])))
            index = draw(hnp.arrays(numpy.int64, wanted, elements=st.integers(-size, size - 1)))
            items.append(index)
            axis += 1
        elif kind == "mask":
            width = draw(st.integers(1, len(shape) - axis))
            items.append(draw(hnp.arrays(bool, shape[axis : axis + width])))
            axis += width
        elif kind == "new":
            items.append(None)
        elif kind == "flag":
            items.append(draw(st.booleans()))
        elif kind == "..." and not has_ellipsis:
            items.append(Ellipsis)
            has_ellipsis = True
            axis += draw(st.integers(0, len(shape) - axis))
        elif kind == "stop":
            break
    return tuple(items) if len(items) != 1 or draw(st.booleans()) else items[0]


def ours(key):
    """The same key with our arrays in the place of NumPy's, or lists."""

    def one(item):
        if isinstance(item, numpy.ndarray):
            return item.tolist() if item.size and item.size % 2 == 0 else np.array(item)
        return item

    return tuple(map(one, key)) if isinstance(key, tuple) else one(key)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_reading_is_numpys(data):
    shape = data.draw(SHAPES)
    theirs = numpy.arange(numpy.prod(shape), dtype=numpy.int64).reshape(shape)
    key = data.draw(keys(shape))
    mine = np.array(theirs)
    try:
        expected = theirs[key]
    except IndexError:
        with pytest.raises(IndexError):
            mine[ours(key)]
        return
    found = mine[ours(key)]
    assert found.shape == expected.shape
    assert numpy.array_equal(found.asnumpy(), expected)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_writing_is_numpys(data):
    shape = data.draw(SHAPES)
    theirs = numpy.zeros(shape, dtype=numpy.int64)
    key = data.draw(keys(shape))
    mine = np.array(theirs)
    try:
        place = theirs[key].shape
    except IndexError:
        with pytest.raises(IndexError):
            mine[ours(key)] = 1
        return
    # A value of the place's shape, of one that broadcasts, or one with axes of size 1 before it.
    cut = data.draw(st.integers(0, len(place)))
    used = data.draw(st.sampled_from((place, place[cut:], (1, *place), ())))
    value = numpy.arange(1, numpy.prod(used, dtype=int) + 1).reshape(used)
    # Where an element is written twice NumPy's order is not promised: write distinct values once.
    counts = numpy.zeros(shape, dtype=numpy.int64)
    numpy.add.at(counts, key, 1)
    if counts.max(initial=0) > 1:
        value = numpy.int64(7)
    try:
        theirs[key] = value
    except (TypeError, ValueError):
        assume(False)  # NumPy alone refuses axes of size 1 before a mask's values
    mine[ours(key)] = np.array(value) if data.draw(st.booleans()) else value
    assert numpy.array_equal(mine.asnumpy(), theirs)


def test_slices_are_views_and_write_through():
    base = np.arange(12).reshape(3, 4)
    base[1:][0, ::2] = 9
    row = base[2]
    row += 100
    assert base.tolist() == [[0, 1, 2, 3], [9, 5, 9, 7], [108, 109, 110, 111]]


def test_the_name_stays_bound_to_the_same_array():
    X = np.ones((2, 3))
    before = id(X)
    X[:] = X + 1
    X += X
    X -= 1
    X *= 2
    X /= 3
    X **= 2
    assert id(X) == before
    assert X.tolist() == [[4, 4, 4], [4, 4, 4]]


def test_arrays_of_floats_are_cut_off_as_indices():
    # The book's own code: np.arange gives floats and is used to index.
    X = np.arange(12).reshape(3, 4)
    assert X[np.arange(3), np.array([0.0, 1.0, 2.9])].tolist() == [0, 5, 10]


def test_a_gradient_flows_through_every_kind_of_key():
    from divekit.mx import autograd

    for key in (
        1,
        slice(None, None, -1),
        [0, 2, 0],
        (Ellipsis, None, 1),
        np.array([True, False, True], dtype=bool),
    ):
        x = np.arange(6).reshape(3, 2)
        x.attach_grad()
        with autograd.record():
            y = x[key].sum()
        y.backward()
        counts = numpy.zeros((3, 2))
        numpy.add.at(counts, key.asnumpy() if isinstance(key, np.ndarray) else key, 1)
        assert numpy.array_equal(x.grad.asnumpy(), counts)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (5, "out of"),
        ((0, 0, 0), "too many"),
        ([3], "out of bounds"),
        (1.5, "made of integers"),
        ("a", "made of integers"),
        (numpy.array([True, False]), r"\(2,\).*\(3,\)"),
        (([0, 1], [0, 1, 0]), r"\(2,\) and \(3,\)"),
        ((Ellipsis, Ellipsis), "single ellipsis"),
    ],
)
def test_a_wrong_key_is_an_index_error(key, said):
    with pytest.raises(IndexError, match=said):
        np.zeros((3, 2))[key]


def test_a_wrong_value_names_both_shapes():
    X = np.zeros((3, 2))
    with pytest.raises(ShapeError, match=r"\(3,\).*\(2,\)"):
        X[0] = np.ones(3)
    with pytest.raises(ShapeError, match=r"\(3,\).*\(2, 2\)"):
        X[[0, 1]] = [1, 2, 3]


@pytest.mark.parametrize(
    "key",
    [
        ([0, 2], slice(None, None, -1)),
        (slice(None, None, -2), [1, 0]),
        (slice(None, None, -1), [0, 1], slice(None, None, -1)),
        ([0, 1], slice(2, None, -1), [1, 0]),
        (numpy.array([True, False, True]), None, slice(None, None, -1)),
        (slice(None, None, -1), Ellipsis, slice(None, 0, -1)),
    ],
)
def test_negative_steps_beside_index_arrays(key):
    theirs = numpy.arange(24).reshape(3, 4, 2)
    mine = np.array(theirs)
    assert mine[key].tolist() == theirs[key].tolist()
    value = numpy.arange(100, 100 + theirs[key].size).reshape(theirs[key].shape)
    theirs[key] = value
    mine[key] = value
    assert mine.tolist() == theirs.tolist()
