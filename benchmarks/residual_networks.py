"""Steps of the book's ResNet-18 and DenseNet, as ``fit`` takes them, beside a plain loop's.

A step goes forward and backward through 128 images of 96 pixels and updates the weights. The loop
is what a reader would write: torch's default layout and single precision.
"""

from dataclasses import replace

import torch
import torch.nn.functional as F

from benchmarks.harness import Call, Contender, Job, Ratio, both_allocators
from divekit import recipes
from divekit.models import DenseNet, ResNet
from divekit.train import State, supervised_step
from divekit.train.recipe import Precision

BATCH, SIDE, LR = 128, 96, 0.05


def by_fit(network: str, precision: Precision) -> Call:
    """Prepare the step that ``fit`` takes for a recipe."""
    batch = draw()
    recipe = replace(recipes.RECIPES[network](lr=LR), precision=precision)
    model = recipe.model(recipe.data.facts).train()
    state = State(recipe, model, torch.device("cpu"))
    step = supervised_step(recipe)

    def call() -> None:
        step(model, batch, state)

    return call


def by_hand(network: str) -> Call:
    """Prepare the same step without any care for speed."""
    images, labels = draw()
    model = {
        "resnet18": lambda: ResNet(1, 10, SIDE, book=True),
        "densenet": lambda: DenseNet(1, 10, SIDE, (4, 4, 4, 4), bottleneck=0, biases=True),
    }[network]()
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)

    def call() -> None:
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()

    return call


def draw() -> tuple[torch.Tensor, torch.Tensor]:
    """Draw a batch of images (B, 1, H, W) and labels (B,)."""
    torch.manual_seed(0)
    return torch.rand(BATCH, 1, SIDE, SIDE), torch.randint(10, (BATCH,))


BF16, FP32, HAND = "fit, bf16", "fit, fp32", "loop by hand, fp32"

JOBS = tuple(
    Job(
        f"{title}, training step",
        f"{BATCH} images of {SIDE} x {SIDE}, forward, backward and update",
        (
            *both_allocators(BF16, by_fit, network=network, precision="bf16"),
            *both_allocators(FP32, by_fit, network=network, precision="fp32"),
            Contender(HAND, by_hand, {"network": network}),
        ),
        (
            # No goal: a processor that cannot multiply bfloat16 is slower with it.
            Ratio(HAND, BF16),
            Ratio(HAND, FP32, at_least=1.0),
            Ratio(HAND, f"{BF16}, default allocator"),
            Ratio(HAND, f"{FP32}, default allocator"),
        ),
        rounds=5,
    )
    for network, title in (("resnet18", "ResNet-18"), ("densenet", "DenseNet"))
)
