"""VGG: one block of 3 x 3 convolutions and a pooling, again and again.

Book: 7.2 Networks Using Blocks (VGG)
Paper: Simonyan and Zisserman, 2014, https://arxiv.org/abs/1409.1556
Shapes: B images, C channels, H height, W width, K classes, n blocks
"""

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from divekit.nn import draw_weights
from divekit.nn.sizes import image_sides, scaled

# A pair for each block: how many convolutions, and how many channels they give. Together with the
# three dense layers they are the 11, 13, 16 and 19 layers that have weights.
VGG11 = ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))
VGG13 = ((2, 64), (2, 128), (2, 256), (2, 512), (2, 512))
VGG16 = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))
VGG19 = ((2, 64), (2, 128), (4, 256), (4, 512), (4, 512))


class VGG(nn.Module):
    """Score images (B, C, H, W) against classes: (B, K).

    The book trains VGG-11 with a quarter of the channels: ``VGG(width=0.25)``.

    Args:
        in_channels: C.
        num_classes: K.
        image_size: (H, W), or the side of square images; at least 2 ** n either way.
        blocks: (number of convolutions, channels) of each block: ``VGG16``.
        width: share of those channels.
        hidden: units in each of the two hidden dense layers.
        dropout: share of those units that is left out in training.
        initial: draws the first weights of a layer: ``nn.init.kaiming_normal_``.
    """

    def __init__(
        self,
        in_channels: int = 1,
        num_classes: int = 10,
        image_size: int | tuple[int, int] = 224,
        *,
        blocks: Sequence[tuple[int, int]] = VGG11,
        width: float = 1.0,
        hidden: int = 4096,
        dropout: float = 0.5,
        initial: Callable[[Tensor], object] = nn.init.xavier_uniform_,
    ) -> None:
        super().__init__()
        shrinks = 2 ** len(blocks)  # each block halves the sides
        height, broad = image_sides(image_size, at_least=shrinks, model="VGG", usual=224)
        channels = [in_channels, *scaled((number for _, number in blocks), width)]
        self.features = nn.Sequential(
            *(
                vgg_block(num_convs, channels[index], channels[index + 1])
                for index, (num_convs, _) in enumerate(blocks)
            )
        )
        pixels = (height // shrinks) * (broad // shrinks)
        self.classifier = nn.Sequential(
            nn.Flatten(),  # (B, C', H/2^n, W/2^n) -> (B, C' * pixels)
            nn.Linear(channels[-1] * pixels, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, num_classes),
        )
        draw_weights(self, initial)

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.features(images))


def vgg_block(num_convs: int, in_channels: int, out_channels: int) -> nn.Sequential:
    """Stack 3 x 3 convolutions that keep the sides, then halve both by pooling, rounded down."""
    layers: list[nn.Module] = []
    for _ in range(num_convs):
        layers += [nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1), nn.ReLU()]
        in_channels = out_channels
    return nn.Sequential(*layers, nn.MaxPool2d(2))
