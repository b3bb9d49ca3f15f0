"""Sizes that networks for images are built from: sides of images, numbers of channels."""

from collections.abc import Iterable

from divekit.errors import UsageError


def image_sides(
    image_size: int | tuple[int, int], *, at_least: int, model: str, usual: int
) -> tuple[int, int]:
    """Give height and width from a side or from both; images that are too small are an error.

    Args:
        image_size: (H, W), or the side of square images.
        at_least: the side of the smallest images that leave something for the last layer.
        model: whose name the error says.
        usual: the side that the error proposes.
    """
    height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
    if min(height, width) < at_least:
        raise UsageError(
            f"images of {height} x {width} pixels are too small for {model}, which needs "
            f"{at_least} x {at_least}; data.resize={usual} enlarges them"
        )
    return height, width


def scaled(channels: Iterable[int], width: float) -> list[int]:
    """Multiply numbers of channels by ``width``, rounded; at least one is left of each."""
    if not width > 0:
        raise UsageError(f"width is {width}; it must be more than 0")
    return [max(1, round(width * number)) for number in channels]
