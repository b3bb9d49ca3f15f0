import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from divekit.data import folds
from divekit.errors import UsageError


@given(
    sizes=st.integers(2, 40).flatmap(lambda n: st.tuples(st.just(n), st.integers(2, n))),
    seed=st.integers(0, 2**31),
)
def test_every_example_is_held_out_once_and_trained_on_otherwise(sizes, seed):
    num_examples, k = sizes
    pairs = list(folds(num_examples, k, torch.Generator().manual_seed(seed)))
    assert len(pairs) == k
    held_out = torch.cat([rows for _, rows in pairs])
    assert held_out.sort().values.tolist() == list(range(num_examples))
    for train, rows in pairs:
        assert torch.cat([train, rows]).sort().values.tolist() == list(range(num_examples))


@pytest.mark.parametrize(("num_examples", "k"), [(10, 5), (23, 5), (7, 7), (1460, 5)])
def test_the_parts_have_scikit_learns_sizes(num_examples, k):
    selection = pytest.importorskip("sklearn.model_selection")
    ours = [len(rows) for _, rows in folds(num_examples, k, torch.Generator())]
    theirs = [len(rows) for _, rows in selection.KFold(k).split(range(num_examples))]
    assert ours == theirs


def test_rows_are_shuffled_and_the_generator_decides_how():
    first, again, other = (
        next(folds(100, 4, torch.Generator().manual_seed(seed)))[1] for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first, torch.arange(25))


@pytest.mark.parametrize("k", [1, 0, 11])
def test_folds_that_cannot_be_are_refused(k):
    with pytest.raises(UsageError, match=f"k is {k}"):
        next(folds(10, k, torch.Generator()))
