"""GoogLeNet: blocks that look through four windows at once.

Book: 7.4 Networks with Parallel Concatenations (GoogLeNet)
Paper: Szegedy et al., 2014, https://arxiv.org/abs/1409.4842
Shapes: B images, C channels, H height, W width, K classes
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from divekit.nn import draw_weights
from divekit.nn.sizes import scaled

Paths = tuple[int, tuple[int, int], tuple[int, int], int]
"""Channels of the four paths of a block; where a path has two layers, of both."""

# Sides are halved between the three groups.
INCEPTIONS: tuple[tuple[Paths, ...], ...] = (
    (
        (64, (96, 128), (16, 32), 32),
        (128, (128, 192), (32, 96), 64),
    ),
    (
        (192, (96, 208), (16, 48), 64),
        (160, (112, 224), (24, 64), 64),
        (128, (128, 256), (24, 64), 64),
        (112, (144, 288), (32, 64), 64),
        (256, (160, 320), (32, 128), 128),
    ),
    (
        (256, (160, 320), (32, 128), 128),
        (384, (192, 384), (48, 128), 128),
    ),
)


class GoogLeNet(nn.Module):
    """Score images (B, C, H, W) of any size against classes: (B, K).

    This is the book's form: without the paper's two further classifiers halfway, which helped
    gradients down, and without dropout. Sides in comments are those of images of 96 pixels.

    Args:
        in_channels: C.
        num_classes: K.
        width: share of the paper's channels in each layer.
        initial: draws the first weights of a layer: ``nn.init.kaiming_normal_``.
    """

    def __init__(
        self,
        in_channels: int = 1,
        num_classes: int = 10,
        *,
        width: float = 1.0,
        initial: Callable[[Tensor], object] = nn.init.xavier_uniform_,
    ) -> None:
        super().__init__()
        first, channels = scaled((64, 192), width)
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, first, kernel_size=7, stride=2, padding=3),  # (B, 64, 48, 48)
            nn.ReLU(),
            _halve(),  # (B, 64, 24, 24)
            nn.Conv2d(first, first, kernel_size=1),
            nn.ReLU(),
            nn.Conv2d(first, channels, kernel_size=3, padding=1),  # (B, 192, 24, 24)
            nn.ReLU(),
        )
        groups = []
        for blocks in INCEPTIONS:
            layers: list[nn.Module] = [_halve()]
            for one, (two, two_out), (three, three_out), four in blocks:
                c1, c2, c2_out, c3, c3_out, c4 = scaled(
                    (one, two, two_out, three, three_out, four), width
                )
                layers.append(Inception(channels, c1, (c2, c2_out), (c3, c3_out), c4))
                channels = c1 + c2_out + c3_out + c4
            groups.append(nn.Sequential(*layers))
        self.inceptions = nn.Sequential(
            *groups
        )  # (B, 480, 12, 12), (B, 832, 6, 6), (B, 1024, 3, 3)
        self.classifier = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),  # (B, 1024, 1, 1)
            nn.Flatten(),
            nn.Linear(channels, num_classes),
        )
        draw_weights(self, initial)

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.inceptions(self.stem(images)))


class Inception(nn.Module):
    """Look at maps (B, C, H, W) in four ways, side by side: (B, c1 + c2[1] + c3[1] + c4, H, W).

    Args:
        in_channels: C.
        c1: channels of the path of a 1 x 1 convolution.
        c2: of the path of a 1 x 1 and a 3 x 3 convolution.
        c3: of the path of a 1 x 1 and a 5 x 5 convolution.
        c4: of the path of a 3 x 3 pooling and a 1 x 1 convolution.
    """

    def __init__(
        self, in_channels: int, c1: int, c2: tuple[int, int], c3: tuple[int, int], c4: int
    ) -> None:
        super().__init__()
        self.path1 = nn.Sequential(nn.Conv2d(in_channels, c1, kernel_size=1), nn.ReLU())
        self.path2 = nn.Sequential(
            nn.Conv2d(in_channels, c2[0], kernel_size=1),
            nn.ReLU(),
            nn.Conv2d(c2[0], c2[1], kernel_size=3, padding=1),
            nn.ReLU(),
        )
        self.path3 = nn.Sequential(
            nn.Conv2d(in_channels, c3[0], kernel_size=1),
            nn.ReLU(),
            nn.Conv2d(c3[0], c3[1], kernel_size=5, padding=2),
            nn.ReLU(),
        )
        self.path4 = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1),
            nn.Conv2d(in_channels, c4, kernel_size=1),
            nn.ReLU(),
        )

    def forward(self, maps: Tensor) -> Tensor:
        paths = (self.path1, self.path2, self.path3, self.path4)
        return torch.cat([path(maps) for path in paths], dim=1)  # one after the other as channels


def _halve() -> nn.MaxPool2d:
    """Halve both sides, rounded up, so that images of any size have something left."""
    return nn.MaxPool2d(3, stride=2, padding=1)
