"""Images in memory: scaling to floats and resizing, done once per batch on the data's device.

Shapes: B images, C channels, H height, W width
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from divekit.errors import UsageError


def image_transform(resize: int | None) -> Callable[[Tensor], Tensor]:
    """Make the map from uint8 images (B, C, H, W) to scaled, perhaps resized, floats."""
    if resize is None:
        return scale_pixels
    resized = Resize(resize)
    return lambda images: resized(scale_pixels(images))


def scale_pixels(images: Tensor) -> Tensor:
    """Turn uint8 pixels in 0-255 into float32 in 0-1, any shape."""
    return torch.div(images, 255)


class Resize:
    """Resize images (B, C, H, W) to (B, C, size, size) by bilinear interpolation.

    Interpolation along one axis is a linear map, so it is done as two matrix products,
    which are several times faster on a CPU than a resampling loop. Shrinking is
    anti-aliased, as in image libraries.
    """

    def __init__(self, size: int) -> None:
        if size < 1:
            raise UsageError(f"size is {size}; it must be at least 1")
        self.size = size
        self._matrices: dict[tuple[int, torch.device], Tensor] = {}

    def __call__(self, images: Tensor) -> Tensor:
        """Resize float images (B, C, H, W)."""
        height, width = images.shape[-2:]
        if height == width == self.size:
            return images
        across = self._matrix(width, images.device)
        down = self._matrix(height, images.device)
        rows = images.reshape(-1, width) @ across.T  # (B*C*H, W) -> (B*C*H, W')
        rows = rows.view(*images.shape[:-1], self.size)  # (B, C, H, W')
        return down @ rows  # (H', H) @ (B, C, H, W') -> (B, C, H', W')

    def _matrix(self, length: int, device: torch.device) -> Tensor:
        """Give the map (size, length) that interpolates along one axis."""
        key = (length, device)
        if key not in self._matrices:
            # Row i is what becomes of a signal that is one at i and zero elsewhere.
            impulses = torch.eye(length)[None, None]  # (1, 1, length, length)
            spread = F.interpolate(
                impulses, (length, self.size), mode="bilinear", antialias=True, align_corners=False
            )
            self._matrices[key] = spread[0, 0].T.contiguous().to(device)
        return self._matrices[key]
