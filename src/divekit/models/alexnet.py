"""AlexNet: LeNet's plan, several hundred times as large, with ReLU and dropout.

Book: 7.1 Deep Convolutional Neural Networks (AlexNet)
Paper: Krizhevsky, Sutskever and Hinton, 2012, https://doi.org/10.1145/3065386
Shapes: B images, C channels, H height, W width, K classes
"""

import math
from collections.abc import Callable

from torch import Tensor, nn

from divekit.nn import draw_weights, output_size
from divekit.nn.sizes import image_sides, scaled

_SMALLEST = 65
"""Side of the smallest images: of fewer pixels the third pooling finds no window."""


class AlexNet(nn.Module):
    """Score images (B, C, H, W) against classes: (B, K).

    This is the book's form: the paper's, without its two halves for two small GPUs and without
    normalising neighbouring channels. Sides in comments are those of images of 224 pixels.

    Args:
        in_channels: C.
        num_classes: K.
        image_size: (H, W), or the side of square images; at least 65 either way.
        width: share of the paper's channels in each convolution.
        hidden: units in each of the two hidden dense layers.
        dropout: share of those units that is left out in training.
        activation: makes the layer that bends each number.
        initial: draws the first weights of a layer: ``nn.init.kaiming_normal_``.
    """

    def __init__(
        self,
        in_channels: int = 1,
        num_classes: int = 10,
        image_size: int | tuple[int, int] = 224,
        *,
        width: float = 1.0,
        hidden: int = 4096,
        dropout: float = 0.5,
        activation: Callable[[], nn.Module] = nn.ReLU,
        initial: Callable[[Tensor], object] = nn.init.xavier_uniform_,
    ) -> None:
        super().__init__()
        sides = image_sides(image_size, at_least=_SMALLEST, model="AlexNet", usual=224)
        first, second, third = scaled((96, 256, 384), width)
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, first, kernel_size=11, stride=4, padding=1),  # (B, 96, 54, 54)
            activation(),
            nn.MaxPool2d(3, stride=2),  # (B, 96, 26, 26)
            nn.Conv2d(first, second, kernel_size=5, padding=2),  # (B, 256, 26, 26)
            activation(),
            nn.MaxPool2d(3, stride=2),  # (B, 256, 12, 12)
            nn.Conv2d(second, third, kernel_size=3, padding=1),  # (B, 384, 12, 12)
            activation(),
            nn.Conv2d(third, third, kernel_size=3, padding=1),
            activation(),
            nn.Conv2d(third, second, kernel_size=3, padding=1),  # (B, 256, 12, 12)
            activation(),
            nn.MaxPool2d(3, stride=2),  # (B, 256, 5, 5)
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),  # (B, 256, 5, 5) -> (B, 6400)
            nn.Linear(second * math.prod(_side_after_features(side) for side in sides), hidden),
            activation(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            activation(),
            nn.Dropout(dropout),
            nn.Linear(hidden, num_classes),
        )
        draw_weights(self, initial)

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.features(images))


def _side_after_features(side: int) -> int:
    """Give what is left of a side after the convolution with a stride and three poolings."""
    side = output_size(side, 11, padding=2, stride=4)
    for _ in range(3):
        side = output_size(side, 3, stride=2)
    return side
