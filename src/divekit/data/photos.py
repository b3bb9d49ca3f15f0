"""Reading picture files: any mode, any size, in one form: (C, H, W) bytes.

Shapes: C channels, H height, W width
"""

import os
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from divekit.errors import BadDataError, MissingExtraError

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm")
)
# Pillow goes by what is in a file, not by its name, and would read much else; PostScript, say, it
# hands to Ghostscript, which runs it.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
# Decoding takes some 4 bytes for each: 320 MB. Cameras stay below, but for a few of telephones'.
MOST_PIXELS = 80_000_000


def read_photo(path: Path, height: int, width: int, channels: int | None = None) -> np.ndarray:
    """Read a picture as uint8 (C, H, W).

    The camera's turn (EXIF) is applied, what is transparent is laid on white, 16 bits become 8,
    and of an animation the first frame is taken. The short side is resized and the middle of
    the long one cut out, so nothing is squeezed.

    Args:
        path: the file.
        height: H.
        width: W.
        channels: 1 for grey, 3 for red, green, blue; by the pixels unless given: 1 where no pixel
            has a colour.

    Raises BadDataError naming the file for all that is not a whole picture of at most
    ``MOST_PIXELS`` pixels.
    """
    (photo,) = read_photos([path], height, width, channels)
    assert photo is not None  # what cannot be read has been raised
    return photo


def read_photos(
    paths: Sequence[Path],
    height: int,
    width: int,
    channels: int | None = None,
    *,
    errors: list[str] | None = None,
) -> Iterator[np.ndarray | None]:
    """Read pictures as ``read_photo`` does, several at a time, in order.

    With a list of ``errors``, what is wrong with a file is added to it, and None is given in
    place of the picture.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtraError("reading images", "data") from error

    def read(path: Path) -> np.ndarray | BadDataError:
        try:
            return _read(path, height, width, channels)
        except BadDataError as error:
            return error

    with warnings.catch_warnings(), ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        # Giant images are an error here, in words of our own.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        for found in pool.map(read, paths):
            if not isinstance(found, BadDataError):
                yield found
            elif errors is None:
                pool.shutdown(wait=False, cancel_futures=True)
                raise found
            else:
                errors.append(str(found))
                yield None


def _read(path: Path, height: int, width: int, channels: int | None) -> np.ndarray:
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path, formats=FORMATS) as image:
            _refuse_giant(path, image)
            # A JPEG can be decoded small: much quicker, and still twice what is needed.
            side = 2 * max(height, width)
            image.draft(None, (side, side))
            plain = _plain(path, ImageOps.exif_transpose(image))
        fitted = ImageOps.fit(plain, (width, height), method=Image.Resampling.BILINEAR)
        pixels = np.asarray(fitted if channels != 1 else fitted.convert("L"))
    except BadDataError:
        raise
    except FileNotFoundError:
        raise BadDataError(f"{path}: no such file") from None
    except Image.DecompressionBombError:
        raise BadDataError(f"{path}: more than {MOST_PIXELS:,} pixels; make it smaller") from None
    except UnidentifiedImageError:
        empty = path.stat().st_size == 0
        what = "an empty file" if empty else "not an image that can be read"
        raise BadDataError(f"{path}: {what}") from None
    except Exception as error:
        # Decoders of damaged files raise whatever they stumble over.
        words = " ".join(str(error).split())
        raise BadDataError(f"{path}: not an image that can be read ({words})") from error
    pixels = np.atleast_3d(pixels).transpose(2, 0, 1)  # (H, W) or (H, W, C) -> (C, H, W)
    if channels == 3:
        return np.broadcast_to(pixels, (3, height, width))
    return pixels[:1] if (pixels == pixels[:1]).all() else pixels


def _refuse_giant(path: Path, image: "Image") -> None:
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise BadDataError(
            f"{path}: {width:,} x {height:,} pixels, more than {MOST_PIXELS:,}; make it smaller"
        )


def _plain(path: Path, image: "Image") -> "Image":
    """Turn an image of any mode into grey (L) or RGB."""
    if image.mode.startswith("I") or image.mode == "F":
        # Pillow cuts these off at 255, so they are scaled by hand.
        from PIL import Image

        pixels = np.asarray(image).astype(np.float64)
        most = 1.0 if image.mode == "F" else 65535.0
        if pixels.size and not (pixels.min() >= 0 and pixels.max() <= most):
            raise BadDataError(
                f"{path}: pixels from {pixels.min():g} to {pixels.max():g}; "
                f"0 to {most:g} can be read in an image of this kind ({image.mode})"
            )
        return Image.fromarray((pixels * (255 / most)).round().astype(np.uint8))
    if image.has_transparency_data:
        from PIL import Image

        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")
