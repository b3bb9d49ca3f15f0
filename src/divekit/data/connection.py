"""One request over the network, which ends: whatever a server does or leaves undone.

``requests`` speaks the protocol (proxies, certificates, addresses). A thread of its own reads
from it, because no timeout of a socket ends a connection that brings a byte now and then;
the caller's thread counts what arrives and gives up when too little does.
"""

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urljoin, urlsplit

BLOCK = 2**14
CONNECT_SECONDS = 10
STALL_SECONDS = 30
"""Each further ``BLOCK`` bytes must arrive within so many seconds, and the first ones within
them after looking up, connecting and redirecting: half a kilobyte a second is enough."""
REDIRECTS = 5
BLOCKS_WAITING = 16
READER = "divekit download"


class DownloadError(Exception):
    """An address did not give the file; the message says what it gave instead."""


class BrokenOffError(DownloadError):
    """The connection failed or ended early: what is left may still be had."""


class Connection:
    """The answer to a request for ``url`` from byte ``first`` on: its head, then its blocks.

    A context that ends the connection. Raises DownloadError for all that the network does.
    """

    def __init__(self, url: str, first: int = 0) -> None:
        self._arrived: queue.Queue[Any] = queue.Queue(BLOCKS_WAITING)
        self._given_up = threading.Event()
        self._answer: Any = None
        # A daemon: nobody waits for one that is stuck in looking up a name.
        self._reader = threading.Thread(
            target=self._read, args=(url, first), name=READER, daemon=True
        )

    def __enter__(self) -> "Connection":
        self._deadline = time.monotonic() + STALL_SECONDS
        self._reader.start()
        try:
            self._answer = self._take()
        except BaseException:
            self._given_up.set()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._given_up.set()
        # Wakes the reader where it waits, whatever the server goes on to send.
        with suppress(ValueError, RuntimeError, OSError):  # over and closed already
            self._answer.raw.shutdown()

    @property
    def status(self) -> int:
        """Status of the answer: 200, 404."""
        code: int = self._answer.status_code
        return code

    def header(self, name: str) -> str:
        """Give a header of the answer; empty where it has none of the name."""
        value: str = self._answer.headers.get(name, "")
        return value

    def blocks(self) -> Iterator[bytes]:
        """Give the body as it was sent, piece by piece."""
        fresh = 0
        while block := self._take():
            fresh += len(block)
            if fresh >= BLOCK:
                fresh, self._deadline = 0, time.monotonic() + STALL_SECONDS
            yield block

    def _take(self) -> Any:
        while True:
            left = self._deadline - time.monotonic()
            try:
                # In short waits: on Windows a long one would not hear Ctrl-C.
                item = self._arrived.get(timeout=min(max(left, 0), 0.5))
            except queue.Empty:
                if left > 0:
                    continue
                raise BrokenOffError(
                    f"gave less than {BLOCK:,} bytes in {STALL_SECONDS} seconds"
                ) from None
            if isinstance(item, Exception):
                raise _in_words(item)
            return item

    def _hand_over(self, item: Any) -> None:
        while not self._given_up.is_set():
            with suppress(queue.Full):
                self._arrived.put(item, timeout=0.1)
                return

    def _read(self, url: str, first: int) -> None:
        """Hand over the answer, its blocks, and b"" at its end; or the error in their place."""
        try:
            with _open(url, first) as answer:
                self._hand_over(answer)
                # As it was sent: some servers call a .gz file an encoding of another, and the hash
                # is that of the .gz file. Nor can a little be sent that unpacks to very much.
                for block in answer.raw.stream(BLOCK, decode_content=False):
                    if self._given_up.is_set():
                        return
                    self._hand_over(block)
            self._hand_over(b"")
        except Exception as error:  # for the caller's thread to raise
            self._hand_over(error)


@contextmanager
def _open(url: str, first: int) -> Iterator[Any]:
    """Ask for a URL and follow its redirects; give the answer that is none."""
    import requests

    class Session(requests.Session):
        def get_redirect_target(self, resp: Any) -> str | None:
            return None  # else the whole body of a redirect is read first, however much that is

    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={first}-"} if first else {})
    with Session() as session:
        for _ in range(REDIRECTS + 1):
            answer = session.get(
                url,
                headers=headers,
                stream=True,
                allow_redirects=False,
                # The caller gives up first; this ends a reader that nobody waits for.
                timeout=(CONNECT_SECONDS, 2 * STALL_SECONDS),
            )
            with answer:
                if not answer.is_redirect:
                    yield answer
                    return
                location = requests.Session.get_redirect_target(session, answer)
                url = redirected(url, location or "")
    raise DownloadError(f"redirects more than {REDIRECTS} times")


def redirected(url: str, location: str) -> str:
    """Give the address that ``url`` redirects to. DownloadError where that is not followed.

    Only to http and https, and never from https to http: what was asked for in private is
    not asked for again in the open.
    """
    try:
        target = urljoin(url, location)
        scheme = urlsplit(target).scheme
    except ValueError as error:
        raise DownloadError(f"redirects to no address ({printable(location)})") from error
    if scheme not in ("http", "https") or (urlsplit(url).scheme == "https" and scheme == "http"):
        raise DownloadError(f"redirects to {printable(target)}, which is not followed")
    return target


def _in_words(error: Exception) -> Exception:
    """Give an error of the network in words; any other is a mistake of ours, and stays as it is."""
    import requests
    from urllib3.exceptions import HTTPError

    if isinstance(error, requests.exceptions.InvalidSchema | requests.exceptions.InvalidURL):
        return DownloadError(f"no address that can be fetched ({printable(str(error))})")
    if not isinstance(error, requests.RequestException | HTTPError | OSError):
        return error
    reason: BaseException = error
    while (deeper := reason.__cause__ or reason.__context__) is not None:
        reason = deeper  # the first thing that went wrong says most
    return BrokenOffError(f"{type(reason).__name__}: {printable(str(reason))}")


def printable(text: str) -> str:
    """Cut text that comes from outside, and take out what could steer a terminal."""
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    return text if len(text) <= 160 else text[:160] + "..."
