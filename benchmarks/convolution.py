"""LeNet's two convolutions, forward and backward: ours from scratch beside torch's own.

Both contenders keep freed memory, so that the ratio is one of computing and not of allocating.
The first layer's inputs are pixels, which need no gradient.
"""

import torch
from torch import nn

from benchmarks.harness import Call, Contender, Job, Ratio
from divekit.nn import Conv2dScratch

BATCH = 256  # as in the recipe
LAYERS = {
    "first": ({"in_channels": 1, "out_channels": 6, "kernel_size": 5, "padding": 2}, 28),
    "second": ({"in_channels": 6, "out_channels": 16, "kernel_size": 5}, 14),
}


def by_layer(which: str, scratch: bool) -> Call:
    """Prepare a layer with its inputs; the call goes forward and backward."""
    settings, side = LAYERS[which]
    torch.manual_seed(0)
    images = torch.randn(BATCH, settings["in_channels"], side, side)
    images.requires_grad_(which == "second")
    theirs = nn.Conv2d(**settings)
    pull = torch.randn_like(theirs(images))
    layer = Conv2dScratch(**settings) if scratch else theirs
    layer.load_state_dict(theirs.state_dict())

    def call() -> float:
        layer.zero_grad()
        images.grad = None
        layer(images).backward(pull)
        return layer.weight.grad.norm().item()

    return call


OURS, TORCH = "Conv2dScratch", "torch.nn.Conv2d"

JOBS = tuple(
    Job(
        f"convolution, LeNet's {which} layer",
        f"{BATCH} images, {LAYERS[which][0]['in_channels']} to "
        f"{LAYERS[which][0]['out_channels']} channels, forward and backward",
        (
            Contender(OURS, by_layer, {"which": which, "scratch": True}, keeps_memory=True),
            Contender(TORCH, by_layer, {"which": which, "scratch": False}, keeps_memory=True),
        ),
        (Ratio(OURS, TORCH, at_most=2),),
    )
    for which in LAYERS
)
