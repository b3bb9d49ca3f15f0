import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from divekit.evaluate import accuracy, confident_mistakes, confusion


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


def test_mistakes_come_in_the_order_of_how_sure_they_are_of():
    scores = torch.tensor([[9.0, 0], [1, 2], [0, 5], [3, 0], [0, 5]])
    labels = torch.tensor([0, 0, 0, 1, 0])
    assert confident_mistakes(scores, labels, most=9).tolist() == [2, 4, 3, 1]
    assert confident_mistakes(scores, labels, most=2).tolist() == [2, 4]
    assert confident_mistakes(scores, scores.argmax(1), most=9).tolist() == []


@given(st.integers(0, 2**32 - 1))
def test_no_other_mistake_is_surer(seed):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(30, 4, generator=generator)
    labels = torch.randint(4, (30,), generator=generator)
    found = confident_mistakes(scores, labels, most=5).tolist()
    by_hand = sorted(
        (row for row in range(30) if scores[row].argmax() != labels[row]),
        key=lambda row: -scores[row].softmax(0).max().item(),
    )
    assert found == by_hand[:5]
