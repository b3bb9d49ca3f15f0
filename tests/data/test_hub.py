"""Where files are looked for and what is said of them. How mirrors fail: test_download_faults."""

import logging
import os
import socket

import pytest

from divekit.data import Form, Remote, fetch, locate
from divekit.data.hub import cache_folder
from divekit.data.progress import human_size
from divekit.errors import BadDataError, DataNotFoundError
from tests.data.mirrors import BODY, form, remote


@pytest.fixture
def mine(monkeypatch, tmp_path):
    """Two data folders of the user's own, ``one`` before ``two``."""
    for name in ("one", "two"):
        (tmp_path / name / "thing").mkdir(parents=True)
    monkeypatch.setenv("DIVEKIT_DATA", f"{tmp_path / 'one'}{os.pathsep}{tmp_path / 'two'}")
    return tmp_path


def test_a_download_is_verified_cached_and_not_repeated(mirror):
    found = fetch(remote(mirror("/good")))
    assert found.verified
    assert found.path.read_bytes() == BODY
    assert found.path == cache_folder() / "thing/a.gz"
    assert fetch(remote(mirror("/good"))) == found
    assert mirror.paths == ["/good"]


def test_files_in_the_cache_may_be_read_by_others(mirror, tmp_path):
    (tmp_path / "usual").write_text("")
    path = fetch(remote(mirror("/good"))).path
    assert path.stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_offline_opens_no_socket(monkeypatch, mirror):
    def touched(*args, **kwargs):
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket, "getaddrinfo", touched)
    monkeypatch.setattr(socket.socket, "connect", touched)
    monkeypatch.setenv("DIVEKIT_OFFLINE", "1")
    with pytest.raises(DataNotFoundError, match="DIVEKIT_OFFLINE is set"):
        fetch(remote(mirror("/good")))
    monkeypatch.setenv("DIVEKIT_OFFLINE", "0")
    with pytest.raises(AssertionError, match="touched"):
        fetch(remote(mirror("/good")))


def test_a_damaged_cache_is_fetched_again_with_one_warning(mirror, caplog):
    path = fetch(remote(mirror("/good"))).path
    for damage in (BODY[:-1] + b"?", BODY[:-1], b""):
        path.write_bytes(damage)
        assert fetch(remote(mirror("/good"))).path.read_bytes() == BODY
    assert mirror.paths == ["/good"] * 4
    assert [record.message for record in caplog.records if record.levelno == logging.WARNING] == [
        f"{path} is damaged and is not used"
    ]


def test_data_folders_come_first_in_their_order_and_in_any_form(mirror, mine, caplog):
    (mine / "two/thing/a").write_bytes(BODY)
    found = fetch(remote(mirror("/good")))
    assert found.path == mine / "two/thing/a"
    assert found.form == form("thing/a")
    (mine / "one/thing/a.gz").write_bytes(b"my own")
    for _ in range(2):
        found = fetch(remote(mirror("/good")))
        assert found.path == mine / "one/thing/a.gz"
        assert not found.verified
    assert caplog.text.count("it is used as it is") == 1
    assert mirror.asked == []


def test_within_a_folder_a_known_form_comes_before_an_unknown_one(mine):
    (mine / "one/thing/a.gz").write_bytes(b"copied by half")
    (mine / "one/thing/a").write_bytes(BODY)
    assert locate(remote()).path == mine / "one/thing/a"
    assert locate(remote()).verified


def test_a_file_of_the_users_is_kept_even_where_the_cache_is_their_folder(
    mirror, monkeypatch, tmp_path
):
    monkeypatch.setenv("DIVEKIT_DATA", str(cache_folder()))
    (cache_folder() / "thing").mkdir(parents=True)
    (cache_folder() / "thing/a.gz").write_bytes(b"my own")
    assert fetch(remote(mirror("/good"))).path.read_bytes() == b"my own"


def test_a_data_folder_that_is_not_there_is_told_once(mirror, monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("DIVEKIT_DATA", f"{tmp_path / 'no'}{os.pathsep}{os.pathsep}~no-one/data")
    for _ in range(2):
        assert fetch(remote(mirror("/good"))).verified
    warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings == [
        f"{folder} is named in DIVEKIT_DATA and is not a folder"
        for folder in (tmp_path / "no", "~no-one/data")
    ]


def test_a_file_that_may_not_be_read_is_named(mine, monkeypatch):
    (mine / "one/thing/a.gz").write_bytes(BODY)

    def refused(*args):  # patched: root may read everything
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("divekit.data.hub.file_sha256", refused)
    with pytest.raises(BadDataError, match=r"a\.gz cannot be read: Permission denied"):
        fetch(remote())


def test_without_urls_a_person_is_told_where_to_get_it_and_where_to_put_it(monkeypatch, mine):
    monkeypatch.setenv("DIVEKIT_OFFLINE", "0")
    login = Remote("Dogs", (), "rules", (Form("dogs/dogs.zip"),), by_hand="https://k.example/dogs")
    with pytest.raises(DataNotFoundError) as caught:
        fetch(login)
    assert str(caught.value).startswith(
        "Dogs was not found. It cannot be fetched without a login: get it from "
        "https://k.example/dogs and put it at dogs/dogs.zip, below a folder named in DIVEKIT_DATA"
    )
    (mine / "one/dogs").mkdir()
    (mine / "one/dogs/dogs.zip").write_bytes(b"whatever")
    assert fetch(login).path == mine / "one/dogs/dogs.zip"
    assert not fetch(login).verified  # nobody knows its hash


def test_the_cache_is_read_from_the_environment_at_call_time(monkeypatch, tmp_path):
    monkeypatch.setenv("DIVEKIT_HOME", str(tmp_path / "elsewhere"))
    assert cache_folder() == tmp_path / "elsewhere" / "data"
    monkeypatch.delenv("DIVEKIT_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert "divekit" in str(cache_folder())


@pytest.mark.parametrize(
    ("size", "text"),
    [(5, "5 bytes"), (1500, "1.5 kB"), (26421880, "26.4 MB"), (3 * 10**9, "3.0 GB")],
)
def test_sizes_are_readable(size, text):
    assert human_size(size) == text
