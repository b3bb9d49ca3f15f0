"""Remote files: where they are looked for, how they are checked, what is said without them.

The order is: the folders named in ``DIVEKIT_DATA`` (read only), the cache
(``DIVEKIT_HOME``, else the platform's cache folder), the network. Both variables are
read at every call. ``DIVEKIT_OFFLINE=1`` leaves the network alone.

A file is known by its size and hash, computed anew at every call: that is a sixth of the time of
opening Fashion-MNIST, and a record of hashes could be wrong.
"""

import hashlib
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from divekit.data.parts import part_folder
from divekit.data.progress import Watch, bar, human_size
from divekit.errors import BadDataError, DataNotFoundError

log = logging.getLogger("divekit")

_warned: set[tuple[Path, str]] = set()


@dataclass(frozen=True)
class Form:
    """One form in which a file is known: the original archive, unpacked, repacked."""

    path: str
    """Where it lies below a data folder, with forward slashes."""
    size: int | None = None
    """In bytes."""
    sha256: str | None = None
    """Of a file that nobody could look at there is neither, and none is ever verified."""
    top: str = ""
    """In an archive: the folder whose contents are the data. Empty: the archive's own root."""


@dataclass(frozen=True)
class Remote:
    """A file that can be fetched. The first form is the one that the URLs serve."""

    name: str
    urls: tuple[str, ...]
    """Mirrors, in the order in which they are tried; none where a login is needed."""
    licence: str
    forms: tuple[Form, ...]
    by_hand: str = ""
    """Where a person gets it, when no URL serves it."""

    @property
    def size(self) -> int | None:
        """Size of the download in bytes, where it is known."""
        return self.forms[0].size

    @property
    def by_hand_at(self) -> str:
        """Say where a person may put it below a data folder."""
        return self.forms[0].path

    def __str__(self) -> str:
        return self.name if self.size is None else f"{self.name} ({human_size(self.size)})"


@dataclass(frozen=True)
class Found:
    """A file on this machine, or the folder of an unpacked archive."""

    path: Path
    verified: bool
    """Whether it is a known form, by its checksum."""
    ours: bool = False
    """Whether divekit made it: then it is verified or damaged. Else it is the user's own."""
    form: Form | None = None
    """The form at whose place it lies."""


@dataclass(frozen=True)
class Place:
    """A folder in which data are looked for."""

    folder: Path
    is_cache: bool = False


def fetch(remote: Remote, watch: Watch | None = None) -> Found:
    """Find a file on this machine or download it. An archive stays packed; see ``fetch_folder``.

    A file in ``DIVEKIT_DATA`` that matches no known form is used with one warning: it is
    the user's own. One in the cache is not, and is fetched again. ``watch`` is told the
    number of bytes while they arrive; without it a long download shows a bar on a terminal.

    Raises DataNotFoundError, which names every place that was tried.
    """
    for place in places():
        found = look(remote, place)
        if found is not None and usable(found, remote):
            return found
    return download_from_mirrors(remote, watch)


def locate(remote: Remote) -> Found | None:
    """Find a file on this machine, verified or not; None when it is nowhere. Never downloads."""
    return next((found for place in places() if (found := look(remote, place))), None)


def look(remote: Remote, place: Place) -> Found | None:
    """Find a file in one place, in the first form that is verified, else the first there is."""
    there: list[Found] = []
    for form in remote.forms:
        path = place.folder / form.path
        try:
            if path.is_file():
                there.append(Found(path, matches(path, form), ours=place.is_cache, form=form))
        except OSError as error:
            raise BadDataError(f"{path} cannot be read: {error.strerror}") from error
        if there and there[-1].verified:
            return there[-1]
    return there[0] if there else None


def usable(found: Found, remote: Remote) -> bool:
    """Tell whether what was found may be used. Says once when it is not a known form."""
    if not found.verified:
        if found.ours:
            warn_once(found.path, "is damaged and is not used")
        elif found.path.is_dir():
            warn_once(found.path, f"is used as {remote.name} unchecked, since you unpacked it")
        else:
            warn_once(found.path, f"is not a known form of {remote.name}; it is used as it is")
    return found.verified or not found.ours


def places() -> Iterator[Place]:
    """Give the places where data are looked for, in order. Warns once of one that is not there."""
    for folder in data_folders():
        if folder.is_dir():
            yield Place(folder)
        else:
            warn_once(folder, "is named in DIVEKIT_DATA and is not a folder")
    yield Place(cache_folder(), is_cache=True)


def warn_once(path: Path, what: str) -> None:
    """Log a warning about a path, the first time in this process."""
    if (path, what) not in _warned:
        _warned.add((path, what))
        log.warning("%s %s", path, what)


def data_folders() -> Iterator[Path]:
    """Give the read-only folders of ``DIVEKIT_DATA``, in order."""
    for folder in os.environ.get("DIVEKIT_DATA", "").split(os.pathsep):
        if folder:
            yield Path(os.path.expanduser(folder))


def cache_folder() -> Path:
    """Give the folder that downloads go to."""
    if home := os.environ.get("DIVEKIT_HOME"):
        return Path(home).expanduser() / "data"
    import platformdirs

    return platformdirs.user_cache_path("divekit") / "data"


def offline() -> bool:
    """Tell whether ``DIVEKIT_OFFLINE`` forbids the network."""
    return os.environ.get("DIVEKIT_OFFLINE", "0") not in ("", "0")


def matches(path: Path, form: Form) -> bool:
    """Tell whether a file has the size and the checksum of a form."""
    return path.stat().st_size == form.size and file_sha256(path) == form.sha256


def file_sha256(path: Path) -> str:
    """Give a file's SHA-256, as hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def download_from_mirrors(remote: Remote, watch: Watch | None = None) -> Found:
    """Try the mirrors in turn; put what is verified into the cache."""
    from divekit.data.connection import DownloadError
    from divekit.data.download import download

    form = remote.forms[0]
    if not remote.urls:
        raise not_found(remote, [])
    if offline():
        raise not_found(remote, ["DIVEKIT_OFFLINE is set, so the network was not tried"])
    if form.size is None or form.sha256 is None:
        raise ValueError(f"{remote.name} has URLs, so its first form needs a size and a hash")
    target = cache_folder() / form.path
    tried = []
    try:
        for url in remote.urls:
            log.info("fetching %s from %s", remote, url)
            showing = nullcontext(watch) if watch else bar(remote.name, form.size)
            with part_folder(target) as scratch, showing as tell:
                part = scratch / target.name
                try:
                    download(url, part, form.size, form.sha256, tell)
                except DownloadError as error:
                    tried.append(f"{url}: {error}")
                    continue
                try:
                    os.replace(part, target)
                except OSError:
                    # Windows: another process was faster, and has it open.
                    if not (target.is_file() and matches(target, form)):
                        raise
                return Found(target, verified=True, ours=True, form=form)
    except OSError as error:
        raise cannot_write(remote.name, target.parent, error, human_size(form.size)) from error
    raise not_found(remote, tried)


def cannot_write(what: str, folder: Path, error: OSError, needed: str) -> DataNotFoundError:
    """Build the error for a cache that cannot be written, or not any further."""
    disk = next(parent for parent in [folder, *folder.absolute().parents] if parent.is_dir())
    free = human_size(shutil.disk_usage(disk).free)
    return DataNotFoundError(
        f"{what} cannot be written to {folder}: {error.strerror or error} "
        f"({needed} needed, {free} free there); set DIVEKIT_HOME to a folder with room for it"
    )


def not_found(remote: Remote, tried: list[str]) -> DataNotFoundError:
    """Build the error for a file that is nowhere, with all that a person can do about it."""
    if remote.urls:
        get = "To provide it by hand, put it"
    else:
        get = f"It cannot be fetched without a login: get it from {remote.by_hand} and put it"
    return DataNotFoundError(
        f"{remote} was not found. "
        + "".join(f"Tried {attempt}. " for attempt in tried)
        + f"{get} at {remote.by_hand_at}, below a folder named in DIVEKIT_DATA "
        + f"(the cache is {cache_folder()}); --sample runs on small data that needs no download"
    )
