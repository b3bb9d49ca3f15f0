"""Batches cut up for devices, and gradients kept within a bound."""

import hashlib

import numpy
import pytest

from divekit.errors import DataNotFoundError
from divekit.mx import context, cpu, gpu, np
from divekit.mx.gluon import utils


def test_parts_of_a_batch():
    x = np.arange(10).reshape(5, 2)
    parts = utils.split_data(x, 2, even_split=False)
    assert [part.shape for part in parts] == [(2, 2), (3, 2)]
    assert np.concatenate(parts).tolist() == x.tolist()
    assert [p.shape for p in utils.split_data(x, 2, batch_axis=1)] == [(5, 1), (5, 1)]
    with pytest.raises(ValueError, match="even_split=False"):
        utils.split_data(x, 2)
    with pytest.raises(ValueError, match="5 examples cannot be cut into 6"):
        utils.split_data(x, 6)


def test_a_batch_smaller_than_the_number_of_devices_gives_fewer_parts():
    x = np.arange(6).reshape(2, 3)
    parts = utils.split_data(x, 3, even_split=False)
    assert [part.tolist() for part in parts] == [[[0, 1, 2]], [[3, 4, 5]]]
    context.set_virtual_gpus(3)
    try:
        parts = utils.split_and_load(x, [gpu(0), gpu(1), gpu(2)], even_split=False)
        assert [(part.ctx, part.shape) for part in parts] == [(gpu(0), (1, 3)), (gpu(1), (1, 3))]
    finally:
        context.set_virtual_gpus(0)


def test_parts_go_to_their_devices():
    context.set_virtual_gpus(2)
    try:
        x = np.arange(4)
        parts = utils.split_and_load(x, [gpu(0), gpu(1)])
        assert [(part.ctx, part.tolist()) for part in parts] == [(gpu(0), [0, 1]), (gpu(1), [2, 3])]
        (alone,) = utils.split_and_load(numpy.ones(3), [gpu(1)])
        assert alone.ctx == gpu(1)
    finally:
        context.set_virtual_gpus(0)
    (same,) = utils.split_and_load(x, [cpu()])
    assert same is x


def test_the_common_norm_is_bounded():
    arrays = [np.array([3.0]), np.array([0.0, 4.0])]
    assert utils.clip_global_norm(arrays, 10) == 5
    assert arrays[0].item() == 3
    assert utils.clip_global_norm(arrays, 1) == 5
    assert [a.tolist() for a in arrays] == [pytest.approx([0.6]), pytest.approx([0.0, 0.8])]
    assert utils.clip_global_norm(arrays, 1, check_isfinite=False).item() == pytest.approx(1)
    with pytest.warns(UserWarning, match="not finite"):
        utils.clip_global_norm([np.array([numpy.inf])], 1)
    with pytest.raises(ValueError, match="no arrays"):
        utils.clip_global_norm([], 1)


def test_files_that_are_here_and_others(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"abc")
    digest = hashlib.sha1(b"abc").hexdigest()
    found = utils.download("https://example.org/a.txt", tmp_path, sha1_hash=digest)
    assert found == str(tmp_path / "a.txt")
    with pytest.raises(DataNotFoundError, match=r"a\.txt is not here"):
        utils.download("https://example.org/a.txt", tmp_path, sha1_hash="0" * 40)
    with pytest.raises(DataNotFoundError, match=r"a\.txt is not here"):
        utils.download("https://example.org/a.txt", tmp_path, overwrite=True)
    assert (tmp_path / "a.txt").read_bytes() == b"abc"
    with pytest.raises(DataNotFoundError, match=r"b\.txt is not here"):
        utils.download("https://example.org/b.txt")
