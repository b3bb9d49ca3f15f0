import time

import numpy as np
import pytest
import torch

from divekit.evaluate import Timer, device_clock


def timed(*laps):
    """Give a timer that has measured the laps (start, stop), on a clock told what to say."""
    readings = iter([reading for lap in laps for reading in lap])
    timer = Timer(clock=lambda: next(readings))
    for start, stop in laps:
        timer.start()
        assert timer.stop() == stop - start
    return timer


def test_three_laps_by_hand():
    # What happens between the laps, from 2 to 10 and from 14 to 20, is not counted.
    timer = timed((0, 2), (10, 14), (20, 23))
    assert timer.times == [2, 4, 3]
    assert timer.sum() == 9
    assert timer.average() == 3
    assert timer.cumulative_sum() == [2, 6, 9]


def test_it_agrees_with_numpy():
    ends = np.random.default_rng(0).uniform(0, 9, (20, 2))
    timer = timed(*ends.tolist())
    np.testing.assert_allclose(timer.sum(), np.sum(timer.times))
    np.testing.assert_allclose(timer.average(), np.mean(timer.times))
    np.testing.assert_allclose(timer.cumulative_sum(), np.cumsum(timer.times))


def test_starting_anew_forgets_the_lap_that_was_begun():
    readings = iter([0.0, 5.0, 6.0])
    timer = Timer(clock=lambda: next(readings))
    timer.start()
    timer.start()
    assert timer.stop() == 1.0
    assert timer.times == [1.0]


def test_its_own_clock_counts_seconds():
    timer = Timer()
    before = time.perf_counter()
    timer.start()
    time.sleep(0.02)
    timer.stop()
    assert 0.02 <= timer.sum() <= time.perf_counter() - before


def test_a_timer_that_was_not_started_says_so():
    timer = timed((0, 1))
    with pytest.raises(RuntimeError, match=r"call start\(\)"):
        timer.stop()
    assert timer.times == [1]


def test_a_timer_without_laps_has_no_average():
    assert Timer().sum() == 0
    assert Timer().cumulative_sum() == []
    with pytest.raises(RuntimeError, match="no laps"):
        Timer().average()


def test_a_clock_of_a_device_waits_for_it_before_each_reading(monkeypatch):
    waited = []
    monkeypatch.setattr(torch.accelerator, "synchronize", waited.append)
    timer = Timer(device_clock("cuda:1"))
    timer.start()
    assert len(waited) == 1
    timer.stop()
    assert waited == [torch.device("cuda:1")] * 2


def test_a_cpu_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(torch.accelerator, "synchronize", lambda *_: pytest.fail("it waited"))
    assert device_clock("cpu") is time.perf_counter
