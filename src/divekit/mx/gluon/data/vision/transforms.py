"""``gluon.data.vision.transforms``: what is done to pictures, alone or one after the other."""

from typing import Any

from divekit.mx.errors import MissingNameError as _MissingNameError
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
    if name in ("Rotate", "RandomRotation"):
        raise _MissingNameError(
            f"transforms.{name} is not part of divekit.mx; torchvision.transforms has it"
        )
    raise AttributeError(f"module 'mxnet.gluon.data.vision.transforms' has no attribute {name!r}")
