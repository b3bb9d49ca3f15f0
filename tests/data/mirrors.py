"""A mirror on this machine that answers as it is told, and files to ask of it."""

import hashlib
import os
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from divekit.data import Form, Remote
from divekit.data.hub import cache_folder

BODY = bytes(range(251)) * 400  # 100,400 bytes: six blocks and a bit


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.close_connection = True
        self.server.asked.append((self.path, dict(self.headers)))
        try:
            self.server.routes[urlsplit(self.path).path](self)
        except OSError:
            self.server.hung_up.set()

    def log_message(self, *args):
        pass

    def head(self, status=200, **headers):
        """Send the head of an answer: ``head(200, Content_Length=5)``."""
        self.send_response_only(status)
        self.send_header("Connection", "close")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def send(self, *blocks):
        for block in blocks:
            self.wfile.write(block)

    def wait(self, seconds=20):
        """Wait until the test is over, or for a while: give whether to go on."""
        return not self.server.over.wait(seconds)

    def reset(self):
        """Drop the connection without a goodbye."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())


class Mirror(ThreadingHTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answers)
        self.routes = {"/good": answer(BODY), "/missing": answer(b"", 404)}
        self.asked = []
        self.over, self.hung_up = threading.Event(), threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"

    def __call__(self, path, route=None):
        """Give the URL of a path, which ``route`` answers from now on."""
        if route is not None:
            self.routes[path] = route
        return self.url + path

    @property
    def paths(self):
        return [path for path, _ in self.asked]

    def handle_error(self, request, client_address):
        pass  # a client that hangs up, or a connection that was reset on purpose


def answer(body, status=200, **headers):
    def route(handler):
        handler.head(status, Content_Length=len(body), **headers)
        handler.send(body)

    return route


def form(path, body=BODY, **more):
    return Form(path, len(body), hashlib.sha256(body).hexdigest(), **more)


def remote(*urls, path="thing/a.gz"):
    return Remote("thing", urls, "none", (form(path), form("thing/a")))


def everything():
    """Name all that is in the cache."""
    cache = cache_folder()
    return {path.relative_to(cache).as_posix() for path in cache.rglob("*")}
