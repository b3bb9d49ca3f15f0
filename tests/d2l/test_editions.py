"""Both editions of the book's functions: alike in what they give, and right."""

import importlib
import warnings

import numpy
import pytest
import torch
from torch import nn

from divekit.d2l import mxnet as of_mxnet
from divekit.d2l import torch as of_torch
from divekit.d2l.homes import ALIASES, HOMES, find
from divekit.data import use_samples
from divekit.errors import UsageError
from divekit.mx import autograd, gluon, npx
from divekit.mx import np as mnp
from divekit.mx.errors import MissingNameError

EDITIONS = pytest.mark.parametrize("d2l", [of_mxnet, of_torch], ids=["mxnet", "torch"])


@pytest.fixture(autouse=True)
def closed():
    yield
    from matplotlib import pyplot

    pyplot.close("all")


def numbers(value):
    return value.detach().numpy() if isinstance(value, torch.Tensor) else value.asnumpy()


@EDITIONS
def test_every_name_of_chapters_2_to_7_is_there(d2l):
    for home in HOMES.values():
        if home.home:
            assert hasattr(d2l, home.name), home
    assert all(hasattr(d2l, name) for name in ALIASES)


@EDITIONS
def test_aliases(d2l):
    a = d2l.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert numbers(d2l.matmul(a, a)).tolist() == [[7, 10], [15, 22]]
    assert numbers(d2l.concat([a, a], 0)).shape == (4, 2)
    assert numbers(d2l.reduce_sum(a, 0)).tolist() == [4, 6]
    assert d2l.size(a) == 4
    assert numbers(d2l.transpose(a)).tolist() == [[1, 3], [2, 4]]
    assert d2l.numpy(a).dtype == numpy.float32
    assert numbers(d2l.astype(d2l.argmax(a, 1), d2l.int32)).dtype == numpy.int32
    assert numbers(d2l.reshape(d2l.arange(4.0), (2, 2))).shape == (2, 2)
    assert d2l.plt is importlib.import_module("matplotlib.pyplot")
    assert d2l.os is importlib.import_module("os")


@EDITIONS
def test_synthetic_data_and_linear_regression_from_scratch(d2l):
    """Ten lines of the book's, which find the weights that made the data."""
    w = d2l.tensor([2, -3.4])
    X, y = d2l.synthetic_data(w, 4.2, 400)
    assert numbers(y).shape == (400, 1)
    noise = numbers(y)[:, 0] - numbers(X) @ numbers(w) - 4.2
    assert 0.008 < noise.std() < 0.012

    found, bias = d2l.zeros((2, 1)), d2l.zeros(1)
    for parameter in (found, bias):
        parameter.attach_grad() if d2l is of_mxnet else parameter.requires_grad_()
    for _ in range(3):
        for features, labels in d2l.load_array((X, y), 10):
            with autograd.record():
                loss = d2l.squared_loss(d2l.linreg(features, found, bias), labels)
            loss.backward() if d2l is of_mxnet else loss.sum().backward()
            d2l.sgd([found, bias], 0.05, 10)
    assert numbers(found)[:, 0] == pytest.approx([2, -3.4], abs=0.02)
    assert numbers(bias) == pytest.approx([4.2], abs=0.02)


@EDITIONS
def test_accuracy_counts(d2l):
    scores = d2l.tensor([[0.1, 0.3, 0.6], [0.3, 0.2, 0.5]])
    labels = d2l.tensor([0, 2], dtype=d2l.int32)
    assert d2l.accuracy(scores, labels) == 1.0
    assert d2l.accuracy(d2l.tensor([1.0, 2.0]), d2l.tensor([1.0, 3.0])) == 1.0
    assert d2l.evaluate_accuracy(lambda X: X, [(scores, labels)] * 2) == 0.5


@EDITIONS
def test_correlation_and_devices(d2l):
    X, K = d2l.tensor([[0.0, 1, 2], [3, 4, 5], [6, 7, 8]]), d2l.tensor([[0.0, 1], [2, 3]])
    assert numbers(d2l.corr2d(X, K)).tolist() == [[19, 25], [37, 43]]
    assert str(d2l.try_gpu(99)).startswith("cpu")
    assert len(d2l.try_all_gpus()) >= 1


def test_running_sums_and_the_stop_watch():
    sums = of_torch.Accumulator(2)
    sums.add(1, 2.5)
    sums.add(1, torch.tensor(0.5))
    assert (sums[0], sums[1]) == (2, 3)
    with pytest.raises(UsageError, match="2 sums to add to, not 1"):
        sums.add(1)
    sums.reset()
    assert sums[1] == 0
    timer = of_torch.Timer()
    timer.stop()
    timer.start()
    timer.stop()
    assert len(timer.times) == 2
    assert timer.sum() == pytest.approx(sum(timer.times))
    assert timer.avg() == pytest.approx(timer.sum() / 2)
    assert timer.cumsum()[-1] == pytest.approx(timer.sum())


def test_a_loss_that_hangs_in_its_graph_is_a_number_without_a_warning():
    loss = torch.tensor(0.5, requires_grad=True)
    torch.set_warn_always(True)  # else PyTorch warns once in a process
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            sums = of_torch.Accumulator(1)
            sums.add(loss * 2)
            animator = of_torch.Animator()
            animator.add(1, [loss])
            of_torch.plot([loss * 1, loss * 3])
    finally:
        torch.set_warn_always(False)
    assert sums[0] == 1
    assert animator.Y == [[0.5]]
    assert of_torch.plt.gca().lines[0].get_ydata().tolist() == [0.5, 1.5]


@EDITIONS
@pytest.mark.parametrize(("processors", "workers"), [(1, 1), (2, 2), (64, 4)])
def test_no_more_workers_than_processors(d2l, processors, workers, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: processors)
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(processors)), raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    assert d2l.get_dataloader_workers() == workers
    monkeypatch.setattr("sys.platform", "win32")
    assert d2l.get_dataloader_workers() == 0


@EDITIONS
def test_residual_blocks_keep_or_halve(d2l):
    images = d2l.ones((2, 3, 6, 6))
    if d2l is of_mxnet:
        same, halved = d2l.Residual(3), d2l.Residual(6, use_1x1conv=True, strides=2)
        same.initialize()
        halved.initialize()
    else:
        same, halved = d2l.Residual(3, 3), d2l.Residual(3, 6, use_1x1conv=True, strides=2)
    assert same(images).shape == (2, 3, 6, 6)
    assert halved(images).shape == (2, 6, 3, 3)


def test_the_editions_residual_blocks_are_the_same_function():
    ours, theirs = of_torch.Residual(2, 2), of_mxnet.Residual(2)
    images = torch.randn(4, 2, 5, 5)
    theirs.initialize()
    theirs(mnp.array(images.numpy()))
    for one, other in ((ours.conv1, theirs.conv1), (ours.conv2, theirs.conv2)):
        other.weight.set_data(mnp.array(one.weight.detach().numpy()))
        other.bias.set_data(mnp.array(one.bias.detach().numpy()))
    with autograd.record():
        outputs = theirs(mnp.array(images.numpy()))
    torch.testing.assert_close(torch.tensor(outputs.asnumpy()), ours(images).detach())


def test_training_by_the_chapter_3_loop():
    """Both editions, on the digits, with an optimizer and from scratch."""
    with use_samples():
        torch.manual_seed(0)
        train, test = of_torch.load_data_fashion_mnist(64)
        net = nn.Sequential(nn.Flatten(), nn.LazyLinear(10))
        net(next(iter(train))[0])
        optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
        loss = nn.CrossEntropyLoss()
        first = of_torch.train_epoch_ch3(net, train, loss, optimizer)
        of_torch.train_ch3(net, train, test, loss, 10, optimizer)
        assert of_torch.evaluate_loss(net, test, nn.CrossEntropyLoss(reduction="none")) < first[0]
        assert of_torch.evaluate_accuracy(net, test) > 0.9
        of_torch.predict_ch3(net, test)

        train, test = of_mxnet.load_data_fashion_mnist(64)
        net = gluon.nn.Dense(10)
        net.initialize()
        trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.5})
        loss = gluon.loss.SoftmaxCrossEntropyLoss()
        of_mxnet.train_ch3(net, train, test, loss, 10, trainer)
        assert of_mxnet.evaluate_accuracy(net, test) > 0.9
        of_mxnet.predict_ch3(net, test)


def test_bounds_of_chapter_3_are_judged_after_the_books_epochs():
    with use_samples():
        train, test = of_torch.load_data_fashion_mnist(64)
        net = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        still = torch.optim.SGD(net.parameters(), lr=0.0)
        of_torch.train_ch3(net, train, test, nn.CrossEntropyLoss(), 1, still)
        with pytest.raises(AssertionError):
            of_torch.train_ch3(net, train, test, nn.CrossEntropyLoss(), 10, still)


def test_a_loaders_data_set_gives_its_examples():
    with use_samples():
        train, test = of_torch.load_data_fashion_mnist(32, resize=12)
    assert (train.batch_size, len(test)) == (32, -(-len(test.dataset) // 32))
    images, labels = next(iter(test))
    image, label = test.dataset[5]
    torch.testing.assert_close(image, images[5])
    assert (image.shape, label) == ((1, 12, 12), int(labels[5]))
    assert test.dataset[-1][1] == int(list(test)[-1][1][-1])
    assert len({label for _, label in train.dataset}) == 10  # a for loop comes to its end
    with pytest.raises(IndexError):
        _ = test.dataset[len(test.dataset)]


def test_training_by_the_chapter_6_loop(capsys):
    with use_samples():
        torch.manual_seed(0)
        train, test = of_torch.load_data_fashion_mnist(64)
        net = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
        of_torch.train_ch6(net, train, test, 10, 0.3, of_torch.try_gpu(99))
        assert of_torch.evaluate_accuracy_gpu(net, test) > 0.9

        train, test = of_mxnet.load_data_fashion_mnist(64)
        net = gluon.nn.Sequential()
        net.add(gluon.nn.Dense(32, activation="relu"), gluon.nn.Dense(10))
        of_mxnet.train_ch6(net, train, test, 10, 0.3, npx.cpu())
        assert of_mxnet.evaluate_accuracy_gpu(net, test) > 0.9
    printed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in printed[::2]] == ["loss", "loss"]
    assert all("examples/sec on cpu" in line for line in printed[1::2])


@EDITIONS
def test_pictures(d2l):
    x = d2l.arange(0, 3, 0.5)
    d2l.plot(x, [x * 2, x**2], "x", "f(x)", legend=["double", "square"], xlim=[0, 2])
    (double, square) = d2l.plt.gca().lines
    assert square.get_ydata().tolist() == [0, 0.25, 1, 2.25, 4, 6.25]
    assert double.get_xdata().tolist() == [0, 0.5, 1, 1.5, 2, 2.5]
    assert d2l.plt.gca().get_xlim() == (0, 2)
    d2l.plot([[1, 2], [3, 4]])
    assert [line.get_ydata().tolist() for line in d2l.plt.gca().lines] == [[1, 2], [3, 4]]
    d2l.plot([1.0, 2.0], xscale="log", axes=d2l.plt.gca())
    assert d2l.plt.gca().get_xscale() == "log"
    axes = d2l.show_images(d2l.ones((3, 4, 4)), 1, 3, titles=["a", "b", "c"])
    assert [place.get_title() for place in axes] == ["a", "b", "c"]

    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib's, of limits that are equal
        d2l.Animator(xlim=[1, 1]).add(1, 0.5)
    animator = d2l.Animator(xlabel="epoch", legend=["a", "b"], xlim=[1, 2])
    animator.add(1, (0.5, None))
    animator.add(2, (0.25, 7))
    assert (animator.X, animator.Y) == ([[1, 2], [2]], [[0.5, 0.25], [7]])
    assert [line.get_ydata().tolist() for line in animator.axes[0].lines] == [[0.5, 0.25], [7]]
    animator.add(3, 1)
    assert animator.axes[0].lines[0].get_marker() == "None"
    assert animator.Y[0] == [0.5, 0.25, 1]


@EDITIONS
def test_a_run_of_one_epoch_is_drawn_without_a_warning(d2l, recwarn):
    animator = d2l.Animator(xlabel="epoch", xlim=[1, 1], ylim=[0, 2])
    animator.add(1, (0.5,))
    assert animator.axes[0].lines[0].get_marker() == "o"
    left, right = animator.axes[0].get_xlim()
    assert left < 1 < right
    assert animator.axes[0].get_ylim() == (0, 2)
    assert not [str(w.message) for w in recwarn if "identical" in str(w.message)]


# Names that are not here


def test_a_name_of_a_later_chapter_says_where_it_is_from(monkeypatch):
    monkeypatch.setattr("divekit.d2l.installed.PathFinder.find_spec", lambda *args: None)
    with pytest.raises(MissingNameError, match=r"section 8\.5.*pip install 'divekit\[book\]'"):
        _ = of_mxnet.train_ch8
    with pytest.raises(AttributeError, match=r"d2l\.qwerty is not part of divekit$"):
        _ = of_torch.qwerty
    with pytest.raises(AttributeError, match=r"did you mean d2l\.Animator\?"):
        _ = of_torch.Animater
    with pytest.raises(AttributeError, match=r"did you mean d2l\.reduce_sum\?"):
        _ = of_mxnet.reduce_sun


INSTALLED = """
import sys
from collections import defaultdict
from mxnet import np
d2l = sys.modules[__name__]
DATA_HUB = {"other": ("http://localhost/other.csv", "0")}
def train_ch8():
    return d2l.try_gpu, np, d2l.DATA_HUB
def try_gpu():
    return "theirs"
"""


def test_an_installed_package_gives_what_is_missing_and_uses_ours(tmp_path, monkeypatch):
    (tmp_path / "d2l").mkdir()
    (tmp_path / "d2l" / "__init__.py").write_text("")
    (tmp_path / "d2l" / "mxnet.py").write_text(INSTALLED)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("divekit.d2l.installed._loaded", {})
    monkeypatch.setattr(of_mxnet, "DATA_HUB", dict(of_mxnet.DATA_HUB))
    try_gpu, np, _ = of_mxnet.train_ch8()
    assert try_gpu is of_mxnet.try_gpu
    assert np is mnp
    with pytest.raises(MissingNameError, match="nor of the installed d2l"):
        _ = of_mxnet.train_ch99
    from divekit.d2l.files import DATA_HUB

    assert DATA_HUB.pop("other")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("mxnet")  # it was at hand for the loading alone


def test_an_installed_package_that_lacks_another_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "d2l").mkdir()
    (tmp_path / "d2l" / "__init__.py").write_text("")
    (tmp_path / "d2l" / "torch.py").write_text("from no_such_vision.transforms import Resize\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("divekit.d2l.installed._loaded", {})
    with pytest.raises(MissingNameError, match=r"8\.5.*without no_such_vision: pip install no_su"):
        _ = of_torch.train_ch8


def test_the_package_itself_names_its_editions():
    from divekit import d2l

    with pytest.raises(AttributeError, match=r"'plot'; .*from d2l import torch as d2l"):
        _ = d2l.plot
    with pytest.raises(AttributeError, match=r"attribute 'qwerty'$"):
        _ = d2l.qwerty


def test_homes():
    assert find("d2l.train_ch6").section == "6.6"
    assert find("d2l.concat").home == "torch.cat"
    assert all(hasattr(torch, item.home[6:]) for item in ALIASES.values() if "torch" in item.home)
    with pytest.raises(UsageError, match="did you mean train_ch6"):
        find("train_ch66")


def test_the_command_line_shows_the_new_home(divekit):
    assert "divekit.fit(recipes.lenet())" in divekit("info", "d2l.train_ch6").stdout
    assert "8.5" in divekit("info", "d2l.train_ch8").stdout
    told = divekit("info", "d2l.tensor").stdout
    assert "torch.tensor" in told
    assert "section" not in told
    assert "d2l.show_images" in divekit("info", "d2l").stdout
    assert divekit("info", "d2l.nothing").exit_code == 2
