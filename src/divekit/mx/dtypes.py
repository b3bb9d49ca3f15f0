"""Data types under three names: NumPy's, torch's, and the numbers that MXNet's files use."""

from typing import Any

import numpy
import torch

from divekit.mx.errors import DtypeError

# MXNet's own list; the numbers are those of its files.
NUMBERS: dict[int, type] = {
    0: numpy.float32,
    1: numpy.float64,
    2: numpy.float16,
    3: numpy.uint8,
    4: numpy.int32,
    5: numpy.int8,
    6: numpy.int64,
    7: numpy.bool_,
    8: numpy.int16,
}

TO_TORCH: dict[Any, torch.dtype] = {
    numpy.float32: torch.float32,
    numpy.float64: torch.float64,
    numpy.float16: torch.float16,
    numpy.uint8: torch.uint8,
    numpy.int32: torch.int32,
    numpy.int8: torch.int8,
    numpy.int64: torch.int64,
    numpy.bool_: torch.bool,
    numpy.int16: torch.int16,
}
TO_NUMPY: dict[torch.dtype, Any] = {theirs: ours for ours, theirs in TO_TORCH.items()}


def torch_dtype(dtype: Any, default: torch.dtype = torch.float32) -> torch.dtype:
    """Give torch's name of a type written as NumPy's, Python's, torch's or text."""
    if dtype is None:
        return default
    found = TO_TORCH.get(dtype) if isinstance(dtype, type) else None
    if found is not None:
        return found
    if isinstance(dtype, torch.dtype):
        return dtype
    try:
        kind = numpy.dtype(dtype)
    except TypeError:
        raise DtypeError(f"{dtype!r} is no data type") from None
    found = TO_TORCH.get(kind.type)
    if found is None:
        known = ", ".join(sorted(numpy.dtype(name).name for name in TO_TORCH))
        raise DtypeError(f"arrays cannot hold {kind.name}; there is {known}")
    return found


def numpy_dtype(dtype: torch.dtype) -> Any:
    """Give NumPy's class for a type of torch's; bfloat16, which NumPy lacks, stays torch's."""
    return TO_NUMPY.get(dtype, dtype)
