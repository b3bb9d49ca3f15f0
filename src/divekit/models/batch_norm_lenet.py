"""LeNet with batch normalisation before each sigmoid, from scratch and with torch's layers.

Book: 7.5 Batch Normalization
Paper: Ioffe and Szegedy, 2015, https://arxiv.org/abs/1502.03167
Shapes: B images, C channels, H height, W width, K classes
"""

from collections.abc import Callable

from torch import Tensor, nn

from divekit.errors import UsageError
from divekit.nn.batch_norm import BatchNormScratch
from divekit.nn.sizes import image_sides

_SMALLEST = 16
"""Side of the smallest images: of fewer pixels nothing is left after the second pooling."""


class BatchNormLeNet(nn.Module):
    """Score images (B, C, H, W) against classes: (B, K), with torch's layers.

    This is the book's form: LeNet without the padding of the first convolution, and each of its
    four hidden layers normalised before the sigmoid. Weights begin as Xavier's uniform ones.

    Args:
        in_channels: C.
        num_classes: K.
        image_size: (H, W), or the side of square images; at least 16 either way.
    """

    # What normalises maps, and what normalises rows; made from the number of channels.
    norm_maps: Callable[[int], nn.Module] = nn.BatchNorm2d
    norm_rows: Callable[[int], nn.Module] = nn.BatchNorm1d

    def __init__(
        self,
        in_channels: int = 1,
        num_classes: int = 10,
        image_size: int | tuple[int, int] = 28,
    ) -> None:
        super().__init__()
        height, width = image_sides(image_size, at_least=_SMALLEST, model="this LeNet", usual=28)
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, 6, kernel_size=5),  # (B, 6, H - 4, W - 4)
            self.norm_maps(6),
            nn.Sigmoid(),
            nn.AvgPool2d(2),  # halves H and W, rounded down
            nn.Conv2d(6, 16, kernel_size=5),
            self.norm_maps(16),
            nn.Sigmoid(),
            nn.AvgPool2d(2),  # (B, 16, H', W')
        )
        pixels = _pooled(height) * _pooled(width)
        self.classifier = nn.Sequential(
            nn.Flatten(),  # (B, 16, H', W') -> (B, 16 * H' * W')
            nn.Linear(16 * pixels, 120),
            self.norm_rows(120),
            nn.Sigmoid(),
            nn.Linear(120, 84),
            self.norm_rows(84),
            nn.Sigmoid(),
            nn.Linear(84, num_classes),
        )
        self.apply(_xavier)

    def forward(self, images: Tensor) -> Tensor:
        if self.training and len(images) == 1:
            raise UsageError(
                "batch normalisation cannot train on a batch of one example, which is its own "
                "mean; choose a batch_size that leaves more than one for the last batch"
            )
        return self.classifier(self.features(images))


class BatchNormLeNetScratch(BatchNormLeNet):
    """Score images (B, C, H, W) against classes: (B, K), normalised from scratch.

    All but the normalisation is ``BatchNormLeNet``, and so are the names of its state.
    """

    norm_maps = BatchNormScratch
    norm_rows = BatchNormScratch


def _pooled(side: int) -> int:
    """Give what is left of a side: less four, halved, twice."""
    return ((side - 4) // 2 - 4) // 2


def _xavier(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(layer.weight)
