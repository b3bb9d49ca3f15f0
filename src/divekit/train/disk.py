"""Writing files so that a crash leaves the old or the new, never half of one.

Everything a run keeps goes through here: it is written under a temporary name, flushed to the
disk, and then renamed. The few calls that touch the disk are methods of ``Disk``, so that the
tests can let each of them fail in turn.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from torch import Tensor

TEMPORARY, OLD = ".saving-", ".old-"


class Disk:
    """The calls that change what is on the disk."""

    def make_folder(self, parent: Path) -> Path:
        """Make a folder with a temporary name inside ``parent``."""
        return Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=parent))

    def write(self, path: Path, content: bytes) -> None:
        """Write a new file."""
        path.write_bytes(content)

    def write_tensors(
        self, path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str] | None = None
    ) -> None:
        """Write tensors as a safetensors file, with a few words about them."""
        from safetensors import SafetensorError
        from safetensors.torch import save_file

        try:
            save_file(dict(tensors), path, metadata)
        except SafetensorError as error:  # its own name for a full disk
            raise OSError(str(error)) from error

    def sync(self, path: Path) -> None:
        """Wait until a file, or the names in a folder, are on the disk."""
        if path.is_dir():
            if os.name == "nt":
                return  # Windows opens no folders
            handle = os.open(path, os.O_RDONLY)
        else:
            handle = os.open(path, os.O_RDWR)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def rename(self, old: Path, new: Path) -> None:
        """Rename a file, over an old one if there is one, or a folder."""
        os.replace(old, new)


DISK = Disk()


def write_file(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file whole or not at all, over an old one if there is one."""
    temporary = path.with_name(f"{TEMPORARY}{path.name}")
    try:
        write(temporary)
        DISK.sync(temporary)
        DISK.rename(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    DISK.sync(path.parent)


def write_folder(folder: Path, fill: Callable[[Path], Iterable[Path]]) -> None:
    """Write a new folder whole or not at all. ``fill`` writes into it and names its files."""
    temporary = DISK.make_folder(folder.parent)
    try:
        for path in fill(temporary):
            DISK.sync(path)
        DISK.sync(temporary)
        DISK.rename(temporary, folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    DISK.sync(folder.parent)


def remove_folder(folder: Path) -> None:
    """Remove a folder. It first takes another name, so half of it is never taken for the whole."""
    old = folder.with_name(f"{OLD}{folder.name}")
    shutil.rmtree(old, ignore_errors=True)
    DISK.rename(folder, old)
    shutil.rmtree(old, ignore_errors=True)


def remove_leftovers(parent: Path) -> None:
    """Remove what earlier processes, killed while they wrote, left in a folder."""
    for path in parent.iterdir():
        if path.name.startswith((TEMPORARY, OLD)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
