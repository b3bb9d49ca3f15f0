"""What tests share. No test touches the network, the user's caches or the checkout's folders."""

import os
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

from divekit.cli import app

# The tests' tensors are small: a second thread would only wait, and slow down what runs beside.
torch.set_num_threads(1)

REAL_DATA = os.environ.get("DIVEKIT_DATA", "")


@pytest.fixture(autouse=True)
def isolated(request, monkeypatch, tmp_path):
    """Run each test in an empty folder, offline, with an empty cache; seed torch."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIVEKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DIVEKIT_OFFLINE", "1")
    monkeypatch.delenv("DIVEKIT_SAMPLE", raising=False)
    if request.node.get_closest_marker("real") is None:
        monkeypatch.delenv("DIVEKIT_DATA", raising=False)
    torch.manual_seed(0)


def pytest_collection_modifyitems(items):
    """Leave out the tests on real data where there is none."""
    folders = [Path(folder) for folder in REAL_DATA.split(os.pathsep) if folder]
    if any((folder / "fashion-mnist").is_dir() for folder in folders):
        return
    for item in items:
        if item.get_closest_marker("real"):
            item.add_marker(pytest.mark.skip(reason="DIVEKIT_DATA names no folder with the data"))


@pytest.fixture
def divekit():
    """Call the command line: ``divekit("list", "--json")``."""

    def call(*words: str) -> Result:
        return CliRunner().invoke(app, words)

    return call
