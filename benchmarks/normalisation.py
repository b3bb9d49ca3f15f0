"""Batch normalisation in training, forward and backward: ours from scratch beside torch's own.

The inputs are those of the four normalisations of LeNet (7.5), and of the first stage of ResNet-18.
Both contenders keep freed memory, so that the ratio is one of computing and not of allocating.
"""

import torch
from torch import nn

from benchmarks.harness import Call, Contender, Job, Ratio
from divekit.nn import BatchNormScratch

SHAPES = {
    "LeNet's first": (256, 6, 24, 24),
    "LeNet's second": (256, 16, 8, 8),
    "LeNet's third": (256, 120),
    "LeNet's fourth": (256, 84),
    "ResNet-18's first stage": (128, 64, 24, 24),
}


def by_layer(which: str, scratch: bool) -> Call:
    """Prepare a layer with its inputs; the call goes forward and backward."""
    shape = SHAPES[which]
    torch.manual_seed(0)
    inputs = torch.randn(shape, requires_grad=True)
    pull = torch.randn(shape)
    torchs = nn.BatchNorm2d if len(shape) == 4 else nn.BatchNorm1d
    layer = (BatchNormScratch if scratch else torchs)(shape[1])

    def call() -> float:
        layer.zero_grad()
        inputs.grad = None
        layer(inputs).backward(pull)
        return layer.weight.grad.norm().item()

    return call


OURS, TORCH = "BatchNormScratch", "torch.nn.BatchNorm"

JOBS = tuple(
    Job(
        f"batch normalisation, {which}",
        f"{' x '.join(str(size) for size in shape)}, forward and backward",
        (
            Contender(OURS, by_layer, {"which": which, "scratch": True}, keeps_memory=True),
            Contender(TORCH, by_layer, {"which": which, "scratch": False}, keeps_memory=True),
        ),
        (Ratio(OURS, TORCH, at_most=2),),
    )
    for which, shape in SHAPES.items()
)
