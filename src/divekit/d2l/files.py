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
_SERVED_BY_THE_BOOK = {
    "kaggle_house_train": "kaggle_house_pred_train.csv 585e9cc93e70b39160e7921475f9bcd7d31219ce",
    "kaggle_house_test": "kaggle_house_pred_test.csv fa19780a7b011d9b009e8bff8e99922a8ee2eb90",
    "time_machine": "timemachine.txt 090b5e7e70c295757f55df93cb0a180b9691891a",
    "fra-eng": "fra-eng.zip 94646ad1522d915e7b0f9296181140edcf86a4f5",
    "airfoil": "airfoil_self_noise.dat 76e5be1548fd8222e5074cf0faae75edff8cf93f",
    "hotdog": "hotdog.zip fba480ffa8aa7e0febbb511d181409f899b9baa5",
    "banana-detection": "banana-detection.zip 5de26c8fce5ccdea9f91267273464dc968d20d72",
    "voc2012": "VOCtrainval_11-May-2012.tar 4e443f8a2eca6b1dac8a6c57641b67dd40621a49",
    "cifar10_tiny": "kaggle_cifar10_tiny.zip 2068874e4b9a9f0fb07ebe0ad2b29754449ccacd",
    "dog_tiny": "kaggle_dog_tiny.zip 0cb91d09b814ecdc07b50f31f8dcad3e81d6a86d",
    "ptb": "ptb.zip 319d85e578af0cdc590547f26231e4e31cdf1e42",
    "glove.6b.50d": "glove.6B.50d.zip 0b8703943ccdb6eb788e6f091b8946e82231bc4d",
    "glove.6b.100d": "glove.6B.100d.zip cd43bfb07e44e6f27cbcc7bc9ae3d80284fdaf5a",
    "glove.42b.300d": "glove.42B.300d.zip b5116e234e9eb9076672cfeabf5469f3eec904fa",
    "wiki.en": "wiki.en.zip c1816da3821ae9f43899be655002f6c723e91b88",
    "ctr": "ctr.zip e18327c48c8e8e5c23da714dd614e390d369843f",
    "pokemon": "pokemon.zip c065c0e2593b8b161a2d7873e42418bf6a21106c",
}
_SERVED_BY_OTHERS = {
    "wikitext-2": (
        "https://s3.amazonaws.com/research.metamind.io/wikitext/wikitext-2-v1.zip",
        "3c914d17d80b1459be871a5039ac23e752a53cbe",
    ),
    "aclImdb": (
        "http://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
        "01ada507287d82875905620988597833ad4e0903",
    ),
    "SNLI": (
        "https://nlp.stanford.edu/projects/snli/snli_1.0.zip",
        "9fcde07509c7e87ec61c640c1b2753d9041758e4",
    ),
    "ml-100k": (
        "http://files.grouplens.org/datasets/movielens/ml-100k.zip",
        "cd4dcac4241c8a4ad7badc7ca635da8a69dddb83",
    ),
}
DATA_HUB: dict[str, tuple[str, str]] = {
    **{
        name: (DATA_URL + file, sha1)
        for name, (file, sha1) in ((n, line.split()) for n, line in _SERVED_BY_THE_BOOK.items())
    },
    **_SERVED_BY_OTHERS,
}
"""Name to (URL, SHA-1), of every chapter of the book. Programs add their own."""

_PACKED = (".zip", ".tar", ".gz", ".tgz")


def download(name: str, cache_dir: str = os.path.join("..", "data")) -> str:
    """Fetch a file of ``DATA_HUB`` unless it is on this machine; give its path. Book: 4.10."""
    url, sha1 = _entry(name)
    return str(fetch_url(url, Path(cache_dir) / url.split("/")[-1], sha1))


def _entry(name: str) -> tuple[str, str]:
    if name not in DATA_HUB:
        raise unknown_name("data set", name, DATA_HUB)
    return DATA_HUB[name]


def download_extract(name: str, folder: str | None = None) -> str:
    """Fetch an archive of ``DATA_HUB`` and unpack it beside itself; give the folder. Book: 4.10.

    Where the folder is there already nothing is fetched.

    Args:
        name: in ``DATA_HUB``.
        folder: the folder that the archive holds, when it is not called as the archive is.
    """
    url, _ = _entry(name)
    file = url.split("/")[-1]
    if not file.endswith(_PACKED):
        raise UsageError(f"{file} is no archive: only {', '.join(_PACKED)} are unpacked")
    base, stem = Path("..", "data"), file
    for ending in _PACKED:
        stem = stem.removesuffix(ending)
    target = base / (folder or stem)
    if not target.is_dir():
        packed = Path(download(name))
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
