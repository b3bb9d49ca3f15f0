"""Downloads by name and by address: found, fetched, checked, unpacked."""

import hashlib
import io
import re
import zipfile
from pathlib import Path

import pytest

from divekit.d2l import files
from divekit.data.by_url import fetch_url
from divekit.errors import BadDataError, DataNotFoundError, UsageError
from tests.data.conftest import mirror  # noqa: F401
from tests.data.mirrors import answer

BODY = b"a,b\n1,2\n"
SHA1 = hashlib.sha1(BODY).hexdigest()


@pytest.fixture
def hub(monkeypatch):
    known = dict(files.DATA_HUB)
    monkeypatch.setattr(files, "DATA_HUB", known)
    return known


def test_a_file_is_fetched_once_and_checked(mirror, hub):  # noqa: F811
    url = mirror("/d2l/table.csv", answer(BODY))
    hub["table"] = (url, SHA1)
    Path("notebooks").mkdir()
    path = files.download("table", cache_dir="cache")
    assert path == str(Path("cache", "table.csv"))
    assert Path(path).read_bytes() == BODY
    asked = len(mirror.asked)
    assert files.download("table", cache_dir="cache") == path
    assert len(mirror.asked) == asked
    Path(path).write_bytes(b"changed")
    files.download("table", cache_dir="cache")
    assert Path(path).read_bytes() == BODY


def test_other_content_is_refused_and_what_is_there_stays(mirror, hub):  # noqa: F811
    hub["table"] = (mirror("/d2l/table.csv", answer(b"<html>")), SHA1)
    with pytest.raises(BadDataError, match="gave other content"):
        files.download("table", cache_dir="cache")
    assert not Path("cache/table.csv").exists()
    hub["gone"] = (mirror("/d2l/gone.csv", answer(b"", 404)), SHA1)
    with pytest.raises(DataNotFoundError, match="answered 404"):
        files.download("gone", cache_dir="cache")


def test_a_file_in_a_data_folder_is_used_if_it_is_the_one(hub, monkeypatch, tmp_path):
    hub["table"] = ("http://localhost:1/table.csv", SHA1)
    folder = tmp_path / "data" / "tables"
    folder.mkdir(parents=True)
    (folder / "table.csv").write_bytes(BODY)
    monkeypatch.setenv("DIVEKIT_DATA", str(tmp_path / "data"))
    assert files.download("table", cache_dir="cache") == str(folder / "table.csv")
    (folder / "table.csv").write_bytes(b"other")
    with pytest.raises(DataNotFoundError, match="DIVEKIT_OFFLINE"):
        files.download("table", cache_dir="cache")


def test_an_address_without_a_hash(mirror):  # noqa: F811
    url = mirror("/any.txt", answer(BODY))
    target = Path("any.txt")
    assert fetch_url(url, target) == target
    target.write_bytes(b"mine")
    assert fetch_url(url, target).read_bytes() == b"mine"
    assert fetch_url(url, target, again=True).read_bytes() == BODY


def test_archives_are_unpacked_beside_themselves(mirror, hub):  # noqa: F811
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("pets/cat.txt", "meow")
    data = packed.getvalue()
    hub["pets"] = (mirror("/d2l/pets.zip", answer(data)), hashlib.sha1(data).hexdigest())
    folder = files.download_extract("pets")
    assert folder == str(Path("..", "data", "pets"))
    assert Path(folder, "cat.txt").read_text() == "meow"
    Path(folder, "cat.txt").write_text("purr")
    (Path(folder).parent / "pets.zip").unlink()  # the folder is enough
    asked = len(mirror.asked)
    assert Path(files.download_extract("pets"), "cat.txt").read_text() == "purr"
    assert len(mirror.asked) == asked
    hub["table"] = (mirror("/d2l/table.csv", answer(BODY)), SHA1)
    with pytest.raises(UsageError, match="no archive"):
        files.download_extract("table")
    with pytest.raises(UsageError, match="pets"):
        files.download("petz")


def test_the_folder_asked_for_may_lie_deeper_in_the_archive(mirror, hub):  # noqa: F811
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("kit/2012/list.txt", "one two")
        archive.writestr("kit/readme.txt", "of the archive")
    data = packed.getvalue()
    hub["kit"] = (mirror("/d2l/kit.zip", answer(data)), hashlib.sha1(data).hexdigest())
    folder = Path(files.download_extract("kit", str(Path("kit", "2012"))))
    assert (folder / "list.txt").read_text() == "one two"
    # Another year's files are there already, and stay as they are.
    (folder / "list.txt").unlink()
    folder.rmdir()
    (folder.parent / "readme.txt").write_text("mine")
    (folder.parent / "2007").mkdir()
    files.download_extract("kit", str(Path("kit", "2012")))
    assert (folder / "list.txt").read_text() == "one two"
    assert (folder.parent / "readme.txt").read_text() == "mine"
    assert sorted(path.name for path in folder.parent.iterdir()) == ["2007", "2012", "readme.txt"]


def test_every_chapters_files_are_known_before_any_of_its_names_is_used(hub):
    assert len({url for url, _ in hub.values()}) == len(hub)
    assert all(re.fullmatch("[0-9a-f]{40}", sha1) for _, sha1 in hub.values())
    # A notebook may begin with the download, of a file that an earlier section has named.
    for name, file in [("ctr", "ctr.zip"), ("glove.6b.50d", "glove.6B.50d.zip"), ("SNLI", "snli")]:
        with pytest.raises(DataNotFoundError, match=rf"DIVEKIT_OFFLINE.*http.*/{file}"):
            files.download_extract(name)
