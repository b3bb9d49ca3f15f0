"""Redirects, certificates, proxies, and servers that take for ever."""

import shutil
import socket
import ssl
import subprocess
import threading

import pytest

from divekit.data import connection, fetch
from divekit.data.connection import BLOCK, DownloadError, redirected
from tests.data.mirrors import BODY, remote


def test_nobody_at_the_other_end_is_named(mirror, fails, monkeypatch):
    fails("http://127.0.0.1:9/x: ConnectionRefusedError", "http://127.0.0.1:9/x")
    fails("no address that can be fetched", "file:///etc/passwd")
    fails("no address that can be fetched", "http://[::1/x")

    def unknown(*args, **kwargs):  # patched: a real one would ask the network
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    fails("http://host.invalid/x: gaierror: [Errno -2] Name or", "http://host.invalid/x")


def moved(to, body=b""):
    return lambda it: (it.head(302, Location=to, Content_Length=len(body)), it.send(body))


REDIRECTS = {
    "loop": ("/wrong", "redirects more than 5 times"),
    "file": ("file:///etc/passwd", "redirects to file:///etc/passwd, which is not followed"),
    "other scheme": ("ftp://127.0.0.1/x", "which is not followed"),
    "data": ("data:text/plain,x", "which is not followed"),
    "nowhere": ("http://[", "redirects to no address"),
    "terminal": ("gopher://\x1b[31m/x", "(gopher://?[31m/x)"),
    "too long a port": ("http://127.0.0.1:99999999/", "no address that can be fetched"),
}


@pytest.mark.parametrize(("location", "words"), REDIRECTS.values(), ids=REDIRECTS)
def test_redirects_that_are_not_followed(mirror, fails, location, words):
    fails(words, mirror("/wrong", moved(location)))
    assert len(mirror.asked) == (6 if location == "/wrong" else 1)


def test_other_redirects_are_followed_without_reading_them(mirror):
    def endless(handler):
        handler.head(301, Location="/second")
        while handler.wait(0):
            handler.send(BODY)

    mirror("/second", moved(mirror("/good")))
    assert fetch(remote(mirror("/first", endless))).path.read_bytes() == BODY
    assert mirror.paths == ["/first", "/second", "/good"]
    assert mirror.hung_up.wait(5)


def test_no_redirect_leads_from_https_to_http():
    assert redirected("https://a/x", "/y") == "https://a/y"
    assert redirected("http://a/x", "https://b/y") == "https://b/y"
    for location in ("http://a/x", "HTTP://a/x", "file:///x"):
        with pytest.raises(DownloadError, match="not followed"):
            redirected("https://a/x", location)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")
def test_https_with_a_certificate_of_somebody(mirror, fails, monkeypatch, tmp_path):
    words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout key -out cert"
    words += " -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(["openssl", *words.split()], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("cert", "key")
    plain = mirror("/good")
    with type(mirror)() as secure:
        secure.socket = context.wrap_socket(secure.socket, server_side=True)
        threading.Thread(target=secure.serve_forever, args=(0.01,), daemon=True).start()
        secure.url = secure.url.replace("http:", "https:")
        secure.routes |= {"/down": moved(plain), "/stuck": lambda it: it.wait()}
        fails("certificate verify failed", secure("/good"))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "cert"))
        fails(f"redirects to {plain}, which is not followed", secure("/down"))
        monkeypatch.setattr(connection, "STALL_SECONDS", 0.3)
        fails("gave less than", secure("/stuck"))
        monkeypatch.setattr(connection, "STALL_SECONDS", 30)
        assert fetch(remote(secure("/good"))).verified
        assert mirror.asked == []
        secure.over.set()
        secure.shutdown()


def trickle(handler, *blocks):
    """Send a byte now and then: no timeout of a socket ever strikes."""
    handler.send(*blocks)
    while handler.wait(0.03):
        handler.send(b"x")


STALLS = {
    "silent": lambda it: it.wait(),
    "silent after the head": lambda it: (it.head(Content_Length=len(BODY)), it.wait()),
    "head": lambda it: trickle(it, b"HTTP/1.1 200 OK\r\nX: "),
    "body": lambda it: (it.head(Content_Length=len(BODY)), trickle(it)),
    "body after a good start": lambda it: (it.head(), trickle(it, BODY[: BLOCK + 1])),
    "tiny chunks": lambda it: (
        it.head(Transfer_Encoding="chunked"),
        [it.send(b"1\r\nx\r\n") for _ in range(1000) if it.wait(0.03)],
    ),
    "endless chunk size": lambda it: (it.head(Transfer_Encoding="chunked"), trickle(it, b"1;")),
}


@pytest.mark.parametrize("route", STALLS.values(), ids=STALLS)
def test_a_server_that_brings_too_little_is_given_up(mirror, fails, monkeypatch, route):
    monkeypatch.setattr(connection, "STALL_SECONDS", 0.2)
    fails("gave less than 16,384 bytes in 0.2 seconds", mirror("/slow", route))
    monkeypatch.setattr(connection, "STALL_SECONDS", 30)
    assert fetch(remote(mirror("/good"))).verified


def test_a_stall_ends_the_reading_thread(mirror, fails, monkeypatch):
    monkeypatch.setattr(connection, "STALL_SECONDS", 0.2)
    before = set(threading.enumerate())
    fails("gave less than", mirror("/slow", STALLS["body"]))
    for thread in set(threading.enumerate()) - before:
        if thread.name == connection.READER:
            thread.join(5)
            assert not thread.is_alive()
    assert len(mirror.asked) == 1  # what brought nothing is not tried again
    assert mirror.hung_up.wait(5)


def test_a_slow_but_steady_server_is_waited_for(mirror, monkeypatch):
    """Longer in all than the time that a block may take, by a clock that the server moves."""
    clock, arrived = [0.0], threading.Semaphore()
    monkeypatch.setattr(connection.time, "monotonic", lambda: clock[0])

    def steady(handler):
        handler.head(Content_Length=len(BODY))
        for start in range(0, len(BODY), BLOCK):
            assert arrived.acquire(timeout=20)  # the block before this one
            clock[0] += connection.STALL_SECONDS * 0.9
            handler.send(BODY[start : start + BLOCK])

    found = fetch(remote(mirror("/steady", steady)), watch=lambda count: arrived.release())
    assert found.verified
    assert clock[0] > 6 * connection.STALL_SECONDS


def test_proxies_of_the_environment_are_used(mirror, monkeypatch):
    monkeypatch.setenv("http_proxy", mirror.url)
    assert fetch(remote("http://data.example/good")).verified
    assert mirror.paths == ["http://data.example/good"]


def test_a_proxy_that_is_down_is_named(mirror, fails, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    fails("ConnectionRefusedError", "http://data.example/good")
