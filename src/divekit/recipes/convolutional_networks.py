"""Convolutional networks.

Book: 6.6 (LeNet)
"""

from typing import Literal, TypeVar

import torch
from torch import nn
from torch.nn.utils import convert_conv2d_weight_memory_format

from divekit.data import FashionMNIST
from divekit.evaluate import accuracy
from divekit.models import LeNet
from divekit.nn import cross_entropy
from divekit.recipes.on_sample import on_sample
from divekit.train import Goal, Recipe, recipe

Model = TypeVar("Model", bound=nn.Module)


# 45 batches of digits an epoch are too few for SGD to leave the plateau on which sigmoids begin.
@on_sample(optimizer="adam", lr=0.005, epochs=6)
@recipe
def lenet(
    lr: float = 0.9,
    epochs: int = 10,
    batch_size: int = 256,
    optimizer: Literal["sgd", "adam"] = "sgd",
    seed: int = 0,
) -> Recipe:
    """LeNet with sigmoids and average pooling on Fashion-MNIST (book 6.6)."""
    rule = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[optimizer]
    return Recipe(
        data=FashionMNIST(batch_size=batch_size, resize=28),  # as they are; the sample is enlarged
        model=lambda facts: channels_last(
            LeNet(facts.input_shape[0], facts.num_classes, facts.input_shape[1:])
        ),
        loss=cross_entropy,
        optimizer=lambda model: rule(model.parameters(), lr=lr),
        metrics={"accuracy": accuracy},
        epochs=epochs,
        seed=seed,
        goals=(
            Goal("test_accuracy", at_least=0.8, on="fashion_mnist"),
            Goal("test_accuracy", at_least=0.92, on="digits"),
        ),
    )


def channels_last(model: Model) -> Model:
    """Lay a network's convolutions out pixel by pixel, all channels of each: so they are faster."""
    return convert_conv2d_weight_memory_format(model, torch.channels_last)
