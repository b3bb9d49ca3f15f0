"""Optimizers against steps in plain numbers, schedules against values worked by hand."""

import math

import numpy
import pytest
import torch

from divekit.mx import kvstore, lr_scheduler, np, optimizer
from divekit.mx import random as mx_random

STEPS = 4
SETTINGS = {"rescale_grad": 0.5, "wd": 0.1, "clip_gradient": 0.8}
GRADIENTS = [[2.0, -0.6, 0.1], [1.0, 0.5, -3.0], [-0.4, 0.0, 0.2], [0.3, 2.4, 0.7]]
START = [0.5, -1.0, 2.0]


def run(name, **kwargs):
    made = optimizer.create(name, **(SETTINGS | kwargs))
    weight = np.array(START)
    state = made.create_state(0, weight)
    for gradient in GRADIENTS:
        made.update(0, weight, np.array(gradient), state)
    return weight.asnumpy()


def by_hand(step, first=False, **start):
    """Run ``step(w, g, s, t)`` on each element; ``s`` is a dict of what it keeps."""
    result = []
    for place, w in enumerate(START):
        kept = dict(start)
        for t, gradient in enumerate(GRADIENTS, 1):
            g = 0.5 * gradient[place]
            g += 0.1 * w if first else 0  # decay, then clip
            g = max(-0.8, min(0.8, g))
            w = step(w, g, kept, t)
        result.append(w)
    return numpy.array(result, dtype="float32")


def sgd(w, g, s, t):
    return w - 0.2 * (g + 0.1 * w)


def momentum(w, g, s, t):
    s["v"] = 0.9 * s["v"] - 0.2 * (g + 0.1 * w)
    return w + s["v"]


def nag(w, g, s, t):
    g += 0.1 * w
    s["m"] = 0.9 * s["m"] + g
    return w - 0.2 * (g + 0.9 * s["m"])


def adam(w, g, s, t):
    s["m"] = 0.9 * s["m"] + 0.1 * g
    s["v"] = 0.99 * s["v"] + 0.01 * g * g
    rate = 0.2 * math.sqrt(1 - 0.99**t) / (1 - 0.9**t)
    return w - rate * s["m"] / (math.sqrt(s["v"]) + 0.05)


def adamw(w, g, s, t):
    s["m"] = 0.9 * s["m"] + 0.1 * g
    s["v"] = 0.99 * s["v"] + 0.01 * g * g
    mean, square = s["m"] / (1 - 0.9**t), s["v"] / (1 - 0.99**t)
    return w - 0.2 * (mean / (math.sqrt(square) + 0.05) + 0.1 * w)


def adagrad(w, g, s, t):
    s["h"] += g * g
    return w - 0.2 * (g / math.sqrt(s["h"] + 0.05) + 0.1 * w)


def rmsprop(w, g, s, t):
    s["n"] = 0.8 * s["n"] + 0.2 * g * g
    return w - 0.2 * g / math.sqrt(s["n"] + 0.05)


def centered(w, g, s, t):
    s["n"] = 0.8 * s["n"] + 0.2 * g * g
    s["g"] = 0.8 * s["g"] + 0.2 * g
    s["d"] = 0.7 * s["d"] - 0.2 * g / math.sqrt(s["n"] - s["g"] ** 2 + 0.05)
    return w + s["d"]


def clipped(w, g, s, t):
    return max(-1.2, min(1.2, rmsprop(w, g, s, t)))


def adadelta(w, g, s, t):
    s["a"] = 0.8 * s["a"] + 0.2 * g * g
    change = math.sqrt(s["b"] + 0.05) / math.sqrt(s["a"] + 0.05) * g
    s["b"] = 0.8 * s["b"] + 0.2 * change * change
    return w - change - 0.1 * w


def ftrl(w, g, s, t):
    n = s["n"] + g * g
    s["z"] += g - (math.sqrt(n) - math.sqrt(s["n"])) / 0.2 * w
    s["n"] = n
    if abs(s["z"]) <= 0.3:
        return 0.0
    sign = math.copysign(1, s["z"])
    return (sign * 0.3 - s["z"]) / ((1.5 + math.sqrt(n)) / 0.2 + 0.1)


def adamax(w, g, s, t):
    s["m"] = 0.9 * s["m"] + 0.1 * g
    s["u"] = max(0.99 * s["u"], abs(g))
    return w - 0.2 / (1 - 0.9**t) * s["m"] / s["u"]


def nadam(w, g, s, t):
    now = 0.9 * (1 - 0.5 * 0.96 ** (t * 0.1))
    ahead = 0.9 * (1 - 0.5 * 0.96 ** ((t + 1) * 0.1))
    s["p"] *= now
    s["m"] = 0.9 * s["m"] + 0.1 * g
    s["v"] = 0.99 * s["v"] + 0.01 * g * g
    mean = (1 - now) * g / (1 - s["p"]) + ahead * s["m"] / (1 - s["p"] * ahead)
    return w - 0.2 * mean / (math.sqrt(s["v"] / (1 - 0.99**t)) + 0.05)


def ftml(w, g, s, t):
    s["v"] = 0.99 * s["v"] + 0.01 * g * g
    d = (1 - 0.6**t) / 0.2 * (math.sqrt(s["v"] / (1 - 0.99**t)) + 0.05)
    s["z"] = 0.6 * s["z"] + 0.4 * g - (d - 0.6 * s["d"]) * w
    s["d"] = d
    return -s["z"] / d


def signum(w, g, s, t):
    s["m"] = 0.9 * s["m"] - 0.1 * (g + 0.1 * w)
    return (1 - 0.2 * 0.3) * w + 0.2 * numpy.sign(s["m"])


def sign_only(w, g, s, t):
    return (1 - 0.2 * 0.1) * w - 0.2 * numpy.sign(g)


BETAS = {"beta1": 0.9, "beta2": 0.99, "epsilon": 0.05}
CASES = [
    ("sgd", {}, by_hand(sgd)),
    ("sgd", {"momentum": 0.9, "lazy_update": False}, by_hand(momentum, v=0.0)),
    ("nag", {"momentum": 0.9}, by_hand(nag, m=0.0)),
    ("NAG", {}, by_hand(sgd)),
    ("adam", BETAS, by_hand(adam, first=True, m=0.0, v=0.0)),
    ("adamw", BETAS, by_hand(adamw, m=0.0, v=0.0)),
    ("adagrad", {"eps": 0.05}, by_hand(adagrad, h=0.0)),
    ("rmsprop", {"gamma1": 0.8, "epsilon": 0.05}, by_hand(rmsprop, first=True, n=0.0)),
    (
        "rmsprop",
        {"gamma1": 0.8, "gamma2": 0.7, "epsilon": 0.05, "centered": True},
        by_hand(centered, first=True, n=0.0, g=0.0, d=0.0),
    ),
    (
        "rmsprop",
        {"gamma1": 0.8, "epsilon": 0.05, "clip_weights": 1.2},
        by_hand(clipped, first=True, n=0.0),
    ),
    ("adadelta", {"rho": 0.8, "epsilon": 0.05}, by_hand(adadelta, a=0.0, b=0.0)),
    ("ftrl", {"lamda1": 0.3, "beta": 1.5}, by_hand(ftrl, z=0.0, n=0.0)),
    ("adamax", {"beta1": 0.9, "beta2": 0.99}, by_hand(adamax, first=True, m=0.0, u=0.0)),
    (
        "nadam",
        BETAS | {"schedule_decay": 0.1},
        by_hand(nadam, first=True, m=0.0, v=0.0, p=1.0),
    ),
    (
        "ftml",
        {"beta1": 0.6, "beta2": 0.99, "epsilon": 0.05},
        by_hand(ftml, first=True, v=0.0, z=0.0, d=0.0),
    ),
    ("signum", {"wd_lh": 0.3}, by_hand(signum, m=0.0)),
    ("signum", {"momentum": 0.0}, by_hand(sign_only)),
]


@pytest.mark.parametrize(("name", "kwargs", "expected"), CASES)
def test_steps_by_hand(name, kwargs, expected):
    numpy.testing.assert_allclose(
        run(name, learning_rate=0.2, **kwargs), expected, rtol=2e-5, atol=1e-6
    )


TORCHS = [
    ("sgd", {"momentum": 0.9}, lambda p: torch.optim.SGD(p, 0.1, 0.9, weight_decay=0.01)),
    (
        "nag",
        {"momentum": 0.9},
        lambda p: torch.optim.SGD(p, 0.1, 0.9, weight_decay=0.01, nesterov=True),
    ),
    ("adam", {"epsilon": 1e-12}, lambda p: torch.optim.Adam(p, 0.1, eps=1e-12, weight_decay=0.01)),
    (
        "adamw",
        {"epsilon": 1e-8},
        lambda p: torch.optim.AdamW(p, 0.1, eps=1e-8, weight_decay=0.01),
    ),
    (
        "rmsprop",
        {"gamma1": 0.99, "epsilon": 1e-14},
        lambda p: torch.optim.RMSprop(p, 0.1, eps=1e-7, weight_decay=0.01),
    ),
    ("adamax", {}, lambda p: torch.optim.Adamax(p, 0.1, eps=1e-12, weight_decay=0.01)),
]


@pytest.mark.parametrize(("name", "kwargs", "theirs"), TORCHS)
def test_steps_beside_torchs(name, kwargs, theirs):
    leaf = torch.randn(3, 4)
    weight = np.array(leaf.clone())
    other = theirs([leaf.requires_grad_()])
    made = optimizer.create(name, learning_rate=0.1, wd=0.01, **kwargs)
    state = made.create_state(0, weight)
    for _ in range(10):
        gradient = torch.randn(3, 4)
        leaf.grad = gradient.clone()
        other.step()
        made.update(0, weight, np.array(gradient), state)
    numpy.testing.assert_allclose(weight.asnumpy(), leaf.detach(), rtol=1e-4, atol=1e-5)


def test_lamb_steps_by_the_length_of_the_weight():
    weight = np.array([3.0, 4.0])
    made = optimizer.LAMB(learning_rate=0.1, epsilon=0.0)
    made.update(0, weight, np.array([2.0, -1.0]), made.create_state(0, weight))
    # The first step's direction is the gradient's sign, made 5 long.
    expected = numpy.array([3, 4]) - 0.1 * numpy.array([1, -1]) * 5 / math.sqrt(2)
    numpy.testing.assert_allclose(weight.asnumpy(), expected, rtol=1e-5)
    bounded = np.array([3.0, 4.0])
    made = optimizer.LAMB(learning_rate=0.1, epsilon=0.0, upper_bound=1.0)
    made.update(0, bounded, np.array([2.0, -1.0]), made.create_state(0, bounded))
    expected = numpy.array([3, 4]) - 0.1 * numpy.array([1, -1]) / math.sqrt(2)
    numpy.testing.assert_allclose(bounded.asnumpy(), expected, rtol=1e-5)


def test_langevin_noise_has_the_variance_of_the_rate():
    mx_random.seed(1)
    weight = np.zeros(100_000)
    made = optimizer.create("sgld", learning_rate=0.04)
    made.update(0, weight, np.ones(100_000), made.create_state(0, weight))
    assert weight.asnumpy().mean() == pytest.approx(-0.02, abs=3e-3)
    assert weight.asnumpy().std() == pytest.approx(0.2, rel=0.01)


def test_a_gradient_that_was_always_zero_moves_nothing():
    weight = np.array([1.0])
    made = optimizer.create("adamax")
    made.update(0, weight, np.zeros(1), made.create_state(0, weight))
    assert weight.tolist() == [1]


def test_half_precision_keeps_a_copy():
    for keep, expected in ((True, 1 - 1e-4), (False, 1)):
        made = optimizer.SGD(learning_rate=1e-5, multi_precision=keep)
        weight = np.ones(1, dtype="float16")
        state = made.create_state_multi_precision(0, weight)
        for _ in range(10):
            made.update_multi_precision(0, weight, np.ones(1, dtype="float16"), state)
        kept = state[0].item() if keep else weight.item()
        assert kept == pytest.approx(expected, abs=1e-6)
        assert weight.dtype is numpy.float16


def test_rates_and_decay_of_single_parameters():
    made = optimizer.SGD(learning_rate=0.5, wd=0.2, param_idx2name={0: "w", 1: "b"})
    made.set_lr_mult({"w": 0.5})
    made.set_wd_mult({1: 0.0})
    assert made._get_lrs([0, 1]) == [0.25, 0.5]
    assert made._get_wds([0, 1]) == [0.2, 0.0]


def test_unknown_names_and_settings():
    with pytest.raises(ValueError, match=r"'adan'.*adam"):
        optimizer.create("adan")
    with pytest.raises(TypeError, match="momentun"):
        optimizer.create("sgd", momentun=0.9)
    with pytest.raises(NotImplementedError, match="LARS"):
        optimizer.LARS  # noqa: B018


def test_an_optimizer_of_ones_own():
    @optimizer.Optimizer.register
    class Halving(optimizer.Optimizer):
        def create_state(self, index, weight):
            return np.zeros(weight.shape)

        def update(self, index, weight, grad, state):
            self._update_count(index)
            state[:] += grad
            weight[:] -= self._get_lr(index) * state + self._get_wd(index) * weight

    made = optimizer.create("halving", learning_rate=0.5, wd=0.1)
    update = optimizer.get_updater(made)
    weight = np.array([1.0])
    update(3, np.array([1.0]), weight)
    update([3], [np.array([1.0])], [weight])
    first = 1 - 0.5 - 0.1
    assert weight.item() == pytest.approx(first - 1 - 0.1 * first)
    assert made.num_update == 2


# Schedules


def rates(scheduler, updates):
    return [scheduler(update) for update in updates]


def test_factor_schedule():
    made = lr_scheduler.FactorScheduler(step=2, factor=0.5, stop_factor_lr=0.2, base_lr=1.0)
    assert rates(made, range(1, 10)) == [1, 1, 0.5, 0.5, 0.25, 0.25, 0.2, 0.2, 0.2]
    with pytest.raises(ValueError, match="at most 1"):
        lr_scheduler.FactorScheduler(2, 1.5)
    with pytest.raises(ValueError, match="at least 1"):
        lr_scheduler.FactorScheduler(0)


def test_multi_factor_schedule():
    made = lr_scheduler.MultiFactorScheduler(step=[2, 5], factor=0.5, base_lr=0.4)
    assert rates(made, range(1, 8)) == [0.4, 0.4, 0.2, 0.2, 0.2, 0.1, 0.1]
    for wrong in ([], [3, 2], [0, 1]):
        with pytest.raises(ValueError, match="rising"):
            lr_scheduler.MultiFactorScheduler(wrong)


def test_poly_schedule():
    made = lr_scheduler.PolyScheduler(max_update=4, base_lr=1.0, pwr=2, final_lr=0.2)
    expected = [0.2 + 0.8 * (1 - n / 4) ** 2 for n in range(5)]
    assert rates(made, range(5)) == pytest.approx(expected)
    assert made(100) == pytest.approx(0.2)


def test_cosine_schedule_with_warmup():
    made = lr_scheduler.CosineScheduler(20, base_lr=0.3, final_lr=0.01, warmup_steps=5)
    assert rates(made, range(5)) == pytest.approx([0, 0.06, 0.12, 0.18, 0.24])
    for n in (5, 10, 15, 20):
        expected = 0.01 + 0.29 * (1 + math.cos(math.pi * (n - 5) / 15)) / 2
        assert made(n) == pytest.approx(expected)
    assert made(30) == pytest.approx(0.01)
    with pytest.raises(ValueError, match="max_update"):
        lr_scheduler.CosineScheduler(0)


def test_warmup_linear_constant_or_wrong():
    made = lr_scheduler.FactorScheduler(
        10, base_lr=1.0, warmup_steps=4, warmup_begin_lr=0.2, warmup_mode="constant"
    )
    assert rates(made, [0, 3, 4]) == [0.2, 0.2, 1]
    made = lr_scheduler.FactorScheduler(10, base_lr=1.0, warmup_steps=4, warmup_begin_lr=0.2)
    assert rates(made, [0, 1, 2, 4]) == pytest.approx([0.2, 0.4, 0.6, 1])
    for wrong in ({"warmup_steps": -1}, {"warmup_begin_lr": 2}, {"warmup_mode": "cubic"}):
        with pytest.raises(ValueError, match="warmup"):
            lr_scheduler.LRScheduler(base_lr=1, **wrong)
    with pytest.raises(NotImplementedError, match="__call__"):
        lr_scheduler.LRScheduler()(1)


def test_an_optimizer_asks_its_schedule():
    scheduler = lr_scheduler.FactorScheduler(step=1, factor=0.5, base_lr=0.8)
    made = optimizer.SGD(lr_scheduler=scheduler)
    weight = np.zeros(1)
    for _ in range(3):
        made.update(0, weight, np.ones(1), None)
    assert weight.item() == pytest.approx(-(0.8 + 0.4 + 0.2))
    with pytest.raises(UserWarning, match="lr_scheduler"):
        made.set_learning_rate(1)
    with pytest.warns(UserWarning, match="takes the place"):
        made = optimizer.SGD(learning_rate=0.1, lr_scheduler=scheduler)
    assert made.learning_rate == 0.1


# The store


def test_a_store_sums_what_is_pushed():
    store = kvstore.create("device")
    store.init(3, np.ones(2))
    out = np.zeros(2)
    store.pull(3, out=out)
    assert out.tolist() == [1, 1]
    store.push(3, [np.full((2,), 4), np.full((2,), 5)])
    several = [np.zeros(2), np.zeros(2)]
    store.pull(3, out=several)
    assert [one.tolist() for one in several] == [[9, 9], [9, 9]]
    assert (store.rank, store.num_workers, store.type) == (0, 1, "device")


def test_a_store_of_many_keys_with_an_updater():
    store = kvstore.create()
    store.init(["a", "b"], [np.ones(1), np.zeros(1)])
    store.set_updater(lambda key, pushed, stored: stored.__iadd__(pushed * 2))
    store.push(["a", "b"], [np.ones(1), [np.ones(1), np.ones(1)]])
    out = [np.zeros(1), np.zeros(1)]
    store.pull(["a", "b"], out)
    assert [one.item() for one in out] == [3, 4]
    store.set_optimizer(optimizer.SGD(learning_rate=0.5))
    store.push("a", np.ones(1))
    store.pull("a", out[0])
    assert out[0].item() == 2.5
    store.broadcast("c", np.ones(1), out)
    store.pushpull("c", np.full((1,), 7), out[1])
    assert [one.item() for one in out] == [1, 1 - 3.5]


def test_stores_that_are_not_here():
    with pytest.raises(NotImplementedError, match=r"torch\.distributed"):
        kvstore.create("dist_sync")
    with pytest.raises(ValueError, match="'lokal'"):
        kvstore.create("lokal")
    store = kvstore.create()
    with pytest.raises(RuntimeError, match="init"):
        store.push(1, np.ones(1))
    store.init(1, np.ones(1))
    with pytest.raises(RuntimeError, match="already"):
        store.init(1, np.ones(1))
    with pytest.raises(RuntimeError, match="2 keys"):
        store.push([1, 2], [np.ones(1)])
    with pytest.raises(ValueError, match="out"):
        store.pull(1)
