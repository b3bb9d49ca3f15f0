"""What is said while a file arrives."""

import io
import sys

from divekit.data import fetch, progress
from divekit.data.progress import bar
from tests.data.mirrors import BODY, remote


class Terminal(io.StringIO):
    def isatty(self):
        return True


def use_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    return sys.stderr


def test_a_long_download_is_one_line_on_a_terminal(mirror, monkeypatch):
    terminal = use_terminal(monkeypatch)
    monkeypatch.setattr(progress, "BAR_FROM_BYTES", len(BODY))
    fetch(remote(mirror("/good")))
    text = terminal.getvalue()
    assert "100.4/100.4 kB" in text
    assert text.count("\n") == 1
    assert "thing" in text


def test_a_short_download_says_nothing(mirror, monkeypatch):
    terminal = use_terminal(monkeypatch)
    fetch(remote(mirror("/good")))
    assert terminal.getvalue() == ""


def test_elsewhere_nothing_is_said(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with bar("thing", 10**9) as tell:
        tell(5)
    assert sys.stderr.getvalue() == ""


def test_a_watch_takes_the_place_of_the_bar(mirror, monkeypatch):
    terminal = use_terminal(monkeypatch)
    monkeypatch.setattr(progress, "BAR_FROM_BYTES", 1)
    seen = []
    fetch(remote(mirror("/good")), watch=seen.append)
    assert seen[-1] == len(BODY)
    assert terminal.getvalue() == ""
