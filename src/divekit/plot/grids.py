"""Grids of images with captions.

Shapes: B images, C channels, H height, W width
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from divekit.plot.picture import INK, hide_axes, new_picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WRONG = "#dd4b55"


def images(
    pictures: Any,
    captions: Sequence[str] = (),
    *,
    truth: Sequence[str] = (),
    columns: int = 6,
    signed: bool = False,
    limits: tuple[float, float] | None = None,
) -> "Figure":
    """Draw images in a grid.

    Args:
        pictures: (B, C, H, W), C one or three, or (B, H, W); floats in 0-1 or uint8; a
            tensor or an array.
        captions: what to write over each image: predictions, say.
        truth: what the captions should be; where they differ, both are written, in red.
        columns: images in a row.
        signed: the values lie around zero: blue below, white at zero, red above, on one scale for
            all images.
        limits: the values that are drawn black and white in every image; when none, 0 and 255 for
            uint8, 0 and 1 for floats between them, else each image's own least and greatest.
    """
    pixels = [_channels_last(picture) for picture in pictures]
    if not pixels:
        raise ValueError("there are no images to draw")
    for name, given in (("captions", captions), ("truth", truth)):
        if given and len(given) != len(pixels):
            raise ValueError(f"{len(pixels)} images and {len(given)} {name}")
    columns = min(columns, len(pixels))
    rows = -(-len(pixels) // columns)
    picture = new_picture(width=1.25 * columns, height=1.55 * rows)
    grid = picture.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        hide_axes(axes)
    if signed:
        reach = max(float(abs(pixel).max()) for pixel in pixels)
        limits = (-reach, reach)
    for index, (axes, pixel) in enumerate(zip(grid.flat, pixels, strict=False)):
        low, high = limits or _natural_limits(pixel)
        colours = "RdBu_r" if signed else "gray"
        axes.imshow(pixel, cmap=colours, vmin=low, vmax=high, interpolation="nearest")
        if captions:
            right = not truth or captions[index] == truth[index]
            text = captions[index] if right else f"{captions[index]}\n(is {truth[index]})"
            axes.set_title(text, fontsize=8, color=INK if right else WRONG)
    return picture


def _channels_last(picture: Any) -> Any:
    """Turn (C, H, W) or (H, W) into what matplotlib draws: (H, W) or (H, W, 3)."""
    import numpy as np

    pixels = np.asarray(picture)
    if pixels.ndim == 3:
        pixels = pixels[0] if pixels.shape[0] == 1 else pixels.transpose(1, 2, 0)
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] != 3):
        raise ValueError(
            f"an image has shape {np.shape(picture)}; it must be (C, H, W), C one or three"
        )
    return pixels


def _natural_limits(pixel: Any) -> tuple[float, float]:
    """Give what is black and what is white in an image of its kind."""
    if pixel.dtype == "uint8":
        return 0, 255
    if pixel.min() >= 0 and pixel.max() <= 1:
        return 0, 1
    return pixel.min(), pixel.max()
