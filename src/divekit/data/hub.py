"""Remote files: where they are looked for, how they are checked, what is said without them.

The order is: the folders named in ``DIVEKIT_DATA`` (read only), the cache
(``DIVEKIT_HOME``, else the platform's cache folder), the network. Both variables are
read at every call. ``DIVEKIT_OFFLINE=1`` leaves the network alone.
"""

import hashlib
import logging
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from divekit.errors import DataNotFoundError

log = logging.getLogger("divekit")

TIMEOUT_SECONDS = 30
_warned: set[Path] = set()


@dataclass(frozen=True)
class Form:
    """One form in which a file is known: the original archive, unpacked, repacked."""

    path: str
    """Where it lies below a data folder, with forward slashes."""
    size: int
    """In bytes."""
    sha256: str


@dataclass(frozen=True)
class Remote:
    """A file that can be fetched. The first form is the one that the URLs serve."""

    name: str
    urls: tuple[str, ...]
    licence: str
    forms: tuple[Form, ...]

    @property
    def size(self) -> int:
        """Size of the download in bytes."""
        return self.forms[0].size


@dataclass(frozen=True)
class Found:
    """A file on this machine; ``verified`` says that its checksum is a known one."""

    path: Path
    verified: bool


def fetch(remote: Remote) -> Found:
    """Find a file on this machine or download it.

    A file in ``DIVEKIT_DATA`` that matches no known form is used with one warning: it is
    the user's own. One in the cache is not, and is fetched again.

    Raises DataNotFoundError, which names every place that was tried.
    """
    found = locate(remote)
    if found is not None and not found.verified and found.path not in _warned:
        _warned.add(found.path)
        if _in_cache(found):
            log.warning("%s in the cache is damaged and is fetched again", found.path)
        else:
            log.warning(
                "%s is not a known form of %s; it is used as it is", found.path, remote.name
            )
    if found is not None and (found.verified or not _in_cache(found)):
        return found
    if offline():
        raise _not_found(remote, ["DIVEKIT_OFFLINE is set, so the network was not tried"])
    return Found(_download(remote), verified=True)


def locate(remote: Remote) -> Found | None:
    """Find a file on this machine, verified or not; None when it is nowhere. Never downloads."""
    for folder in [*data_folders(), cache_folder()]:
        for form in remote.forms:
            path = folder / form.path
            if path.is_file():
                return Found(path, matches(path, form))
    return None


def _in_cache(found: Found) -> bool:
    return found.path.is_relative_to(cache_folder())


def data_folders() -> Iterator[Path]:
    """Give the read-only folders of ``DIVEKIT_DATA``, in order."""
    for folder in os.environ.get("DIVEKIT_DATA", "").split(os.pathsep):
        if folder:
            yield Path(folder).expanduser()


def cache_folder() -> Path:
    """Give the folder that downloads go to."""
    if home := os.environ.get("DIVEKIT_HOME"):
        return Path(home).expanduser() / "data"
    import pooch

    return Path(pooch.os_cache("divekit")) / "data"


def offline() -> bool:
    """Tell whether ``DIVEKIT_OFFLINE`` forbids the network."""
    return os.environ.get("DIVEKIT_OFFLINE", "0") not in ("", "0")


def matches(path: Path, form: Form) -> bool:
    """Tell whether a file has the size and the checksum of a form."""
    if path.stat().st_size != form.size:
        return False
    with path.open("rb") as file:
        return _sha256(file) == form.sha256


def human_size(size: int) -> str:
    """Write a number of bytes as a person would: ``26.4 MB``."""
    amount = float(size)
    for unit in ("bytes", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def _sha256(file: object) -> str:
    digest = hashlib.sha256()
    while block := file.read(1 << 20):  # type: ignore[attr-defined]
        digest.update(block)
    return digest.hexdigest()


def _download(remote: Remote) -> Path:
    """Try the mirrors in turn; verify in a temporary file, then move it into place."""
    import pooch
    import requests

    form = remote.forms[0]
    target = cache_folder() / form.path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _not_found(
            remote, [f"the cache {cache_folder()} cannot be written: {error}"]
        ) from error
    tried = []
    for url in remote.urls:
        # In the target's own folder, so that os.replace never crosses file systems.
        handle, name = tempfile.mkstemp(prefix=target.name + ".", suffix=".part", dir=target.parent)
        os.close(handle)
        part = Path(name)
        try:
            log.info("fetching %s (%s) from %s", remote.name, human_size(form.size), url)
            pooch.HTTPDownloader(timeout=TIMEOUT_SECONDS)(url, str(part), None)
            if matches(part, form):
                os.replace(part, target)
                return target
            tried.append(
                f"{url}: answered with {human_size(part.stat().st_size)} of something else "
                f"(expected {human_size(form.size)}, sha256 {form.sha256[:12]}...)"
            )
        except (requests.RequestException, OSError) as error:
            tried.append(f"{url}: {_brief(error)}")
        finally:
            part.unlink(missing_ok=True)
    raise _not_found(remote, tried)


def _brief(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:120]}"


def _not_found(remote: Remote, tried: list[str]) -> DataNotFoundError:
    form = remote.forms[0]
    return DataNotFoundError(
        f"{remote.name} ({human_size(form.size)}) was not found. "
        + "".join(f"Tried {attempt}. " for attempt in tried)
        + f"To provide it by hand, put it at {form.path} below a folder named in DIVEKIT_DATA "
        + f"(the cache is {cache_folder()}); --sample runs on small data that needs no download"
    )
