"""Unfinished folders: kept while their owner lives, removed when it surely does not."""

import os
import subprocess
import sys
import time

import pytest

from divekit.data import parts
from divekit.data.parts import part_folder, sweep


def test_a_part_lies_beside_its_target_and_is_gone_in_the_end(tmp_path):
    target = tmp_path / "deep/er/a.gz"
    with part_folder(target) as folder:
        (folder / "a.gz").write_text("x")
        assert folder.parent == target.parent
        assert folder.stat().st_dev == tmp_path.stat().st_dev
        os.replace(folder / "a.gz", target)
    assert [path.name for path in target.parent.iterdir()] == ["a.gz"]
    with pytest.raises(NotADirectoryError), part_folder(target) as folder:
        (target / "below a file").write_text("x")
    assert [path.name for path in target.parent.iterdir()] == ["a.gz"]


def test_parts_of_this_process_do_not_sweep_each_other(tmp_path):
    with part_folder(tmp_path / "a") as first, part_folder(tmp_path / "a") as second:
        sweep(tmp_path)
        assert first != second
        assert first.is_dir()
        assert second.is_dir()


@pytest.mark.skipif(sys.platform == "win32", reason="there, age alone decides")
def test_what_nobody_holds_is_swept_and_nothing_else(tmp_path):
    names = [".a.gz.0123abcd.part", ".a.gz.part", "a.gz.0123abcd.part", ".a.0123abcd.part.x"]
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("x")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".b.0123abcd.part").symlink_to(tmp_path / "elsewhere")
    (tmp_path / ".c.0123abcd.part").write_text("a file")
    sweep(tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {*names[1:], "elsewhere", ".b.0123abcd.part", ".c.0123abcd.part"}


def test_where_nothing_can_be_locked_a_day_must_pass(tmp_path, monkeypatch):
    """As on Windows and on some network drives."""
    monkeypatch.setattr(parts, "_lock", lambda folder: (None, None))
    young, old = tmp_path / ".a.00000001.part", tmp_path / ".a.00000002.part"
    young.mkdir()
    old.mkdir()
    day = 24 * 3600
    os.utime(old, (time.time() - day - 60,) * 2)
    with part_folder(tmp_path / "a") as mine:
        assert young.is_dir()
        assert not old.exists()
        assert mine.is_dir()
    assert [path.name for path in tmp_path.iterdir()] == [young.name]


@pytest.mark.skipif(sys.platform == "win32", reason="there, age alone decides")
@pytest.mark.parametrize("moment", ["before opening", "before locking", "now"])
def test_a_part_that_another_process_sweeps_is_made_again(tmp_path, monkeypatch, moment):
    lock, swept = parts._lock, []

    def late(folder):
        if swept:
            return lock(folder)
        swept.append(folder)
        if moment == "now":  # it holds the lock, and is about to remove the folder
            other = lock(folder)[0]
            answer = lock(folder)
            folder.rmdir()
            os.close(other)
            return answer
        if moment == "before opening":
            folder.rmdir()
        answer = lock(folder)
        folder.rmdir()
        return answer

    monkeypatch.setattr(parts, "_lock", late)
    with part_folder(tmp_path / "a") as folder:
        assert folder.is_dir()
        assert folder != swept[0]
    assert len(swept) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="there, age alone decides")
def test_a_child_that_was_forked_meanwhile_does_not_keep_a_part(tmp_path):
    """Descriptors are not inherited by new programs: only the owner holds the lock."""
    with part_folder(tmp_path / "a") as folder:
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        (tmp_path / "moved").mkdir()
        os.rename(folder, tmp_path / "moved/kept")  # so that it outlives the context
    os.rename(tmp_path / "moved/kept", folder)
    sweep(tmp_path)
    assert not folder.exists()
    child.communicate(b"\n")
