"""Residual networks, in the order of layers of 2015 (v1) and of 2016 (v2).

Papers: He et al., 2015, https://arxiv.org/abs/1512.03385; 2016, https://arxiv.org/abs/1603.05027
Shapes: images (N, 3, 224, 224) to scores (N, classes)
"""

from typing import Any

from divekit.mx.gluon import nn
from divekit.mx.gluon.hybrid import HybridBlock
from divekit.mx.gluon.model_zoo.vision.loading import with_weights
from divekit.mx.npx.activations import relu


def _conv3(channels: int, stride: int, inputs: int) -> Any:
    return nn.Conv2D(channels, 3, stride, 1, use_bias=False, in_channels=inputs)


class BasicBlockV1(HybridBlock):
    """Two convolutions, each normalised, added to the input."""

    def __init__(
        self, channels: int, stride: int, downsample: bool = False, in_channels: int = 0,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.body = nn.HybridSequential(prefix="")
        self.body.add(
            _conv3(channels, stride, in_channels),
            nn.BatchNorm(),
            nn.Activation("relu"),
            _conv3(channels, 1, channels),
            nn.BatchNorm(),
        )
        self.downsample = _shortcut(channels, stride, in_channels) if downsample else None

    def forward(self, x: Any) -> Any:
        """Add what the body makes of the input to it."""
        residual = x if self.downsample is None else self.downsample(x)
        return relu(self.body(x) + residual)


class BottleneckV1(HybridBlock):
    """Three convolutions, the middle one on a quarter of the channels."""

    def __init__(
        self, channels: int, stride: int, downsample: bool = False, in_channels: int = 0,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.body = nn.HybridSequential(prefix="")
        self.body.add(
            nn.Conv2D(channels // 4, kernel_size=1, strides=stride),
            nn.BatchNorm(),
            nn.Activation("relu"),
            _conv3(channels // 4, 1, channels // 4),
            nn.BatchNorm(),
            nn.Activation("relu"),
            nn.Conv2D(channels, kernel_size=1, strides=1),
            nn.BatchNorm(),
        )
        self.downsample = _shortcut(channels, stride, in_channels) if downsample else None

    forward = BasicBlockV1.forward


def _shortcut(channels: int, stride: int, inputs: int) -> nn.HybridSequential:
    made = nn.HybridSequential(prefix="")
    made.add(
        nn.Conv2D(channels, kernel_size=1, strides=stride, use_bias=False, in_channels=inputs),
        nn.BatchNorm(),
    )
    return made


class BasicBlockV2(HybridBlock):
    """Two convolutions, each after its normalisation, added to the input."""

    def __init__(
        self, channels: int, stride: int, downsample: bool = False, in_channels: int = 0,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.bn1 = nn.BatchNorm()
        self.conv1 = _conv3(channels, stride, in_channels)
        self.bn2 = nn.BatchNorm()
        self.conv2 = _conv3(channels, 1, channels)
        self.downsample = (
            nn.Conv2D(channels, 1, stride, use_bias=False, in_channels=in_channels)
            if downsample
            else None
        )

    def forward(self, x: Any) -> Any:
        """Add what the convolutions make of the input to it."""
        ready = relu(self.bn1(x))
        residual = x if self.downsample is None else self.downsample(ready)
        return self.conv2(relu(self.bn2(self.conv1(ready)))) + residual


class BottleneckV2(HybridBlock):
    """Three convolutions, each after its normalisation, the middle one on a quarter."""

    def __init__(
        self, channels: int, stride: int, downsample: bool = False, in_channels: int = 0,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        quarter = channels // 4
        self.bn1 = nn.BatchNorm()
        self.conv1 = nn.Conv2D(quarter, kernel_size=1, strides=1, use_bias=False)
        self.bn2 = nn.BatchNorm()
        self.conv2 = _conv3(quarter, stride, quarter)
        self.bn3 = nn.BatchNorm()
        self.conv3 = nn.Conv2D(channels, kernel_size=1, strides=1, use_bias=False)
        self.downsample = (
            nn.Conv2D(channels, 1, stride, use_bias=False, in_channels=in_channels)
            if downsample
            else None
        )

    def forward(self, x: Any) -> Any:
        """Add what the convolutions make of the input to it."""
        ready = relu(self.bn1(x))
        residual = x if self.downsample is None else self.downsample(ready)
        inner = self.conv2(relu(self.bn2(self.conv1(ready))))
        return self.conv3(relu(self.bn3(inner))) + residual


class _ResNet(HybridBlock):
    """``features`` and, on top, ``output``."""

    features: Any
    output: Any

    def forward(self, x: Any) -> Any:
        """Score images."""
        return self.output(self.features(x))

    def _stage(
        self, block: Any, layers: int, channels: int, stride: int, number: int, inputs: int
    ) -> nn.HybridSequential:
        stage = nn.HybridSequential(prefix=f"stage{number}_")
        with stage.name_scope():
            stage.add(block(channels, stride, channels != inputs, in_channels=inputs, prefix=""))
            for _ in range(layers - 1):
                stage.add(block(channels, 1, False, in_channels=channels, prefix=""))
        return stage


class ResNetV1(_ResNet):
    """Normalisation after each convolution."""

    def __init__(
        self, block: Any, layers: list[int], channels: list[int], classes: int = 1000,
        thumbnail: bool = False, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        with self.name_scope():
            self.features = nn.HybridSequential(prefix="")
            _begin(self.features, channels[0], thumbnail)
            for number, count in enumerate(layers):
                stride = 1 if number == 0 else 2
                self.features.add(
                    self._stage(block, count, channels[number + 1], stride, number + 1,
                                channels[number])
                )  # fmt: skip
            self.features.add(nn.GlobalAvgPool2D())
            self.output = nn.Dense(classes, in_units=channels[-1])


class ResNetV2(_ResNet):
    """Normalisation before each convolution."""

    def __init__(
        self, block: Any, layers: list[int], channels: list[int], classes: int = 1000,
        thumbnail: bool = False, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        with self.name_scope():
            self.features = nn.HybridSequential(prefix="")
            self.features.add(nn.BatchNorm(scale=False, center=False))
            _begin(self.features, channels[0], thumbnail)
            inputs = channels[0]
            for number, count in enumerate(layers):
                stride = 1 if number == 0 else 2
                self.features.add(
                    self._stage(block, count, channels[number + 1], stride, number + 1, inputs)
                )
                inputs = channels[number + 1]
            self.features.add(
                nn.BatchNorm(), nn.Activation("relu"), nn.GlobalAvgPool2D(), nn.Flatten()
            )
            self.output = nn.Dense(classes, in_units=inputs)


def _begin(features: Any, channels: int, thumbnail: bool) -> None:
    if thumbnail:
        features.add(_conv3(channels, 1, 0))
        return
    features.add(
        nn.Conv2D(channels, 7, 2, 3, use_bias=False),
        nn.BatchNorm(),
        nn.Activation("relu"),
        nn.MaxPool2D(3, 2, 1),
    )


_SPECS: dict[int, tuple[bool, list[int], list[int]]] = {
    18: (False, [2, 2, 2, 2], [64, 64, 128, 256, 512]),
    34: (False, [3, 4, 6, 3], [64, 64, 128, 256, 512]),
    50: (True, [3, 4, 6, 3], [64, 256, 512, 1024, 2048]),
    101: (True, [3, 4, 23, 3], [64, 256, 512, 1024, 2048]),
    152: (True, [3, 8, 36, 3], [64, 256, 512, 1024, 2048]),
}
_NETS: dict[int, tuple[Any, Any, Any]] = {
    1: (ResNetV1, BasicBlockV1, BottleneckV1),
    2: (ResNetV2, BasicBlockV2, BottleneckV2),
}


def get_resnet(
    version: int, num_layers: int, pretrained: bool = False, ctx: Any = None, root: Any = None,
    **kwargs: Any,
) -> Any:  # fmt: skip
    """Make the residual network of that version, 1 or 2, and number of layers."""
    if num_layers not in _SPECS or version not in _NETS:
        raise ValueError(
            f"there is no ResNet {num_layers} v{version}; layers are {', '.join(map(str, _SPECS))}"
        )
    narrow, layers, channels = _SPECS[num_layers]
    net, basic, bottleneck = _NETS[version]
    made = net(bottleneck if narrow else basic, layers, channels, **kwargs)
    return with_weights(made, f"resnet{num_layers}_v{version}", pretrained, ctx, root)


def _named(version: int, num_layers: int) -> Any:
    def make(**kwargs: Any) -> Any:
        return get_resnet(version, num_layers, **kwargs)

    make.__name__ = make.__qualname__ = f"resnet{num_layers}_v{version}"
    make.__doc__ = (
        f"Make the ResNet of {num_layers} layers, version {version}; takes pretrained, classes."
    )
    return make


resnet18_v1, resnet34_v1, resnet50_v1, resnet101_v1, resnet152_v1 = (_named(1, n) for n in _SPECS)
resnet18_v2, resnet34_v2, resnet50_v2, resnet101_v2, resnet152_v2 = (_named(2, n) for n in _SPECS)
