"""The functions of ``mx.np`` beside the elementwise ones and reductions: one table of calls.

Every line is evaluated twice, with NumPy and with ours, on the same arrays, and must give the same.
"""

import inspect

import numpy
import pytest

from divekit.mx import np
from divekit.mx.np import linalg, random

CALLS = """
xp.array([[1, 2], [3, 4.5]])
xp.array(A)
xp.asarray(A)
xp.zeros((2, 0, 3))
xp.zeros(3)
xp.ones((2, 3), dtype="int32")
xp.full((2, 2), 7.5)
xp.full((2, 3), v)
xp.full((2,), -1, dtype="int32")
xp.zeros_like(A)
xp.ones_like(A, dtype="int64")
xp.full_like(A, 3)
xp.arange(5.0)
xp.arange(2, 9, 3.0)
xp.arange(1, 2, 0.25)
xp.arange(5, 0, -2, dtype="int32")
xp.arange(0.0)
xp.linspace(0, 1, 5)
xp.linspace(3, -1, 4, endpoint=False)
xp.linspace(0, 1, 5, retstep=True)
xp.logspace(0, 2, 5)
xp.eye(3)
xp.eye(2, 4, k=1)
xp.identity(2)
xp.tri(3, 4, -1)
xp.indices((2, 3))
xp.hanning(7)
xp.hamming(7)
xp.blackman(7)
xp.bartlett(7)
xp.meshgrid(v, w)
xp.meshgrid(v, w, indexing="ij")
xp.meshgrid(v, w, v, sparse=True)
xp.meshgrid(v)
xp.copy(A)
xp.reshape(A, (3, 4))
xp.reshape(A, -1)
xp.reshape(A, (2, -1, 2))
xp.ravel(C)
xp.transpose(C)
xp.transpose(C, (1, 0, 2))
xp.swapaxes(C, 0, -1)
xp.moveaxis(C, 0, -1)
xp.moveaxis(C, (0, 1), (-1, 0))
xp.rollaxis(C, 2)
xp.rollaxis(C, 0, 3)
xp.rollaxis(C, 1, -1)
xp.expand_dims(A, 1)
xp.expand_dims(A, (0, -1))
xp.squeeze(D)
xp.squeeze(D, 0)
xp.squeeze(D, axis=(0, 2))
xp.broadcast_to(v, (2, 3))
xp.broadcast_arrays(v, A[:, :1])
xp.concatenate([A, A])
xp.concatenate((A, I), axis=1)
xp.concatenate([A, v], axis=None)
xp.concatenate(C)
xp.stack([v, v + 1])
xp.stack((A, A), axis=-1)
xp.stack(A)
xp.vstack([v, v])
xp.vstack((A, A))
xp.hstack([v, w])
xp.hstack([A, A])
xp.dstack([v, v])
xp.dstack((A, A))
xp.column_stack([v, v + 1])
xp.row_stack([v, v]) if hasattr(numpy, "row_stack") else xp.vstack([v, v])
xp.atleast_1d(v.sum())
xp.atleast_2d(v)
xp.atleast_3d(v)
xp.atleast_3d(A)
xp.atleast_2d(v, A)
xp.split(A, 2, axis=1)
xp.split(v, [1, 2])
xp.split(A, [1, 3], axis=-1)
xp.array_split(w, 3)
xp.array_split(A, 3, axis=1)
xp.hsplit(A, 2)
xp.vsplit(A, 3)
xp.dsplit(C, 2)
xp.repeat(v, 2)
xp.repeat(A, 2, axis=1)
xp.repeat(A, [1, 0, 2], axis=0)
xp.repeat(A, 2)
xp.tile(v, 2)
xp.tile(v, (2, 1))
xp.tile(A, (2, 1, 2))
xp.tile(A, 2)
xp.flip(C, 0)
xp.flip(C, (0, 2))
xp.flipud(A)
xp.fliplr(A)
xp.rot90(A)
xp.rot90(A, 3, (1, 0))
xp.roll(A, 1)
xp.roll(A, -1, axis=1)
xp.roll(A, (1, 2), axis=(0, 1))
xp.pad(v, 2)
xp.pad(A, ((1, 2), (0, 1)))
xp.pad(A, (1, 2), constant_values=9)
xp.pad(v, (1, 2), mode="edge")
xp.pad(v, (2, 2), mode="reflect")
xp.pad(v, (5, 4), mode="symmetric")
xp.pad(A, ((1, 3), (0, 2)), mode="wrap")
xp.where(A > 1, A, -A)
xp.where(A > 1, A, 0)
xp.where(w[:4] > 0, 1.0, A)
xp.where(A > 1)
xp.clip(A, 0, 1)
xp.clip(A, None, 1)
xp.clip(A, -1, None)
xp.clip(I, 1, 3)
xp.around(A, 1)
xp.round(A)
xp.around(I * 7, -1)
xp.around(xp.array([0.5, 1.5, 2.5, -0.5]))
xp.nan_to_num(N)
xp.nan_to_num(N, nan=5, posinf=7, neginf=-7)
xp.isclose(A, A + 1e-9)
xp.isclose(N, N, equal_nan=True)
xp.allclose(A, A + 1e-9)
xp.array_equal(A, A)
xp.array_equal(A, v)
xp.sort(A)
xp.sort(A, axis=0)
xp.sort(A, axis=None)
xp.argsort(A, axis=0)
xp.nonzero(I)
xp.argwhere(I > 2)
xp.flatnonzero(I > 2)
xp.take(A, J)
xp.take(A, J, axis=1)
xp.take(A, xp.array([-1, 7]).astype("int64"), axis=1, mode="clip")
xp.take(A, xp.array([-1, 7]).astype("int64"), axis=1, mode="wrap")
xp.take_along_axis(A, xp.argsort(A, axis=1), axis=1)
xp.searchsorted(xp.sort(v), w)
xp.searchsorted(xp.sort(v), w, side="right")
xp.digitize(w, xp.sort(v))
xp.digitize(w, xp.sort(v), right=True)
xp.digitize(w, xp.sort(v)[::-1])
xp.bincount(J)
xp.bincount(J, minlength=7)
xp.bincount(J, weights=w[:4])
xp.unique(I)
xp.unique(I, return_index=True, return_inverse=True, return_counts=True)[::3]
xp.unique(J, return_index=True, return_inverse=True, return_counts=True)
xp.unique(xp.concatenate([I, I]), axis=0)
xp.unique(J, return_counts=True)
xp.diff(A)
xp.diff(A, 2, axis=0)
xp.ediff1d(w)
xp.ediff1d(w, to_end=9.0, to_begin=-9.0)
xp.delete(A, 1, axis=0)
xp.delete(A, [0, -1], axis=1)
xp.delete(A, slice(0, 2), axis=1)
xp.delete(v, 0)
xp.insert(v, 1, 9)
xp.insert(v, [0, 2], [7, 8])
xp.insert(A, 1, 9, axis=1)
xp.insert(A, 0, w[:4], axis=0)
xp.insert(A, -1, v, axis=1)
xp.append(v, w)
xp.append(A, A, axis=0)
xp.tril(A)
xp.triu(A, 1)
xp.diag(v)
xp.diag(v, -1)
xp.diag(A, 1)
xp.diagflat(v)
xp.diagonal(C, 1, 0, 2)
xp.trace(A)
xp.trace(C, 0, 1, 2)
xp.unravel_index(J, (2, 3))
xp.ravel_multi_index((xp.array([1, 0]).astype("int64"), xp.array([2, 1]).astype("int64")), (3, 4))
xp.tensordot(A, A.T, 1)
xp.tensordot(C, C, ([0, 2], [0, 2]))
xp.tensordot(A, A, 2)
xp.tensordot(v, w, 0)
xp.cross(v, v[::-1])
xp.cross(C[:, :, :3], C[:, :, 1:])
xp.einsum("ij,kj->ik", A, A)
xp.einsum("ii", A[:, :3])
xp.einsum("...j,j", A, w[:4])
xp.polyval(v, w)
xp.polyval(v, 2.0)
xp.interp(w, xp.sort(v), v)
xp.cov(A)
xp.corrcoef(A)
xp.histogram(w, bins=3)
xp.convolve(v, w)
xp.vander(v)
xp.lexsort((v, v))
xp.isin(J, xp.array([1, 3]))
xp.setdiff1d(J, xp.array([1]).astype("int64"))
xp.union1d(v, w)
xp.intersect1d(J, J)
xp.apply_along_axis(lambda row: row[0], 1, A)
xp.select([A > 1, A < 0], [A, -A])
xp.extract(A > 1, A)
xp.compress([True, False, True], A, axis=0)
xp.triu_indices(3)
xp.tril_indices(3, -1)
xp.diag_indices_from(A[:, :3])
xp.nanmedian(N)
xp.nanstd(xp.array([1.0, float("nan"), 3.0]))
xp.nancumsum(xp.array([1.0, float("nan"), 3.0]))
xp.nanargmax(xp.array([1.0, float("nan"), 3.0]))
xp.trim_zeros(xp.array([0.0, 1.0, 0.0]))
xp.modf(A)
xp.divmod(w, 2.0)
xp.gradient(w)
xp.partition(w, 2)[2]
xp.ndim(A)
xp.size(A)
xp.shape(A)
xp.average(A)
xp.average(A, axis=1)
xp.average(A, axis=0, weights=v)
xp.average(A, weights=A, returned=True)
xp.sum(A, initial=10)
xp.prod(A, axis=0, initial=2)
xp.max(A, axis=0, initial=1)
xp.min(A, initial=-9, keepdims=True)
xp.mean(I, dtype="float64")
xp.sum(I, dtype="float64")
xp.std(A, ddof=1)
xp.var(A, axis=1, ddof=1)
xp.cumsum(I, axis=1)
A.sum(0)
A.mean(axis=1, keepdims=True)
A.argmax(1).astype("int64")
A.cumsum()
A.std(axis=0, ddof=1)
A.clip(0, 1)
A.clip(min=0.5)
A.dot(A.T)
A.repeat(2, axis=1)
A.swapaxes(0, 1)
A.squeeze()
A.flatten()
A.round(1)
A.prod(axis=-1)
A.all()
A.any(axis=0)
A.max(axis=(0, 1))
A.min(0)
A.ptp() if hasattr(A, "ptp") else xp.ptp(A)
A.argsort(axis=0)
A.diagonal()
A.trace()
A.nonzero()
A.take([0, 1], axis=1)
A.tolist()
xp.linalg.norm(v)
xp.linalg.norm(A)
xp.linalg.norm(A, axis=1)
xp.linalg.norm(A, axis=1, keepdims=True)
xp.linalg.norm(A, ord=1, axis=0)
xp.linalg.norm(v, ord=numpy.inf)
xp.linalg.norm(v, 3)
xp.linalg.norm(A, "fro")
xp.linalg.norm(A, "nuc")
xp.linalg.norm(A, 2)
xp.linalg.norm(A, 1)
xp.linalg.norm(A, -numpy.inf)
xp.linalg.norm(C, axis=(0, 2))
xp.linalg.norm(C)
xp.linalg.norm(I)
xp.linalg.norm(A, keepdims=True)
xp.linalg.inv(S)
xp.linalg.pinv(A)
xp.linalg.det(S)
xp.linalg.det(C[:, :, :3])
xp.linalg.slogdet(S)
xp.linalg.svd(A, full_matrices=False)[1] if xp is numpy else xp.linalg.svd(A)[1]
xp.linalg.cholesky(S)
abs(xp.linalg.qr(S)[1])
xp.linalg.eigh(S)[0]
xp.linalg.eigvalsh(S)
xp.sort(xp.linalg.eigvals(S))
xp.sort(xp.linalg.eig(S)[0])
xp.linalg.solve(S, v)
xp.linalg.solve(S, A)
xp.linalg.lstsq(A.T, w[:4], rcond=None)
xp.linalg.matrix_rank(S)
xp.linalg.matrix_rank(xp.outer(v, v))
xp.linalg.matrix_power(S, 3)
xp.linalg.matrix_power(S, -1)
xp.linalg.multi_dot([A, A.T, A])
xp.linalg.cond(S)
xp.linalg.tensorinv(xp.reshape(xp.eye(6), (2, 3, 6)), 2)
xp.linalg.tensorsolve(xp.reshape(xp.eye(6) * 2, (2, 3, 6)), A[:2, :3])
""".strip().splitlines()


def inputs(make):
    generator = numpy.random.default_rng(3)
    mixed = generator.normal(size=(3, 3))
    values = {
        "A": generator.normal(size=(3, 4)),
        "C": generator.normal(size=(2, 3, 4)),
        "D": generator.normal(size=(1, 3, 1)),
        "I": generator.integers(0, 5, (3, 4)),
        "J": numpy.array([3, 1, 1, 0]),
        "N": numpy.array([numpy.nan, numpy.inf, -numpy.inf, 2.0]),
        "S": mixed @ mixed.T + numpy.eye(3),
        "v": numpy.array([2.0, -1.0, 0.5]),
        "w": numpy.array([0.0, 0.6, 3.0, -2.0, 2.0]),
    }
    return {name: make(value) for name, value in values.items()}


def agree(ours, theirs):
    if isinstance(theirs, list | tuple):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            agree(one, other)
        return
    theirs = numpy.asarray(theirs)
    assert numpy.shape(ours) == theirs.shape
    found = ours.asnumpy() if isinstance(ours, np.ndarray) else numpy.asarray(ours)
    # float32 stands for float64 where NumPy makes it up.
    assert found.dtype.kind == theirs.dtype.kind
    numpy.testing.assert_allclose(found.astype(float), theirs.astype(float), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("call", CALLS)
def test_the_call_gives_what_numpy_gives(call):
    results = []
    for xp, make in ((np, np.array), (numpy, lambda value: value)):
        results.append(eval(call, {"xp": xp, "np": np, "numpy": numpy, **inputs(make)}))
    agree(*results)


# In the table of test_operators, made of random draws, or changing their arguments.
ELSEWHERE = """
empty empty_like genfromtxt loadtxt median quantile percentile argmax argmin cumprod any all
count_nonzero ptp nansum nanprod nanmean nanmax nanmin dot matmul vdot inner outer kron astype
isscalar iterable result_type promote_types array_repr array_str fill_diagonal place put_along_axis
putmask resize apply_over_axes argpartition array_equiv choose correlate frexp geomspace
histogram2d histogram_bin_edges in1d ix_ kaiser nanargmin nancumprod nanpercentile nanquantile
nanvar
piecewise poly polyadd polyder polydiv polyfit polyint polymul polysub roots setxor1d spacing
trapezoid trapz tril_indices_from triu_indices_from unwrap
"""


def test_every_name_is_called_in_some_table():
    from divekit.mx.np import elementwise

    tested = " ".join(CALLS)
    known = set(ELSEWHERE.split()) | set(elementwise.operators())
    missing = [name for name in np._operators if f"xp.{name}(" not in tested and name not in known]
    assert not missing
    names = [name for name, value in vars(linalg).items() if getattr(value, "__wrapped__", None)]
    assert not [n for n in names if f"linalg.{n}(" not in tested and not n.startswith("_")]


FALLBACK_CALLS = """
xp.fill_diagonal(A, 7)
xp.putmask(A, A > 0, 5)
xp.place(A, A > 0, [1, 2])
xp.put_along_axis(A, xp.argsort(A, axis=1)[:, :1], 9, axis=1)
""".strip().splitlines()


@pytest.mark.parametrize("call", FALLBACK_CALLS)
def test_calls_that_change_their_argument(call):
    ours, theirs = inputs(np.array), inputs(lambda value: value)
    eval(call, {"xp": np, **ours})
    eval(call, {"xp": numpy, **theirs})
    agree(ours["A"], theirs["A"])


def test_tables_are_read_from_files(tmp_path):
    (tmp_path / "data.txt").write_text("1\t2\n3\t\n")
    table = np.genfromtxt(tmp_path / "data.txt", delimiter="\t", dtype=np.float32)
    assert table[0].tolist() == [1, 2]
    assert bool(np.isnan(table[1, 1]))
    (tmp_path / "data.txt").write_text("1 2\n3 4\n")
    assert np.loadtxt(tmp_path / "data.txt", dtype="int32").dtype is numpy.int32


def test_constants_and_types():
    assert (np.pi, np.e, np.inf, np.newaxis) == (numpy.pi, numpy.e, numpy.inf, None)
    assert np.float32 is numpy.float32
    assert np.zeros(1, dtype=np.bool).dtype is np.bool_
    assert np.dtype("int8") == np.int8
    assert np.empty((2, 3)).shape == np.empty_like(np.ones((2, 3))).shape
    with numpy.printoptions():
        np.set_printoptions(2)
        assert repr(np.array([1 / 3])) == "array([0.33])"


SHARES = 20000
MOMENTS = {
    "uniform": ((2, 4), 3, 1 / 3),
    "normal": ((1, 2), 1, 4),
    "gamma": ((2, 3), 6, 18),
    "beta": ((2, 3), 0.4, 0.04),
    "chisquare": ((3,), 3, 6),
    "exponential": ((2,), 2, 4),
    "rayleigh": ((2,), 2 * (numpy.pi / 2) ** 0.5, (4 - numpy.pi) / 2 * 4),
    "weibull": ((1,), 1, 1),
    "pareto": ((5,), 0.25, 5 / (16 * 3)),
    "power": ((3,), 0.75, 3 / 80),
    "gumbel": ((1, 2), 1 + 2 * 0.5772156649, numpy.pi**2 / 6 * 4),
    "logistic": ((1, 2), 1, numpy.pi**2 / 3 * 4),
    "laplace": ((1, 2), 1, 8),
    "lognormal": ((0, 0.5), numpy.exp(0.125), (numpy.exp(0.25) - 1) * numpy.exp(0.25)),
    "poisson": ((3,), 3, 3),
    "binomial": ((10, 0.3), 3, 2.1),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_draws_have_the_moments_shape_seed_and_type(name):
    parameters, mean, variance = MOMENTS[name]
    draw = getattr(np.random, name)
    np.random.seed(7)
    found = draw(*parameters, size=(SHARES // 2, 2), dtype="float64")
    assert found.shape == (SHARES // 2, 2)
    numbers = found.asnumpy()
    assert numpy.isfinite(numbers).all()
    # Five standard errors; that of the variance with a generous fourth moment.
    assert abs(numbers.mean() - mean) < 5 * (variance / SHARES) ** 0.5
    assert abs(numbers.var() - variance) < 5 * variance * (30 / SHARES) ** 0.5
    np.random.seed(7)
    assert np.array_equal(draw(*parameters, size=(SHARES // 2, 2), dtype="float64"), found)
    assert not np.array_equal(draw(*parameters, size=(SHARES // 2, 2), dtype="float64"), found)
    assert draw(*parameters).shape == ()
    assert draw(*parameters, size=3).dtype is numpy.float32
    assert draw(*parameters, 3).shape == (3,)
    spread = [np.array([p, p, p]) for p in parameters]
    assert draw(*spread).shape == (3,)
    out = np.zeros(4)
    assert draw(*parameters, size=4, out=out) is out
    with pytest.raises(TypeError):
        draw(*parameters, nonsense=1)


def test_choices_counts_and_orders():
    np.random.seed(1)
    assert np.random.rand(2, 3).shape == np.random.randn(2, 3).shape == (2, 3)
    assert np.random.rand().shape == np.random.normal().shape == ()
    dice = np.random.randint(1, 7, size=2000)
    assert (dice.dtype, int(dice.min()), int(dice.max())) == (numpy.int64, 1, 6)
    assert np.random.randint(3, size=4, dtype="int32").dtype is numpy.int32
    counts = np.random.multinomial(1000, [1 / 6] * 6)
    assert (counts.dtype, int(counts.sum()), counts.shape) == (numpy.int64, 1000, (6,))
    many = np.random.multinomial(10, np.array([0.5, 0.5, 0.0]), size=(50, 2))
    assert many.shape == (50, 2, 3)
    assert many.sum(axis=-1).asnumpy().tolist() == [[10, 10]] * 50
    assert int(many[..., 2].sum()) == 0
    assert np.random.multinomial(0, [0.5, 0.5]).tolist() == [0, 0]
    with pytest.raises(ValueError, match="probabilities"):
        np.random.multinomial(1, [0.9, 0.9])
    x = np.arange(20).reshape(10, 2)
    before = id(x)
    np.random.shuffle(x)
    assert id(x) == before
    assert (x[:, 1] - x[:, 0]).tolist() == [1] * 10
    assert sorted(x[:, 0].tolist()) == list(range(0, 20, 2))
    assert x[:, 0].tolist() != list(range(0, 20, 2))
    assert sorted(np.random.permutation(5).tolist()) == [0, 1, 2, 3, 4]
    drawn = np.random.choice(5, size=5, replace=False)
    assert sorted(drawn.tolist()) == [0, 1, 2, 3, 4]
    assert set(np.random.choice(np.array([7.0, 9.0]), 50).tolist()) == {7, 9}
    assert np.random.choice(3, 10, p=[0, 1, 0]).tolist() == [1] * 10
    with pytest.raises(ValueError, match="without replacement"):
        np.random.choice(2, 3, replace=False)
    with pytest.raises(ValueError, match="not negative"):
        np.random.normal(0, -1)


def test_correlated_draws():
    np.random.seed(0)
    cov = numpy.array([[2.0, 0.6], [0.6, 1.0]])
    found = np.random.multivariate_normal(
        np.array([1.0, -1.0]), np.array(cov), size=20000
    ).asnumpy()
    numpy.testing.assert_allclose(found.mean(0), [1, -1], atol=0.05)
    numpy.testing.assert_allclose(numpy.cov(found.T), cov, atol=0.08)


OTHER_DRAWS = """
seed rand randn random standard_normal randint choice multinomial multivariate_normal shuffle
permutation
"""


def test_every_way_to_draw_is_tested():
    made = [name for name, value in vars(random).items() if inspect.isfunction(value)]
    known = set(MOMENTS) | set(OTHER_DRAWS.split())
    own = [n for n in made if getattr(random, n).__module__ == random.__name__ and n[0] != "_"]
    assert not [name for name in own if name not in known and name != "random_sample"]
