"""The book's downloads, by name: ``DATA_HUB`` says where each file is, and its SHA-1.

Files are looked for in ``DIVEKIT_DATA`` too, checked, and unpacked with divekit's own care.
"""

import os
from pathlib import Path

from divekit.data.archives import extract
from divekit.data.by_url import fetch_url
from divekit.data.parts import part_folder
from divekit.errors import UsageError, unknown_name

DATA_URL = "http://d2l-data.s3-accelerate.amazonaws.com/"
DATA_HUB: dict[str, tuple[str, str]] = {
    "kaggle_house_train": (
        DATA_URL + "kaggle_house_pred_train.csv",
        "585e9cc93e70b39160e7921475f9bcd7d31219ce",
    ),
    "kaggle_house_test": (
        DATA_URL + "kaggle_house_pred_test.csv",
        "fa19780a7b011d9b009e8bff8e99922a8ee2eb90",
    ),
}
"""Name to (URL, SHA-1). Programs add their own."""

_PACKED = (".zip", ".tar", ".gz", ".tgz")


def download(name: str, cache_dir: str = os.path.join("..", "data")) -> str:
    """Fetch a file of ``DATA_HUB`` unless it is on this machine; give its path. Book: 4.10."""
    if name not in DATA_HUB:
        raise unknown_name("data set", name, DATA_HUB)
    url, sha1 = DATA_HUB[name]
    return str(fetch_url(url, Path(cache_dir) / url.split("/")[-1], sha1))


def download_extract(name: str, folder: str | None = None) -> str:
    """Fetch an archive of ``DATA_HUB`` and unpack it beside itself; give the folder. Book: 4.10.

    Args:
        name: in ``DATA_HUB``.
        folder: the folder that the archive holds, when it is not called as the archive is.
    """
    packed = Path(download(name))
    base = Path("..", "data")
    stem = packed.name
    for ending in _PACKED:
        stem = stem.removesuffix(ending)
    if not packed.name.endswith(_PACKED):
        raise UsageError(f"{packed.name} is no archive: only {', '.join(_PACKED)} are unpacked")
    target = base / (folder or stem)
    if not target.is_dir():
        # Beside the archive's own folders, not in one of them: `folder` may be deeper.
        with part_folder(base / stem) as scratch:
            extract(packed, scratch / "files")
            _move_into(scratch / "files", base)
    return str(target)


def _move_into(folder: Path, base: Path) -> None:
    """Move what is in a folder into another; what is there already stays."""
    for item in folder.iterdir():
        place = base / item.name
        if not place.exists():
            os.rename(item, place)
        elif item.is_dir() and place.is_dir():
            _move_into(item, place)


def download_all() -> None:
    """Fetch every file of ``DATA_HUB``. Book: 4.10."""
    for name in DATA_HUB:
        download(name)
