"""``from d2l import torch as d2l``: the book's functions for tensors and modules.

Book: the sections that ``divekit info d2l.NAME`` says.
"""

import sys
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils import data

from divekit.d2l.bookkeeping import Accumulator, Timer
from divekit.d2l.clothes import Loader, fashion_mnist
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

d2l = sys.modules[__name__]

# The edition's other names for torch's functions.
ones, zeros, arange, meshgrid, linspace, eye = (
    torch.ones, torch.zeros, torch.arange, torch.meshgrid, torch.linspace, torch.eye,
)  # fmt: skip
sin, sinh, cos, cosh, tanh, exp, log, abs = (
    torch.sin, torch.sinh, torch.cos, torch.cosh, torch.tanh, torch.exp, torch.log, torch.abs,
)  # fmt: skip
tensor, normal, rand, matmul = torch.tensor, torch.normal, torch.rand, torch.matmul
concat, stack, int32, float32 = torch.cat, torch.stack, torch.int32, torch.float32


def _numpy(x: Any, *args: Any, **kwargs: Any) -> Any:
    """Give NumPy's view of a tensor, without its graph."""
    return x.detach().numpy(*args, **kwargs)


def size(x: Any) -> int:
    """Give the number of elements."""
    return int(x.numel())


def transpose(x: Any) -> Any:
    """Give the transpose of a matrix."""
    return x.t()


def to(x: Any, *args: Any, **kwargs: Any) -> Any:
    """Call the method of this name."""
    return x.to(*args, **kwargs)


def astype(x: Any, *args: Any, **kwargs: Any) -> Any:
    """Call the method ``type``."""
    return x.type(*args, **kwargs)


# Chapter 3


def synthetic_data(w: Any, b: float, num_examples: int) -> tuple[Any, Any]:
    """Draw X (N, D) and y = Xw + b + noise (N, 1), of standard deviation 0.01."""
    X = torch.normal(0, 1, (num_examples, len(w)))
    y = torch.matmul(X, w) + b
    y += torch.normal(0, 0.01, y.shape)
    return X, y.reshape((-1, 1))


def linreg(X: Any, w: Any, b: Any) -> Any:
    """Give Xw + b."""
    return torch.matmul(X, w) + b


def sgd(params: Any, lr: float, batch_size: int) -> None:
    """Move each parameter against its gradient, which is a sum over the batch, and clear it."""
    with torch.no_grad():
        for param in params:
            param -= lr * param.grad / batch_size
            param.grad.zero_()


def load_array(data_arrays: Any, batch_size: int, is_train: bool = True) -> Any:
    """Give torch's loader of minibatches, shuffled for training."""
    dataset = data.TensorDataset(*data_arrays)
    return data.DataLoader(dataset, batch_size, shuffle=is_train)


def load_data_fashion_mnist(batch_size: int, resize: int | None = None) -> tuple[Any, Any]:
    """Give Fashion-MNIST's minibatches to train on and to test on.

    Images are (B, 1, H, W) in 0-1, labels int64. The order of training follows torch's seed.
    """
    train, test = fashion_mnist(batch_size, resize)
    return Loader(train), Loader(test)


def accuracy(y_hat: Any, y: Any) -> float:
    """Count the correct predictions among scores (B, K) or labels (B,)."""
    if y_hat.ndim > 1 and y_hat.shape[1] > 1:
        y_hat = y_hat.argmax(dim=1)
    return float((y_hat.type(y.dtype) == y).sum())


def evaluate_accuracy(net: Any, data_iter: Any) -> float:
    """Give the share of a data set that a net predicts correctly. A module is put into use."""
    if isinstance(net, nn.Module):
        net.eval()
    metric = Accumulator(2)
    with torch.no_grad():
        for X, y in data_iter:
            metric.add(accuracy(net(X), y), y.numel())
    return metric[0] / metric[1]


def train_epoch_ch3(net: Any, train_iter: Any, loss: Any, updater: Any) -> tuple[float, float]:
    """Train for an epoch; give the mean loss and the accuracy while training.

    ``updater`` is an optimizer of torch's, which goes by the mean of the batch, or a function of
    the batch's size, which divides a sum. ``loss`` gives the mean, or a value for each example.
    """
    if isinstance(net, nn.Module):
        net.train()
    metric = Accumulator(3)
    for X, y in train_iter:
        y_hat = net(X)
        losses = loss(y_hat, y)
        if isinstance(updater, torch.optim.Optimizer):
            updater.zero_grad()
            losses.mean().backward()
            updater.step()
        else:
            (losses.sum() if losses.ndim else losses * len(y)).backward()
            updater(X.shape[0])
        total = losses.sum() if losses.ndim else losses * len(y)
        metric.add(float(total.detach()), accuracy(y_hat.detach(), y), y.numel())
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
    """Give the mean loss over a data set, of a loss with a value for each example."""
    metric = Accumulator(2)
    with torch.no_grad():
        for X, y in data_iter:
            out = net(X)
            losses = loss(out, y.reshape(out.shape) if y.numel() == out.numel() else y)
            metric.add(float(losses.sum()), losses.numel())
    return metric[0] / metric[1]


def try_gpu(i: int = 0) -> torch.device:
    """Give GPU i if there is one, else the CPU."""
    return torch.device(f"cuda:{i}" if torch.cuda.device_count() >= i + 1 else "cpu")


def try_all_gpus() -> list[torch.device]:
    """Give all GPUs, or the CPU where there is none."""
    gpus = [torch.device(f"cuda:{i}") for i in range(torch.cuda.device_count())]
    return gpus or [torch.device("cpu")]


def corr2d(X: Any, K: Any) -> Any:
    """Cross-correlate a matrix with a kernel, window by window."""
    h, w = K.shape
    Y = torch.zeros((X.shape[0] - h + 1, X.shape[1] - w + 1))
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum()
    return Y


def evaluate_accuracy_gpu(net: Any, data_iter: Any, device: Any = None) -> float:
    """Give the accuracy over a data set, on the device of the net unless another is named."""
    if isinstance(net, nn.Module):
        net.eval()
        device = device or next(iter(net.parameters())).device
    metric = Accumulator(2)
    with torch.no_grad():
        for X, y in data_iter:
            X = [x.to(device) for x in X] if isinstance(X, list) else X.to(device)
            y = y.to(device)
            metric.add(accuracy(net(X), y), y.numel())
    return metric[0] / metric[1]


def train_ch6(
    net: Any, train_iter: Any, test_iter: Any, num_epochs: int, lr: float, device: Any
) -> None:
    """Train a net from Xavier's weights with SGD, with a growing picture; print the results."""

    def init_weights(m: nn.Module) -> None:
        if isinstance(m, nn.Linear | nn.Conv2d):
            nn.init.xavier_uniform_(m.weight)

    net.apply(init_weights)
    net.to(device)
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    loss = nn.CrossEntropyLoss()
    animator = Animator(
        xlabel="epoch", xlim=[1, num_epochs], legend=["train loss", "train acc", "test acc"]
    )
    timer, num_batches = Timer(), len(train_iter)
    for epoch in range(num_epochs):
        metric = Accumulator(3)
        net.train()
        for i, (X, y) in enumerate(train_iter):
            timer.start()
            optimizer.zero_grad()
            X, y = X.to(device), y.to(device)
            y_hat = net(X)
            mean = loss(y_hat, y)
            mean.backward()
            optimizer.step()
            mean = mean.detach()
            metric.add(float(mean) * X.shape[0], accuracy(y_hat.detach(), y), X.shape[0])
            timer.stop()
            train_l, train_acc = metric[0] / metric[2], metric[1] / metric[2]
            if (i + 1) % max(1, num_batches // 5) == 0 or i == num_batches - 1:
                animator.add(epoch + (i + 1) / num_batches, (train_l, train_acc, None))
        test_acc = evaluate_accuracy_gpu(net, test_iter)
        animator.add(epoch + 1, (None, None, test_acc))
    print(f"loss {train_l:.3f}, train acc {train_acc:.3f}, test acc {test_acc:.3f}")
    print(f"{metric[2] * num_epochs / timer.sum():.1f} examples/sec on {device}")


class Residual(nn.Module):
    """Two 3 x 3 convolutions with batch normalisation, added to what came in."""

    def __init__(
        self, input_channels: int, num_channels: int, use_1x1conv: bool = False, strides: int = 1
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(
            input_channels, num_channels, kernel_size=3, padding=1, stride=strides
        )
        self.conv2 = nn.Conv2d(num_channels, num_channels, kernel_size=3, padding=1)
        # Where shape changes, what came in goes through a convolution of its own.
        self.conv3 = (
            nn.Conv2d(input_channels, num_channels, kernel_size=1, stride=strides)
            if use_1x1conv
            else None
        )
        self.bn1 = nn.BatchNorm2d(num_channels)
        self.bn2 = nn.BatchNorm2d(num_channels)

    def forward(self, X: Any) -> Any:
        """Map (B, C, H, W) to (B, num_channels, H / strides, W / strides)."""
        Y = F.relu(self.bn1(self.conv1(X)))
        Y = self.bn2(self.conv2(Y))
        if self.conv3 is not None:
            X = self.conv3(X)
        return F.relu(Y + X)


vars(d2l)["numpy"] = _numpy  # the edition's name hides the package


def __getattr__(name: str) -> Any:
    if name in ("torchvision", "transforms"):
        import importlib

        return importlib.import_module("torchvision" + ".transforms" * (name == "transforms"))
    found = attribute_of_packages(name)
    return found if found is not None else name_of_later_chapters("torch", name, vars(d2l))
