"""MXNet's files of arrays: what ``npx.save``, ``save_parameters`` and ``export`` wrote.

All numbers are little-endian. A file is

    uint64 0x112, uint64 0, uint64 number of arrays, the arrays,
    uint64 number of names (0 or as many), each a uint64 length and its bytes

and an array, in the layout that its first uint32 names,

    V3 0xF993FACA (NumPy's shapes), V2 0xF993FAC9: int32 storage (0 dense), int32 number of axes,
        int64 sizes, int32 device kind, int32 device number, int32 type, the elements
    V1 0xF993FAC8: as V2 without storage
    V0: the first number is the number of axes itself, uint32 sizes, then as V1

In V3 an unknown shape has -1 axes, before it 0 axes; such an array ends after its shape.
The reader believes no number of the file: every one is held against the bytes that are left.
"""

import math
import os
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy
import torch

from divekit.errors import BadDataError
from divekit.mx import context as contexts
from divekit.mx.array import ndarray, virtual, wrap
from divekit.mx.dtypes import NUMBERS
from divekit.mx.np.creation import array as make_array

LIST_MAGIC = 0x112
V1, V2, V3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA
# More axes than any array has; NumPy stops at 64.
MOST_AXES = 32
_KINDS = {number: numpy.dtype(kind).newbyteorder("<") for number, kind in NUMBERS.items()}
_TYPE_NUMBERS = {numpy.dtype(kind): number for number, kind in NUMBERS.items()}


def save(file: str | os.PathLike[str], arr: Any) -> None:
    """Write an array, a list of arrays, or a dict of arrays by name."""
    if isinstance(arr, ndarray):
        arr = [arr]
    if isinstance(arr, Mapping):
        names, arrays = list(arr), list(arr.values())
        if not all(isinstance(name, str) for name in names):
            raise TypeError("the names of arrays are text")
    elif isinstance(arr, Sequence) and not isinstance(arr, str):
        names, arrays = [], list(arr)
    else:
        raise TypeError(
            f"save takes an array, a list or a dict of arrays, not {type(arr).__name__}"
        )
    if not all(isinstance(one, ndarray) for one in arrays):
        raise TypeError("save writes arrays of mx.np; np.array(...) makes one")
    with open(file, "wb") as stream:
        stream.write(struct.pack("<QQQ", LIST_MAGIC, 0, len(arrays)))
        for one in arrays:
            _write_array(stream, one)
        stream.write(struct.pack("<Q", len(names)))
        for name in names:
            text = name.encode()
            stream.write(struct.pack("<Q", len(text)) + text)


def _write_array(stream: BinaryIO, one: ndarray) -> None:
    numbers = one.asnumpy()
    device = one.ctx
    stream.write(struct.pack("<Iii", V3, 0, numbers.ndim))
    stream.write(struct.pack(f"<{numbers.ndim}q", *numbers.shape))
    number = _TYPE_NUMBERS[numbers.dtype]
    stream.write(struct.pack("<iii", device.device_typeid, device.device_id, number))
    stream.write(numbers.astype(_KINDS[number], copy=False).tobytes())


def load(file: str | os.PathLike[str]) -> Any:
    """Read what ``save`` wrote, here or in MXNet: a list, or a dict where there are names.

    Arrays that were on a GPU come back there, or to main memory if there is none. No code runs,
    and no more memory is taken than the file is long. Raises BadDataError with the file's name.
    """
    path = Path(file)
    if not path.is_file():
        raise BadDataError(f"{path}: no such file")
    with path.open("rb") as stream:
        reader = _Reader(stream, path)
        arrays, names = _read_list(reader)
    placed = [_placed(numbers, device) for numbers, device in arrays]
    return dict(zip(names, placed, strict=True)) if names else placed


def _placed(numbers: numpy.ndarray, device: contexts.Context) -> ndarray:
    if device.device_type == "gpu" and device.device_id < contexts.num_gpus():
        return make_array(numbers, ctx=device)
    return wrap(torch.from_numpy(numbers), virtual(contexts.cpu()))


class _Reader:
    """Reads numbers of a file, and says what is wrong where in it."""

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        self.stream = stream
        self.path = path
        self.left = path.stat().st_size

    def bad(self, what: str) -> BadDataError:
        return BadDataError(f"{self.path}: {what}")

    def take(self, count: int, what: str) -> bytes:
        if count > self.left:
            raise self.bad(f"cut off: {what} needs {count} bytes, {self.left} are left")
        data = self.stream.read(count)
        if len(data) != count:
            raise self.bad(f"cut off while reading {what}")
        self.left -= count
        return data

    def number(self, form: str, what: str) -> int:
        (value,) = struct.unpack("<" + form, self.take(struct.calcsize("<" + form), what))
        return int(value)

    def count(self, what: str, least_bytes: int) -> int:
        """Read how many things follow, of which each takes at least so many bytes."""
        value = self.number("Q", f"the number of {what}")
        if value * least_bytes > self.left:
            raise self.bad(f"promises {value} {what} in {self.left} bytes")
        return value


def _read_list(reader: _Reader) -> tuple[list[tuple[numpy.ndarray, contexts.Context]], list[str]]:
    magic = reader.number("Q", "the header")
    if magic & 0xFFFFFFFF == 0x04034B50:
        raise reader.bad("is an .npz archive (MXNet 2, NumPy); read it with numpy.load")
    if magic != LIST_MAGIC:
        raise reader.bad(f"not a file of MXNet arrays (it begins with {magic:#x})")
    if reader.number("Q", "the header"):
        raise reader.bad("the second number of the header is not 0")
    arrays = [_read_array(reader) for _ in range(reader.count("arrays", 8))]
    names = [_read_name(reader) for _ in range(reader.count("names", 8))]
    if names and len(names) != len(arrays):
        raise reader.bad(f"{len(names)} names for {len(arrays)} arrays")
    if len(set(names)) != len(names):
        raise reader.bad("two arrays have the same name")
    if reader.left:
        raise reader.bad(f"{reader.left} bytes follow after the end")
    return arrays, names


def _read_name(reader: _Reader) -> str:
    text = reader.take(reader.number("Q", "the length of a name"), "a name")
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise reader.bad(f"a name is not text: {text[:40]!r}") from None


def _read_array(reader: _Reader) -> tuple[numpy.ndarray, contexts.Context]:
    magic = reader.number("I", "an array's header")
    if magic in (V2, V3):
        storage = reader.number("i", "the storage type")
        if storage in (1, 2):
            raise reader.bad("holds sparse arrays, which are not read; save them as dense")
        if storage:
            raise reader.bad(f"no storage type has the number {storage}")
    if magic in (V1, V2, V3):
        shape = _read_shape(reader, reader.number("i", "the number of axes"), "q")
    else:
        shape = _read_shape(reader, magic, "I")
    if shape is None or (not shape and magic != V3):
        raise reader.bad("an array has no shape: it was saved before it was initialised")
    device = _read_device(reader)
    kind = _KINDS.get(reader.number("i", "the type"))
    if kind is None:
        raise reader.bad("an array has a type that NumPy's arrays do not")
    elements = math.prod(shape)
    data = bytearray(reader.take(elements * kind.itemsize, f"an array of shape {shape}"))
    if kind == numpy.bool_ and elements and max(data) > 1:
        raise reader.bad("an array of booleans holds other bytes than 0 and 1")
    numbers = numpy.frombuffer(data, kind).reshape(shape)
    return numbers.astype(kind.newbyteorder("="), copy=False), device


def _read_shape(reader: _Reader, axes: int, form: str) -> tuple[int, ...] | None:
    if axes == -1:
        return None
    if not 0 <= axes <= MOST_AXES:
        raise reader.bad(f"an array cannot have {axes} axes")
    shape = tuple(reader.number(form, "a shape") for _ in range(axes))
    # An empty array takes no bytes, so its other sizes are held against nothing else.
    possible = math.prod(max(size, 1) for size in shape) < 2**62
    if not possible or any(not 0 <= size < 2**31 for size in shape):
        raise reader.bad(f"an array cannot have the shape {shape}")
    return shape


def _read_device(reader: _Reader) -> contexts.Context:
    kind, number = reader.number("i", "the device"), reader.number("i", "the device")
    if kind not in contexts.Context.devtype2str or not 0 <= number < 2**16:
        raise reader.bad(f"no device has kind {kind} and number {number}")
    return contexts.Context(contexts.Context.devtype2str[kind], number)
