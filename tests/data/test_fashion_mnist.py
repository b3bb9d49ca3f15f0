import gzip
import logging

import numpy as np
import pytest
import torch

from divekit.data import FashionMNIST
from divekit.errors import BadDataError, DataNotFoundError
from tests.data.test_idx import idx_bytes


def write_small(folder, num_train=20, num_test=10, side=28, top_label=9, packed=True):
    """Write a small data set of the same files, as a user with a subset would have it."""
    (folder / "fashion-mnist").mkdir(parents=True)
    generator = np.random.default_rng(0)
    for stem, shape, top in [
        ("train-images-idx3", (num_train, side, side), 255),
        ("train-labels-idx1", (num_train,), top_label),
        ("t10k-images-idx3", (num_test, side, side), 255),
        ("t10k-labels-idx1", (num_test,), top_label),
    ]:
        array = generator.integers(0, top + 1, shape)
        array.flat[0] = top
        data = idx_bytes(array)
        name = f"fashion-mnist/{stem}-ubyte" + (".gz" if packed else "")
        (folder / name).write_bytes(gzip.compress(data) if packed else data)


@pytest.mark.parametrize("packed", [True, False])
def test_a_users_own_subset_is_used_with_one_warning_a_file(tmp_path, monkeypatch, caplog, packed):
    write_small(tmp_path / "mine", packed=packed)
    monkeypatch.setenv("DIVEKIT_DATA", str(tmp_path / "mine"))
    with caplog.at_level(logging.WARNING, logger="divekit"):
        for _ in range(2):
            data = FashionMNIST(batch_size=8).open()
    assert len(caplog.records) == 4
    images, labels = next(iter(data.train))
    assert images.shape == (8, 1, 28, 28)
    assert images.dtype == torch.float32
    assert images.max() == 1
    assert labels.dtype == torch.int64
    assert data.train.tensors[0].dtype == torch.uint8  # floats only in the batch
    assert data.test.num_examples == 10


def test_images_are_resized_in_the_batch(tmp_path, monkeypatch):
    write_small(tmp_path / "mine")
    monkeypatch.setenv("DIVEKIT_DATA", str(tmp_path / "mine"))
    data = FashionMNIST(batch_size=8, resize=64).open()
    assert next(iter(data.train))[0].shape == (8, 1, 64, 64)
    assert data.facts.input_shape == (1, 64, 64)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"side": 27}, "images of shape"), ({"top_label": 10}, "label 10 is not in 0-9")],
)
def test_files_that_do_not_fit_are_named(tmp_path, monkeypatch, wrong, message):
    write_small(tmp_path / "mine", **wrong)
    monkeypatch.setenv("DIVEKIT_DATA", str(tmp_path / "mine"))
    with pytest.raises(BadDataError, match=message):
        FashionMNIST().open()


def test_when_it_is_nowhere_the_error_says_all_there_is_to_do():
    with pytest.raises(DataNotFoundError) as caught:
        FashionMNIST().open()
    for hint in ("26.4 MB", "DIVEKIT_OFFLINE", "DIVEKIT_DATA", "train-images-idx3", "--sample"):
        assert hint in str(caught.value)


@pytest.mark.real
def test_the_real_data_are_whole():
    data = FashionMNIST(batch_size=10000).open()
    labels = torch.cat([labels for _, labels in data.train])
    assert labels.bincount().tolist() == [6000] * 10
    assert data.test.tensors[1].bincount().tolist() == [1000] * 10
    # Means over all training pixels as they are widely quoted: 0.2860.
    total = sum(images.double().sum().item() for images, _ in data.train)
    assert abs(total / (60000 * 784) - 0.2860) < 1e-4
