"""One address, one file: nothing that a server says is believed before size and hash agree."""

import hashlib
from http import HTTPStatus
from pathlib import Path
from typing import IO

from divekit.data.connection import (
    BLOCK,
    BrokenOffError,
    Connection,
    DownloadError,
    printable,
)
from divekit.data.progress import Watch

RESUMES = 5
"""How often a connection that broke off is taken up again, if it brought a block at least."""


class _File:
    """What has arrived so far: on disk, counted and hashed, and never more than ``size``."""

    def __init__(self, disk: IO[bytes], size: int) -> None:
        self.disk, self.size = disk, size
        self.count = 0
        self.start = b""  # the first block: it tells what came in place of the file
        self._digest = hashlib.sha256()

    def add(self, block: bytes) -> None:
        self.start = self.start or block
        if self.count + len(block) > self.size:
            raise DownloadError(_instead(self.start, f"sends more than {self.size:,} bytes"))
        self.disk.write(block)
        self._digest.update(block)
        self.count += len(block)

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


def download(url: str, path: Path, size: int, sha256: str, watch: Watch) -> None:
    """Fetch ``url`` into ``path``, a new file; a connection that breaks off is taken up again.

    Raises DownloadError for whatever is wrong with the answer, and OSError when the file
    cannot be written. At most ``size`` bytes are ever written.
    """
    with path.open("xb") as disk:
        file = _File(disk, size)
        _receive_all(url, file, watch)
    if file.sha256 != sha256:
        other = f"gave other content (sha256 {file.sha256[:12]}..., not {sha256[:12]}...)"
        raise DownloadError(_instead(file.start, other))


def _receive_all(url: str, file: _File, watch: Watch) -> None:
    """Fill the file, over more than one connection where one breaks off and the next goes on."""
    broken: BrokenOffError | None = None
    for _ in range(RESUMES + 1):
        before = file.count
        try:
            return _receive(url, file, watch)
        except BrokenOffError as error:
            broken = error
            if file.count - before < BLOCK:
                break
        except DownloadError:
            if broken is None:
                raise
            break  # a server that cannot go on where it left off: the break is what went wrong
    assert broken is not None
    raise broken


def _receive(url: str, file: _File, watch: Watch) -> None:
    """Add to the file what one connection gives, until the file is whole."""
    first = file.count
    with Connection(url, first) as connection:
        if connection.status != (HTTPStatus.PARTIAL_CONTENT if first else HTTPStatus.OK):
            raise DownloadError(f"answered {_status(connection.status)}")
        place = connection.header("Content-Range")
        if first and not place.startswith(f"bytes {first}-"):
            raise DownloadError(f"went on from another place ({printable(place)})")
        kind, length = connection.header("Content-Type"), connection.header("Content-Length")
        blocks = connection.blocks()
        if length and length != str(file.size - first):
            text = f"has {printable(length)} bytes in place of {file.size - first}"
            raise DownloadError(_instead(next(blocks, b""), text, kind))
        try:
            for block in blocks:
                file.add(block)
                watch(file.count)
                if file.count == file.size:
                    return  # whatever else the server has to say: the hash decides
        except BrokenOffError as error:
            raise BrokenOffError(f"{error}, {_so_far(file)}") from error
    raise BrokenOffError(_instead(file.start, f"ended {_so_far(file)}", kind))


def _so_far(file: _File) -> str:
    return f"after {file.count:,} of {file.size:,} bytes"


def _instead(start: bytes, otherwise: str, content_type: str = "") -> str:
    """Say what came in place of the file, of which the first bytes are given."""
    looks = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if looks.startswith((b"<!doctype html", b"<html")) or content_type.startswith("text/html"):
        return (
            "gave an HTML page in place of the file "
            "(an error page, or that of a network that wants a login first)"
        )
    return otherwise


def _status(code: int) -> str:
    try:
        return f"{code} {HTTPStatus(code).phrase}"
    except ValueError:
        return str(code)
