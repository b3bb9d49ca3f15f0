import pytest
import torch

from divekit.data import WideRegression
from divekit.errors import UsageError


def test_targets_lie_on_the_plane_up_to_noise():
    settings = WideRegression(weight=0.5, bias=-2.0, noise=0.1, num_train=4000)
    features, targets = settings.open().train.tensors
    rest = targets[:, 0] - (0.5 * features.sum(dim=1) - 2.0)
    assert abs(rest.mean()) < 0.007  # four standard errors
    assert rest.std().item() == pytest.approx(0.1, rel=0.05)


def test_the_books_sizes_are_the_default_and_test_points_are_apart():
    data = WideRegression().open()
    features, targets = data.train.tensors
    assert features.shape == (20, 200)
    assert targets.shape == (20, 1)
    assert data.test.num_examples == 100
    assert data.train.batch_size == 5
    assert torch.linalg.matrix_rank(torch.cat([features, data.test.tensors[0]])) == 120


def test_the_test_points_are_the_same_whatever_the_number_to_train_on():
    first, more, other = (
        WideRegression(**settings).open().test.tensors[0]
        for settings in ({}, {"num_train": 60}, {"draw": 1})
    )
    assert torch.equal(first, more)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    "settings", [{"num_features": 0}, {"num_train": 0}, {"num_test": 0}, {"noise": -1.0}]
)
def test_settings_without_sense_are_refused(settings):
    with pytest.raises(UsageError, match="must be at least 1"):
        WideRegression(**settings).open()
