import pytest
import torch
from torch import nn
from torch.testing import assert_close

from divekit.optim import SGD, cosine


def two_models():
    models = [nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 1)).double() for _ in range(2)]
    models[1].load_state_dict(models[0].state_dict())
    return models


def test_every_step_equals_torchs():
    ours, theirs = two_models()
    optimizers = [SGD(ours.parameters(), lr=0.1), torch.optim.SGD(theirs.parameters(), lr=0.1)]
    for _ in range(20):
        inputs = torch.randn(8, 5, dtype=torch.float64)
        for model, optimizer in zip((ours, theirs), optimizers, strict=True):
            optimizer.zero_grad()
            model(inputs).square().mean().backward()
            optimizer.step()
        for mine, reference in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert torch.equal(mine, reference)


def test_groups_have_their_own_rate_and_parameters_without_gradient_stay():
    first, second, unused = (nn.Parameter(torch.ones(1)) for _ in range(3))
    optimizer = SGD([{"params": [first], "lr": 1.0}, {"params": [second, unused]}], lr=0.5)
    (3 * first + second).backward()
    optimizer.step()
    assert (first.item(), second.item(), unused.item()) == (-2.0, 0.5, 1.0)


def test_a_closure_is_called_with_gradients_on():
    weight = nn.Parameter(torch.tensor(2.0))
    optimizer = SGD([weight], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = weight**2
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 4.0
    assert weight.item() == 1.0


def test_a_negative_rate_is_refused():
    with pytest.raises(ValueError, match="lr is -1"):
        SGD([nn.Parameter(torch.ones(1))], lr=-1)


def test_torchs_schedulers_move_our_rate():
    optimizer = SGD([nn.Parameter(torch.ones(1))], lr=1.0)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, cosine(total=10, warmup=2))
    rates = []
    for _ in range(12):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert_close(rates[:4], [1 / 3, 2 / 3, 1.0, 0.9619397662556434])
    assert_close(rates[10:], [0.0, 0.0])


def test_cosine_equals_torchs_annealing():
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=1.0)
    reference = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=20, eta_min=0.1)
    factor = cosine(total=20, final=0.1)
    for time in range(20):
        assert_close(factor(time), optimizer.param_groups[0]["lr"])
        optimizer.step()
        reference.step()


@pytest.mark.parametrize("warmup", [-1, 10])
def test_a_warmup_that_leaves_nothing_is_refused(warmup):
    with pytest.raises(ValueError, match="warmup"):
        cosine(total=10, warmup=warmup)
