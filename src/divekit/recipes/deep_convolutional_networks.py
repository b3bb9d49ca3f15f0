"""Deep convolutional networks.

Book: 7.1 (AlexNet), 7.2 (VGG), 7.3 (NiN), 7.4 (GoogLeNet)

The goals on Fashion-MNIST stand below what the book's notebooks printed for these settings. Ten
epochs at 224 pixels take minutes on a GPU and many hours on a CPU. Of the sample's 1,437 images
SGD would need many more epochs: there the networks are narrow, and take Adam and the initial
values made for ReLU.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from divekit.data import FashionMNIST
from divekit.evaluate import accuracy
from divekit.models import VGG, VGG11, VGG13, VGG16, VGG19, AlexNet, GoogLeNet, NiN
from divekit.nn import cross_entropy
from divekit.recipes.convolutional_networks import channels_last
from divekit.recipes.on_sample import on_sample
from divekit.train import Goal, Recipe, recipe

INITIAL: dict[str, Callable[[Tensor], object]] = {
    "xavier": nn.init.xavier_uniform_,
    "kaiming": nn.init.kaiming_normal_,
}
"""How the first weights are drawn: as the book does, or in the way made for ReLU (4.8)."""
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
}


@on_sample(
    resize=65, width=0.125, hidden=512, initial="kaiming", optimizer="adam", lr=0.002, epochs=3
)
@recipe
def alexnet(
    lr: float = 0.01,
    epochs: int = 10,
    batch_size: int = 128,
    resize: int = 224,
    width: float = 1.0,
    hidden: int = 4096,
    initial: Literal["xavier", "kaiming"] = "xavier",
    optimizer: Literal["sgd", "adam"] = "sgd",
    seed: int = 0,
) -> Recipe:
    """AlexNet on Fashion-MNIST, enlarged to 224 pixels (book 7.1)."""
    return Recipe(
        data=FashionMNIST(batch_size=batch_size, resize=resize),
        model=lambda facts: channels_last(
            AlexNet(
                facts.input_shape[0],
                facts.num_classes,
                facts.input_shape[1:],
                width=width,
                hidden=hidden,
                initial=INITIAL[initial],
            )
        ),
        loss=cross_entropy,
        optimizer=lambda model: OPTIMIZERS[optimizer](model.parameters(), lr=lr),
        metrics={"accuracy": accuracy},
        epochs=epochs,
        seed=seed,
        goals=(
            Goal("test_accuracy", at_least=0.86, on="fashion_mnist"),
            Goal("test_accuracy", at_least=0.85, on="digits"),
        ),
    )


@on_sample(
    resize=32, width=0.125, hidden=512, initial="kaiming", optimizer="adam", lr=0.002, epochs=3
)
@recipe
def vgg(
    depth: Literal[11, 13, 16, 19] = 11,
    lr: float = 0.05,
    epochs: int = 10,
    batch_size: int = 128,
    resize: int = 224,
    width: float = 0.25,
    hidden: int = 4096,
    initial: Literal["xavier", "kaiming"] = "xavier",
    optimizer: Literal["sgd", "adam"] = "sgd",
    seed: int = 0,
) -> Recipe:
    """VGG-11, a quarter as wide, on Fashion-MNIST, enlarged to 224 pixels (book 7.2)."""
    blocks = {11: VGG11, 13: VGG13, 16: VGG16, 19: VGG19}[depth]
    return Recipe(
        data=FashionMNIST(batch_size=batch_size, resize=resize),
        model=lambda facts: channels_last(
            VGG(
                facts.input_shape[0],
                facts.num_classes,
                facts.input_shape[1:],
                blocks=blocks,
                width=width,
                hidden=hidden,
                initial=INITIAL[initial],
            )
        ),
        loss=cross_entropy,
        optimizer=lambda model: OPTIMIZERS[optimizer](model.parameters(), lr=lr),
        metrics={"accuracy": accuracy},
        epochs=epochs,
        seed=seed,
        goals=(
            Goal("test_accuracy", at_least=0.9, on="fashion_mnist"),
            Goal("test_accuracy", at_least=0.85, on="digits"),
        ),
    )


@on_sample(
    resize=99,
    width=0.125,
    dropout=0.0,
    last_relu=False,
    initial="kaiming",
    optimizer="adam",
    lr=0.002,
    epochs=5,
)
@recipe
def nin(
    lr: float = 0.1,
    epochs: int = 10,
    batch_size: int = 128,
    resize: int = 224,
    width: float = 1.0,
    dropout: float = 0.5,
    last_relu: bool = True,
    initial: Literal["xavier", "kaiming"] = "xavier",
    optimizer: Literal["sgd", "adam"] = "sgd",
    seed: int = 0,
) -> Recipe:
    """Network in Network on Fashion-MNIST, enlarged to 224 pixels (book 7.3).

    Of the book's own runs some miss the goal: see ``last_relu`` of ``NiN``.
    """
    return Recipe(
        data=FashionMNIST(batch_size=batch_size, resize=resize),
        model=lambda facts: channels_last(
            NiN(
                facts.input_shape[0],
                facts.num_classes,
                facts.input_shape[1:],
                width=width,
                dropout=dropout,
                last_relu=last_relu,
                initial=INITIAL[initial],
            )
        ),
        loss=cross_entropy,
        optimizer=lambda model: OPTIMIZERS[optimizer](model.parameters(), lr=lr),
        metrics={"accuracy": accuracy},
        epochs=epochs,
        seed=seed,
        goals=(
            Goal("test_accuracy", at_least=0.84, on="fashion_mnist"),
            # 0.88 to 0.93 with one thread; 0.76 was seen with two, which add up in another order.
            Goal("test_accuracy", at_least=0.7, on="digits"),
        ),
    )


@on_sample(resize=24, width=0.25, initial="kaiming", optimizer="adam", lr=0.001, epochs=3)
@recipe
def googlenet(
    lr: float = 0.1,
    epochs: int = 10,
    batch_size: int = 128,
    resize: int = 96,
    width: float = 1.0,
    initial: Literal["xavier", "kaiming"] = "xavier",
    optimizer: Literal["sgd", "adam"] = "sgd",
    seed: int = 0,
) -> Recipe:
    """GoogLeNet on Fashion-MNIST, enlarged to 96 pixels (book 7.4)."""
    return Recipe(
        data=FashionMNIST(batch_size=batch_size, resize=resize),
        model=lambda facts: channels_last(
            GoogLeNet(
                facts.input_shape[0], facts.num_classes, width=width, initial=INITIAL[initial]
            )
        ),
        loss=cross_entropy,
        optimizer=lambda model: OPTIMIZERS[optimizer](model.parameters(), lr=lr),
        metrics={"accuracy": accuracy},
        epochs=epochs,
        seed=seed,
        goals=(
            Goal("test_accuracy", at_least=0.85, on="fashion_mnist"),
            Goal("test_accuracy", at_least=0.7, on="digits"),
        ),
    )
