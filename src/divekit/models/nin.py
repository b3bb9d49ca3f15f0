"""Network in Network: small dense networks at every pixel, and no dense layer at the end.

Book: 7.3 Network in Network (NiN)
Paper: Lin, Chen and Yan, 2013, https://arxiv.org/abs/1312.4400
Shapes: B images, C channels, H height, W width, K classes
"""

from collections.abc import Callable

from torch import Tensor, nn

from divekit.nn import draw_weights
from divekit.nn.sizes import image_sides, scaled

_SMALLEST = 67
"""Side of the smallest images: of fewer pixels the third pooling finds no window."""


class NiN(nn.Module):
    """Score images (B, C, H, W) against classes: (B, K).

    The last block gives a map for each class, and the mean of a map is the score. No layer's size
    depends on that of the images. Sides in comments are those of images of 224 pixels.

    Args:
        in_channels: C.
        num_classes: K.
        image_size: (H, W), or the side of square images; only checked: 67 either way are enough.
        width: share of the book's channels in each block but the last.
        dropout: share of the numbers that is left out before the last block, in training.
        last_relu: whether the class maps go through ReLU as all others, as in the book. A class
            whose map is then zero on every image gets no gradient and is lost.
        initial: draws the first weights of a layer: ``nn.init.kaiming_normal_``.
    """

    def __init__(
        self,
        in_channels: int = 1,
        num_classes: int = 10,
        image_size: int | tuple[int, int] = 224,
        *,
        width: float = 1.0,
        dropout: float = 0.5,
        last_relu: bool = True,
        initial: Callable[[Tensor], object] = nn.init.xavier_uniform_,
    ) -> None:
        super().__init__()
        image_sides(image_size, at_least=_SMALLEST, model="NiN", usual=224)
        first, second, third = scaled((96, 256, 384), width)
        self.features = nn.Sequential(
            nin_block(in_channels, first, kernel_size=11, stride=4),  # (B, 96, 54, 54)
            nn.MaxPool2d(3, stride=2),  # (B, 96, 26, 26)
            nin_block(first, second, kernel_size=5, padding=2),  # (B, 256, 26, 26)
            nn.MaxPool2d(3, stride=2),  # (B, 256, 12, 12)
            nin_block(second, third, kernel_size=3, padding=1),  # (B, 384, 12, 12)
            nn.MaxPool2d(3, stride=2),  # (B, 384, 5, 5)
        )
        class_maps = nin_block(third, num_classes, kernel_size=3, padding=1)  # (B, K, 5, 5)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout),
            class_maps if last_relu else class_maps[:-1],
            nn.AdaptiveAvgPool2d(1),  # (B, K, 1, 1)
            nn.Flatten(),  # (B, K)
        )
        draw_weights(self, initial)

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.features(images))


def nin_block(
    in_channels: int, out_channels: int, *, kernel_size: int, stride: int = 1, padding: int = 0
) -> nn.Sequential:
    """Make a convolution and two more of 1 x 1: a dense network of two layers at every pixel."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size, stride=stride, padding=padding),
        nn.ReLU(),
        nn.Conv2d(out_channels, out_channels, kernel_size=1),
        nn.ReLU(),
        nn.Conv2d(out_channels, out_channels, kernel_size=1),
        nn.ReLU(),
    )
