"""MXNet's files: bytes worked by hand, round trips, and everything that can be wrong with them."""

import struct
import tracemalloc

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from divekit.errors import BadDataError
from divekit.mx import context as contexts
from divekit.mx import cpu, gpu, np, npx

KINDS = ("float32", "float64", "float16", "uint8", "int32", "int8", "int64", "bool")

# One float32 array [1.0, -2.0] called "w", on the CPU, as MXNet 1.7 writes it.
HEADER = bytes.fromhex("1201000000000000 0000000000000000 0100000000000000")
V3 = bytes.fromhex(
    "cafa93f9"  # 0xF993FACA
    "00000000"  # dense
    "01000000 0200000000000000"  # one axis of size 2
    "01000000 00000000"  # cpu(0)
    "00000000"  # float32
    "0000803f 000000c0"  # 1.0, -2.0
)
V2 = bytes.fromhex("c9fa93f9") + V3[4:]
V1 = bytes.fromhex("c8fa93f9") + V3[8:]  # no storage type
V0 = bytes.fromhex("01000000 02000000") + V3[20:]  # the number of axes, sizes of 32 bits
NAMES = bytes.fromhex("0100000000000000 0100000000000000 77")
NO_NAMES = bytes(8)


@pytest.fixture
def file(tmp_path):
    def write(data):
        (tmp_path / "arrays.params").write_bytes(data)
        return tmp_path / "arrays.params"

    return write


def test_the_writer_writes_mxnets_bytes(tmp_path):
    npx.save(tmp_path / "w.params", {"w": np.array([1, -2])})
    assert (tmp_path / "w.params").read_bytes() == HEADER + V3 + NAMES
    npx.save(tmp_path / "w.params", [np.array([1, -2])])
    assert (tmp_path / "w.params").read_bytes() == HEADER + V3 + NO_NAMES


@pytest.mark.parametrize("body", [V3, V2, V1, V0], ids=["V3", "V2", "V1", "V0"])
def test_every_version_is_read(file, body):
    ((name, array),) = npx.load(file(HEADER + body + NAMES)).items()
    assert (name, array.tolist(), array.dtype) == ("w", [1, -2], numpy.float32)
    (array,) = npx.load(file(HEADER + body + NO_NAMES))
    assert array.tolist() == [1, -2]
    array += 1  # the memory is the array's own


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_round_trips(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("files") / "arrays.npy"
    shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3)
    one = st.sampled_from(KINDS).flatmap(lambda kind: hnp.arrays(kind, shapes))
    given_arrays = data.draw(
        st.lists(one, max_size=3) | st.dictionaries(st.text(), one, min_size=1, max_size=3)
    )
    if isinstance(given_arrays, dict):
        npx.save(path, {name: np.array(a) for name, a in given_arrays.items()})
        found = npx.load(path)
        assert list(found) == list(given_arrays)
        pairs = [(found[name], a) for name, a in given_arrays.items()]
    else:
        npx.save(path, [np.array(a) for a in given_arrays])
        pairs = list(zip(npx.load(path), given_arrays, strict=True))
    for ours, theirs in pairs:
        assert ours.dtype is theirs.dtype.type
        numpy.testing.assert_array_equal(ours.asnumpy(), theirs)


def test_one_array_comes_back_in_a_list(tmp_path):
    npx.save(str(tmp_path / "x-file"), np.arange(4))
    assert [a.tolist() for a in npx.load(str(tmp_path / "x-file"))] == [[0, 1, 2, 3]]


def test_devices_are_noted_and_used_where_they_are(tmp_path):
    contexts.set_virtual_gpus(2)
    try:
        npx.save(tmp_path / "x", np.ones(1, ctx=gpu(1)))
        assert npx.load(tmp_path / "x")[0].ctx == gpu(1)
    finally:
        contexts.set_virtual_gpus(0)
    if npx.num_gpus() < 2:
        assert npx.load(tmp_path / "x")[0].ctx == cpu()


def test_only_arrays_are_saved(tmp_path):
    for wrong in (1, "text", [1], {"a": 1}, {1: np.ones(1)}, [[np.ones(1)]]):
        with pytest.raises(TypeError):
            npx.save(tmp_path / "x", wrong)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("body", [V3, V2, V1, V0], ids=["V3", "V2", "V1", "V0"])
def test_a_file_cut_off_anywhere_is_refused(file, body):
    whole = HEADER + body + NAMES
    for length in range(len(whole)):
        with pytest.raises(BadDataError, match="arrays"):
            npx.load(file(whole[:length]))


def q(number):
    return struct.pack("<q" if number < 0 else "<Q", number)


def i(number):
    return struct.pack("<i", number)


WRONG = {
    "another magic number": (b"\x13" + HEADER[1:] + V3 + NAMES, "not a file of MXNet arrays"),
    "a second number": (HEADER[:8] + q(1) + HEADER[16:] + V3 + NAMES, "second number"),
    "an npz": (b"PK\x03\x04" + bytes(40), "npz"),
    "a pickle": (b"\x80\x04cos\nsystem\n" + bytes(30), "not a file of MXNet"),
    "too many arrays": (HEADER[:16] + q(2**60) + V3 + NAMES, "promises"),
    "one array more": (HEADER[:16] + q(2) + V3 + NAMES, "arrays.params"),
    "too many names": (HEADER + V3 + q(2**61) + NAMES[8:], "promises"),
    "no name for an array": (HEADER[:16] + q(2) + V3 + V3 + NAMES, "1 names for 2 arrays"),
    "a long name": (HEADER + V3 + q(1) + q(2**63) + b"w", "cut off"),
    "a name of bytes": (HEADER + V3 + q(1) + q(1) + b"\xff", "not text"),
    "one name twice": (HEADER[:16] + q(2) + V3 + V3 + q(2) + (q(1) + b"w") * 2, "same name"),
    "bytes after the end": (HEADER + V3 + NAMES + b"\0", "1 bytes follow"),
    "a sparse array": (HEADER + V3[:4] + i(1) + V3[8:] + NAMES, "sparse"),
    "no storage type": (HEADER + V3[:4] + i(7) + V3[8:] + NAMES, "storage type"),
    "negative axes": (HEADER + V3[:8] + i(-2) + V3[12:] + NAMES, "-2 axes"),
    "an unknown shape": (HEADER + V3[:8] + i(-1) + V3[12:] + NAMES, "no shape"),
    "no axes before V3": (HEADER + V2[:8] + i(0) + V2[20:] + NAMES, "no shape"),
    "many axes": (HEADER + V3[:8] + i(33) + V3[12:] + bytes(300) + NAMES, "33 axes"),
    "axes from an old header": (HEADER + i(2**30) + V0[4:] + NAMES, "1073741824 axes"),
    "a negative size": (HEADER + V3[:12] + q(-2) + V3[20:] + NAMES, "shape"),
    "a huge size": (HEADER + V3[:12] + q(2**62) + V3[20:] + NAMES, "shape"),
    "a large size": (HEADER + V3[:12] + q(2**30) + V3[20:] + NAMES, "cut off"),
    "an overflow of sizes": (HEADER + V3[:8] + i(4) + q(2**30) * 4 + V3[20:] + NAMES, "shape"),
    "sizes beside a zero": (
        HEADER + V3[:8] + i(4) + q(0) + q(2**31 - 1) * 3 + V3[20:28] + NAMES,
        "shape",
    ),
    "a device of no kind": (HEADER + V3[:20] + i(9) + V3[24:] + NAMES, "device"),
    "a negative device": (HEADER + V3[:24] + i(-1) + V3[28:] + NAMES, "device"),
    "a type of no kind": (HEADER + V3[:28] + i(77) + V3[32:] + NAMES, "type"),
    "a negative type": (HEADER + V3[:28] + i(-1) + V3[32:] + NAMES, "type"),
    "booleans of 3": (HEADER + V3[:28] + i(7) + b"\3\1" + NAMES, "booleans"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_every_wrong_field_is_refused_by_name(file, wrong):
    data, said = WRONG[wrong]
    with pytest.raises(BadDataError, match=said):
        npx.load(file(data))


def test_a_missing_file_is_bad_data(tmp_path):
    with pytest.raises(BadDataError, match="no such file"):
        npx.load(tmp_path / "nothing")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damage_is_refused_or_harmless_and_takes_no_memory(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("fuzz", numbered=True) / "x"
    whole = bytearray(HEADER + data.draw(st.sampled_from((V3, V2, V1, V0))) + NAMES)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(whole) - 1))
        whole[place : place + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=8))
        if not whole:
            return
    path.write_bytes(whole)
    tracemalloc.start()
    try:
        npx.load(path)
    except BadDataError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 10**6
