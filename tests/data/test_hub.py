import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from divekit.data import Form, Remote, fetch
from divekit.data.hub import cache_folder, human_size
from divekit.errors import DataNotFoundError

BODY = b"the right bytes" * 1000


class Handler(BaseHTTPRequestHandler):
    answers = {"/good": (200, BODY), "/page": (200, b"<html>sorry</html>"), "/missing": (404, b"")}  # noqa: RUF012
    asked: list[str] = []  # noqa: RUF012

    def do_GET(self):
        self.asked.append(self.path)
        status, body = self.answers[self.path]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    """Serve a few answers on this machine, with the network allowed."""
    monkeypatch.setenv("DIVEKIT_OFFLINE", "0")
    Handler.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def form(path: str, body: bytes = BODY) -> Form:
    return Form(path, len(body), hashlib.sha256(body).hexdigest())


def remote(*urls: str) -> Remote:
    return Remote("thing", urls, "none", (form("thing/a.gz"), form("thing/a")))


def test_a_download_is_verified_cached_and_not_repeated(server):
    found = fetch(remote(f"{server}/good"))
    assert found.verified
    assert found.path.read_bytes() == BODY
    assert found.path == cache_folder() / "thing/a.gz"
    assert fetch(remote(f"{server}/good")) == found
    assert Handler.asked == ["/good"]


def test_mirrors_are_tried_in_turn_and_leave_nothing_behind(server):
    found = fetch(remote(f"{server}/missing", f"{server}/page", f"{server}/good"))
    assert found.path.read_bytes() == BODY
    assert Handler.asked == ["/missing", "/page", "/good"]
    assert [path.name for path in found.path.parent.iterdir()] == ["a.gz"]


def test_when_every_mirror_fails_each_is_named_with_its_reason(server):
    with pytest.raises(DataNotFoundError) as caught:
        fetch(remote(f"{server}/missing", f"{server}/page"))
    text = str(caught.value)
    assert f"{server}/missing: HTTPError: 404" in text
    assert f"{server}/page: answered with 18 bytes of something else" in text
    assert list((cache_folder() / "thing").iterdir()) == []


def test_a_refused_connection_is_an_error_that_names_the_url(monkeypatch):
    monkeypatch.setenv("DIVEKIT_OFFLINE", "0")
    with pytest.raises(DataNotFoundError, match=r"http://127\.0\.0\.1:9/x: ConnectionError"):
        fetch(remote("http://127.0.0.1:9/x"))


def test_offline_never_asks(server, monkeypatch):
    monkeypatch.setenv("DIVEKIT_OFFLINE", "1")
    with pytest.raises(DataNotFoundError, match="DIVEKIT_OFFLINE is set"):
        fetch(remote(f"{server}/good"))
    assert Handler.asked == []


def test_a_damaged_cache_is_fetched_again(server):
    path = fetch(remote(f"{server}/good")).path
    path.write_bytes(BODY[:-1] + b"?")
    assert fetch(remote(f"{server}/good")).path.read_bytes() == BODY


def test_data_folders_come_first_in_their_order_and_in_any_form(server, monkeypatch, tmp_path):
    import os

    for name in ("one", "two"):
        (tmp_path / name / "thing").mkdir(parents=True)
    (tmp_path / "two/thing/a").write_bytes(BODY)
    monkeypatch.setenv(
        "DIVEKIT_DATA", os.pathsep.join([str(tmp_path / "one"), str(tmp_path / "two")])
    )
    assert fetch(remote(f"{server}/good")).path == tmp_path / "two/thing/a"
    (tmp_path / "one/thing/a.gz").write_bytes(b"my own")
    found = fetch(remote(f"{server}/good"))
    assert found.path == tmp_path / "one/thing/a.gz"
    assert not found.verified
    assert Handler.asked == []


def test_the_cache_is_read_from_the_environment_at_call_time(monkeypatch, tmp_path):
    monkeypatch.setenv("DIVEKIT_HOME", str(tmp_path / "elsewhere"))
    assert cache_folder() == tmp_path / "elsewhere" / "data"
    monkeypatch.delenv("DIVEKIT_HOME")
    assert "divekit" in str(cache_folder())


def test_a_cache_that_cannot_be_made_is_named(server, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DIVEKIT_HOME", str(tmp_path / "file"))
    with pytest.raises(DataNotFoundError, match="cannot be written"):
        fetch(remote(f"{server}/good"))


@pytest.mark.parametrize(
    ("size", "text"),
    [(5, "5 bytes"), (1500, "1.5 kB"), (26421880, "26.4 MB"), (3 * 10**9, "3.0 GB")],
)
def test_sizes_are_readable(size, text):
    assert human_size(size) == text
