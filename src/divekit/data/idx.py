"""The idx format of MNIST and Fashion-MNIST: a magic number, the sizes, then the bytes."""

import gzip
import struct
import zlib
from pathlib import Path

import torch
from torch import Tensor

from divekit.errors import BadDataError

UNSIGNED_BYTE = 0x08
# More than any set of this family holds; a damaged header cannot ask for all memory.
MOST_BYTES = 2**31
# Unpacked bytes for each packed one; small files are spared.
MOST_RATIO, FREE_BYTES = 200, 10**7


def read_idx(path: Path) -> Tensor:
    """Read an idx file of unsigned bytes, gzipped or not, as a uint8 tensor.

    Raises BadDataError with the file's name for anything else: another magic number, a
    truncated, overlong or empty body, a damaged archive.
    """
    try:
        data = _read_bytes(path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadDataError(f"{path}: damaged gzip file ({error})") from error
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != UNSIGNED_BYTE:
        raise BadDataError(f"{path}: not an idx file of bytes (it begins with {data[:4].hex(' ')})")
    num_axes = data[3]
    start = 4 + 4 * num_axes
    if num_axes == 0 or len(data) < start:
        raise BadDataError(f"{path}: the idx header is cut off")
    shape = struct.unpack(f">{num_axes}I", data[4:start])
    expected = 1
    for size in shape:
        expected *= size
    if len(data) - start != expected:
        raise BadDataError(
            f"{path}: the header promises {expected} bytes {shape}, there are {len(data) - start}"
        )
    if expected == 0:
        raise BadDataError(f"{path}: the idx file is empty, its sizes are {shape}")
    # bytearray: torch wants memory that may be written.
    return torch.frombuffer(bytearray(data), dtype=torch.uint8, offset=start).view(shape)


def _read_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        gzipped = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        stream = gzip.GzipFile(fileobj=file) if gzipped else file
        allowed = min(MOST_BYTES, max(FREE_BYTES, MOST_RATIO * path.stat().st_size))
        data = stream.read(allowed + 1)
    if len(data) > allowed:
        raise BadDataError(f"{path}: unpacks to more than {allowed:,} bytes")
    return data
