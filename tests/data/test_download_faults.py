"""What mirrors, networks and disks do wrong: each ends in the right file, or in one clear line."""

import errno
import os

import pytest

from divekit.data import fetch, hub
from divekit.data.connection import BLOCK
from divekit.data.download import _File
from divekit.errors import DataNotFoundError
from tests.data.mirrors import BODY, answer, everything, remote

HALF = len(BODY) // 2


def chunked(*blocks, end=True):
    def route(handler):
        handler.head(Transfer_Encoding="chunked")
        for block in blocks:
            handler.send(b"%x\r\n%b\r\n" % (len(block), block))
        handler.send(b"0\r\n\r\n" if end else b"")

    return route


def cut(handler):
    """Promise all, send half."""
    handler.head(Content_Length=len(BODY))
    handler.send(BODY[:HALF])


def reset(handler):
    handler.head(Content_Length=len(BODY))
    handler.send(BODY[:HALF])
    handler.reset()


def page(handler):
    """Answer as a hotel does before the login."""
    answer(b"\n <!DOCTYPE html><p>Welcome!", Content_Type="text/html; charset=utf-8")(handler)


def long_page(handler):
    chunked(b"<html>" + BODY, BODY)(handler)


OTHER = BODY[:-1] + b"?"
WRONG = {
    "404": (answer(b"", 404), "answered 404 Not Found"),
    "unknown status": (answer(b"", 599), "answered 599."),
    "part of it, not asked for": (answer(BODY, 206), "answered 206 Partial Content"),
    "page": (page, "gave an HTML page in place of the file"),
    "long page": (long_page, "gave an HTML page in place of the file"),
    "page by its type": (answer(b"<p>", Content_Type="text/html"), "gave an HTML page"),
    "page without a type": (chunked(b"<html>no"), "gave an HTML page in place of the file"),
    "empty": (answer(b""), "has 0 bytes in place of 100400"),
    "short": (answer(BODY[:-1]), "has 100399 bytes in place of 100400"),
    "long": (answer(BODY + b"?"), "has 100401 bytes in place of 100400"),
    "absurd length": (lambda it: it.head(Content_Length="9" * 5000), "bytes in place of 100400"),
    "cut off": (cut, "after 50,200 of 100,400 bytes"),
    "chunks cut off": (chunked(BODY[:9], end=False), "after 9 of 100,400 bytes"),
    "chunks short": (chunked(BODY[:-1]), "ended after 100,399 of 100,400 bytes"),
    "chunks long": (chunked(b"?" + BODY, BODY), "sends more than 100,400 bytes"),
    "chunks damaged": (lambda it: (it.head(Transfer_Encoding="chunked"), it.send(b"x\r\n")), "x"),
    "other content": (answer(OTHER), "gave other content (sha256 "),
    "other content, chunked": (chunked(OTHER), "gave other content (sha256 "),
    "reset": (reset, "ConnectionResetError"),
    "reset at once": (lambda it: it.reset(), "ConnectionResetError"),
    "no HTTP": (lambda it: it.send(b"SSH-2.0-OpenSSH\x1b[2J\r\n"), "BadStatusLine: SSH-2.0"),
    "nothing": (lambda it: None, "RemoteDisconnected"),
}


@pytest.mark.parametrize(("route", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_named_and_the_next_mirror_is_asked(mirror, fails, route, words):
    url = mirror("/wrong", route)
    assert f"Tried {url}: " in fails(words, url)
    assert fetch(remote(url, mirror("/good"))).path.read_bytes() == BODY
    assert everything() == {"thing", "thing/a.gz"}


def test_when_every_mirror_fails_each_is_named_with_its_reason(mirror, fails):
    text = fails("answered 404", mirror("/missing"), mirror("/page", page))
    assert f"Tried {mirror.url}/missing: answered 404 Not Found. " in text
    assert f"Tried {mirror.url}/page: gave an HTML page" in text
    assert "put it at thing/a.gz, below a folder named in DIVEKIT_DATA" in text


def test_an_endless_answer_is_left_at_the_size_of_the_file(mirror, fails, monkeypatch):
    sizes = []
    add = _File.add

    def noted(file, block):
        add(file, block)
        file.disk.flush()
        sizes.append(os.fstat(file.disk.fileno()).st_size)

    def endless(handler):
        handler.head()
        while handler.wait(0):
            handler.send(BODY)

    monkeypatch.setattr(_File, "add", noted)
    fails("sends more than 100,400 bytes", mirror("/endless", endless))
    assert HALF < max(sizes) <= len(BODY)
    assert mirror.hung_up.wait(5)


def test_a_server_that_goes_on_after_the_right_bytes_does_no_harm(mirror):
    def lingers(handler):
        handler.head(Transfer_Encoding="chunked")
        handler.send(b"%x\r\n%b\r\n" % (len(BODY), BODY))
        handler.wait()

    assert fetch(remote(mirror("/lingers", lingers))).verified


def resuming(*, range_of=lambda first: f"bytes {first}-{len(BODY) - 1}/{len(BODY)}", step=HALF):
    """Break off after ``step`` bytes every time, and go on from there when asked to."""

    def route(handler):
        wanted = handler.headers.get("Range")
        first = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        headers = {"Content_Range": range_of(first)} if wanted else {}
        handler.head(206 if wanted else 200, Content_Length=len(BODY) - first, **headers)
        handler.send(BODY[first : first + step])

    return route


def test_a_connection_that_breaks_off_is_taken_up_where_it_was(mirror):
    url = mirror("/breaks", resuming(step=BLOCK + 1000))
    seen = []
    assert fetch(remote(url), watch=seen.append).path.read_bytes() == BODY
    ranges = [headers.get("Range") for _, headers in mirror.asked]
    assert ranges[0] is None
    assert len(ranges) == 6
    assert seen == sorted(seen)
    assert seen[-1] == len(BODY)


@pytest.mark.parametrize(
    "route",
    [
        cut,
        resuming(range_of=lambda first: "bytes 0-9/10"),
        resuming(range_of=lambda first: "x\x1b"),
    ],
)
def test_a_server_that_cannot_go_on_is_asked_no_third_time(mirror, fails, route):
    fails("after 50,200 of 100,400 bytes", mirror("/breaks", route))
    assert len(mirror.asked) == 2


def test_breaking_off_for_ever_has_an_end(mirror, fails):
    fails("after 98,310 of 100,400", mirror("/breaks", resuming(step=BLOCK + 1)))
    assert len(mirror.asked) == 6


def test_halves_that_do_not_fit_are_noticed(mirror, fails):
    def other(handler):
        first = handler.headers.get("Range") is None
        handler.head(200 if first else 206, Content_Range=f"bytes {HALF}-")
        handler.send(b"z" * HALF)

    fails("gave other content", mirror("/halves", other))


def test_a_file_that_is_called_compressed_is_taken_as_it_is(mirror):
    """As Apache sends .gz files when told that this is an encoding."""
    found = fetch(remote(mirror("/gz", answer(BODY, Content_Encoding="gzip"))))
    assert found.path.read_bytes() == BODY
    assert mirror.asked[0][1]["Accept-Encoding"] == "identity"


def test_a_disk_that_takes_no_more_is_named_with_what_is_needed(mirror, fails):
    """The system itself refuses: no file of this process may grow beyond 20,000 bytes."""
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        text = fails("(100.4 kB needed, ", mirror("/good"), mirror("/good"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert f"thing cannot be written to {hub.cache_folder() / 'thing'}: File too large" in text
    assert "set DIVEKIT_HOME" in text
    assert len(mirror.asked) == 1  # another mirror would not help


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
def test_every_error_of_the_disk_is_one_line(mirror, fails, monkeypatch, number):
    def full(file, block):  # patched: a full disk cannot be had without a disk of one's own
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(_File, "add", full)
    fails(f"{os.strerror(number)} (100.4 kB needed, ", mirror("/good"))


def test_a_cache_that_cannot_be_made_is_named_before_anything_is_asked(
    mirror, monkeypatch, tmp_path
):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DIVEKIT_HOME", str(tmp_path / "file"))  # stops root, too
    with pytest.raises(
        DataNotFoundError, match=r"file/data/thing: Not a directory .* DIVEKIT_HOME"
    ):
        fetch(remote(mirror("/good")))
    assert mirror.asked == []


def test_a_read_only_cache_is_named(mirror):
    hub.cache_folder().mkdir(parents=True)
    hub.cache_folder().chmod(0o555)
    if os.access(hub.cache_folder(), os.W_OK):
        pytest.skip("root may write everywhere")
    with pytest.raises(DataNotFoundError, match="Permission denied"):
        fetch(remote(mirror("/good")))


def test_a_folder_where_the_file_should_be_is_named(mirror):
    (hub.cache_folder() / "thing/a.gz").mkdir(parents=True)
    with pytest.raises(DataNotFoundError, match="cannot be written"):
        fetch(remote(mirror("/good")))
    assert everything() == {"thing", "thing/a.gz"}


def test_an_interrupt_leaves_nothing_behind(mirror):
    def interrupt(count):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(remote(mirror("/good")), watch=interrupt)
    assert everything() == {"thing"}
