import sys

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from divekit.data import (
    DATA_SETS,
    Digits,
    Facts,
    FashionMNIST,
    SyntheticRegression,
    digits,
    samples_wanted,
    use_samples,
)
from divekit.errors import MissingExtraError, UsageError

GREY = Facts("grey", (1, 4, 6), class_names=("a", "b"))
TABLE = Facts("table", (3,))


@pytest.mark.parametrize("name", DATA_SETS)
def test_every_data_set_has_a_card_and_a_sample_that_opens_offline(name):
    kind = DATA_SETS[name]
    assert all(vars(kind.card).values())
    sample = kind().sample()
    opened = sample.open()
    inputs, targets = next(iter(opened.train))
    assert inputs.shape[1:] == opened.facts.input_shape
    assert len(inputs) == len(targets)
    assert kind().facts.name == name  # known before anything is opened


def test_samples_stand_in_only_where_they_are_asked_for(monkeypatch):
    with use_samples():
        assert FashionMNIST().open().facts.name == "digits"
    monkeypatch.setenv("DIVEKIT_SAMPLE", "1")
    assert FashionMNIST(resize=16).open().facts.input_shape == (1, 16, 16)
    with use_samples(False):
        assert not samples_wanted()
        with use_samples():
            assert samples_wanted()
    assert samples_wanted()
    monkeypatch.setenv("DIVEKIT_SAMPLE", "0")
    assert Digits().open().facts.name == "digits"


@pytest.mark.parametrize(
    "inputs",
    [torch.zeros(2, 1, 4, 6), torch.zeros(2, 4, 6), torch.zeros(1, 4, 6), torch.zeros(4, 6)],
)
def test_images_are_accepted_with_and_without_their_outer_axes(inputs):
    assert GREY.prepare(inputs).shape[1:] == (1, 4, 6)


def test_bytes_are_scaled_and_floats_left_alone():
    assert_close(GREY.prepare(torch.full((4, 6), 255, dtype=torch.uint8)), torch.ones(1, 1, 4, 6))
    assert_close(GREY.prepare(torch.full((4, 6), 0.5)), torch.full((1, 1, 4, 6), 0.5))
    assert TABLE.prepare(torch.from_numpy(np.zeros((5, 3)))).dtype == torch.float32
    assert TABLE.prepare(torch.zeros(3)).shape == (1, 3)


@pytest.mark.parametrize("shape", [(4, 7), (2, 3, 4, 6), (6, 4), (24,)])
def test_inputs_of_another_shape_are_refused_with_both_shapes(shape):
    with pytest.raises(UsageError, match=r"needs \(batch, 1, 4, 6\)"):
        GREY.prepare(torch.zeros(shape))


def test_facts_survive_json():
    assert Facts.from_json(GREY.to_json()) == GREY
    assert (GREY.num_features, GREY.num_classes, GREY.num_outputs) == (24, 2, 2)
    assert TABLE.num_outputs == 1
    with pytest.raises(UsageError, match="table has no classes"):
        TABLE.num_classes  # noqa: B018


def test_synthetic_data_follow_the_plane_they_are_drawn_around():
    data = SyntheticRegression((1.0, 2.0, -3.0), bias=0.5, noise=0.1, num_examples=20000).open()
    features, targets = data.train.tensors
    residual = targets[:, 0] - (features @ torch.tensor([1.0, 2.0, -3.0]) + 0.5)
    assert features.shape == (20000, 3)
    assert targets.shape == (20000, 1)
    assert abs(residual.mean()) < 3e-3
    assert abs(residual.std() - 0.1) < 3e-3


def test_a_draw_is_reproducible_whatever_the_order_of_training():
    same = [SyntheticRegression(draw=3).open(seed).train.tensors[0] for seed in (0, 1)]
    assert torch.equal(*same)
    assert not torch.equal(same[0], SyntheticRegression(draw=4).open().train.tensors[0])


@pytest.mark.parametrize("wrong", [{"weights": ()}, {"num_examples": 0}, {"noise": -1.0}])
def test_impossible_synthetic_data_are_refused(wrong):
    with pytest.raises(UsageError):
        SyntheticRegression(**wrong).open()


@pytest.mark.parametrize("file", [digits.FILE, "data/moved.csv.gz"])
def test_digits_are_scikit_learns_split_in_two(monkeypatch, file):
    from sklearn.datasets import load_digits

    monkeypatch.setattr(digits, "FILE", file)
    data = Digits().open()
    train, test = data.train.tensors, data.test.tensors
    assert (len(train[0]), len(test[0])) == (1437, 360)
    ours = {
        (tuple((image * (16 / 255)).round().int().flatten().tolist()), label)
        for images, labels in (train, test)
        for image, label in zip(images, labels.tolist(), strict=True)
    }
    bunch = load_digits()
    theirs = {
        (tuple(image), label)
        for image, label in zip(bunch.data.astype(int).tolist(), bunch.target.tolist(), strict=True)
    }
    assert ours == theirs


def test_without_scikit_learn_the_digits_name_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'divekit\[data\]'"):
        Digits().open()
