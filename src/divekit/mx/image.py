"""``mx.image``: picture files as arrays, cutting and resizing.

Shapes: H height, W width, C channels; pictures are (H, W, C), uint8 from files
"""

import io
import math
import os
import warnings
from pathlib import Path
from typing import Any

import numpy
import torch
import torch.nn.functional as F
from torch import Tensor

from divekit.data.photos import FORMATS
from divekit.errors import BadDataError, MissingExtraError
from divekit.mx.array import ndarray, wrap
from divekit.mx.calls import apply
from divekit.mx.errors import no_attribute as _no_attribute

MOST_PIXELS = 80_000_000
# MXNet's numbers for ways to resize. 2 is the mean over areas, for shrinking; 9 chooses.
_MODES = {0: "nearest", 1: "bilinear", 2: "area", 3: "bicubic", 4: "bicubic"}


def imread(filename: str | os.PathLike[str], flag: int = 1, to_rgb: bool = True) -> ndarray:
    """Read a picture as (H, W, 3), red first, or with ``flag=0`` as grey (H, W, 1); uint8.

    The camera's turn is applied. Raises BadDataError naming the file.
    """
    path = Path(filename)
    if not path.is_file():
        raise BadDataError(f"{path}: no such file")
    return _decoded(path, path, flag, to_rgb)


def imdecode(buf: Any, flag: int = 1, to_rgb: bool = True) -> ndarray:
    """Read a picture from bytes, or from an array of them."""
    data = buf.asnumpy().tobytes() if isinstance(buf, ndarray) else bytes(buf)
    return _decoded(io.BytesIO(data), "the bytes", flag, to_rgb)


def _decoded(source: Any, name: Any, flag: int, to_rgb: bool) -> ndarray:
    try:
        from PIL import Image, ImageOps
    except ImportError as error:
        raise MissingExtraError("reading images", "data") from error
    try:
        with warnings.catch_warnings(), Image.open(source, formats=FORMATS) as image:
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            if math.prod(image.size) > MOST_PIXELS:
                raise BadDataError(f"{name}: more than {MOST_PIXELS:,} pixels; make it smaller")
            pixels = numpy.array(ImageOps.exif_transpose(image).convert("RGB" if flag else "L"))
    except BadDataError:
        raise
    except Exception as error:  # decoders of damaged files raise whatever they stumble over
        words = " ".join(str(error).split())
        raise BadDataError(f"{name}: not an image that can be read ({words})") from error
    pixels = pixels if flag else pixels[..., None]
    return wrap(torch.from_numpy(pixels if to_rgb or not flag else pixels[..., ::-1].copy()))


def resized(pictures: Tensor, width: int, height: int, interp: int = 1) -> Tensor:
    """Resize pictures (..., H, W, C); integers are rounded and kept within their range."""
    if pictures.shape[-3:-1] == (height, width):
        return pictures
    smaller = pictures.shape[-3] > height and pictures.shape[-2] > width
    if interp == 9:
        interp = 2 if smaller else 3
    if interp == 2 and not smaller:
        interp = 1
    if interp not in _MODES:
        raise ValueError(f"interp is one of {', '.join(map(str, _MODES))} or 9, not {interp}")
    # torch resizes (N, C, H, W).
    channels = pictures.reshape(-1, *pictures.shape[-3:]).permute(0, 3, 1, 2)
    mode = _MODES[interp]
    aligned = {} if mode in ("nearest", "area") else {"align_corners": False}
    floats = channels if channels.is_floating_point() else channels.float()
    new = F.interpolate(floats, (height, width), mode=mode, **aligned).permute(0, 2, 3, 1)
    new = new.reshape(*pictures.shape[:-3], height, width, pictures.shape[-1])
    if pictures.is_floating_point():
        return new
    limits = torch.iinfo(pictures.dtype)
    return new.round().clamp(limits.min, limits.max).to(pictures.dtype)


def imresize(src: Any, w: int, h: int, interp: int = 1) -> ndarray:
    """Resize a picture to width ``w`` and height ``h``."""
    made: ndarray = apply(resized, src, int(w), int(h), interp)
    return made


def resize_short(src: Any, size: int, interp: int = 2) -> ndarray:
    """Resize so that the shorter side is ``size``."""
    height, width = src.shape[:2]
    if height > width:
        return imresize(src, size, size * height // width, interp)
    return imresize(src, size * width // height, size, interp)


def fixed_crop(
    src: Any, x0: int, y0: int, w: int, h: int, size: Any = None, interp: int = 2
) -> Any:
    """Cut out ``w`` by ``h`` from (x0, y0), and resize to ``size``, (width, height), if given."""
    cut = src[y0 : y0 + h, x0 : x0 + w]
    if size is not None and (w, h) != tuple(size):
        return imresize(cut, size[0], size[1], interp)
    return cut


def scale_down(src_size: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
    """Shrink (width, height) ``size`` to fit into ``src_size``, in its proportions."""
    width, height = float(size[0]), float(size[1])
    most_width, most_height = src_size
    if most_height < height:
        width, height = width * most_height / height, float(most_height)
    if most_width < width:
        width, height = float(most_width), height * most_width / width
    return int(width), int(height)


def uniform(low: float, high: float) -> float:
    """Draw a number from torch's generator, which ``mx.random.seed`` sets."""
    return low + (high - low) * torch.rand(()).item()


def _below(most: int) -> int:
    return int(torch.randint(0, most + 1, ()).item())


def random_crop(src: Any, size: tuple[int, int], interp: int = 2) -> tuple[Any, Any]:
    """Cut out (width, height) anywhere; give it and (x0, y0, width, height)."""
    height, width = src.shape[:2]
    new_width, new_height = scale_down((width, height), size)
    x0, y0 = _below(width - new_width), _below(height - new_height)
    cut = fixed_crop(src, x0, y0, new_width, new_height, size, interp)
    return cut, (x0, y0, new_width, new_height)


def center_crop(src: Any, size: tuple[int, int], interp: int = 2) -> tuple[Any, Any]:
    """Cut (width, height) out of the middle; give it and (x0, y0, width, height)."""
    height, width = src.shape[:2]
    new_width, new_height = scale_down((width, height), size)
    x0, y0 = (width - new_width) // 2, (height - new_height) // 2
    cut = fixed_crop(src, x0, y0, new_width, new_height, size, interp)
    return cut, (x0, y0, new_width, new_height)


def random_size_crop(
    src: Any, size: tuple[int, int], area: Any, ratio: tuple[float, float], interp: int = 2
) -> tuple[Any, Any]:
    """Cut out a part of random area and proportions, resized to ``size``.

    ``area`` bounds the share of the picture, ``ratio`` width by height. After ten draws that do
    not fit the middle is taken.
    """
    height, width = src.shape[:2]
    shares = (area, 1.0) if isinstance(area, int | float) else area
    for _ in range(10):
        target = uniform(*shares) * height * width
        proportion = math.exp(uniform(math.log(ratio[0]), math.log(ratio[1])))
        new_width = round(math.sqrt(target * proportion))
        new_height = round(math.sqrt(target / proportion))
        if 0 < new_width <= width and 0 < new_height <= height:
            x0, y0 = _below(width - new_width), _below(height - new_height)
            cut = fixed_crop(src, x0, y0, new_width, new_height, size, interp)
            return cut, (x0, y0, new_width, new_height)
    return center_crop(src, size, interp)


def color_normalize(src: Any, mean: Any, std: Any = None) -> Any:
    """Subtract ``mean`` and divide by ``std``."""
    centred = src - mean
    return centred if std is None else centred / std


# Names of MXNet's that are missing, and what there is instead.
_ELSEWHERE = {
    "ImageIter": "gluon.data.vision.ImageFolderDataset and gluon.data.DataLoader",
    "ImageDetIter": "a gluon.data.Dataset of pictures and boxes, and gluon.data.DataLoader",
    "CreateAugmenter": "gluon.data.vision.transforms.Compose",
    "CreateDetAugmenter": "torchvision.transforms.v2, which changes boxes with their pictures",
    "imrotate": "torchvision.transforms.functional.rotate",
    "random_rotate": "torchvision.transforms.RandomRotation",
    "copyMakeBorder": "np.pad",
}


def __getattr__(name: str) -> Any:
    instead = "gluon.data.vision.transforms" if name.endswith("Aug") else _ELSEWHERE.get(name)
    raise _no_attribute("mxnet.image", name, instead)
