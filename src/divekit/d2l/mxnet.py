"""``from d2l import mxnet as d2l``: the book's functions for arrays of ``divekit.mx``.

Book: the sections that ``divekit info d2l.NAME`` says.
"""

import sys
from collections.abc import Iterator
from typing import Any

import torch

from divekit.d2l.bookkeeping import Accumulator, Timer
from divekit.d2l.clothes import fashion_mnist
from divekit.d2l.files import DATA_HUB, DATA_URL, download, download_all, download_extract
from divekit.d2l.installed import name_of_later_chapters
from divekit.d2l.lazily import attribute_of_packages
from divekit.d2l.pictures import (
    Animator,
    plot,
    set_axes,
    set_figsize,
    show_images,
    use_svg_display,
)
from divekit.d2l.shared import (
    argmax,
    get_dataloader_workers,
    get_fashion_mnist_labels,
    predict_ch3,
    reduce_sum,
    reshape,
    squared_loss,
    train_ch3_with,
)
from divekit.mx import autograd, context, gluon, init, np, npx
from divekit.mx.array import wrap
from divekit.mx.gluon import nn, rnn

d2l = sys.modules[__name__]

# The edition's other names for functions of arrays.
ones, zeros, arange, meshgrid, linspace, eye = (
    np.ones, np.zeros, np.arange, np.meshgrid, np.linspace, np.eye,
)  # fmt: skip
sin, sinh, cos, cosh, tanh, exp, log, abs = (
    np.sin, np.sinh, np.cos, np.cosh, np.tanh, np.exp, np.log, np.abs,
)  # fmt: skip
tensor, normal, rand, matmul = np.array, np.random.normal, np.random.rand, np.dot
concat, stack, int32, float32 = np.concatenate, np.stack, np.int32, np.float32


def size(a: Any) -> int:
    """Give the number of elements."""
    return int(a.size)


def transpose(a: Any) -> Any:
    """Give the transpose."""
    return a.T


def _numpy(x: Any, *args: Any, **kwargs: Any) -> Any:
    """Give a copy as NumPy's array."""
    return x.asnumpy(*args, **kwargs)


def to(x: Any, *args: Any, **kwargs: Any) -> Any:
    """Give the array on a device."""
    return x.as_in_context(*args, **kwargs)


def astype(x: Any, *args: Any, **kwargs: Any) -> Any:
    """Call the method of this name."""
    return x.astype(*args, **kwargs)


# Chapter 3


def synthetic_data(w: Any, b: float, num_examples: int) -> tuple[Any, Any]:
    """Draw X (N, D) and y = Xw + b + noise (N, 1), of standard deviation 0.01."""
    X = np.random.normal(0, 1, (num_examples, len(w)))
    y = np.dot(X, w) + b
    y += np.random.normal(0, 0.01, y.shape)
    return X, y.reshape((-1, 1))


def linreg(X: Any, w: Any, b: Any) -> Any:
    """Give Xw + b."""
    return np.dot(X, w) + b


def sgd(params: Any, lr: float, batch_size: int) -> None:
    """Move each parameter against its gradient, which is a sum over the batch."""
    for param in params:
        param[:] = param - lr * param.grad / batch_size


def load_array(data_arrays: Any, batch_size: int, is_train: bool = True) -> Any:
    """Give a Gluon loader of minibatches, shuffled for training."""
    dataset = gluon.data.ArrayDataset(*data_arrays)
    return gluon.data.DataLoader(dataset, batch_size, shuffle=is_train)


class _Loader:
    """Minibatches of images (B, 1, H, W) and labels (B,) int32, as arrays."""

    def __init__(self, batches: Any) -> None:
        self._batches = batches

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        for images, labels in self._batches:
            yield wrap(images), wrap(labels.to(torch.int32))


def load_data_fashion_mnist(batch_size: int, resize: int | None = None) -> tuple[Any, Any]:
    """Give Fashion-MNIST's minibatches to train on and to test on.

    Images are (B, 1, H, W) in 0-1, labels int32. The order of training follows MXNet's seed.
    """
    train, test = fashion_mnist(batch_size, resize)
    return _Loader(train), _Loader(test)


def accuracy(y_hat: Any, y: Any) -> float:
    """Count the correct predictions among scores (B, K) or labels (B,)."""
    if len(y_hat.shape) > 1 and y_hat.shape[1] > 1:
        y_hat = y_hat.argmax(axis=1)
    return float((y_hat.astype(y.dtype) == y).sum())


def evaluate_accuracy(net: Any, data_iter: Any) -> float:
    """Give the share of a data set that a net predicts correctly."""
    metric = Accumulator(2)
    for X, y in data_iter:
        metric.add(accuracy(net(X), y), y.size)
    return metric[0] / metric[1]


def train_epoch_ch3(net: Any, train_iter: Any, loss: Any, updater: Any) -> tuple[float, float]:
    """Train for an epoch; give the mean loss and the accuracy while training.

    ``updater`` is a Gluon Trainer, or a function of the batch's size.
    """
    metric = Accumulator(3)
    if isinstance(updater, gluon.Trainer):
        updater = updater.step
    for X, y in train_iter:
        with autograd.record():
            y_hat = net(X)
            losses = loss(y_hat, y)
        losses.backward()
        updater(X.shape[0])
        metric.add(float(losses.sum()), accuracy(y_hat, y), y.size)
    return metric[0] / metric[2], metric[1] / metric[2]


def train_ch3(
    net: Any, train_iter: Any, test_iter: Any, loss: Any, num_epochs: int, updater: Any
) -> None:
    """Train with a growing picture; after ten epochs or more the book's bounds must hold.

    Raises AssertionError for a training loss of 0.5 or more, or an accuracy of 0.7 or less.
    """
    train_ch3_with(
        lambda: train_epoch_ch3(net, train_iter, loss, updater),
        lambda: evaluate_accuracy(net, test_iter),
        num_epochs,
    )


# Chapters 4 to 7


def evaluate_loss(net: Any, data_iter: Any, loss: Any) -> float:
    """Give the mean loss over a data set."""
    metric = Accumulator(2)
    for X, y in data_iter:
        losses = loss(net(X), y)
        metric.add(float(losses.sum()), losses.size)
    return metric[0] / metric[1]


def try_gpu(i: int = 0) -> Any:
    """Give GPU i if there is one, else the CPU."""
    return npx.gpu(i) if npx.num_gpus() >= i + 1 else npx.cpu()


def try_all_gpus() -> list[Any]:
    """Give all GPUs, or the CPU where there is none."""
    return [npx.gpu(i) for i in range(npx.num_gpus())] or [npx.cpu()]


def corr2d(X: Any, K: Any) -> Any:
    """Cross-correlate a matrix with a kernel, window by window."""
    h, w = K.shape
    Y = np.zeros((X.shape[0] - h + 1, X.shape[1] - w + 1))
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum()
    return Y


def evaluate_accuracy_gpu(net: Any, data_iter: Any, device: Any = None) -> float:
    """Give the accuracy over a data set, on the device of the net unless another is named."""
    if device is None:
        device = next(iter(net.collect_params().values())).list_ctx()[0]
    metric = Accumulator(2)
    for X, y in data_iter:
        X, y = X.as_in_ctx(device), y.as_in_ctx(device)
        metric.add(accuracy(net(X), y), y.size)
    return metric[0] / metric[1]


def train_ch6(
    net: Any, train_iter: Any, test_iter: Any, num_epochs: int, lr: float, device: Any
) -> None:
    """Train a net from Xavier's weights with SGD, with a growing picture; print the results."""
    net.initialize(force_reinit=True, ctx=device, init=init.Xavier())
    loss = gluon.loss.SoftmaxCrossEntropyLoss()
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": lr})
    animator = Animator(
        xlabel="epoch", xlim=[1, num_epochs], legend=["train loss", "train acc", "test acc"]
    )
    timer, num_batches = Timer(), len(train_iter)
    timer.times.clear()
    for epoch in range(num_epochs):
        metric = Accumulator(3)
        for i, (X, y) in enumerate(train_iter):
            timer.start()
            X, y = X.as_in_ctx(device), y.as_in_ctx(device)
            with autograd.record():
                y_hat = net(X)
                losses = loss(y_hat, y)
            losses.backward()
            trainer.step(X.shape[0])
            metric.add(float(losses.sum()), accuracy(y_hat, y), X.shape[0])
            timer.stop()
            train_l, train_acc = metric[0] / metric[2], metric[1] / metric[2]
            if (i + 1) % max(1, num_batches // 5) == 0 or i == num_batches - 1:
                animator.add(epoch + (i + 1) / num_batches, (train_l, train_acc, None))
        test_acc = evaluate_accuracy_gpu(net, test_iter)
        animator.add(epoch + 1, (None, None, test_acc))
    print(f"loss {train_l:.3f}, train acc {train_acc:.3f}, test acc {test_acc:.3f}")
    print(f"{metric[2] * num_epochs / timer.sum():.1f} examples/sec on {device}")


class Residual(nn.Block):
    """Two 3 x 3 convolutions with batch normalisation, added to what came in."""

    def __init__(
        self, num_channels: int, use_1x1conv: bool = False, strides: int = 1, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.conv1 = nn.Conv2D(num_channels, kernel_size=3, padding=1, strides=strides)
        self.conv2 = nn.Conv2D(num_channels, kernel_size=3, padding=1)
        # Where shape changes, what came in goes through a convolution of its own.
        self.conv3 = (
            nn.Conv2D(num_channels, kernel_size=1, strides=strides) if use_1x1conv else None
        )
        self.bn1 = nn.BatchNorm()
        self.bn2 = nn.BatchNorm()

    def forward(self, X: Any) -> Any:
        """Map (B, C, H, W) to (B, num_channels, H / strides, W / strides)."""
        Y = npx.relu(self.bn1(self.conv1(X)))
        Y = self.bn2(self.conv2(Y))
        if self.conv3 is not None:
            X = self.conv3(X)
        return npx.relu(Y + X)


vars(d2l)["numpy"] = _numpy  # the edition's name hides the package


def __getattr__(name: str) -> Any:
    found = attribute_of_packages(name)
    return found if found is not None else name_of_later_chapters("mxnet", name, vars(d2l))
