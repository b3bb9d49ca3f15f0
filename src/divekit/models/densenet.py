"""DenseNet: layers that append what they compute to what they were given.

Book: 7.7 Densely Connected Networks (DenseNet)
Paper: Huang et al., 2016, https://arxiv.org/abs/1608.06993
Shapes: B images, C channels, H height, W width, K classes, G growth

Parameters carry torchvision's names, so states go from here to there and back.
"""

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from divekit.nn.sizes import image_sides


class DenseLayer(nn.Module):
    """Append G channels to inputs (B, C, H, W): (B, C + G, H, W).

    Normalise, bend, convolve by 3 x 3. With a bottleneck of n the same by 1 x 1 comes before, to
    n G channels: cheaper, where C has grown large.
    """

    def __init__(
        self, in_channels: int, growth: int, *, bottleneck: int = 0, biases: bool = False
    ) -> None:
        super().__init__()
        plan = [(3, growth)]  # (kernel size, output channels) of each convolution
        if bottleneck:
            plan.insert(0, (1, bottleneck * growth))
        self.depth = len(plan)
        for number, (kernel, channels) in enumerate(plan, start=1):
            self.add_module(f"norm{number}", nn.BatchNorm2d(in_channels))
            conv = nn.Conv2d(in_channels, channels, kernel, padding=kernel // 2, bias=biases)
            self.add_module(f"conv{number}", conv)
            in_channels = channels

    def forward(self, inputs: Tensor) -> Tensor:
        new = inputs
        for number in range(1, self.depth + 1):
            new = F.relu(self.get_submodule(f"norm{number}")(new))
            new = self.get_submodule(f"conv{number}")(new)  # at last (B, G, H, W)
        return torch.cat([inputs, new], dim=1)  # (B, C + G, H, W)


def dense_block(
    num_layers: int, in_channels: int, growth: int, *, bottleneck: int = 0, biases: bool = False
) -> nn.Sequential:
    """Make layers that each see the inputs and all that the layers before have appended."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        (
            f"denselayer{number + 1}",
            DenseLayer(in_channels + number * growth, growth, bottleneck=bottleneck, biases=biases),
        )
        for number in range(num_layers)
    )
    return nn.Sequential(layers)


def transition(in_channels: int, out_channels: int, *, biases: bool = False) -> nn.Sequential:
    """Make what mixes channels into fewer, and halves the sides."""
    return nn.Sequential(
        OrderedDict(
            norm=nn.BatchNorm2d(in_channels),
            relu=nn.ReLU(),
            conv=nn.Conv2d(in_channels, out_channels, 1, bias=biases),
            pool=nn.AvgPool2d(2),  # halves H and W, rounded down
        )
    )


class DenseNet(nn.Module):
    """Score images (B, C, H, W) against classes: (B, K).

    Without further settings this is DenseNet-121 as it was made for ImageNet. Between two dense
    blocks a transition halves the channels and the sides. Weights begin as Kaiming's normal ones.

    Args:
        in_channels: C.
        num_classes: K.
        image_size: (H, W), or the side of square images. With four blocks at least 29 either way,
            with a small stem 8.
        blocks: how many layers each dense block has.
        growth: G, the channels that a layer appends.
        stem_channels: channels before the first block; twice G when none.
        bottleneck: multiple of G to which a layer's 1 x 1 convolution reduces the channels; 0 for
            layers without.
        biases: whether convolutions have them, as in the book.
        small_stem: begin with a 3 x 3 convolution that leaves the sides as they are, in place of
            one of 7 x 7 and a pooling that each halve them: for small images.
    """

    def __init__(
        self,
        in_channels: int = 3,
        num_classes: int = 1000,
        image_size: int | tuple[int, int] = 224,
        blocks: Sequence[int] = (6, 12, 24, 16),
        growth: int = 32,
        *,
        stem_channels: int | None = None,
        bottleneck: int = 4,
        biases: bool = False,
        small_stem: bool = False,
    ) -> None:
        super().__init__()
        left = 2 ** (len(blocks) - 1)  # pixels a side that the transitions halve down to one
        # The stem's halvings round up.
        smallest = left if small_stem else 4 * (left - 1) + 1
        usual = left if small_stem else 4 * left
        image_sides(image_size, at_least=smallest, model="this DenseNet", usual=usual)
        channels = 2 * growth if stem_channels is None else stem_channels
        kernel, stride = (3, 1) if small_stem else (7, 2)
        self.features = nn.Sequential(
            OrderedDict(
                conv0=nn.Conv2d(
                    in_channels, channels, kernel, stride, padding=kernel // 2, bias=biases
                ),
                norm0=nn.BatchNorm2d(channels),
                relu0=nn.ReLU(),
            )
        )
        if not small_stem:
            self.features.add_module("pool0", nn.MaxPool2d(3, stride=2, padding=1))
        for number, layers in enumerate(blocks, start=1):
            self.features.add_module(
                f"denseblock{number}",
                dense_block(layers, channels, growth, bottleneck=bottleneck, biases=biases),
            )
            channels += layers * growth
            if number < len(blocks):
                self.features.add_module(
                    f"transition{number}", transition(channels, channels // 2, biases=biases)
                )
                channels //= 2
        self.features.add_module(f"norm{len(blocks) + 1}", nn.BatchNorm2d(channels))
        self.classifier = nn.Linear(channels, num_classes)
        self.apply(_kaiming)

    def forward(self, images: Tensor) -> Tensor:
        maps = F.relu(self.features(images))  # (B, C', H', W')
        return self.classifier(maps.mean(dim=(2, 3)))  # (B, C') -> (B, K)

    @staticmethod
    def own_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Give a state as this model names it; it may come from torchvision or timm.

        Both name it as it is named here. Their oldest files write ``norm.1`` for ``norm1``.
        """
        return {
            re.sub(r"(denselayer\d+\.(?:norm|conv))\.(\d)\.", r"\1\2.", name): tensor
            for name, tensor in state.items()
        }


def densenet121(
    in_channels: int = 3,
    num_classes: int = 1000,
    image_size: int | tuple[int, int] = 224,
    **settings: Any,
) -> DenseNet:
    """Make DenseNet-121; the settings are those of ``DenseNet``."""
    return DenseNet(in_channels, num_classes, image_size, (6, 12, 24, 16), **settings)


def _kaiming(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
