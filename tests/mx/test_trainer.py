"""The Trainer: what a step does, on one device and on two, and what it refuses."""

import numpy
import pytest
import torch

from divekit.errors import BadDataError
from divekit.mx import MXNetError, autograd, context, cpu, gluon, gpu, init, lr_scheduler, np
from divekit.mx.gluon import nn


@pytest.fixture
def two_gpus():
    context.set_virtual_gpus(2)
    yield [gpu(0), gpu(1)]
    context.set_virtual_gpus(0)


def dense(ctx=None, value=1.0):
    net = nn.Dense(1, in_units=2)
    net.initialize(init.Constant(value), ctx)
    return net


def backward(net, x):
    with autograd.record():
        loss = (net(x) ** 2).sum()
    loss.backward()


def test_a_step_divides_by_the_batch():
    net = dense()
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.5})
    x = np.array([[1, 2], [3, 4]])
    backward(net, x)
    # y = 3 and 7, so the gradient is 2 * (3 * [1, 2] + 7 * [3, 4]) = [48, 68].
    assert net.weight.grad().tolist() == [[48, 68]]
    trainer.step(4)
    assert net.weight.data().tolist() == [[1 - 0.5 * 12, 1 - 0.5 * 17]]
    assert net.bias.data().tolist() == [-0.5 * 5]


def test_the_rescaling_given_is_kept():
    net = dense()
    settings = {"learning_rate": 1, "rescale_grad": 0.5}
    trainer = gluon.Trainer(net.collect_params(), "sgd", settings)
    for _ in range(2):
        before = net.weight.data().asnumpy()
        backward(net, np.ones((1, 2)))
        trainer.step(2)
        numpy.testing.assert_allclose(
            net.weight.data().asnumpy(), before - net.weight.grad().asnumpy() / 4
        )


def test_multipliers_of_parameters():
    net = dense()
    net.bias.lr_mult = 0
    net.collect_params(".*weight").setattr("wd_mult", 0)
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1, "wd": 5})
    backward(net, np.ones((1, 2)))
    trainer.step(1)
    assert net.bias.data().item() == 0
    assert net.weight.data()[0].tolist() == pytest.approx([0.6, 0.6])


def test_frozen_parameters_stay():
    net = dense()
    net.weight.grad_req = "null"
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1})
    backward(net, np.ones((1, 2)))
    trainer.step(1)
    assert net.weight.data().tolist() == [[1, 1]]
    assert net.bias.data().item() == pytest.approx(-0.4)


def test_a_stale_gradient_is_an_error_and_changes_nothing():
    net = nn.Sequential()
    net.add(dense(), dense())
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1})
    backward(net[0], np.ones((1, 2)))
    with pytest.raises(UserWarning, match=f"{net[1].name}_weight.*ignore_stale_grad"):
        trainer.step(1)
    assert net[0].weight.data().tolist() == [[1, 1]]
    trainer.step(1, ignore_stale_grad=True)
    assert net[0].weight.data()[0].tolist() == pytest.approx([0.6, 0.6])
    assert net[1].weight.data().tolist() == [[1, 1]]
    # The same gradients again are old for all of them.
    trainer.step(1, ignore_stale_grad=True)
    assert net[0].weight.data()[0].tolist() == pytest.approx([0.6, 0.6])


def test_two_devices_do_what_one_does(two_gpus):
    x = np.array([[1, 2], [3, -4], [0.5, 1], [2, 2]])
    for name, settings in (("sgd", {"momentum": 0.9}), ("adam", {})):
        one, two = dense(), dense(two_gpus)
        trainers = [
            gluon.Trainer(net.collect_params(), name, {"learning_rate": 0.05} | settings)
            for net in (one, two)
        ]
        for _ in range(3):
            backward(one, x)
            trainers[0].step(4)
            with autograd.record():
                losses = [
                    (two(part) ** 2).sum() for part in gluon.utils.split_and_load(x, two_gpus)
                ]
            for loss in losses:
                loss.backward()
            trainers[1].step(4)
        for expected, parameter in zip(
            one.collect_params().values(), two.collect_params().values(), strict=True
        ):
            for copy in parameter.list_data():
                numpy.testing.assert_allclose(
                    copy.asnumpy(), expected.data().asnumpy(), rtol=1e-5, atol=1e-6
                )


def test_gradients_summed_first_and_looked_at(two_gpus):
    net = dense(two_gpus)
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 1})
    for device, number in zip(two_gpus, (1, 2), strict=True):
        backward(net, np.full((1, 2), number, ctx=device))
    trainer.allreduce_grads()
    # y = 2 and 4: 2 * 2 * 1 + 2 * 4 * 2.
    assert [g.tolist() for g in net.weight.list_grad()] == [[[20, 20]], [[20, 20]]]
    trainer.update(10)
    assert [d.tolist() for d in net.weight.list_data()] == [[[-1, -1]], [[-1, -1]]]


def test_a_device_that_was_not_reached(two_gpus):
    net = dense(two_gpus)
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 1})
    backward(net, np.ones((1, 2), ctx=gpu(1)))
    with pytest.raises(UserWarning, match=r"gpu\(0\)"):
        trainer.step(1)
    trainer.step(1, ignore_stale_grad=True)
    assert [d.tolist() for d in net.weight.list_data()] == [[[-3, -3]], [[-3, -3]]]


def test_rates_are_read_and_set():
    net = dense()
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.5})
    trainer.set_learning_rate(trainer.learning_rate * 0.1)
    assert trainer.learning_rate == pytest.approx(0.05)
    assert type(trainer.optimizer).__name__ == "SGD"
    scheduler = lr_scheduler.MultiFactorScheduler([1], factor=0.5, base_lr=0.2)
    assert scheduler.__module__ == lr_scheduler.__name__  # asked by the book's 11.11
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"lr_scheduler": scheduler})
    for expected in (0.2, 0.1):
        before = net.bias.data().item()
        backward(net, np.ones((1, 2)))
        trainer.step(1)
        assert before - net.bias.data().item() == pytest.approx(
            expected * net.bias.grad().item(), rel=1e-5
        )
    with pytest.raises(UserWarning, match="lr_scheduler"):
        trainer.set_learning_rate(1)


def test_states_come_back(tmp_path):
    def start():
        net = dense()
        scheduler = lr_scheduler.FactorScheduler(2, 0.5, base_lr=0.1)
        settings = {"momentum": 0.9, "lr_scheduler": scheduler}
        return net, gluon.Trainer(net.collect_params(), "sgd", settings)

    def train(net, trainer, steps):
        for _ in range(steps):
            backward(net, np.array([[1, 2]]))
            trainer.step(8)

    net, trainer = start()
    train(net, trainer, 3)
    net.save_parameters(tmp_path / "net")
    trainer.save_states(str(tmp_path / "states"))
    train(net, trainer, 3)
    other, resumed = start()
    other.load_parameters(tmp_path / "net")
    resumed.load_states(tmp_path / "states")
    train(other, resumed, 3)
    assert other.weight.data().tolist() == net.weight.data().tolist()
    assert resumed.learning_rate == trainer.learning_rate

    adam = gluon.Trainer(net.collect_params(), "adam")
    with pytest.raises(BadDataError, match="SGD, not of Adam"):
        adam.load_states(tmp_path / "states")
    few = gluon.Trainer([net.bias], "sgd")
    with pytest.raises(BadDataError, match="more than 1"):
        few.load_states(tmp_path / "states")
    with pytest.raises(BadDataError, match="no such file"):
        few.load_states(tmp_path / "nowhere")
    (tmp_path / "other").write_bytes(b"\x80\x02}q\x00.")
    with pytest.raises(BadDataError, match="save_states"):
        few.load_states(tmp_path / "other")


def test_states_never_run_code(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    torch.save({"optimizer": Evil()}, tmp_path / "states")
    with pytest.raises(BadDataError, match="save_states"):
        gluon.Trainer([dense().weight], "sgd").load_states(tmp_path / "states")
    assert not (tmp_path / "ran").exists()


def test_what_a_trainer_takes():
    net = dense()
    with pytest.raises(TypeError, match="collect_params"):
        gluon.Trainer(net, "sgd")
    with pytest.raises(ValueError, match="str"):
        gluon.Trainer(["weight"], "sgd")
    from divekit.mx import optimizer

    with pytest.raises(ValueError, match="optimizer_params"):
        gluon.Trainer([net.weight], optimizer.SGD(), {"wd": 1})
    with pytest.raises(NotImplementedError, match="hooks"):
        gluon.Trainer([net.weight], "sgd", compression_params={"type": "2bit"})
    with pytest.raises(NotImplementedError, match="distributed"):
        gluon.Trainer([net.weight], "sgd", kvstore="dist_sync")
    late = nn.Dense(1)
    late.initialize(ctx=cpu())
    with pytest.raises(gluon.DeferredInitializationError):
        gluon.Trainer(late.collect_params(), "sgd").step(1)
    with pytest.raises(MXNetError, match="initialize"):
        gluon.Trainer(nn.Dense(1).collect_params(), "sgd").step(1)


def test_steps_with_the_graph_kept_do_not_join_it():
    net = dense()
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1, "momentum": 0.9})
    for _ in range(3):
        backward(net, np.ones((1, 2)))
        trainer.step(1)
    assert net.weight.data().tensor.is_leaf
    velocity = trainer._updater.states[0]
    assert not velocity.tensor.requires_grad
