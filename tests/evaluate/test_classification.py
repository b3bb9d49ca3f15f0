import pytest
import torch

from divekit.evaluate import accuracy, confusion


def test_accuracy_by_hand():
    scores = torch.tensor([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
    assert accuracy(scores, torch.tensor([1, 0, 0, 0])).item() == 0.75


def test_accuracy_equals_scikit_learns():
    metrics = pytest.importorskip("sklearn.metrics")
    scores, labels = torch.randn(200, 5), torch.randint(0, 5, (200,))
    expected = metrics.accuracy_score(labels, scores.argmax(1))
    assert accuracy(scores, labels).item() == pytest.approx(expected)


def test_confusion_counts_agree_with_scikit_learn():
    from sklearn.metrics import confusion_matrix

    scores, labels = torch.randn(50, 4), torch.randint(0, 3, (50,))  # the last class is never true
    expected = confusion_matrix(labels, scores.argmax(dim=1), labels=range(4))
    assert confusion(scores, labels).tolist() == expected.tolist()
