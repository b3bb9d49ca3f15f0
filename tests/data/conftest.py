"""What the tests of files share: a mirror, and processes of their own."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import divekit
from divekit.data import fetch
from divekit.errors import DataNotFoundError
from tests.data.mirrors import Mirror, everything, remote

# divekit.data without its __init__, which imports torch: seconds for each process.
WITHOUT_TORCH = f"""
import sys, types, divekit
package = types.ModuleType("divekit.data")
package.__path__ = [{str(Path(divekit.__file__).parent / "data")!r}]
sys.modules["divekit.data"] = package
"""


@pytest.fixture
def mirror(monkeypatch):
    """Serve on this machine, with the network allowed."""
    monkeypatch.setenv("DIVEKIT_OFFLINE", "0")
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with Mirror() as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        running.over.set()
        running.shutdown()


@pytest.fixture
def start():
    """Start Python code in a process of its own, which must print a line when it is ready."""
    running = []

    def begin(code):
        process = subprocess.Popen(
            [sys.executable, "-c", WITHOUT_TORCH + code],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(Path(divekit.__file__).parent.parent)},
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture
def fails():
    """Fetch, expect one line with some words in it, and a cache with nothing in it."""

    def check(words, *urls):
        with pytest.raises(DataNotFoundError) as caught:
            fetch(remote(*urls))
        text = str(caught.value)
        assert text.isprintable()
        assert words in text
        assert everything() <= {"thing"}
        return text

    return check
