"""An epoch of image batches: from uint8 pixels in memory to shuffled float32 batches.

The peer is what most PyTorch code does: a ``Dataset`` that makes a PIL image of each example
and a tensor of that, and a ``DataLoader`` in the same process.
"""

from collections.abc import Iterable

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from benchmarks.harness import Call, Contender, Job, Ratio, both_allocators
from benchmarks.random_pictures import RandomPictures, draw

BATCH_SIZE = 256


def batches(num_images: int, resize: int | None) -> Call:
    """Go through ``divekit.data.Batches``, with the transform of ``FashionMNIST``."""
    data = RandomPictures(num_train=num_images, batch_size=BATCH_SIZE, resize=resize).open()
    return lambda: count_pixels(data.train)


def data_loader(num_images: int, resize: int | None) -> Call:
    """Go through a ``DataLoader`` of PIL images."""
    dataset = PictureDataset(*draw(num_images), resize)
    return lambda: count_pixels(DataLoader(dataset, BATCH_SIZE, shuffle=True))


class PictureDataset(Dataset):
    """Examples (image, label), the image by way of PIL: (1, H, W) float32 in 0-1."""

    def __init__(self, images: Tensor, labels: Tensor, resize: int | None) -> None:
        self.images = images.numpy()
        self.labels = labels.tolist()
        self.resize = resize

    def __len__(self) -> int:
        """Give the number of examples."""
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = Image.fromarray(self.images[index])
        if self.resize is not None:
            # Bilinear, as ours; PIL's own default, bicubic, takes longer.
            image = image.resize((self.resize, self.resize), Image.Resampling.BILINEAR)
        return torch.from_numpy(np.array(image))[None] / 255, self.labels[index]


def count_pixels(epoch: Iterable[Iterable[Tensor]]) -> int:
    """Go through an epoch; the number of floats it gave shows that nobody left any out."""
    return sum(images.numel() for images, _ in epoch)


def _job(name: str, num_images: int, resize: int | None, at_least: float) -> Job:
    size = {"num_images": num_images, "resize": resize}
    ours, default = both_allocators("Batches", batches, **size)
    peer = Contender("DataLoader of PIL images", data_loader, size)
    return Job(
        name,
        f"an epoch of {num_images:,} uint8 images of 28 x 28, shuffled, as float32 batches of "
        f"{BATCH_SIZE}" + (f", resized to {resize} x {resize}" if resize else ""),
        (ours, default, peer),
        (Ratio(peer.name, ours.name, at_least=at_least), Ratio(peer.name, default.name)),
    )


JOBS = (
    _job("loading", 60_000, None, at_least=40),
    _job("loading, resized", 6_000, 96, at_least=8),
)
