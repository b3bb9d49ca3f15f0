import csv
import io
import json

import pytest

from divekit import recipes
from divekit.train import Callback, Log, Progress, fit


def train(*callbacks, **settings):
    return fit(recipes.linear_regression(**settings), callbacks=callbacks)


def test_logs_hold_the_history(tmp_path):
    run = train(Log(tmp_path / "a/log.csv"), Log(tmp_path / "log.jsonl"))
    with (tmp_path / "a/log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["train_loss"]) for row in rows] == [r["train_loss"] for r in run.history]
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == run.history


def test_a_log_of_another_kind_is_refused():
    with pytest.raises(ValueError, match=r"a \.csv or a \.jsonl"):
        Log("log.txt")


def test_watchers_are_called_at_each_moment_and_told_the_end_even_of_a_failure():
    moments = []

    class Watcher(Callback):
        def started(self, run):
            moments.append("start")

        def stepped(self, run, step):
            moments.append(step)

        def epoch_ended(self, run, record):
            moments.append(record["epoch"] * 1000)
            if record["epoch"] == 2:
                raise KeyboardInterrupt

        def ended(self, run):
            moments.append(f"end after {len(run.history)}")

    with pytest.raises(KeyboardInterrupt):
        train(Watcher(), batch_size=500)
    assert moments == ["start", 1, 2, 1000, 1, 2, 2000, "end after 2"]


def test_progress_writes_about_ten_lines_off_a_terminal():
    out = io.StringIO()
    train(Progress(out), epochs=95, batch_size=500)
    lines = out.getvalue().splitlines()
    assert lines[0].startswith("epoch  1/95")
    assert lines[-1].startswith("epoch 95/95  train_loss")
    assert 10 <= len(lines) <= 13


def test_progress_draws_a_bar_on_a_terminal():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    out = Terminal()
    train(Progress(out))
    assert "epoch" in out.getvalue()
    assert "100%" in out.getvalue()
    assert "train_loss" in out.getvalue()
