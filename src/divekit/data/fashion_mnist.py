"""Fashion-MNIST: 70,000 small grey pictures of clothing in ten classes.

Book: 3.5 The Image Classification Dataset
Source: Xiao, Rasul and Vollgraf, 2017, https://arxiv.org/abs/1708.07747
Shapes: N examples, B examples in a batch, H height, W width
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from divekit.data.augmentation import movement
from divekit.data.dataset import Card, DataSet, Facts, Opened
from divekit.data.digits import Digits
from divekit.data.hub import Form, Remote, fetch
from divekit.data.idx import read_idx
from divekit.data.images import image_transform
from divekit.errors import BadDataError

CLASS_NAMES = (
    "t-shirt", "trouser", "pullover", "dress", "coat",
    "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip
SIDE = 28
MIRRORS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
)


def _remote(stem: str, packed: tuple[int, str], unpacked: tuple[int, str]) -> Remote:
    return Remote(
        f"Fashion-MNIST {stem}",
        urls=tuple(f"{mirror}{stem}-ubyte.gz" for mirror in MIRRORS),
        licence="MIT",
        forms=(
            Form(f"fashion-mnist/{stem}-ubyte.gz", *packed),
            Form(f"fashion-mnist/{stem}-ubyte", *unpacked),
        ),
    )


FILES = {
    "train images": _remote(
        "train-images-idx3",
        (26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        (47040016, "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
    ),
    "train labels": _remote(
        "train-labels-idx1",
        (29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        (60008, "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
    ),
    "test images": _remote(
        "t10k-images-idx3",
        (4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        (7840016, "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
    ),
    "test labels": _remote(
        "t10k-labels-idx1",
        (5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
        (10008, "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
    ),
}


@dataclass(frozen=True)
class FashionMNIST(DataSet):
    """Batches of (images, labels): (B, 1, H, W) float32 in 0-1, and (B,) int64.

    The images stay uint8 in memory; scaling and resizing happen per batch.
    """

    name: ClassVar[str] = "fashion_mnist"
    card: ClassVar[Card] = Card(
        title="Fashion-MNIST",
        about="70,000 grey pictures of clothing, 6,000 + 1,000 of each of ten classes",
        shapes="images 1 x 28 x 28, 60,000 to train on and 10,000 to test on",
        size="30.9 MB",
        licence="MIT (Zalando SE)",
        source="https://github.com/zalandoresearch/fashion-mnist",
    )
    files: ClassVar[tuple[Remote, ...]] = tuple(FILES.values())

    batch_size: int = 256
    resize: int | None = None
    """Side of the images in pixels; as they are (28) when none."""
    shift: int = 0
    """Pixels at most by which each training image is moved at random, either way."""
    mirror: bool = False
    """Whether half of the training images, at random, have left and right exchanged."""

    @property
    def facts(self) -> Facts:
        """What models need to know; nothing is read for it."""
        side = self.resize or SIDE
        return Facts(self.name, input_shape=(1, side, side), class_names=CLASS_NAMES)

    def sample(self) -> Digits:
        """Give scikit-learn's digits, in batches fit for 1,437 examples.

        They are smaller, so they move by a pixel at most; a mirrored digit is none.
        """
        return Digits(
            batch_size=min(self.batch_size, 32), resize=self.resize, shift=min(self.shift, 1)
        )

    def load(self, seed: int) -> Opened:
        """Read the four idx files, from this machine or the network."""
        return Opened.from_tensors(
            self.facts,
            _split("train"),
            _split("test"),
            batch_size=self.batch_size,
            seed=seed,
            transform=image_transform(self.resize),
            augment=movement(self.shift, self.mirror),
        )


def _split(part: str) -> tuple[Tensor, Tensor]:
    """Give the images (N, 1, 28, 28) uint8 and labels (N,) int64 of a part of the data."""
    image_file, label_file = fetch(FILES[f"{part} images"]), fetch(FILES[f"{part} labels"])
    images, labels = read_idx(image_file.path), read_idx(label_file.path)
    if images.ndim != 3 or images.shape[1:] != (SIDE, SIDE):
        raise BadDataError(
            f"{image_file.path}: images of shape {tuple(images.shape)}, not (N, 28, 28)"
        )
    if labels.shape != images.shape[:1]:
        raise BadDataError(f"{label_file.path}: {len(labels)} labels for {len(images)} images")
    if len(labels) and labels.max() >= len(CLASS_NAMES):
        raise BadDataError(f"{label_file.path}: label {labels.max().item()} is not in 0-9")
    return images[:, None], labels.long()  # (N, 28, 28) -> (N, 1, 28, 28)
