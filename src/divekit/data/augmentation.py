"""Images changed at random before they are trained on, a whole batch at a time.

Book: 7.6 in the form of today; 13.1 Image Augmentation
Shapes: B images, C channels, H height, W width
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from divekit.errors import UsageError


@dataclass(frozen=True)
class Moved:
    """Shift each image by whole pixels and mirror every other one, at random.

    Called with images (B, C, H, W) of any type and a generator on the CPU, it gives images of the
    same form. The draws depend on the generator alone, whatever the device. What moves in is zero.

    Args:
        shift: pixels at most, either way along both axes.
        mirror: whether half of the images have left and right exchanged.
    """

    shift: int = 0
    mirror: bool = False

    def __post_init__(self) -> None:
        if self.shift < 0:
            raise UsageError(f"shift is {self.shift}; it must not be negative")

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        batch, (height, width), device = len(images), images.shape[-2:], images.device
        # Drawn on the CPU, whether needed or not: other settings leave later draws as they are.
        down, across = torch.randint(2 * self.shift + 1, (2, batch), generator=generator).to(device)
        chosen = (torch.rand(batch, generator=generator) < 0.5).to(device)
        if self.shift:
            padded = F.pad(images, (self.shift,) * 4)  # (B, C, H + 2s, W + 2s)
            # Every window of H x W, as a view: (B, C, 2s + 1, 2s + 1, H, W).
            windows = padded.unfold(2, height, 1).unfold(3, width, 1)
            images = windows[torch.arange(batch, device=device), :, down, across]  # (B, C, H, W)
        if self.mirror:
            images = torch.where(chosen[:, None, None, None], images.flip(3), images)
        return images


def movement(shift: int, mirror: bool = False) -> Moved | None:
    """Give what moves images so, or None where nothing is to be moved."""
    return Moved(shift, mirror) if shift or mirror else None
