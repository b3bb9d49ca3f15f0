import math

import pytest
import torch

from divekit.data import XOR
from divekit.data.xor import xor_data
from divekit.errors import UsageError


def test_without_noise_the_points_are_the_corners_and_signs_tell_the_class():
    points, labels = xor_data(0.0, 200, torch.Generator().manual_seed(0))
    assert set(map(tuple, points.tolist())) == {(-1, -1), (-1, 1), (1, -1), (1, 1)}
    assert torch.equal(labels.bool(), points[:, 0] * points[:, 1] < 0)


def test_the_rule_of_signs_is_as_good_as_the_noise_allows():
    # Leaving the quadrant through exactly one side: 2 p (1 - p), p = Phi(-1 / noise).
    p = math.erfc(1 / 0.8 / math.sqrt(2)) / 2
    points, labels = xor_data(0.8, 40_000, torch.Generator().manual_seed(0))
    right = (labels.bool() == (points[:, 0] * points[:, 1] < 0)).double().mean().item()
    assert abs(right - (1 - 2 * p * (1 - p))) < 0.01  # four standard errors


def test_train_and_test_differ_and_a_draw_repeats():
    first, again, other = XOR().open(), XOR().open(), XOR(draw=1).open()
    train, test = first.train.tensors[0], first.test.tensors[0]
    assert train.shape == test.shape == (1000, 2)
    assert not torch.equal(train, test)
    assert torch.equal(train, again.train.tensors[0])
    assert not torch.equal(train, other.train.tensors[0])


def test_settings_without_sense_are_refused():
    for settings in ({"num_examples": 0}, {"noise": -1.0}):
        with pytest.raises(UsageError):
            XOR(**settings).open()
