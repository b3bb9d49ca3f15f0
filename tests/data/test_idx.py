import gzip
import struct
from contextlib import suppress

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from divekit.data.idx import read_idx
from divekit.errors import BadDataError


def idx_bytes(array: np.ndarray) -> bytes:
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return header + array.astype(np.uint8).tobytes()


IMAGES = np.arange(2 * 3 * 4).reshape(2, 3, 4)


@pytest.mark.parametrize("pack", [lambda data: data, gzip.compress], ids=["plain", "gzip"])
def test_reads_what_was_written(tmp_path, pack):
    (tmp_path / "x").write_bytes(pack(idx_bytes(IMAGES)))
    assert torch.equal(read_idx(tmp_path / "x"), torch.from_numpy(IMAGES).to(torch.uint8))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not an idx file"),
        (b"<html>404</html>", "not an idx file"),
        (b"\0\0\x0d" + idx_bytes(IMAGES)[3:], "not an idx file of bytes"),
        (b"\0\0\x08\x03\0\0", "header is cut off"),
        (b"\0\0\x08\x00", "header is cut off"),
        (idx_bytes(IMAGES)[:-1], "promises 24 bytes"),
        (idx_bytes(IMAGES) + b"x", "promises 24 bytes"),
        (struct.pack(">BBBB3I", 0, 0, 8, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1), "promises"),
        (idx_bytes(np.zeros((0, 3))), "empty"),
        (b"\0\0\x08\xff" + bytes(4) + b"\xff" * 4 * 254, "empty"),
        (gzip.compress(bytes(3 * 10**7)), "unpacks to more than 10,000,000 bytes"),
        (gzip.compress(idx_bytes(IMAGES))[:-12], "damaged gzip"),
        (gzip.compress(idx_bytes(IMAGES))[:8], "damaged gzip"),
    ],
    ids=lambda part: part if isinstance(part, str) else "file",
)
def test_a_bad_file_is_named_with_what_is_wrong(tmp_path, data, message):
    path = tmp_path / "bad-idx3-ubyte"
    path.write_bytes(data)
    with pytest.raises(BadDataError, match=message) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)


@settings(deadline=None, max_examples=100)
@given(data=st.binary(max_size=60))
def test_any_bytes_give_a_tensor_or_the_one_error(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("fuzz") / "x"
    path.write_bytes(b"\0\0\x08" + data)
    with suppress(BadDataError):
        assert read_idx(path).dtype == torch.uint8
