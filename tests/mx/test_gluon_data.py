"""Data sets, samplers and loaders: every example, once, in the order asked for."""

import subprocess
import sys
import threading

import numpy
import pytest

from divekit.mx import gluon, np, npx
from divekit.mx.gluon import data as gdata


class Squares(gdata.Dataset):
    """A data set as the book writes them."""

    def __init__(self, count):
        self.count = count

    def __getitem__(self, idx):
        return (np.array([idx, idx**2]), idx)

    def __len__(self):
        return self.count


def test_arrays_become_examples():
    features, labels = np.arange(6).reshape(3, 2), np.array([5, 6, 7])
    both = gdata.ArrayDataset(features, labels)
    assert len(both) == 3
    x, y = both[1]
    assert x.tolist() == [2, 3]
    assert isinstance(y, numpy.float32)
    assert y == 6
    assert gdata.ArrayDataset(features)[0].tolist() == [0, 1]
    assert gdata.ArrayDataset([1, 2], Squares(2))[1][0] == 2
    with pytest.raises(ValueError, match="lengths: 3, 2"):
        gdata.ArrayDataset(features, [1, 2])
    with pytest.raises(ValueError, match="array at least"):
        gdata.ArrayDataset()


def test_parts_and_changes_of_a_data_set():
    squares = Squares(5)
    assert [y for _, y in (squares.filter(lambda one: one[1] % 2)[i] for i in range(2))] == [1, 3]
    assert [[one[1] for one in squares.shard(2, part)] for part in (0, 1)] == [[0, 1, 2], [3, 4]]
    with pytest.raises(ValueError, match="no part 2"):
        squares.shard(2, 2)
    assert len(squares.take(2)) == len(squares.take(7).take(2)) == 2
    assert len(squares.take(None)) == 5
    assert [one[1] for one in squares.sample(gdata.IntervalSampler(5, 2, rollover=False))] == [
        0,
        2,
        4,
    ]
    calls = []

    def note(x):
        calls.append(1)
        return x + 1

    for lazy in (True, False):
        changed = squares.transform_first(note, lazy)
        assert len(calls) == (0 if lazy else 5)
        assert changed[2][0].tolist() == [3, 5]
        assert changed[2][1] == 2
        calls.clear()
    assert squares.transform(lambda x, y: x.sum().item() + y)[2] == 8
    assert gdata.SimpleDataset([1, 2]).transform(lambda x: x * 2)[1] == 4


def test_samplers():
    assert list(gdata.SequentialSampler(3, start=2)) == [2, 3, 4]
    npx.random.seed(1)
    first = list(gdata.RandomSampler(20))
    assert sorted(first) == list(range(20))
    assert first != list(gdata.RandomSampler(20))
    npx.random.seed(1)
    assert first == list(gdata.RandomSampler(20))
    assert list(gdata.IntervalSampler(5, 2)) == [0, 2, 4, 1, 3]
    assert len(gdata.IntervalSampler(5, 2)) == 5
    chosen = gdata.FilterSampler(lambda one: one[1] > 1, Squares(4))
    assert (list(chosen), len(chosen)) == ([2, 3], 2)


def test_the_rest_of_the_batches():
    def batches(how, rounds=1):
        sampler = gdata.BatchSampler(gdata.SequentialSampler(5), 2, how)
        found = []
        for _ in range(rounds):
            length = len(sampler)
            found.append(list(sampler))
            assert len(found[-1]) == length
        return found

    assert batches("keep") == [[[0, 1], [2, 3], [4]]]
    assert batches("discard") == [[[0, 1], [2, 3]]]
    assert batches("rollover", 2) == [[[0, 1], [2, 3]], [[4, 0], [1, 2], [3, 4]]]
    with pytest.raises(ValueError, match="'drop'"):
        batches("drop")
    with pytest.raises(ValueError, match="at least 1"):
        gdata.BatchSampler([], 0)


@pytest.mark.parametrize("workers", [0, 3])
def test_batches_in_order(workers):
    loader = gdata.DataLoader(Squares(5), 2, num_workers=workers)
    assert len(loader) == 3
    for _ in range(2):
        batches = list(loader)
        assert [x.tolist() for x, _ in batches] == [[[0, 0], [1, 1]], [[2, 4], [3, 9]], [[4, 16]]]
        assert batches[0][1].dtype is numpy.int64
        assert type(batches[0]) is list


@pytest.mark.parametrize("workers", [0, 2])
def test_every_example_once_in_a_new_order(workers):
    x = np.arange(100)
    loader = gdata.DataLoader(gdata.ArrayDataset(x, x * 2), 7, shuffle=True, num_workers=workers)
    orders = []
    for _ in range(2):
        seen = []
        for features, labels in loader:
            assert labels.tolist() == (features * 2).tolist()
            seen += features.tolist()
        assert sorted(seen) == x.tolist()
        orders.append(seen)
    assert orders[0] != orders[1]


def test_whole_batches_are_what_single_examples_make():
    features = np.random.uniform(0, 255, size=(9, 4, 5, 3)).astype("uint8")
    labels = np.arange(9).astype("int32")
    transforms = gdata.vision.transforms
    change = transforms.Compose(
        [transforms.Resize(3), transforms.CenterCrop(2), transforms.ToTensor(),
         transforms.Normalize((0.1, 0.2, 0.3), 0.5), transforms.Cast("float16")]
    )  # fmt: skip
    quick = gdata.ArrayDataset(features, labels).transform_first(change)
    assert quick.batch([0]) is not None
    slow = gdata.ArrayDataset(features, labels).transform_first(lambda x: change(x))
    assert slow.batch([0]) is None
    for ours, theirs in zip(gdata.DataLoader(quick, 4), gdata.DataLoader(slow, 4), strict=True):
        for one, other in zip(ours, theirs, strict=True):
            numpy.testing.assert_array_equal(one.asnumpy(), other.asnumpy())
            assert one.dtype is other.dtype
    chosen = quick.shard(3, 1)
    assert next(iter(gdata.DataLoader(chosen, 3)))[1].tolist() == [3, 4, 5]
    alone = gdata.ArrayDataset(features).transform_first(change)
    assert next(iter(gdata.DataLoader(alone, 2))).shape == (2, 3, 2, 2)


def test_types_of_a_batch():
    (numbers,) = gdata.DataLoader(gdata.SimpleDataset([1.5, 2.5]), 2)
    assert numbers.dtype is numpy.float64
    (tuples,) = gdata.DataLoader(gdata.SimpleDataset([((1, 2), 3), ((4, 5), 6)]), 2)
    assert [part.tolist() for part in tuples[0]] == [[1, 4], [2, 5]]
    assert tuples[1].tolist() == [3, 6]
    for wrong in ([np.zeros(2), np.zeros(3)], [[1], [1, 2]]):
        with pytest.raises(ValueError, match="different shapes"):
            list(gdata.DataLoader(gdata.SimpleDataset(wrong), 2))


def test_a_batchify_function_of_ones_own():
    loader = gdata.DataLoader(
        Squares(3), 2, batchify_fn=lambda examples: [y for _, y in examples], last_batch="discard"
    )
    assert list(loader) == [[0, 1]]


def test_ways_to_batch():
    batchify = gdata.batchify
    padded, lengths = batchify.Pad(val=-1, ret_length=True, dtype="int32")([[1, 2], [3]])
    assert padded.tolist() == [[1, 2], [3, -1]]
    assert lengths.tolist() == [2, 1]
    assert batchify.Pad(axis=1, round_to=4)([np.ones((2, 3)), np.ones((2, 1))]).shape == (2, 2, 4)
    group = batchify.Group(batchify.Stack(), batchify.AsList())
    stacked, listed = group([(np.ones(2), "a"), (np.zeros(2), "b")])
    assert stacked.tolist() == [[1, 1], [0, 0]]
    assert listed == ["a", "b"]
    with pytest.raises(ValueError, match="2 functions for 3"):
        group([(1, 2, 3)])


def test_an_error_in_a_worker_comes_out_and_threads_end():
    class Broken(Squares):
        def __getitem__(self, idx):
            if idx == 3:
                raise KeyError("example 3")
            return super().__getitem__(idx)

    with pytest.raises(KeyError, match="example 3"):
        list(gdata.DataLoader(Broken(50), 2, num_workers=2))
    for _ in gdata.DataLoader(Squares(1000), 1, num_workers=2):
        break
    for thread in threading.enumerate():
        if thread.name.startswith("DataLoader"):
            thread.join(5)
            assert not thread.is_alive()


def test_workers_record_nothing():
    from divekit.mx import autograd

    weight = np.ones(2)
    weight.attach_grad()
    data = gdata.SimpleDataset([1.0, 2.0]).transform(lambda x: weight * x)
    with autograd.record():
        (batch,) = gdata.DataLoader(data, 2, num_workers=1)
    assert not batch.tensor.requires_grad


def test_what_a_loader_takes():
    with pytest.raises(ValueError, match="batch_size"):
        gdata.DataLoader(Squares(3))
    with pytest.raises(ValueError, match="two things"):
        gdata.DataLoader(Squares(3), 1, shuffle=True, sampler=gdata.SequentialSampler(3))
    sampler = gdata.BatchSampler(gdata.SequentialSampler(3), 2)
    with pytest.raises(ValueError, match="alone"):
        gdata.DataLoader(Squares(3), 1, batch_sampler=sampler)
    assert len(list(gdata.DataLoader(Squares(3), batch_sampler=sampler))) == 2
    assert len(list(gdata.DataLoader(Squares(3), 2, sampler=[2, 1]))) == 1
    with pytest.raises(NotImplementedError, match="records"):
        gdata.RecordFileDataset  # noqa: B018
    assert gluon.data is gdata


def test_a_data_set_defined_in_main_with_workers(tmp_path):
    script = tmp_path / "mine.py"
    script.write_text(
        "from divekit.mx import gluon, np\n"
        "class Mine(gluon.data.Dataset):\n"
        "    def __len__(self): return 4\n"
        "    def __getitem__(self, idx): return np.array(idx), idx\n"
        "loader = gluon.data.DataLoader(Mine(), 2, num_workers=4)\n"
        "print([y.tolist() for x, y in loader])\n"
    )
    found = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert found.stdout == "[[0, 1], [2, 3]]\n"
