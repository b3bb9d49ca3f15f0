"""Unfinished work beside its target, in folders that end in ``.part``.

A process that dies leaves its folder behind, and the next one to work there removes it, but
never that of a process still at work: each is locked by its owner, and the system drops the
lock when the owner dies, however it dies. (A process number would not tell: numbers are used
again, and mean nothing to another container or machine that shares the cache.)
"""

import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform != "win32":
    import fcntl

# Where nothing can be locked (Windows, some network drives), age decides.
ABANDONED_SECONDS = 24 * 3600
OURS = re.compile(r"\..+\.[0-9a-f]{8}\.part")


@contextmanager
def part_folder(target: Path) -> Iterator[Path]:
    """Give an empty folder beside ``target``, on its file system; remove it in the end.

    Missing parents of ``target`` are made. Abandoned folders of the same kind beside it go.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    sweep(target.parent)
    folder, lock = _make(target)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


@contextmanager
def owner(folder: Path) -> Iterator[bool]:
    """Wait until nobody else owns ``folder``; tell whether it is still there, and ours.

    What was at that name may have been moved and replaced while this process waited. Where
    nothing can be locked the answer is yes. Raises FileNotFoundError if the folder is gone.
    """
    if sys.platform == "win32":
        yield True
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # no locks here
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield os.path.samestat(os.fstat(descriptor), folder.stat())
    finally:
        os.close(descriptor)


def sweep(parent: Path) -> None:
    """Remove the unfinished folders below ``parent`` that are surely nobody's."""
    for folder in parent.iterdir():
        if not OURS.fullmatch(folder.name) or folder.is_symlink():
            continue
        with suppress(FileNotFoundError):  # another process sweeps, too
            lock, owned = _lock(folder)
            try:
                age = time.time() - folder.stat().st_mtime
                if owned or (owned is None and age > ABANDONED_SECONDS):
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                if lock is not None:
                    os.close(lock)


def _make(target: Path) -> tuple[Path, int | None]:
    """Make a folder and lock it; give it with the descriptor that holds the lock."""
    while True:
        folder = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}.part")
        folder.mkdir()
        with suppress(FileNotFoundError):
            lock, owned = _lock(folder)
            # Between the making and the locking a sweep may have taken it for abandoned.
            if owned is not False and folder.exists():
                return folder, lock
            if lock is not None:
                os.close(lock)


def _lock(folder: Path) -> tuple[int | None, bool | None]:
    """Try to lock a folder: whether it is ours now; None where locks are not to be had."""
    if sys.platform == "win32":
        return None, None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return descriptor, False
    except OSError:
        return descriptor, None
    return descriptor, True
