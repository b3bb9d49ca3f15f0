"""Folders that come as archives: found unpacked, or unpacked once and kept in the cache.

An archive is unpacked to ``ARCHIVE.HASH/`` in the cache, where HASH is the beginning of its own
SHA-256: ``files/`` is the folder, ``contents.json`` lists each file's size, time and SHA-256.
Both appear at once when all is done. Later calls compare sizes and times, and read a file
anew only where its time differs; ``divekit data verify`` reads them all. A copy of the cache
is a data folder like any other.
"""

import errno
import json
import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from divekit.data.archives import extract
from divekit.data.hub import (
    Form,
    Found,
    Place,
    Remote,
    cache_folder,
    cannot_write,
    download_from_mirrors,
    file_sha256,
    look,
    places,
    usable,
)
from divekit.data.parts import owner, part_folder
from divekit.data.progress import Watch, human_size
from divekit.errors import BadDataError

log = logging.getLogger("divekit")

# What file browsers leave in the folders that they show.
CLUTTER = {".DS_Store", "Thumbs.db", "desktop.ini"}


@dataclass(frozen=True, kw_only=True)
class Archive(Remote):
    """A folder of files that comes packed. ``Form.top`` says where in each archive it is."""

    holds: tuple[str, ...]
    """Files or folders in it by which it is known: ``("train", "test", "labels.csv")``."""
    unpacked: tuple[str, ...] = ()
    """Where it may lie below a data folder when a person has unpacked it."""

    @property
    def by_hand_at(self) -> str:
        """Say where a person may put it below a data folder."""
        text = super().by_hand_at
        for path in self.unpacked:
            text += f", or unpacked at {path} (with {' and '.join(self.holds)} in it)"
        return text


def fetch_folder(archive: Archive, watch: Watch | None = None) -> Found:
    """Find an archive's folder on this machine, or unpack it, after a download if need be.

    ``path`` of the result is the folder that has ``archive.holds`` in it. It is read only:
    a folder that was changed counts as damaged, and is unpacked again. A folder that a user has
    unpacked in ``DIVEKIT_DATA`` cannot be checked and is used with one warning.

    Raises DataNotFoundError as ``fetch`` does, and BadDataError for an archive that is
    damaged, hostile, or holds something else.
    """
    for found in _candidates(archive):
        if usable(found, archive):
            return found if found.path.is_dir() else _unpack(archive, found)
    return _unpack(archive, download_from_mirrors(archive, watch))


def locate_folder(archive: Archive) -> Found | None:
    """Find an archive on this machine, unpacked or packed. Every file is read and compared."""
    found = next(_candidates(archive, thorough=True), None)
    if found is None or found.path.is_dir() or not found.verified:
        return found
    folder, source = _folder_of(found)
    if not folder.is_dir():
        return found
    # An archive in DIVEKIT_DATA that is unpacked in the cache: the folder is what is used.
    whole = _is_whole(folder, source, thorough=True)
    return Found(folder / "files", whole, ours=True, form=found.form)


def _candidates(archive: Archive, thorough: bool = False) -> Iterator[Found]:
    """Give what there is of an archive, place by place: unpacked by us, by hand, packed."""
    for place in places():
        yield from _unpacked_by_us(archive, place, thorough)
        if not place.is_cache:
            for path in archive.unpacked:
                folder = place.folder / path
                if all((folder / name).exists() for name in archive.holds):
                    yield Found(folder, verified=False)
        if packed := look(archive, place):
            yield packed


def _unpacked_by_us(archive: Archive, place: Place, thorough: bool) -> Iterator[Found]:
    for form in archive.forms:
        if form.sha256 is not None:
            folder = _beside(place.folder / form.path, form.sha256)
            if folder.is_dir():
                whole = _is_whole(folder, _source(form, form.sha256), thorough)
                yield Found(folder / "files", whole, ours=True, form=form)


def _beside(path: Path, sha256: str) -> Path:
    return path.with_name(f"{path.name}.{sha256[:12]}")


def _source(form: Form, sha256: str) -> str:
    """Say what was unpacked: which folder of which archive."""
    return f"{form.top} in {sha256}"


def _folder_of(packed: Found) -> tuple[Path, str]:
    """Give where in the cache an archive that was found is unpacked, and the source noted there."""
    form = _form_of(packed)
    known = form.sha256 if packed.verified else None
    sha256 = known or file_sha256(packed.path)
    return _beside(cache_folder() / form.path, sha256), _source(form, sha256)


def _form_of(packed: Found) -> Form:
    assert packed.form is not None  # only folders unpacked by hand have none
    return packed.form


def _unpack(archive: Archive, packed: Found) -> Found:
    """Unpack into the cache, whole or not at all; what is there already is used."""
    target, source = _folder_of(packed)
    found = Found(target / "files", packed.verified, ours=packed.verified, form=packed.form)
    if _is_whole(target, source):
        return found
    log.info("unpacking %s", packed.path)
    try:
        with part_folder(target) as scratch:
            new = scratch / "new"
            extract(packed.path, new / "files", top=_form_of(packed).top)
            missing = [name for name in archive.holds if not (new / "files" / name).exists()]
            if missing:
                raise BadDataError(f"{packed.path} is not {archive.name}: it has no {missing[0]}")
            _write_contents(new, source)
            _put(new, target, source, scratch)
    except BadDataError:
        if packed.ours:
            packed.path.unlink(missing_ok=True)  # the right bytes, and no use
        raise
    except OSError as error:
        needed = f"more than {human_size(packed.path.stat().st_size)}"
        raise cannot_write(f"{archive.name}, unpacked,", target.parent, error, needed) from error
    return found


def _put(new: Path, target: Path, source: str, scratch: Path) -> None:
    """Rename ``new`` to ``target``, unless another process was faster; move damage aside."""
    for attempt in range(10):
        try:
            os.rename(new, target)
            return
        except OSError as error:
            # By now another process may have moved what was in the way.
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY) or attempt == 9:
                raise
        with suppress(FileNotFoundError), owner(target) as mine:  # or moved by another process
            if _is_whole(target, source):
                return
            if mine:  # who finds damage may find it mended by the time of moving it
                os.rename(target, scratch / f"damaged-{attempt}")


def _write_contents(folder: Path, source: str) -> None:
    files = {
        name: [status.st_size, status.st_mtime_ns, file_sha256(folder / "files" / name)]
        for name, status in _files_in(folder / "files")
    }
    (folder / "contents.json").write_text(json.dumps({"source": source, "files": files}))


def _is_whole(folder: Path, source: str, thorough: bool = False) -> bool:
    """Tell whether a folder holds what ``contents.json`` lists, and that comes from ``source``."""
    try:
        contents = json.loads((folder / "contents.json").read_text())
        if contents["source"] != source:
            return False
        expected = contents["files"]
        there = dict(_files_in(folder / "files"))
        if there.keys() != expected.keys():
            return False
        for name, (size, time, digest) in expected.items():
            if there[name].st_size != size:
                return False
            trusted = not thorough and there[name].st_mtime_ns == time
            if not trusted and file_sha256(folder / "files" / name) != digest:
                return False
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False  # unreadable, or a list that is none
    return True


def _files_in(folder: Path, prefix: str = "") -> Iterator[tuple[str, os.stat_result]]:
    """Give each file below a folder by its relative name, with forward slashes."""
    with os.scandir(folder) as entries:
        for entry in entries:
            name = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                yield from _files_in(Path(entry.path), name + "/")
            elif entry.name not in CLUTTER:
                yield name, entry.stat(follow_symlinks=False)
