"""ResNet: blocks that add what they compute to what they were given.

Book: 7.6 Residual Networks (ResNet)
Papers: He et al., https://arxiv.org/abs/1512.03385 (original) and 1603.05027 (pre-activation)
Shapes: B images, C channels, H height, W width, K classes

Parameters carry torchvision's names, so states go from here to there and back.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from divekit.nn.sizes import image_sides, scaled


class Residual(nn.Module):
    """Add to inputs (B, C, H, W) what two or three convolutions make of them: (B, C', H/s, W/s).

    The original form normalises after each convolution and bends the sum; what is handed on from
    block to block goes through every one of these bends. The pre-activated form normalises and
    bends before each convolution, and leaves the sum alone.

    Args:
        in_channels: C.
        out_channels: C'.
        stride: s, of the first 3 x 3 convolution.
        bottleneck: 1 x 1 to a quarter of C', 3 x 3, 1 x 1 back, in place of two of 3 x 3.
        preactivation: the second form.
        book: convolutions have biases, and the shortcut is not normalised, as in the book.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int = 1,
        *,
        bottleneck: bool = False,
        preactivation: bool = False,
        book: bool = False,
    ) -> None:
        super().__init__()
        self.preactivation = preactivation
        # (kernel size, output channels, stride) of each convolution
        plan = [(3, out_channels, stride), (3, out_channels, 1)]
        if bottleneck:
            narrow = out_channels // 4
            plan = [(1, narrow, 1), (3, narrow, stride), (1, out_channels, 1)]
        self.depth = len(plan)
        channels = in_channels
        for number, (kernel, wide, step) in enumerate(plan, start=1):
            conv = nn.Conv2d(channels, wide, kernel, stride=step, padding=kernel // 2, bias=book)
            self.add_module(f"conv{number}", conv)
            self.add_module(f"bn{number}", nn.BatchNorm2d(channels if preactivation else wide))
            channels = wide
        # What cannot be added as it is goes through a 1 x 1 convolution first.
        self.downsample = None
        if stride != 1 or in_channels != out_channels:
            shortcut = nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=book)
            plain = preactivation or book
            self.downsample = nn.Sequential(
                shortcut, *([] if plain else [nn.BatchNorm2d(out_channels)])
            )

    def forward(self, inputs: Tensor) -> Tensor:
        return self._preactivated(inputs) if self.preactivation else self._original(inputs)

    def _original(self, inputs: Tensor) -> Tensor:
        outputs = inputs
        for number in range(1, self.depth + 1):
            outputs = self.get_submodule(f"conv{number}")(outputs)
            outputs = self.get_submodule(f"bn{number}")(outputs)
            if number < self.depth:
                outputs = F.relu(outputs)
        shortcut = inputs if self.downsample is None else self.downsample(inputs)
        return F.relu(outputs + shortcut)

    def _preactivated(self, inputs: Tensor) -> Tensor:
        outputs, shortcut = inputs, inputs
        for number in range(1, self.depth + 1):
            outputs = F.relu(self.get_submodule(f"bn{number}")(outputs))
            if number == 1 and self.downsample is not None:
                shortcut = self.downsample(outputs)
            outputs = self.get_submodule(f"conv{number}")(outputs)
        return outputs + shortcut


class ResNet(nn.Module):
    """Score images (B, C, H, W) against classes: (B, K).

    Without further settings this is ResNet-18 as it was made for ImageNet. Stages halve the sides
    and double the channels, but for the first. Where a block has a stride, its 3 x 3 convolution
    has it (the paper's bottlenecks have it in the 1 x 1 before). Weights begin as Kaiming's normal
    ones.

    Args:
        in_channels: C.
        num_classes: K.
        image_size: (H, W), or the side of square images. With four stages at least 17 either way,
            with a small stem 5.
        blocks: how many blocks each stage has.
        width: share of the 64 channels with which the first stage begins.
        bottleneck, preactivation, book: as for ``Residual``.
        small_stem: begin with a 3 x 3 convolution that leaves the sides as they are, in place of
            one of 7 x 7 and a pooling that each halve them: for small images.
        start_as_identity: let each block begin as one that adds nothing.
    """

    def __init__(
        self,
        in_channels: int = 3,
        num_classes: int = 1000,
        image_size: int | tuple[int, int] = 224,
        blocks: Sequence[int] = (2, 2, 2, 2),
        width: float = 1.0,
        *,
        bottleneck: bool = False,
        preactivation: bool = False,
        book: bool = False,
        small_stem: bool = False,
        start_as_identity: bool = False,
    ) -> None:
        super().__init__()
        halvings = len(blocks) - 1 + (0 if small_stem else 2)
        # They round up, and the last one needs two rows and columns to halve.
        smallest = 2 ** (halvings - 1) + 1 if halvings else 1
        image_sides(image_size, at_least=smallest, model="this ResNet", usual=2**halvings)
        (channels,) = scaled([64], width)
        kernel, stride = (3, 1) if small_stem else (7, 2)
        self.conv1 = nn.Conv2d(
            in_channels, channels, kernel, stride=stride, padding=kernel // 2, bias=book
        )
        self.bn1 = None if preactivation else nn.BatchNorm2d(channels)
        self.maxpool = None if small_stem else nn.MaxPool2d(3, stride=2, padding=1)
        self.stages = len(blocks)
        first = 4 * channels if bottleneck else channels
        for stage, count in enumerate(blocks):
            wide = first * 2**stage
            residuals = []
            for number in range(count):
                residuals.append(
                    Residual(
                        channels,
                        wide,
                        stride=2 if stage > 0 and number == 0 else 1,
                        bottleneck=bottleneck,
                        preactivation=preactivation,
                        book=book,
                    )
                )
                channels = wide
            self.add_module(f"layer{stage + 1}", nn.Sequential(*residuals))
        self.norm = nn.BatchNorm2d(channels) if preactivation else None
        self.fc = nn.Linear(channels, num_classes)
        self.apply(_kaiming)
        if start_as_identity:
            self.apply(_add_nothing)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.conv1(images)  # (B, C', H/2, W/2), rounded up as all that follows
        if self.bn1 is not None:
            maps = F.relu(self.bn1(maps))
        if self.maxpool is not None:
            maps = self.maxpool(maps)  # (B, C', H/4, W/4)
        for stage in range(1, self.stages + 1):
            maps = self.get_submodule(f"layer{stage}")(maps)  # from the second: halved, doubled
        if self.norm is not None:
            maps = F.relu(self.norm(maps))
        return self.fc(maps.mean(dim=(2, 3)))  # (B, C', H', W') -> (B, C') -> (B, K)

    @staticmethod
    def own_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Give a state as this model names it; it may come from torchvision or timm.

        timm names the original form as torchvision does. Its pre-activated networks
        (``resnetv2_50``) have other names, and a 1 x 1 convolution for the last layer.
        """
        renamed = {}
        for name, tensor in state.items():
            for pattern, replacement in _TIMM_NAMES:
                name = re.sub(pattern, replacement, name)
            renamed[name] = tensor.flatten(1) if name == "fc.weight" else tensor
        return renamed


_TIMM_NAMES: tuple[tuple[str, Any], ...] = (
    (
        r"^stages\.(\d+)\.blocks\.(\d+)\.",
        lambda found: f"layer{int(found[1]) + 1}.{found[2]}.",
    ),
    (r"^(layer\d+\.\d+)\.norm(\d)\.", r"\1.bn\2."),
    (r"\.downsample\.conv\.", ".downsample.0."),
    (r"^stem\.conv\.", "conv1."),
    (r"^head\.fc\.", "fc."),
)


def resnet18(
    in_channels: int = 3,
    num_classes: int = 1000,
    image_size: int | tuple[int, int] = 224,
    **settings: Any,
) -> ResNet:
    """Make ResNet-18; the settings are those of ``ResNet``."""
    return ResNet(in_channels, num_classes, image_size, (2, 2, 2, 2), **settings)


def resnet34(
    in_channels: int = 3,
    num_classes: int = 1000,
    image_size: int | tuple[int, int] = 224,
    **settings: Any,
) -> ResNet:
    """Make ResNet-34; the settings are those of ``ResNet``."""
    return ResNet(in_channels, num_classes, image_size, (3, 4, 6, 3), **settings)


def resnet50(
    in_channels: int = 3,
    num_classes: int = 1000,
    image_size: int | tuple[int, int] = 224,
    **settings: Any,
) -> ResNet:
    """Make ResNet-50, of bottlenecks; the settings are those of ``ResNet``."""
    return ResNet(in_channels, num_classes, image_size, (3, 4, 6, 3), bottleneck=True, **settings)


def resnet101(
    in_channels: int = 3,
    num_classes: int = 1000,
    image_size: int | tuple[int, int] = 224,
    **settings: Any,
) -> ResNet:
    """Make ResNet-101, of bottlenecks; the settings are those of ``ResNet``."""
    return ResNet(in_channels, num_classes, image_size, (3, 4, 23, 3), bottleneck=True, **settings)


def resnet152(
    in_channels: int = 3,
    num_classes: int = 1000,
    image_size: int | tuple[int, int] = 224,
    **settings: Any,
) -> ResNet:
    """Make ResNet-152, of bottlenecks; the settings are those of ``ResNet``."""
    return ResNet(in_channels, num_classes, image_size, (3, 8, 36, 3), bottleneck=True, **settings)


def _kaiming(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def _add_nothing(layer: nn.Module) -> None:
    """Let a block's last layer that has a scale begin with zero."""
    if isinstance(layer, Residual):
        last = "conv" if layer.preactivation else "bn"
        nn.init.zeros_(layer.get_parameter(f"{last}{layer.depth}.weight"))
