import sys
from types import SimpleNamespace

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from divekit import recipes
from divekit.data import use_samples
from divekit.errors import MissingExtraError
from divekit.train import Callback, TensorBoard, fit

TAGS = {
    "train_loss": "loss/train",
    "test_loss": "loss/test",
    "train_accuracy": "accuracy/train",
    "test_accuracy": "accuracy/test",
}


def read(folder):
    events = EventAccumulator(str(folder))
    events.Reload()
    return events


def test_the_event_file_holds_the_history(tmp_path):
    with use_samples():
        run = fit(recipes.softmax_regression(epochs=3), callbacks=[TensorBoard(tmp_path / "a/b")])
    events = read(tmp_path / "a/b")
    assert set(events.Tags()["scalars"]) == set(TAGS.values())
    for name, tag in TAGS.items():
        scalars = events.Scalars(tag)
        assert [scalar.step for scalar in scalars] == [1, 2, 3]
        values = [record[name] for record in run.history]
        assert [scalar.value for scalar in scalars] == pytest.approx(values, rel=1e-6)


def test_epochs_are_on_disk_while_the_run_goes_on_and_after_a_failure(tmp_path):
    class Stop(Callback):
        def epoch_ended(self, run, record):
            assert [item.step for item in read(tmp_path).Scalars("loss/train")] == [1]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(recipes.linear_regression(), callbacks=[TensorBoard(tmp_path), Stop()])
    assert len(read(tmp_path).Scalars("loss/train")) == 1


@pytest.mark.parametrize("kept", [0, 1])
def test_a_run_that_is_continued_takes_the_place_of_what_it_does_again(tmp_path, kept):
    """Its newest checkpoint may be older than the newest epoch on record."""
    history = [{"epoch": epoch, "train_loss": 1 / epoch} for epoch in (1, 2, 3)]
    for before, losses in ((0, (9.0, 9.0, 9.0)), (kept, (1.0, 2.0, 3.0))):
        run = SimpleNamespace(history=history[:before])
        watcher = TensorBoard(tmp_path)
        watcher.started(run)
        for epoch in range(before + 1, 4):
            watcher.epoch_ended(run, {"epoch": epoch, "train_loss": losses[epoch - 1]})
        watcher.ended(run)
    scalars = read(tmp_path).Scalars("loss/train")
    assert [scalar.step for scalar in scalars] == [1, 2, 3]
    assert [scalar.value for scalar in scalars] == [9.0 if kept else 1.0, 2.0, 3.0]


def test_without_tensorboard_the_error_names_the_extra_before_anything_is_trained(
    divekit, monkeypatch
):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'divekit\[tensorboard\]'"):
        TensorBoard("here")
    result = divekit("train", "linear_regression", "--tensorboard")
    assert result.exit_code == 2
    assert "divekit[tensorboard]" in result.stderr
    assert "epoch" not in result.output
