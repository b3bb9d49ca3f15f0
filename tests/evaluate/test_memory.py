import pytest
import torch
import torch.nn.functional as F
from torch import nn

from divekit.evaluate import kept_for_backward, peak_memory
from divekit.models import MLP

KILO = 1000


def test_the_peak_by_hand():
    a = torch.ones(250)  # made before: not counted

    def chain():
        b = a + 1  # 1000 bytes
        c = b * 2  # 2000
        del b  # 1000
        d = c + 1  # 2000
        d.view(5, 50).add_(1)  # a view and a change in place are no new memory
        torch.cat([d, d, d])  # 5000, and freed at once
        return d.sum()

    assert peak_memory(chain) == 5 * KILO
    assert peak_memory(lambda: a.view(5, 50)) == 0


def test_the_peak_sees_what_is_freed_within():
    ones = torch.ones(250)

    def loop(times):
        value = ones
        for _ in range(times):
            value = value + 1
        return value

    assert peak_memory(lambda: loop(2)) == peak_memory(lambda: loop(20)) == 2 * KILO


def test_the_peak_is_that_of_the_way_back_too():
    weight = torch.ones(250, requires_grad=True)

    def there():
        return (weight * 2).exp()

    only_there = peak_memory(there)
    assert peak_memory(lambda: there().sum().backward()) > only_there


def test_two_measures_do_not_disturb_each_other():
    first = peak_memory(lambda: torch.ones(250) + 1)
    kept = [torch.ones(1000)]
    assert peak_memory(lambda: torch.ones(250) + 1) == first == 2 * KILO
    assert len(kept) == 1


def test_kept_are_the_values_that_the_gradient_needs():
    x = torch.ones(250, requires_grad=True)
    assert kept_for_backward(lambda: x + 1) == 0  # a sum needs nothing
    assert kept_for_backward(lambda: (x + 1).exp()) == KILO  # exp its own result
    assert kept_for_backward(lambda: (x + 1) * (x + 2)) == 2 * KILO  # a product both factors
    assert kept_for_backward(lambda: (x + 1).square()) == KILO
    assert kept_for_backward(lambda: x.exp().exp()) == 2 * KILO


def test_what_is_there_anyway_is_not_counted_and_views_are_one():
    x = torch.ones(250, requires_grad=True)
    assert kept_for_backward(lambda: x * x) == KILO
    assert kept_for_backward(lambda: x * x, besides=[x]) == 0
    assert kept_for_backward(lambda: x.view(5, 50) * x.view(5, 50), besides=[x]) == 0


@pytest.mark.parametrize("batch", [16, 32])
def test_a_network_keeps_hidden_values_and_probabilities(batch):
    model, inputs, labels = MLP(20, 30, 10), torch.randn(batch, 20), torch.zeros(batch).long()
    there = [inputs, labels, *model.parameters()]
    kept = kept_for_backward(lambda: F.cross_entropy(model(inputs), labels), besides=there)
    assert kept == 4 * (batch * (30 + 10) + 1)  # and the sum of the weights of the examples


def test_nothing_is_kept_without_gradients():
    layer, inputs = nn.Linear(4, 4), torch.randn(3, 4)
    with torch.no_grad():
        assert kept_for_backward(lambda: layer(inputs).exp()) == 0
    assert kept_for_backward(lambda: layer(inputs).exp()) > 0
