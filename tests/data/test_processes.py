"""Processes that fetch or unpack the same at the same time, and some that are killed."""

import os
import sys
import threading
import time

import pytest

from divekit.data import fetch, fetch_folder, hub
from divekit.data.hub import cache_folder
from tests.data.mirrors import BODY, answer, everything, remote
from tests.data.test_folders import PETS, archive, below, cached, packed

HALF = len(BODY) // 2


def fetching(*urls):
    return f"""
from divekit.data.hub import Form, Remote, fetch
print("begins", flush=True)
print(fetch({remote(*urls)!r}).path, flush=True)
"""


def test_two_processes_that_fetch_at_once_both_have_the_file(mirror, start):
    both = threading.Barrier(2, timeout=20)

    def together(handler):
        both.wait()  # neither is answered before both have asked
        cut_in_two(handler, both.wait)

    def cut_in_two(handler, between):
        handler.head(Content_Length=len(BODY))
        handler.send(BODY[:HALF])
        between()
        handler.send(BODY[HALF:])

    url = mirror("/together", together)
    for process in [start(fetching(url)), start(fetching(url))]:
        out, _ = process.communicate(timeout=30)
        assert process.returncode == 0
        assert out.splitlines()[1] == str(hub.cache_folder() / "thing/a.gz")
    assert (hub.cache_folder() / "thing/a.gz").read_bytes() == BODY
    assert everything() == {"thing", "thing/a.gz"}
    assert mirror.paths == ["/together"] * 2


@pytest.mark.skipif(sys.platform == "win32", reason="there, what is left goes after a day")
def test_what_a_killed_process_left_is_removed_and_a_living_ones_is_not(mirror, start):
    go_on = threading.Event()

    def held_back(handler):
        handler.head(Content_Length=len(BODY))
        handler.send(BODY[:HALF])
        go_on.wait(20)
        handler.send(BODY[HALF:])

    def parts():
        return {name for name in everything() if name.endswith(".part")}

    url = mirror("/held", held_back)
    killed, living = start(fetching(url)), start(fetching(url))
    deadline = time.monotonic() + 20
    while len({name for name in everything() if name.endswith(".part/a.gz")}) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    killed.kill()
    killed.wait()
    assert len(parts()) == 2
    assert fetch(remote(mirror("/good"))).verified
    assert len(parts()) == 1
    go_on.set()
    assert living.wait(20) == 0
    assert everything() == {"thing", "thing/a.gz"}
    assert (hub.cache_folder() / "thing/a.gz").read_bytes() == BODY


UNPACKING = """
import time
from pathlib import Path
from divekit.data import folders
from divekit.data.hub import Form
from divekit.data.folders import Archive
write = folders._write_contents
def slowly(folder, sha256):
    write(folder, sha256)
    print("unpacked", flush=True)
    while not Path("go on").exists():
        time.sleep(0.01)
folders._write_contents = slowly
print(folders.fetch_folder({!r}).path)
"""


def test_processes_that_unpack_at_once_and_one_that_is_killed(mirror, tmp_path, start):
    data = packed(tmp_path)
    pets = archive(data, mirror("/pets", answer(data)))
    fetch(pets)
    processes = [start(UNPACKING.format(pets)) for _ in range(3)]
    for process in processes:
        assert process.stdout.readline() == "unpacked\n"
    name = f"pets/pets.zip.{pets.forms[0].sha256[:12]}"
    assert name not in cached()  # nothing is there until all is
    killed, *living = processes
    killed.kill()
    killed.wait()
    (tmp_path / "go on").write_text("")
    for process in living:
        out, errors = process.communicate(timeout=20)
        assert process.returncode == 0, errors
        assert out.strip() == str(cache_folder() / name / "files")
    assert below(fetch_folder(pets).path) == PETS
    if os.name == "posix":
        left = [item for item in cached() if item.endswith(".part")]
        assert len(left) <= 1  # the killed one's, until somebody works there again
        (cache_folder() / name / "contents.json").unlink()
        fetch_folder(pets)
        assert cached() == {"pets", "pets/pets.zip", name, f"{name}/files", f"{name}/contents.json"}


def test_threads_that_mend_a_damaged_folder_at_once_all_have_it(mirror, tmp_path):
    data = packed(tmp_path)
    pets = archive(data, mirror("/pets", answer(data)))
    folder = fetch_folder(pets).path
    for _ in range(20):
        (folder / "labels.csv").write_bytes(b"")
        results = []

        def mend(results=results):
            results.append(below(fetch_folder(pets).path))

        threads = [threading.Thread(target=mend) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == [PETS] * 4
    assert not [name for name in cached() if name.endswith(".part")]
