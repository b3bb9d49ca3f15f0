"""``mxnet.image``: image files as arrays (H, W, C) uint8, and cutting them.

Shapes: H height, W width, C channels
"""

import io
import random
from pathlib import Path
from typing import Any

import numpy
import torch

from divekit.errors import MissingExtraError
from divekit.mx.array import ndarray, wrap
from divekit.mx.errors import MissingNameError, MXNetError

__all__ = [
    "center_crop",
    "color_normalize",
    "fixed_crop",
    "imdecode",
    "imread",
    "imresize",
    "random_crop",
    "resize_short",
]

# MXNet's numbers for ways to resize, as Pillow's.
_FILTERS = {0: "NEAREST", 1: "BILINEAR", 2: "BICUBIC", 3: "BOX", 4: "LANCZOS"}


def imread(filename: str, flag: int = 1, to_rgb: bool = True) -> ndarray:
    """Read an image file: (H, W, 3) in RGB, or (H, W, 1) grey for ``flag=0``.

    Raises MXNetError for a file that is not there or is no image.
    """
    try:
        data = Path(filename).read_bytes()
    except OSError as error:
        raise MXNetError(f"{filename} cannot be read: {error.strerror}") from error
    try:
        return imdecode(data, flag, to_rgb)
    except MXNetError as error:
        raise MXNetError(f"{filename}: {error}") from error


def imdecode(buf: Any, flag: int = 1, to_rgb: bool = True) -> ndarray:
    """Read an image from bytes, as ``imread`` does."""
    image_module = _pillow()
    data = buf.asnumpy().tobytes() if isinstance(buf, ndarray) else bytes(buf)
    try:
        picture = image_module.open(io.BytesIO(data)).convert("RGB" if flag else "L")
    except (OSError, ValueError, SyntaxError, image_module.DecompressionBombError) as error:
        raise MXNetError(f"this is no image that can be read: {error}") from error
    pixels = numpy.array(picture)  # (H, W, 3), or (H, W)
    if not flag:
        pixels = pixels[:, :, None]  # (H, W, 1)
    elif not to_rgb:
        pixels = pixels[:, :, ::-1].copy()  # BGR
    return wrap(torch.from_numpy(pixels))


def imresize(src: Any, w: int, h: int, interp: int = 1) -> ndarray:
    """Resize an image (H, W, C) to (h, w, C), by default bilinearly between neighbours.

    ``interp``: 0 nearest, 1 bilinear, 2 bicubic, 3 area, 4 Lanczos.
    """
    if interp not in _FILTERS:
        raise MXNetError(f"interp is 0 to 4 here, not {interp}")
    image_module = _pillow()
    pixels = src.asnumpy() if isinstance(src, ndarray) else numpy.asarray(src)
    if pixels.ndim != 3:
        raise MXNetError(f"an image has the shape (height, width, channels), not {pixels.shape}")
    if pixels.dtype == numpy.uint8 and interp == 1:
        return wrap(_bilinear(torch.from_numpy(pixels), h, w))
    kind = getattr(image_module.Resampling, _FILTERS[interp])
    channels = [
        numpy.asarray(
            image_module.fromarray(pixels[:, :, channel].astype(numpy.float32)).resize((w, h), kind)
        )
        for channel in range(pixels.shape[2])
    ]
    resized = numpy.stack(channels, axis=2)  # (h, w, C)
    if pixels.dtype == numpy.uint8:
        resized = numpy.clip(numpy.rint(resized), 0, 255)
    return wrap(torch.from_numpy(resized.astype(pixels.dtype)))


def _bilinear(pixels: torch.Tensor, h: int, w: int) -> torch.Tensor:
    """Resize as OpenCV does, which MXNet used: between four neighbours, without smoothing first."""
    planes = pixels.permute(2, 0, 1)[None].float()  # (1, C, H, W)
    resized = torch.nn.functional.interpolate(planes, (h, w), mode="bilinear", align_corners=False)
    return resized[0].permute(1, 2, 0).round().clamp(0, 255).to(torch.uint8).contiguous()


def resize_short(src: Any, size: int, interp: int = 2) -> ndarray:
    """Resize so that the shorter side becomes ``size``."""
    height, width = src.shape[:2]
    if height > width:
        return imresize(src, size, size * height // width, interp)
    return imresize(src, size * width // height, size, interp)


def fixed_crop(
    src: Any, x0: int, y0: int, w: int, h: int, size: tuple[int, int] | None = None, interp: int = 2
) -> ndarray:
    """Cut a window of w x h pixels out at (x0, y0), and resize it to ``size`` (w, h) if given."""
    window: ndarray = src[y0 : y0 + h, x0 : x0 + w]
    if size is not None and tuple(size) != (w, h):
        return imresize(window, *size, interp=interp)
    return window


def random_crop(
    src: Any, size: tuple[int, int], interp: int = 2
) -> tuple[ndarray, tuple[int, int, int, int]]:
    """Cut a random window of ``size`` (w, h), smaller where the image is; give it and its place.

    The place is (x0, y0, w, h). The draw is of Python's ``random``, as MXNet's was.
    """
    height, width = src.shape[:2]
    new_width, new_height = _scaled_down((width, height), size)
    x0 = random.randint(0, width - new_width)
    y0 = random.randint(0, height - new_height)
    window = fixed_crop(src, x0, y0, new_width, new_height, size, interp)
    return window, (x0, y0, new_width, new_height)


def center_crop(
    src: Any, size: tuple[int, int], interp: int = 2
) -> tuple[ndarray, tuple[int, int, int, int]]:
    """Cut the middle window of ``size`` (w, h), smaller where the image is; tell its place."""
    height, width = src.shape[:2]
    new_width, new_height = _scaled_down((width, height), size)
    x0, y0 = (width - new_width) // 2, (height - new_height) // 2
    window = fixed_crop(src, x0, y0, new_width, new_height, size, interp)
    return window, (x0, y0, new_width, new_height)


def color_normalize(src: Any, mean: Any, std: Any = None) -> Any:
    """Subtract a mean for each channel, and divide by a spread."""
    shifted = src - mean
    return shifted if std is None else shifted / std


def _scaled_down(source: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
    """Shrink ``size`` (w, h) in its proportions until it fits into an image."""
    width, height = source
    w, h = float(size[0]), float(size[1])
    if height < h:
        w, h = w * height / h, float(height)
    if width < w:
        w, h = float(width), h * width / w
    return int(w), int(h)


def _pillow() -> Any:
    try:
        from PIL import Image
    except ModuleNotFoundError as error:
        raise MissingExtraError("mxnet.image", "data") from error
    return Image


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    raise MissingNameError(
        f"mxnet.image.{name} is not part of divekit.mx; in PyTorch: torchvision.transforms"
    )
