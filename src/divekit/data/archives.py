"""Unpack archives that may be hostile: only plain files and folders, only inside the target.

The standard library's extractors are not used: each of their filters was got round at one
time or another. Here every name is checked, every file is created by us in a new folder,
links of any kind are refused, and sizes are counted while reading, whatever headers say.
"""

import gzip
import os
import stat
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from divekit.data.parts import part_folder
from divekit.errors import BadDataError

BLOCK = 2**20
LONGEST_PART, LONGEST_NAME = 200, 1000
# Names that Windows gives to devices, in any folder and with any suffix.
RESERVED = {"con", "prn", "aux", "nul", "conin$", "conout$"} | {
    f"{device}{number}" for device in ("com", "lpt") for number in "0123456789¹²³"
}
FORBIDDEN = set('<>:"|?*\\') | {chr(code) for code in range(32)} | {chr(127)}


@dataclass(frozen=True)
class Caps:
    """How much an archive may hold. The defaults are far above any data set of the book."""

    total_bytes: int = 20 * 10**9
    members: int = 1_000_000
    ratio: int = 200
    """Unpacked bytes for each packed one; small archives are spared, see ``free_bytes``."""
    free_bytes: int = 10 * 10**6
    """So many bytes are allowed whatever the ratio."""


@dataclass(frozen=True)
class _Member:
    name: str
    is_folder: bool
    size: int
    handle: Any


def extract(archive: Path, target: Path, caps: Caps | None = None, top: str = "") -> None:
    """Unpack a zip, tar or tar.gz archive into ``target``, a folder that must not exist.

    With ``top``, a folder in the archive, its contents alone: what lies beside it is checked
    like the rest and left out. The target is there whole or not at all.

    Raises BadDataError, naming archive and member, for anything that is not a plain file or
    folder inside the target, for names that some system could not hold or would confuse, and
    for more than ``caps`` allow.
    """
    caps = caps or Caps()
    if target.exists():
        raise FileExistsError(f"{target} exists already")
    with part_folder(target) as scratch:
        (scratch / "new").mkdir()
        with _open(archive, caps) as reader:
            _unpack(archive, reader, scratch / "new", caps, PurePosixPath(top).parts)
        os.replace(scratch / "new", target)


def _unpack(
    archive: Path, reader: "_Reader", target: Path, caps: Caps, top: tuple[str, ...]
) -> None:
    allowed = min(caps.total_bytes, max(caps.free_bytes, caps.ratio * archive.stat().st_size))
    done: set[tuple[str, ...]] = set()  # folders that are checked and made
    folders: dict[str, str] = {}  # folded name -> name as it was first written
    files: set[str] = set()
    written = 0
    for number, member in enumerate(reader.members(), start=1):
        if number > caps.members:
            raise BadDataError(f"{archive}: more than {caps.members} members")
        parts = checked_parts(member.name, archive)
        if not parts:  # the archive's own "./"
            continue
        folder = parts if member.is_folder else parts[:-1]
        wanted = folder[: len(top)] == top
        if folder not in done:
            for depth in range(1, len(folder) + 1):
                name = "/".join(folder[:depth])
                first = folders.setdefault(_folded(name), name)
                if first != name or _folded(name) in files:
                    raise BadDataError(f"{archive}: {member.name!r} collides with another member")
            if wanted:
                target.joinpath(*folder[len(top) :]).mkdir(parents=True, exist_ok=True)
            done.add(folder)
        if member.is_folder:
            continue
        folded = _folded("/".join(parts))
        if folded in files or folded in folders:
            raise BadDataError(f"{archive}: {member.name!r} stands there twice")
        files.add(folded)
        if written + member.size > allowed:
            raise BadDataError(f"{archive}: unpacks to more than {allowed:,} bytes")
        written += member.size
        if not wanted:
            continue
        # "x": the file must be new. Modes, owners and times of the archive are left behind.
        place = os.path.join(target, *parts[len(top) :])
        with open(place, "xb") as file, reader.open(member) as data:
            left = member.size
            while block := data.read(min(BLOCK, left + 1)):
                left -= len(block)
                if left < 0:
                    break
                file.write(block)
        if left != 0:
            raise BadDataError(f"{archive}: {member.name!r} is not of the size that it claims")


def _folded(name: str) -> str:
    """Give what two names share that some system takes for one: cases, composed letters."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def checked_parts(name: str, archive: Path) -> tuple[str, ...]:
    """Give the parts of a member's name, which every system can hold; none for the root.

    Raises BadDataError for any other name.
    """

    def refuse(why: str) -> BadDataError:
        return BadDataError(f"{archive}: the name {name[:100]!r} {why}")

    if not name or name.startswith("/"):
        raise refuse("is not relative")
    if not FORBIDDEN.isdisjoint(name):
        raise refuse("holds a character that some system forbids")
    try:
        encoded = name.encode()
    except UnicodeEncodeError:
        raise refuse("is not valid text") from None
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise refuse("leads out of the folder")
    if len(encoded) > LONGEST_NAME or any(len(part.encode()) > LONGEST_PART for part in parts):
        raise refuse("is too long")
    for part in parts:
        if part != part.rstrip(" ."):
            raise refuse("ends in a dot or a space, which some systems drop")
        if part.split(".")[0].rstrip().casefold() in RESERVED:
            raise refuse("is that of a device")
    return tuple(parts)


class _Reader:
    """The members of an archive, in order."""

    def members(self) -> Iterator[_Member]:
        raise NotImplementedError

    def open(self, member: _Member) -> IO[bytes]:
        raise NotImplementedError


@contextmanager
def _open(archive: Path, caps: Caps) -> Iterator[_Reader]:
    """Open an archive by its first bytes; whatever goes wrong inside is one kind of error."""
    try:
        with archive.open("rb") as raw:
            start = raw.read(512)
            raw.seek(0)
            if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
                with zipfile.ZipFile(raw) as opened:
                    yield _Zip(archive, opened)
            elif start.startswith(b"\x1f\x8b"):
                careful: Any = _Careful(archive, gzip.GzipFile(fileobj=raw))
                with tarfile.open(fileobj=careful, mode="r:") as opened_tar:
                    yield _Tar(archive, opened_tar)
            elif start[257:262] == b"ustar":
                careful = _Careful(archive, raw)
                with tarfile.open(fileobj=careful, mode="r:") as opened_tar:
                    yield _Tar(archive, opened_tar)
            else:
                raise BadDataError(f"{archive}: neither a zip nor a tar archive")
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, gzip.BadGzipFile) as error:
        raise BadDataError(f"{archive}: damaged archive ({error})") from error
    except (ValueError, NotImplementedError, RuntimeError, OverflowError) as error:
        if isinstance(error, BadDataError):
            raise
        raise BadDataError(f"{archive}: cannot be read ({error})") from error


class _Zip(_Reader):
    def __init__(self, archive: Path, opened: zipfile.ZipFile) -> None:
        self.archive, self.opened = archive, opened

    def members(self) -> Iterator[_Member]:
        for info in self.opened.infolist():
            if info.flag_bits & 0x1:
                raise BadDataError(f"{self.archive}: {info.filename!r} is encrypted")
            # The other ways to pack take memory as a header asks, and have errors of their own.
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise BadDataError(f"{self.archive}: {info.filename!r} is not stored or deflated")
            if info.header_offset < 0:
                raise BadDataError(f"{self.archive}: {info.filename!r} begins before the archive")
            # The upper half of the attributes is the Unix mode, where the writer knew one.
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise BadDataError(f"{self.archive}: {info.filename!r} is not a plain file")
            # orig_filename: what the archive says, before zipfile cuts it at a NUL.
            yield _Member(info.orig_filename, info.is_dir(), info.file_size, info)

    def open(self, member: _Member) -> IO[bytes]:
        return self.opened.open(member.handle)  # compares names with the local header


class _Tar(_Reader):
    def __init__(self, archive: Path, opened: tarfile.TarFile) -> None:
        self.archive, self.opened = archive, opened

    def members(self) -> Iterator[_Member]:
        for info in self.opened:
            plain = info.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not info.issparse()
            if not (plain or info.isdir()):
                raise BadDataError(f"{self.archive}: {info.name!r} is not a plain file")
            if info.size < 0:
                raise BadDataError(f"{self.archive}: {info.name!r} has a negative size")
            yield _Member(info.name, info.isdir(), info.size, info)

    def open(self, member: _Member) -> IO[bytes]:
        data = self.opened.extractfile(member.handle)
        assert data is not None  # a plain file always has data
        return data


class _Careful:
    """A file that refuses to read much at once: extended tar headers are read in one piece."""

    def __init__(self, archive: Path, file: Any) -> None:
        self._archive, self._file = archive, file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int) -> bytes:
        if not 0 <= size <= 4 * BLOCK:
            raise BadDataError(f"{self._archive}: a header of {size:,} bytes")
        data: bytes = self._file.read(size)
        return data
