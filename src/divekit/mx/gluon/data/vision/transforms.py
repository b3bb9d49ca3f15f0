"""``gluon.data.vision.transforms``: what is done to pictures, alone or one after the other."""

from typing import Any

from divekit.mx.errors import no_attribute as _no_attribute
from divekit.mx.gluon.data.vision.colors import (
    RandomBrightness,
    RandomColorJitter,
    RandomContrast,
    RandomGray,
    RandomHue,
    RandomLighting,
    RandomSaturation,
)
from divekit.mx.gluon.data.vision.geometry import (
    Cast,
    CenterCrop,
    Compose,
    CropResize,
    HybridCompose,
    Normalize,
    RandomApply,
    RandomCrop,
    RandomFlipLeftRight,
    RandomFlipTopBottom,
    RandomResizedCrop,
    Resize,
    ToTensor,
)

__all__ = [
    "Cast",
    "CenterCrop",
    "Compose",
    "CropResize",
    "HybridCompose",
    "Normalize",
    "RandomApply",
    "RandomBrightness",
    "RandomColorJitter",
    "RandomContrast",
    "RandomCrop",
    "RandomFlipLeftRight",
    "RandomFlipTopBottom",
    "RandomGray",
    "RandomHue",
    "RandomLighting",
    "RandomResizedCrop",
    "RandomSaturation",
    "Resize",
    "ToTensor",
]


def __getattr__(name: str) -> Any:
    turns = name in ("Rotate", "RandomRotation")
    instead = "torchvision.transforms.RandomRotation" if turns else None
    raise _no_attribute("mxnet.gluon.data.vision.transforms", name, instead)
