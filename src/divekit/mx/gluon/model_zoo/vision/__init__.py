"""``gluon.model_zoo.vision``: networks for images, with weights from files of your own."""

from typing import Any

from divekit.mx.errors import no_attribute
from divekit.mx.gluon.model_zoo.vision import plain, resnet
from divekit.mx.gluon.model_zoo.vision.plain import (
    VGG,
    AlexNet,
    alexnet,
    get_vgg,
    vgg11,
    vgg11_bn,
    vgg13,
    vgg13_bn,
    vgg16,
    vgg16_bn,
    vgg19,
    vgg19_bn,
)
from divekit.mx.gluon.model_zoo.vision.resnet import (
    BasicBlockV1,
    BasicBlockV2,
    BottleneckV1,
    BottleneckV2,
    ResNetV1,
    ResNetV2,
    get_resnet,
    resnet18_v1,
    resnet18_v2,
    resnet34_v1,
    resnet34_v2,
    resnet50_v1,
    resnet50_v2,
    resnet101_v1,
    resnet101_v2,
    resnet152_v1,
    resnet152_v2,
)

__all__ = [
    "VGG",
    "AlexNet",
    "BasicBlockV1",
    "BasicBlockV2",
    "BottleneckV1",
    "BottleneckV2",
    "ResNetV1",
    "ResNetV2",
    "alexnet",
    "get_model",
    "get_resnet",
    "get_vgg",
    "resnet18_v1",
    "resnet18_v2",
    "resnet34_v1",
    "resnet34_v2",
    "resnet50_v1",
    "resnet50_v2",
    "resnet101_v1",
    "resnet101_v2",
    "resnet152_v1",
    "resnet152_v2",
    "vgg11",
    "vgg11_bn",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg19",
    "vgg19_bn",
]

_MODELS = {
    name: make
    for part in (plain, resnet)
    for name, make in vars(part).items()
    if name.startswith(("alexnet", "vgg", "resnet"))
}
_NOT_HERE = ("densenet", "inception", "mobilenet", "squeezenet")


def get_model(name: str, **kwargs: Any) -> Any:
    """Make a network by its name."""
    found = _MODELS.get(name.lower())
    if found is None:
        raise ValueError(f"there is no network {name!r}; there is {', '.join(sorted(_MODELS))}")
    return found(**kwargs)


def __getattr__(name: str) -> Any:
    instead = "torchvision.models" if name.startswith(_NOT_HERE) else None
    raise no_attribute("mxnet.gluon.model_zoo.vision", name, instead)
