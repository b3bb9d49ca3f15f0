"""``divekit lab``, with a stand-in for JupyterLab; one slow test has the real one."""

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

import divekit as package
from divekit import book
from divekit.lab import prepare
from divekit.notebook import notebook, update_notebook, write_notebook

SECTION = book.find("3.7")
STAND_IN = """
import json, pathlib, signal, sys, time

def stop(*_):
    pathlib.Path("ended").touch()
    sys.exit(0)

signal.signal(signal.SIGTERM, stop)
pathlib.Path("arguments.json").write_text(json.dumps(sys.argv[1:]))
print("serving", flush=True)
if "--port=1" in sys.argv:
    sys.exit(7)
time.sleep(120)
"""


pytestmark = pytest.mark.skipif(os.name == "nt", reason="sends signals")


@pytest.fixture
def start(tmp_path):
    """Start ``divekit lab`` as a process whose JupyterLab is the stand-in."""
    (tmp_path / "packages/jupyterlab").mkdir(parents=True)
    (tmp_path / "packages/jupyterlab/__init__.py").touch()
    (tmp_path / "packages/jupyterlab/__main__.py").write_text(STAND_IN)
    paths = [tmp_path / "packages", Path(package.__file__).parent.parent]
    started = []

    def call(*words):
        process = subprocess.Popen(
            [sys.executable, "-m", "divekit", "lab", *words],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths))},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=heed_interrupts,
        )
        started.append(process)
        return process

    yield call
    for process in started:
        process.terminate()  # not kill: it must still be able to end its server
        process.communicate()


def heed_interrupts():
    """Undo what a shell does to programs that it starts in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_for_the_server(process):
    lines = []
    for line in process.stdout:
        if line == "serving\n":
            return lines
        lines.append(line)
    pytest.fail(process.stderr.read())


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_server_too(start, sent):
    process = start("3.7", "--no-browser", "--port", "8123")
    said = wait_for_the_server(process)
    assert said == ["1 notebook in notebooks, 1 of them written now\n"]
    assert json.loads(Path("arguments.json").read_text()) == [
        "notebooks/03_07_softmax_regression_concise.ipynb",
        "--ServerApp.answer_yes=True",
        "--no-browser",
        "--port=8123",
    ]
    process.send_signal(sent)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert Path("ended").exists()


def test_all_sections_are_written_and_a_server_that_fails_is_told(start):
    process = start("--folder", "mine", "--port", "1")
    wait_for_the_server(process)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 4
    assert errors == "divekit: JupyterLab ended with exit code 7\n"
    assert json.loads(Path("arguments.json").read_text())[0] == "mine"
    ready = [section for section in book.sections() if section.script]
    assert len(list(Path("mine").glob("*.ipynb"))) == len(ready)


def test_without_jupyterlab_one_line_names_the_extra(divekit, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "jupyterlab" else real(name)
    )
    result = divekit("lab")
    assert result.exit_code == 2
    assert "pip install 'divekit[notebook]'" in result.stderr
    assert not Path("notebooks").exists()


def test_a_changed_notebook_is_kept_and_named(tmp_path):
    path = write_notebook(SECTION, tmp_path)
    page = json.loads(path.read_text())
    page["cells"][3]["source"] = ["my_own = 1\n"]
    mine = json.dumps(page)
    path.write_text(mine)
    (opened,), line = prepare([SECTION], tmp_path)
    assert opened == path
    assert path.read_text() == mine
    assert f"kept as you left them, not as divekit would write them today: {path.name}" in line


@pytest.mark.parametrize("text", ["my work", "[]", "{}", '{"cells": [], "metadata": {}}'])
def test_what_is_no_notebook_of_ours_is_kept(tmp_path, text):
    path = write_notebook(SECTION, tmp_path)
    path.write_text(text)
    assert update_notebook(SECTION, tmp_path) == (path, "kept")
    assert path.read_text() == text


def as_an_older_divekit_wrote_it(path):
    """Give the notebook of a section whose text was different then."""
    page = notebook(SECTION)
    page["cells"][0]["source"] = ["# An older title"]
    from divekit.notebook import fingerprint

    page["metadata"]["divekit"]["as_written"] = fingerprint(page["cells"])
    path.write_text(json.dumps(page))
    return page


def test_a_notebook_nobody_touched_follows_the_library(tmp_path):
    path = write_notebook(SECTION, tmp_path)
    today = path.read_text()
    assert update_notebook(SECTION, tmp_path) == (path, "same")
    as_an_older_divekit_wrote_it(path)
    assert update_notebook(SECTION, tmp_path) == (path, "written")
    assert path.read_text() == today


def test_a_notebook_that_was_run_is_kept_with_its_outputs(tmp_path):
    path = write_notebook(SECTION, tmp_path)
    page = as_an_older_divekit_wrote_it(path)
    page["cells"][2]["execution_count"] = 1
    path.write_text(json.dumps(page))
    assert update_notebook(SECTION, tmp_path) == (path, "kept")
    page = notebook(SECTION)
    page["cells"][2]["execution_count"] = 1
    path.write_text(json.dumps(page))
    assert update_notebook(SECTION, tmp_path) == (path, "same")


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("jupyterlab") is None, reason="needs jupyterlab")
def test_the_real_jupyterlab_serves_and_ends(tmp_path):
    (tmp_path / "config").mkdir()
    settings = {"ServerApp": {"allow_root": True}}
    (tmp_path / "config/jupyter_server_config.json").write_text(json.dumps(settings))
    own = {
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "JUPYTER_DATA_DIR": str(tmp_path / "data"),
        "HOME": str(tmp_path),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "divekit", "lab", "3.7", "--no-browser"],
        env=os.environ | own,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )
    try:
        for line in process.stderr:
            if found := re.search(r"(http://localhost:\d+)/lab\S*\?token=(\w+)", line):
                break
        else:
            pytest.fail("the server never said where it is")
        address, token = found.groups()
        assert ask(f"{address}/api")["version"]
        name = "03_07_softmax_regression_concise.ipynb"
        assert ask(f"{address}/api/contents/{name}?token={token}")["type"] == "notebook"
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode == 0
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(f"{address}/api", timeout=60)
    finally:
        process.terminate()  # not kill: it must still be able to end its server
        process.communicate()


def ask(address):
    """Ask a server that has said where it will be, and may not be there yet."""
    for _ in range(100):
        try:
            with urllib.request.urlopen(address, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError):
                raise
            time.sleep(0.2)
    pytest.fail("nobody listens")
