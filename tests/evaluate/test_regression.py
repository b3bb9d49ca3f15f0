import math

import numpy as np
import pytest
import torch

from divekit.evaluate import squared_log_error


def test_by_hand():
    predictions, targets = torch.tensor([[2.0], [8.0]]), torch.tensor([[1.0], [2.0]])
    # log 2 and log 4: squares of one and two times log 2.
    expected = (1 + 4) / 2 * math.log(2) ** 2
    assert squared_log_error(predictions, targets).item() == pytest.approx(expected)


def test_it_is_scikit_learns_after_a_shift_by_one():
    metrics = pytest.importorskip("sklearn.metrics")
    predictions, targets = (1 + 5 * torch.rand(50).double() for _ in range(2))
    # Theirs adds one before the logarithm.
    theirs = metrics.mean_squared_log_error(targets.numpy() - 1, predictions.numpy() - 1)
    np.testing.assert_allclose(squared_log_error(predictions, targets).item(), theirs)


def test_predictions_without_a_logarithm_count_as_the_least():
    targets = torch.full((3,), math.e)
    assert squared_log_error(torch.tensor([-5.0, 0.0, 0.5]), targets).item() == pytest.approx(1)
    assert squared_log_error(torch.full((3,), 0.5), targets, least=0.5).item() == pytest.approx(
        (1 - math.log(0.5)) ** 2
    )


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match="differ in shape"):
        squared_log_error(torch.ones(3, 1), torch.ones(3))
