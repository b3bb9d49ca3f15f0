"""Hostile archives leave nothing outside the target, and nothing inside it either."""

import io
import os
import struct
import tarfile
import zipfile

import pytest

from divekit.data.archives import Caps, extract
from divekit.errors import BadDataError

GOOD = {"a.txt": b"one", "folder/b.txt": b"two", "folder/deep/er/c.bin": b"\0" * 1000}

BAD_NAMES = {
    "parent": "../out.txt",
    "parent within": "folder/../../out.txt",
    "absolute": "/tmp/out.txt",
    "double slash": "//server/out.txt",
    "backslash parent": "..\\out.txt",
    "drive": "C:\\out.txt",
    "drive relative": "C:out.txt",
    "device": "NUL",
    "device with suffix": "folder/con.txt",
    "numbered device": "COM1.txt",
    "superscript device": "lpt¹.txt",
    "trailing dot": "file.",
    "trailing space": "folder /file",
    "stream": "file:stream",
    "newline": "a\nb",
    "escape": "a\x1bb",
    "delete": "a\x7fb",
    "question": "what?",
    "long part": "x" * 255,
    "long name": "/".join(["folder"] * 200),
}

SECOND_MEMBERS = {
    "twice": ["a", "a"],
    "case of files": ["Read.me", "read.ME"],
    "case of folders": ["Data/a", "data/b"],
    "file then folder": ["x", "x/y"],
    "folder then file": ["x/y", "x"],
    "unicode case": ["stra\u00dfe", "STRASSE"],
    "composed letters": ["caf\u00e9", "cafe\u0301"],
    "dot is the same": ["a", "./a"],
    "slashes are the same": ["f/a", "f//a"],
}


def make_tar(path, members, mode="w:gz"):
    """Write a tar; a member is (name, bytes) or a TarInfo."""
    with tarfile.open(path, mode) as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                tar.addfile(info, io.BytesIO(member[1]))
    return path


def make_zip(path, members, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members:
            info = zipfile.ZipInfo("placeholder")
            info.filename = name  # past the clean-up of the constructor
            info.compress_type = compression
            archive.writestr(info, data)
    return path


MAKERS = {
    "tar": lambda path, members: make_tar(path, members, "w"),
    "tar.gz": make_tar,
    "zip": make_zip,
}


@pytest.fixture
def refused(tmp_path):
    """Check that an archive is refused with words, and that nothing is left of it anywhere."""

    def check(archive, message=None, caps=None):
        before = everything(tmp_path)
        with pytest.raises(BadDataError, match=message):
            extract(archive, tmp_path / "deep/er/target", caps)
        left = everything(tmp_path) - before
        assert left <= {tmp_path / "deep", tmp_path / "deep/er"}

    return check


def everything(folder):
    return {path for path in folder.rglob("*")}  # noqa: C416


@pytest.mark.parametrize("kind", MAKERS)
def test_plain_files_and_folders_arrive(tmp_path, kind):
    members = [("./folder/empty/.keep", b""), *GOOD.items()]
    extract(MAKERS[kind](tmp_path / "x", members), tmp_path / "to/target")
    for name, data in GOOD.items():
        assert (tmp_path / "to/target" / name).read_bytes() == data
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["target"]


@pytest.mark.parametrize("kind", MAKERS)
def test_one_folder_of_an_archive_can_be_had_alone(tmp_path, kind):
    members = [*GOOD.items(), ("folder.txt", b"beside"), ("folders/x", b"beside")]
    extract(MAKERS[kind](tmp_path / "x", members), tmp_path / "target", top="folder")
    found = {path for path in (tmp_path / "target").rglob("*") if path.is_file()}
    assert found == {tmp_path / "target/b.txt", tmp_path / "target/deep/er/c.bin"}
    assert (tmp_path / "target/b.txt").read_bytes() == b"two"
    extract(MAKERS[kind](tmp_path / "y", members), tmp_path / "deep", top="folder/deep/er")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["c.bin"]


@pytest.mark.parametrize("kind", MAKERS)
def test_what_lies_beside_the_wanted_folder_is_checked_all_the_same(tmp_path, kind):
    zeros = [(f"zeros{number}", b"\0" * 600_000) for number in range(2)]
    for bad in ([("../out.txt", b"evil")], zeros):
        archive = MAKERS[kind](tmp_path / "x", [("folder/a", b"x"), *bad])
        with pytest.raises(BadDataError):
            extract(archive, tmp_path / "target", Caps(total_bytes=1_000_000), top="folder")
        assert everything(tmp_path) == {archive}


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("name", BAD_NAMES.values(), ids=BAD_NAMES)
def test_names_that_lead_out_or_confuse_a_system_are_refused(tmp_path, refused, kind, name):
    refused(MAKERS[kind](tmp_path / "x", [("good.txt", b"x"), (name, b"evil")]), "the name")


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("names", SECOND_MEMBERS.values(), ids=SECOND_MEMBERS)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_that_would_overwrite_each_other_are_refused(tmp_path, refused, kind, names):
    refused(MAKERS[kind](tmp_path / "x", [(name, b"x") for name in names]), "collides|twice")


def link(name, target, kind):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


SPECIAL = {
    "symbolic link out": [link("s", "/etc", tarfile.SYMTYPE), ("s/passwd", b"evil")],
    "symbolic link inside": [("a", b"x"), link("s", "a", tarfile.SYMTYPE)],
    "hard link out": [link("h", "../../../etc/passwd", tarfile.LNKTYPE)],
    "hard link inside": [("a", b"x"), link("h", "a", tarfile.LNKTYPE)],
    "hard link to a link": [link("s", "/etc", tarfile.SYMTYPE), link("h", "s", tarfile.LNKTYPE)],
    "character device": [link("d", "", tarfile.CHRTYPE)],
    "block device": [link("d", "", tarfile.BLKTYPE)],
    "pipe": [link("p", "", tarfile.FIFOTYPE)],
    "contiguous": [link("c", "", tarfile.CONTTYPE)],
    "sparse": [link("c", "", tarfile.GNUTYPE_SPARSE)],
    "unknown type": [link("u", "", b"Z")],
}


@pytest.mark.parametrize("members", SPECIAL.values(), ids=SPECIAL)
def test_anything_but_plain_files_is_refused(tmp_path, refused, members):
    refused(make_tar(tmp_path / "x", members), "not a plain file|damaged")


@pytest.mark.parametrize("mode", [0o120777, 0o020666, 0o060666, 0o010666, 0o140777])
def test_links_and_devices_in_a_zip_are_refused(tmp_path, refused, mode):
    with zipfile.ZipFile(tmp_path / "x", "w") as archive:
        info = zipfile.ZipInfo("s")
        info.external_attr = mode << 16
        archive.writestr(info, "/etc/passwd")
    refused(tmp_path / "x", "not a plain file")


def test_modes_are_left_behind(tmp_path):
    info = tarfile.TarInfo("run")
    info.mode = 0o6777
    extract(make_tar(tmp_path / "x", [info]), tmp_path / "target")
    assert (tmp_path / "target/run").stat().st_mode & 0o7111 == 0


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_bombs_are_refused_by_size_count_and_ratio(tmp_path, refused, kind):
    zeros = MAKERS[kind](tmp_path / "zeros", [("z", b"\0" * 3_000_000)])
    refused(zeros, "more than 1,000,000 bytes", Caps(total_bytes=1_000_000))
    refused(zeros, "unpacks to more than", Caps(ratio=10, free_bytes=1000))
    many = MAKERS[kind](tmp_path / "many", [(f"f{number}", b"") for number in range(30)])
    refused(many, "more than 20 members", Caps(members=20))
    parts = MAKERS[kind](tmp_path / "parts", [(f"p{number}", b"\0" * 400) for number in range(30)])
    refused(parts, "more than 2,000 bytes", Caps(total_bytes=2000))


def test_a_huge_tar_header_is_not_read_into_memory(tmp_path, refused):
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 2**40
    (tmp_path / "x").write_bytes(header.tobuf(tarfile.GNU_FORMAT) + b"\0" * 1024)
    refused(tmp_path / "x", "header of")


def patch(path, old, new, count=1):
    data = path.read_bytes()
    assert data.count(old) >= 1
    path.write_bytes(data.replace(old, new, count))


def test_an_encrypted_zip_is_refused(tmp_path, refused):
    archive = make_zip(tmp_path / "x", [("a", b"hello")])
    data = bytearray(archive.read_bytes())
    data[data.index(b"PK\1\2") + 8] |= 1
    data[6] |= 1
    archive.write_bytes(bytes(data))
    refused(archive, "encrypted")


@pytest.mark.parametrize("claimed", [1, 4, 6, 2**31])
def test_a_zip_that_lies_about_a_size_is_refused(tmp_path, refused, claimed):
    archive = make_zip(tmp_path / "x", [("a", b"hello")])
    data = bytearray(archive.read_bytes())
    central = data.index(b"PK\1\2")
    data[central + 24 : central + 28] = struct.pack("<I", claimed)
    archive.write_bytes(bytes(data))
    refused(archive)


def test_a_zip_whose_two_headers_name_different_files_is_refused(tmp_path, refused):
    archive = make_zip(tmp_path / "x", [("first", b"hello")])
    patch(archive, b"first", b"other")  # the local header comes first
    refused(archive, "damaged")


def test_a_zip_with_wrong_data_is_refused(tmp_path, refused):
    archive = make_zip(tmp_path / "x", [("a", b"hello world")], zipfile.ZIP_STORED)
    patch(archive, b"hello world", b"hellO world")
    refused(archive, "damaged")


def test_a_zip_name_with_a_nul_is_refused(tmp_path, refused):
    archive = make_zip(tmp_path / "x", [("aXb", b"x")])
    patch(archive, b"aXb", b"a\0b", count=2)
    refused(archive)


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("keep", [0.1, 0.5, 0.8])
def test_a_truncated_archive_is_refused(tmp_path, refused, kind, keep):
    archive = MAKERS[kind](tmp_path / "x", [("a", os.urandom(20_000)), ("b", os.urandom(20_000))])
    archive.write_bytes(archive.read_bytes()[: int(archive.stat().st_size * keep)])
    refused(archive)


@pytest.mark.parametrize(
    "data", [b"", b"<html>not found</html>", b"PK\3\4", b"\x1f\x8b", b"\x1f\x8b\x08" + b"\0" * 50]
)
def test_what_is_no_archive_is_refused(tmp_path, refused, data):
    (tmp_path / "x").write_bytes(data)
    refused(tmp_path / "x")


def test_an_existing_target_is_left_alone(tmp_path):
    (tmp_path / "target").mkdir()
    archive = make_zip(tmp_path / "x", GOOD.items())
    with pytest.raises(FileExistsError):
        extract(archive, tmp_path / "target")
    assert list((tmp_path / "target").iterdir()) == []


@pytest.mark.parametrize("way", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_that_is_packed_in_another_way_is_refused(tmp_path, refused, way):
    path = make_zip(tmp_path / "x", GOOD.items(), way)
    refused(path, r"x: 'a\.txt' is not stored or deflated")
    data = bytearray(path.read_bytes())
    data[40:45] = b"\xff" * 5  # in the first member's data: each way has errors of its own
    path.write_bytes(data)
    refused(path, "not stored or deflated")


def test_a_zip_whose_members_begin_before_it_is_refused(tmp_path, refused):
    path = make_zip(tmp_path / "x", GOOD.items())
    data = path.read_bytes()
    end = data.index(b"PK\x05\x06")
    (offset,) = struct.unpack("<I", data[end + 16 : end + 20])
    path.write_bytes(data[: end + 16] + struct.pack("<I", offset + 1000) + data[end + 20 :])
    refused(path, "x: ")


def test_a_refused_header_names_the_archive(tmp_path, refused):
    path = make_tar(tmp_path / "x", [("a" * 150, b"")], "w")  # a header of its own for the name
    data = bytearray(path.read_bytes())
    data[124:136] = b"77777777777\0"
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    path.write_bytes(data)
    refused(path, "x: a header of 8,589,934,591 bytes|x: a header of 8,589,934,592 bytes")
