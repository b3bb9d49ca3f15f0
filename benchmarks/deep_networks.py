"""A training step of chapter 7's networks: as ``fit`` takes it, beside a loop in plain torch.

The peer is what one would write without this library: the same model in torch's own layout of
memory, float32, and the allocator's default. Ours lays convolutions out pixel by pixel, as the
recipes do, and keeps freed memory; with ``precision=bf16`` it computes products in bfloat16, which
is a setting and no default, and faster only where the processor has instructions for it.

Batches have 128 images. AlexNet and VGG get them at the book's 224 pixels, the others at 96.
"""

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.harness import Call, Contender, Job, Ratio
from divekit.data import FashionMNIST
from divekit.models import VGG, AlexNet, DenseNet, GoogLeNet, NiN, ResNet
from divekit.recipes import RECIPES
from divekit.train import State, supervised_step
from divekit.train.recipe import Precision

BATCH = 128
SIDES = {"alexnet": 224, "vgg": 224, "nin": 96, "googlenet": 96, "resnet18": 96, "densenet": 96}
# The networks of the recipes, made without them.
PLAIN = {
    "alexnet": AlexNet,
    "vgg": lambda: VGG(width=0.25),
    "nin": NiN,
    "googlenet": GoogLeNet,
    "resnet18": lambda: ResNet(1, 10, 96, book=True),
    "densenet": lambda: DenseNet(1, 10, 96, (4, 4, 4, 4), bottleneck=0, biases=True),
}
# How many times as fast as the loop a step in bfloat16 should be.
GOALS = {"resnet18": 2.0}


def by_fit(name: str, precision: Precision) -> Call:
    """Prepare the recipe's model and step; the call takes a step as ``fit`` does."""
    recipe = replace(RECIPES[name](resize=SIDES[name]), precision=precision)
    batch = make_batch(name)
    torch.manual_seed(0)
    model = recipe.model(FashionMNIST(resize=SIDES[name]).facts)
    state, step = State(recipe, model, torch.device("cpu")), supervised_step(recipe)
    agreed = gradient_before(model, *batch)

    def call() -> float:
        step(model, batch, state)
        return agreed

    return call


def by_hand(name: str) -> Call:
    """Prepare the network and SGD; the call takes a step in plain torch."""
    images, labels = make_batch(name)
    torch.manual_seed(0)
    model = PLAIN[name]()
    optimizer = RECIPES[name]().optimizer(model)
    agreed = gradient_before(model, images, labels)

    def call() -> float:
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()
        return agreed

    return call


def make_batch(name: str) -> tuple[Tensor, Tensor]:
    """Draw random images and labels."""
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(BATCH, 1, SIDES[name], SIDES[name], generator=generator)
    return images, torch.randint(10, (BATCH,), generator=generator)


def gradient_before(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Give the size of the first layer's gradient before any step, without dropout.

    All contenders must come to the same: they have the same network and the same images.
    """
    F.cross_entropy(model.eval()(images[:8]), labels[:8]).backward()
    model.train()
    return next(model.parameters()).grad.norm().item()


OURS, BF16, PLAIN_LOOP = "fit's step", "fit's step, bf16", "loop in plain torch"


def job(name: str) -> Job:
    """Make the job of one network."""
    settings = {"name": name}
    return Job(
        f"deep networks, {name}",
        f"one step on {BATCH} images of {SIDES[name]} x {SIDES[name]} pixels",
        (
            Contender(OURS, by_fit, settings | {"precision": "fp32"}, keeps_memory=True),
            Contender(BF16, by_fit, settings | {"precision": "bf16"}, keeps_memory=True),
            Contender(PLAIN_LOOP, by_hand, settings),
        ),
        (Ratio(PLAIN_LOOP, OURS), Ratio(PLAIN_LOOP, BF16, at_least=GOALS.get(name, 1.6))),
        rounds=5,
    )


JOBS = tuple(job(name) for name in SIDES)
