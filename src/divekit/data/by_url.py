"""Files known by an address and perhaps a SHA-1, as old programs name them."""

import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import nullcontext
from http import HTTPStatus
from pathlib import Path

from divekit.data.hub import data_folders, offline
from divekit.data.parts import part_folder
from divekit.data.progress import Watch, bar, human_size
from divekit.errors import BadDataError, DataNotFoundError

log = logging.getLogger("divekit")

MOST_BYTES = 20 * 10**9
"""No answer is followed further than this."""


def fetch_url(
    url: str, target: Path, sha1: str | None = None, watch: Watch | None = None, again: bool = False
) -> Path:
    """Find the file of ``url`` on this machine, or download it to ``target``; give its path.

    It is looked for at ``target`` first; then, where its hash is known, under the same name in
    the folders of ``DIVEKIT_DATA`` and one level below them.

    Args:
        url: http or https.
        target: the file to write. Its folders are made.
        sha1: hexadecimal digits. Without it the content cannot be checked, and the length is,
            where the server tells it.
        watch: told of the number of bytes so far.
        again: download it even if it is here; a file at ``target`` is replaced.

    Raises:
        DataNotFoundError: it is not here and could not be fetched or written.
        BadDataError: what the address gives has another hash. ``target`` is not touched.
    """
    if not again:
        for path in [target, *(_in_data_folders(target.name) if sha1 else ())]:
            if path.is_file() and (sha1 is None or file_sha1(path) == sha1):
                return path
    if offline():
        raise DataNotFoundError(
            f"{target.name} is not here, and DIVEKIT_OFFLINE forbids to fetch it from {url}"
        )
    log.info("fetching %s", url)
    try:
        with part_folder(target) as scratch:
            part = scratch / target.name
            _download(url, part, watch)
            if sha1 is not None and (found := file_sha1(part)) != sha1:
                raise BadDataError(f"{url} gave other content: SHA-1 {found}, not {sha1}")
            os.replace(part, target)
    except OSError as error:
        raise DataNotFoundError(f"{target} cannot be written: {error.strerror}") from error
    return target


def file_sha1(path: Path) -> str:
    """Give a file's SHA-1, as hexadecimal digits. It tells files apart, and proves nothing."""
    digest = hashlib.sha1(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _in_data_folders(name: str) -> Iterator[Path]:
    for folder in data_folders():
        yield folder / name
        yield from sorted(folder.glob(f"*/{name}"))


def _download(url: str, path: Path, watch: Watch | None) -> None:
    from divekit.data.connection import Connection, DownloadError

    try:
        with Connection(url) as connection, path.open("xb") as disk:
            if connection.status != HTTPStatus.OK:
                raise DownloadError(f"answered {connection.status}")
            length = connection.header("Content-Length")
            size = int(length) if length.isdigit() else None
            count = 0
            with nullcontext(watch) if watch or not size else bar(path.name, size) as tell:
                for block in connection.blocks():
                    count += len(block)
                    if count > (size if size is not None else MOST_BYTES):
                        raise DownloadError(f"sends more than {human_size(count - len(block))}")
                    disk.write(block)
                    if tell:
                        tell(count)
            if size is not None and count != size:
                raise DownloadError(f"ended after {count:,} of {size:,} bytes")
    except DownloadError as error:
        raise DataNotFoundError(f"{path.name} could not be fetched: {url}: {error}") from error
