"""LeNet: two convolutions that find shapes, three dense layers that weigh them.

Book: 6.6 Convolutional Neural Networks (LeNet)
Paper: LeCun et al., 1998, https://doi.org/10.1109/5.726791
Shapes: B images, C channels, H height, W width, K classes
"""

from collections.abc import Callable

from torch import Tensor, nn

from divekit.errors import UsageError

_SMALLEST = 12
"""Side of the smallest images: of fewer pixels nothing is left after the second pooling."""


class LeNet(nn.Module):
    """Score images (B, C, H, W) against classes: (B, K).

    This is the book's form: sigmoids, average pooling, and scores in place of the Gaussian
    units of the paper. Weights begin as Xavier's uniform ones.

    Args:
        in_channels: C.
        num_classes: K.
        image_size: (H, W), or the side of square images; at least 12 either way.
        activation: makes the layer that bends each number.
        pooling: makes the layer that joins windows, from their side: ``nn.MaxPool2d``.
    """

    def __init__(
        self,
        in_channels: int = 1,
        num_classes: int = 10,
        image_size: int | tuple[int, int] = 28,
        *,
        activation: Callable[[], nn.Module] = nn.Sigmoid,
        pooling: Callable[[int], nn.Module] = nn.AvgPool2d,
    ) -> None:
        super().__init__()
        height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
        if min(height, width) < _SMALLEST:
            raise UsageError(
                f"images of {height} x {width} pixels are too small for LeNet, which needs "
                f"{_SMALLEST} x {_SMALLEST}; data.resize=28 enlarges them"
            )
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, 6, kernel_size=5, padding=2),
            activation(),
            pooling(2),  # (B, 6, H/2, W/2), rounded down as all that follows
            nn.Conv2d(6, 16, kernel_size=5),  # (B, 16, H/2 - 4, W/2 - 4)
            activation(),
            pooling(2),  # (B, 16, H', W')
        )
        pixels = _pooled(height) * _pooled(width)
        self.classifier = nn.Sequential(
            nn.Flatten(),  # (B, 16, H', W') -> (B, 16 * H' * W')
            nn.Linear(16 * pixels, 120),
            activation(),
            nn.Linear(120, 84),
            activation(),
            nn.Linear(84, num_classes),
        )
        self.apply(_xavier)

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.features(images))


def _pooled(side: int) -> int:
    """Give what is left of a side: halved, less four, halved."""
    return (side // 2 - 4) // 2


def _xavier(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(layer.weight)
