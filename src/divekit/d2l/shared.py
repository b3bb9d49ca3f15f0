"""What is the same in both editions, for arrays and tensors alike."""

import os
import sys
from collections.abc import Callable
from typing import Any

from divekit.d2l.clothes import class_names
from divekit.d2l.pictures import Animator, show_images

BOOK_EPOCHS = 10
"""What ``train_ch3`` asks for was printed after so many; a quick look is not judged by it."""


def reshape(x: Any, *args: Any, **kwargs: Any) -> Any:
    """Call the method of this name."""
    return x.reshape(*args, **kwargs)


def reduce_sum(x: Any, *args: Any, **kwargs: Any) -> Any:
    """Call the method ``sum``."""
    return x.sum(*args, **kwargs)


def argmax(x: Any, *args: Any, **kwargs: Any) -> Any:
    """Call the method of this name."""
    return x.argmax(*args, **kwargs)


def squared_loss(y_hat: Any, y: Any) -> Any:
    """Give half the squared difference of each prediction."""
    return (y_hat - y.reshape(y_hat.shape)) ** 2 / 2


def get_dataloader_workers() -> int:
    """Give the number of workers for a loader: 4, as far as there are processors; 0 on Windows.

    PyTorch warns of more workers than processors. Book: 3.5.
    """
    if sys.platform.startswith("win"):
        return 0
    affinity = getattr(os, "sched_getaffinity", None)
    return min(4, len(affinity(0)) if affinity else os.cpu_count() or 1)


def get_fashion_mnist_labels(labels: Any) -> list[str]:
    """Give the names of Fashion-MNIST's labels."""
    return class_names(labels)


def train_ch3_with(
    train_epoch: Callable[[], tuple[float, float]],
    test_accuracy: Callable[[], float],
    num_epochs: int,
) -> None:
    """Train epoch by epoch with a growing picture; after the book's epochs its bounds must hold.

    Raises AssertionError for a training loss of 0.5 or more, or an accuracy of 0.7 or less.
    """
    animator = Animator(
        xlabel="epoch",
        xlim=[1, num_epochs],
        ylim=[0.3, 0.9],
        legend=["train loss", "train acc", "test acc"],
    )
    for epoch in range(num_epochs):
        train_loss, train_acc = train_epoch()
        test_acc = test_accuracy()
        animator.add(epoch + 1, (train_loss, train_acc, test_acc))
    if num_epochs >= BOOK_EPOCHS:
        assert train_loss < 0.5, train_loss
        assert 0.7 < train_acc <= 1, train_acc
        assert 0.7 < test_acc <= 1, test_acc


def predict_ch3(net: Any, test_iter: Any, n: int = 6) -> None:
    """Show n images of the first batch, with true and predicted names."""
    X, y = next(iter(test_iter))
    trues = class_names(y)
    preds = class_names(net(X).argmax(axis=1))
    titles = [f"{true}\n{pred}" for true, pred in zip(trues, preds, strict=True)]
    show_images(X[:n].reshape((n, *X.shape[-2:])), 1, n, titles=titles[:n])
