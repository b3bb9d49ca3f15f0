"""Networks without side paths: AlexNet and VGG.

Papers: Krizhevsky, Sutskever and Hinton, 2012; Simonyan and Zisserman, 2014,
https://arxiv.org/abs/1409.1556
Shapes: images (N, 3, 224, 224) to scores (N, classes)
"""

from typing import Any

from divekit.mx import initializer as init
from divekit.mx.gluon import nn
from divekit.mx.gluon.hybrid import HybridBlock
from divekit.mx.gluon.model_zoo.vision.loading import with_weights


class _Plain(HybridBlock):
    """``features`` and, on top, ``output``."""

    features: Any
    output: Any

    def forward(self, x: Any) -> Any:
        """Score images."""
        return self.output(self.features(x))


class AlexNet(_Plain):
    """Five convolutions and three dense layers."""

    def __init__(self, classes: int = 1000, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        with self.name_scope():
            self.features = nn.HybridSequential(prefix="")
            with self.features.name_scope():
                self.features.add(
                    nn.Conv2D(64, kernel_size=11, strides=4, padding=2, activation="relu"),
                    nn.MaxPool2D(pool_size=3, strides=2),
                    nn.Conv2D(192, kernel_size=5, padding=2, activation="relu"),
                    nn.MaxPool2D(pool_size=3, strides=2),
                    nn.Conv2D(384, kernel_size=3, padding=1, activation="relu"),
                    nn.Conv2D(256, kernel_size=3, padding=1, activation="relu"),
                    nn.Conv2D(256, kernel_size=3, padding=1, activation="relu"),
                    nn.MaxPool2D(pool_size=3, strides=2),
                    nn.Flatten(),
                )
                _dense(self.features)
            self.output = nn.Dense(classes)


class VGG(_Plain):
    """Stacks of convolutions of 3 by 3, each halved by pooling, and three dense layers."""

    def __init__(
        self,
        layers: list[int],
        filters: list[int],
        classes: int = 1000,
        batch_norm: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        with self.name_scope():
            self.features = nn.HybridSequential(prefix="")
            drawn = init.Xavier(rnd_type="gaussian", factor_type="out", magnitude=2)
            for count, channels in zip(layers, filters, strict=True):
                for _ in range(count):
                    self.features.add(
                        nn.Conv2D(channels, kernel_size=3, padding=1, weight_initializer=drawn)
                    )
                    if batch_norm:
                        self.features.add(nn.BatchNorm())
                    self.features.add(nn.Activation("relu"))
                self.features.add(nn.MaxPool2D(strides=2))
            _dense(self.features, weight_initializer="normal")
            self.output = nn.Dense(classes, weight_initializer="normal")


def _dense(features: Any, **kwargs: Any) -> None:
    for _ in range(2):
        features.add(nn.Dense(4096, activation="relu", **kwargs), nn.Dropout(rate=0.5))


_FILTERS = [64, 128, 256, 512, 512]
_SPECS = {
    11: [1, 1, 2, 2, 2],
    13: [2, 2, 2, 2, 2],
    16: [2, 2, 3, 3, 3],
    19: [2, 2, 4, 4, 4],
}


def alexnet(pretrained: bool = False, ctx: Any = None, root: Any = None, **kwargs: Any) -> Any:
    """Make AlexNet; takes pretrained, classes."""
    return with_weights(AlexNet(**kwargs), "alexnet", pretrained, ctx, root)


def get_vgg(
    num_layers: int, pretrained: bool = False, ctx: Any = None, root: Any = None, **kwargs: Any
) -> Any:
    """Make the VGG of that number of layers, with ``batch_norm`` or without."""
    if num_layers not in _SPECS:
        raise ValueError(f"there is no VGG {num_layers}; layers are {', '.join(map(str, _SPECS))}")
    net = VGG(_SPECS[num_layers], _FILTERS, **kwargs)
    end = "_bn" if kwargs.get("batch_norm") else ""
    return with_weights(net, f"vgg{num_layers}{end}", pretrained, ctx, root)


def _named(num_layers: int, batch_norm: bool) -> Any:
    def make(**kwargs: Any) -> Any:
        return get_vgg(num_layers, batch_norm=batch_norm, **kwargs)

    make.__name__ = make.__qualname__ = f"vgg{num_layers}{'_bn' if batch_norm else ''}"
    make.__doc__ = f"Make the VGG of {num_layers} layers; takes pretrained, classes."
    return make


vgg11, vgg13, vgg16, vgg19 = (_named(number, False) for number in _SPECS)
vgg11_bn, vgg13_bn, vgg16_bn, vgg19_bn = (_named(number, True) for number in _SPECS)
