"""What ``divekit.mx.gluon`` costs where a network trains: LeNet, a step on 256 images.

Each contender does ten steps on the same batch: forward, loss, backward, gradient descent.
"""

import torch
from torch import nn as torch_nn

from benchmarks.harness import Call, Contender, Job, Ratio
from divekit.mx import autograd, gluon, init, np
from divekit.mx.gluon import nn

STEPS = 10


def batch(size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw images and labels."""
    return torch.rand(size, 1, 28, 28), torch.randint(0, 10, (size,))


def eager_torch(size: int) -> Call:
    """Train the network of torch's layers."""
    net = torch_nn.Sequential(
        torch_nn.Conv2d(1, 6, 5, padding=2),
        torch_nn.Sigmoid(),
        torch_nn.AvgPool2d(2),
        torch_nn.Conv2d(6, 16, 5),
        torch_nn.Sigmoid(),
        torch_nn.AvgPool2d(2),
        torch_nn.Flatten(),
        torch_nn.Linear(400, 120),
        torch_nn.Sigmoid(),
        torch_nn.Linear(120, 84),
        torch_nn.Sigmoid(),
        torch_nn.Linear(84, 10),
    )
    optimizer, loss = torch.optim.SGD(net.parameters(), lr=0.9), torch_nn.CrossEntropyLoss()
    images, labels = batch(size)

    def steps() -> None:
        for _ in range(STEPS):
            optimizer.zero_grad()
            loss(net(images), labels).backward()
            optimizer.step()

    return steps


def gluon_blocks(size: int) -> Call:
    """Train the network of Gluon's layers."""
    net = nn.Sequential()
    net.add(
        nn.Conv2D(6, kernel_size=5, padding=2, activation="sigmoid"),
        nn.AvgPool2D(pool_size=2, strides=2),
        nn.Conv2D(16, kernel_size=5, activation="sigmoid"),
        nn.AvgPool2D(pool_size=2, strides=2),
        nn.Dense(120, activation="sigmoid"),
        nn.Dense(84, activation="sigmoid"),
        nn.Dense(10),
    )
    net.initialize(init.Xavier())
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.9})
    loss = gluon.loss.SoftmaxCrossEntropyLoss()
    images, labels = map(np.array, batch(size))

    def steps() -> None:
        for _ in range(STEPS):
            with autograd.record():
                error = loss(net(images), labels)
            error.backward()
            trainer.step(size)

    return steps


def job(size: int, at_most: float) -> Job:
    """Set the two beside each other."""
    settings = {"size": size}
    ours = Contender("gluon", gluon_blocks, settings)
    theirs = Contender("eager torch", eager_torch, settings)
    return Job(
        f"mx LeNet, batches of {size}",
        f"{STEPS} steps on {size} images",
        (ours, theirs),
        (Ratio(ours.name, theirs.name, at_most=at_most),),
        rounds=10,
    )


JOBS = (job(256, at_most=1.3), job(16, at_most=1.5))
