"""Archives become folders: whole or not at all, from this machine or a mirror."""

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from typing import ClassVar

import pytest

from divekit.data import (
    DATA_SETS,
    Archive,
    Card,
    DataSet,
    Form,
    fetch,
    fetch_folder,
    folders,
    locate_folder,
)
from divekit.data.hub import cache_folder
from divekit.errors import BadDataError, DataNotFoundError
from tests.data.mirrors import answer
from tests.data.test_archives import link, make_tar, make_zip

FILES = {
    "pets/train/cat.txt": b"meow" * 5000,
    "pets/train/dog.txt": b"wuff" * 5000,
    "pets/labels.csv": b"1,2",
    "__MACOSX/pets/._labels.csv": b"clutter",
}
KINDS = {"zip": make_zip, "tar.gz": make_tar}


def packed(tmp_path, kind="zip", members=None):
    """Give the bytes of an archive."""
    path = KINDS[kind](tmp_path / f"made-{len(list(tmp_path.iterdir()))}", members or FILES.items())
    data = path.read_bytes()
    path.unlink()
    return data


def archive(data, *urls, kind="zip", top="pets", **more):
    form = Form(f"pets/pets.{kind}", len(data), hashlib.sha256(data).hexdigest(), top)
    return Archive(
        "Pets", urls, "none", (form,), holds=("train", "labels.csv"), unpacked=("pets",), **more
    )


def cached():
    """Name what lies in the cache, but for the files of unpacked folders."""
    found = {path.relative_to(cache_folder()).as_posix() for path in cache_folder().rglob("*")}
    return {name for name in found if "/files/" not in name}


def below(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


PETS = {name.removeprefix("pets/"): data for name, data in FILES.items() if name[0] == "p"}


@pytest.fixture
def mine(monkeypatch, tmp_path):
    """A data folder of the user's own."""
    (tmp_path / "mine/pets").mkdir(parents=True)
    monkeypatch.setenv("DIVEKIT_DATA", str(tmp_path / "mine"))
    return tmp_path / "mine"


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_is_fetched_unpacked_once_and_found_again(mirror, tmp_path, kind, monkeypatch):
    data = packed(tmp_path, kind)
    pets = archive(data, mirror("/pets", answer(data)), kind=kind)
    found = fetch_folder(pets)
    assert found.verified
    assert below(found.path) == PETS
    name = f"pets/pets.{kind}.{pets.forms[0].sha256[:12]}"
    assert found.path == cache_folder() / name / "files"
    assert cached() == {
        "pets",
        f"pets/pets.{kind}",
        name,
        f"{name}/files",
        f"{name}/contents.json",
    }
    monkeypatch.setattr(folders, "extract", None)
    assert fetch_folder(pets) == found
    (cache_folder() / f"pets/pets.{kind}").unlink()  # a user in need of room
    assert fetch_folder(pets) == found
    assert mirror.paths == ["/pets"]


def test_an_archive_of_the_users_is_unpacked_into_the_cache(mine, tmp_path):
    data = packed(tmp_path)
    (mine / "pets/pets.zip").write_bytes(data)
    found = fetch_folder(archive(data))
    assert found.verified
    assert below(found.path) == PETS
    assert found.path.is_relative_to(cache_folder())
    assert below(mine).keys() == {"pets/pets.zip"}
    assert fetch_folder(archive(data)) == found
    assert locate_folder(archive(data)) == found
    change_a_letter(found.path.parent)
    assert not locate_folder(archive(data)).verified  # what is used, not what it came from
    assert below(fetch_folder(archive(data)).path) == PETS


def test_another_archive_of_the_users_own_is_used_with_one_warning(mine, tmp_path, caplog):
    theirs = [(name, data.upper()) for name, data in FILES.items()]
    (mine / "pets/pets.zip").write_bytes(packed(tmp_path, members=theirs))
    pets = archive(packed(tmp_path))
    for _ in range(2):
        found = fetch_folder(pets)
        assert not found.verified
        assert below(found.path)["train/cat.txt"] == b"MEOW" * 5000
    assert caplog.text.count("it is used as it is") == 1
    assert caplog.text.count("WARNING") == 1
    # A second one is not taken for the first, nor for the known one.
    (mine / "pets/pets.zip").write_bytes(packed(tmp_path))
    assert below(fetch_folder(pets).path) == PETS


def test_a_folder_unpacked_by_hand_is_used_with_one_warning(mine, tmp_path, caplog):
    data = packed(tmp_path)
    (mine / "pets/pets.zip").write_bytes(data)
    (mine / "pets/train").mkdir()
    pets = archive(data)
    assert fetch_folder(pets).path.is_relative_to(cache_folder())  # labels.csv is not there
    (mine / "pets/labels.csv").write_text("1")
    for _ in range(2):
        found = fetch_folder(pets)
        assert found.path == mine / "pets"
        assert not found.verified
    assert caplog.text.count("is used as Pets unchecked, since you unpacked it") == 1


def test_a_folder_without_a_list_in_the_cache_is_nobodys(mirror, tmp_path):
    """As another program, or a version before this one, may have left it."""
    data = packed(tmp_path)
    (cache_folder() / "pets/train").mkdir(parents=True)
    (cache_folder() / "pets/labels.csv").write_text("half")
    found = fetch_folder(archive(data, mirror("/pets", answer(data))))
    assert found.verified
    assert below(found.path) == PETS


def test_whoever_unpacks_last_leaves_the_folder_that_is_there(mirror, tmp_path):
    """Others may be reading it."""
    data = packed(tmp_path)
    pets = archive(data, mirror("/pets", answer(data)))
    folder = fetch_folder(pets).path.parent
    before = folder.stat().st_ino
    source = json.loads((folder / "contents.json").read_text())["source"]
    shutil.copytree(folder, tmp_path / "second")
    (tmp_path / "scratch").mkdir()
    folders._put(tmp_path / "second", folder, source, tmp_path / "scratch")
    assert folder.stat().st_ino == before
    assert fetch_folder(pets).verified


def test_a_copy_of_the_cache_is_a_data_folder(mirror, tmp_path, monkeypatch):
    data = packed(tmp_path)
    pets = archive(data, mirror("/pets", answer(data)))
    there = fetch_folder(pets).path.relative_to(cache_folder())
    cache_folder().rename(tmp_path / "stick")
    monkeypatch.setenv("DIVEKIT_DATA", str(tmp_path / "stick"))
    os.utime(tmp_path / "stick" / there / "labels.csv", (1, 1))  # copies are younger
    found = fetch_folder(pets)
    assert found.path == tmp_path / "stick" / there
    assert found.verified
    assert not cache_folder().exists()


def change_a_letter(folder):
    """Keep size, change the time, as an editor does."""
    (folder / "files/train/cat.txt").write_bytes(b"Meow" + b"meow" * 4999)


def shorten(file):
    times = file.stat()
    os.truncate(file, 7)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


DAMAGE = {
    "letter": change_a_letter,
    "shorter": lambda folder: os.truncate(folder / "files/train/cat.txt", 7),
    "shorter at the same time": lambda folder: shorten(folder / "files/train/cat.txt"),
    "gone": lambda folder: (folder / "files/labels.csv").unlink(),
    "more": lambda folder: (folder / "files/train/bird.txt").write_text("piep"),
    "link": lambda folder: (
        (folder / "files/train/dog.txt").rename(folder.parent / "d"),
        (folder / "files/train/dog.txt").symlink_to(folder.parent / "d"),
    ),
    "no list": lambda folder: (folder / "contents.json").unlink(),
    "broken list": lambda folder: os.truncate(folder / "contents.json", 30),
    "another list": lambda folder: (folder / "contents.json").write_text("[]"),
    "list of another": lambda folder: (folder / "contents.json").write_text(
        (folder / "contents.json").read_text().replace('"source": "', '"source": "x')
    ),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_folder_is_never_used(mirror, tmp_path, caplog, damage):
    data = packed(tmp_path)
    pets = archive(data, mirror("/pets", answer(data)))
    folder = fetch_folder(pets).path
    damage(folder.parent)
    assert not locate_folder(pets).verified
    assert below(fetch_folder(pets).path) == PETS
    assert fetch_folder(pets).path == folder
    assert caplog.text.count("is damaged and is not used") == 1
    assert not [name for name in cached() if name.endswith(".part")]
    assert mirror.paths == ["/pets"]  # unpacked from the archive in the cache


def test_a_flipped_bit_is_found_when_asked_for(mirror, tmp_path):
    """Size and time are those noted: what only reading can tell."""
    data = packed(tmp_path)
    pets = archive(data, mirror("/pets", answer(data)))
    file = fetch_folder(pets).path / "labels.csv"
    time_before = file.stat().st_mtime_ns
    file.write_bytes(b"1,3")
    os.utime(file, ns=(time_before, time_before))
    assert fetch_folder(pets).verified
    assert not locate_folder(pets).verified


def test_what_file_browsers_leave_is_no_damage(mirror, tmp_path):
    data = packed(tmp_path)
    pets = archive(data, mirror("/pets", answer(data)))
    (fetch_folder(pets).path / "train/.DS_Store").write_bytes(b"x")
    assert locate_folder(pets).verified


HOSTILE = {
    "parent": [("pets/../../../../out.txt", b"evil")],
    "absolute": [("/tmp/divekit-out.txt", b"evil")],
    "link": [link("pets/out", "/tmp", b"2"), ("pets/out/divekit-out.txt", b"evil")],
    "beside the folder": [("other/../../../out.txt", b"evil")],
    "bomb": [("pets/zeros", b"\0" * 30_000_000)],
    "twice": [("pets/labels.csv", b"evil")],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("members", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_hostile_archive_leaves_nothing_anywhere(mirror, tmp_path, kind, members):
    if kind == "zip":
        members = [member for member in members if isinstance(member, tuple)]
    if members and members[-1][0] == "pets/out/divekit-out.txt" and kind == "zip":
        pytest.skip("links in a zip are in test_archives")
    data = packed(tmp_path, kind, [*FILES.items(), *members])
    pets = archive(data, mirror("/pets", answer(data)), kind=kind)
    before = set(tmp_path.rglob("*")) | set(tmp_path.parent.iterdir())
    with pytest.raises(BadDataError, match=r"pets\.(zip|tar\.gz): "):
        fetch_folder(pets)
    left = (set(tmp_path.rglob("*")) | set(tmp_path.parent.iterdir())) - before
    assert left <= {tmp_path / "home", tmp_path / "home/data", tmp_path / "home/data/pets"}
    assert not os.path.exists("/tmp/divekit-out.txt")


def test_an_archive_of_something_else_is_refused_and_a_users_is_kept(mine, tmp_path):
    (mine / "pets/pets.zip").write_bytes(packed(tmp_path, members=[("pets/train/x", b"x")]))
    with pytest.raises(BadDataError, match=r"pets\.zip is not Pets: it has no labels\.csv"):
        fetch_folder(archive(packed(tmp_path)))
    (mine / "pets/pets.zip").write_bytes(packed(tmp_path)[:-30])
    with pytest.raises(BadDataError, match=r"pets\.zip: damaged archive"):
        fetch_folder(archive(packed(tmp_path)))
    assert below(mine).keys() == {"pets/pets.zip"}
    assert cached() == {"pets"}


def test_without_an_archive_and_without_urls_a_person_is_told_what_to_do(monkeypatch):
    pets = Archive(
        "Pets",
        urls=(),
        licence="rules",
        forms=(Form("pets/all.zip"),),
        by_hand="https://k.example/pets",
        holds=("train", "labels.csv"),
        unpacked=("pets/all",),
    )
    with pytest.raises(DataNotFoundError) as caught:
        fetch_folder(pets)
    assert (
        "It cannot be fetched without a login: get it from https://k.example/pets and put it at "
        "pets/all.zip, or unpacked at pets/all (with train and labels.csv in it), below a folder "
        "named in DIVEKIT_DATA"
    ) in str(caught.value)


def test_a_single_file_can_still_be_had_packed(mirror, tmp_path):
    data = packed(tmp_path)
    assert fetch(archive(data, mirror("/pets", answer(data)))).path.read_bytes() == data


def test_a_disk_that_is_full_is_named_and_nothing_is_left(mirror, tmp_path):
    """The system itself refuses: no file may grow beyond 10,000 bytes; a packed one has fewer."""
    resource = pytest.importorskip("resource")
    data = packed(tmp_path)
    assert len(data) < 10_000
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(
            DataNotFoundError,
            match=r"Pets, unpacked, cannot be written .*large \(more than 577 bytes needed, .*HOME",
        ):
            fetch_folder(archive(data, mirror("/pets", answer(data))))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert cached() == {"pets", "pets/pets.zip"}


@pytest.fixture
def pets_set(monkeypatch, mirror, tmp_path):
    """A data set of the command line that comes as an archive."""
    data = packed(tmp_path)

    @dataclass(frozen=True)
    class Pets(DataSet):
        name: ClassVar[str] = "pets"
        card: ClassVar[Card] = Card("Pets", "", "", "", "none", "")
        files: ClassVar = (archive(data, mirror("/pets", answer(data))),)

    monkeypatch.setitem(DATA_SETS, "pets", Pets)
    return Pets.files[0]


def test_the_command_line_knows_archives(pets_set, divekit, monkeypatch, tmp_path):
    def state():
        (row,) = json.loads(divekit("data", "list", "pets", "--json").stdout)
        return row["state"], row["path"]

    assert state() == ("missing", "")
    assert divekit("data", "get", "pets").exit_code == 0
    folder = fetch_folder(pets_set).path
    assert state() == ("verified", str(folder))
    assert divekit("data", "verify", "pets").exit_code == 0
    (folder / "labels.csv").write_bytes(b"9,9")
    assert state() == ("damaged", str(folder))
    result = divekit("data", "verify", "pets")
    assert result.exit_code == 3
    assert f"{folder} (damaged)" in result.stderr
    assert divekit("data", "get", "pets").exit_code == 0
    assert state() == ("verified", str(folder))

    theirs = tmp_path / "mine/pets"
    (theirs / "train").mkdir(parents=True)
    (theirs / "labels.csv").write_text("")
    monkeypatch.setenv("DIVEKIT_DATA", str(tmp_path / "mine"))
    assert state() == ("unchecked", str(theirs))
    assert divekit("data", "verify", "pets").exit_code == 0


def test_a_single_file_in_the_cache_that_is_damaged_is_told(mirror, tmp_path, pets_set, divekit):
    path = fetch(pets_set).path
    path.write_bytes(b"?")
    (row,) = json.loads(divekit("data", "list", "pets", "--json").stdout)
    assert (row["state"], row["path"]) == ("damaged", str(path))


REAL = {
    "tops": Archive(
        "VOC, three pictures",
        (),
        "as the photos have it",
        (
            Form(
                "voc_tiny/voc_labelme_3images.zip",
                131_356,
                "3a1591e39f5a786ca29a335f860e2bc54e95b9ad9aca3223661507061d09e28e",
                top="VOCdevkit/VOC2012",
            ),
        ),
        holds=("JPEGImages", "SegmentationClass", "ImageSets/Segmentation/train.txt"),
    ),
    "no top": Archive(
        "labels of CIFAR-10",
        (),
        "none stated",
        (
            Form(
                "cifar10/trainLabels.csv.zip",
                149042,
                "96d621607bba97d83ae7fac5b2f94bee91e50f4d9be00453e77313459c865b61",
            ),
        ),
        holds=("trainLabels.csv",),
    ),
}


@pytest.mark.real
@pytest.mark.parametrize("real", REAL.values(), ids=REAL)
def test_archives_of_real_data_become_folders(real):
    found = fetch_folder(real)
    assert found.verified
    assert fetch_folder(real) == found
    assert locate_folder(real) == found
