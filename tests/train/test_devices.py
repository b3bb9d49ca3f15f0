import pytest
import torch

from divekit.errors import UsageError
from divekit.train import available_devices, pick_device


@pytest.fixture
def machine(monkeypatch):
    """Pretend to be a machine with so many of NVIDIA's GPUs, and one of Apple's or none."""

    def pretend(gpus, apple):
        monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: apple)

    return pretend


@pytest.mark.parametrize(
    ("gpus", "apple", "expected", "auto"),
    [
        (0, False, ["cpu"], "cpu"),
        (2, False, ["cuda:0", "cuda:1", "cpu"], "cuda"),
        (0, True, ["mps", "cpu"], "mps"),
        (1, True, ["cuda:0", "mps", "cpu"], "cuda"),
    ],
)
def test_devices_are_found_and_auto_takes_the_first(machine, gpus, apple, expected, auto):
    machine(gpus, apple)
    assert [str(device) for device in available_devices()] == expected
    assert pick_device() == pick_device("auto") == torch.device(auto)


def test_every_device_that_is_listed_can_be_used():
    for device in available_devices():
        assert pick_device(device) == device
        assert pick_device(str(device)) == device
        assert torch.ones(2, device=device).sum().item() == 2


def test_a_device_that_is_not_there_is_an_error_and_not_the_cpu():
    for wrong in ("cuda:99", "toaster"):
        with pytest.raises(UsageError, match=f"{wrong}.*cannot be used") as caught:
            pick_device(wrong)
        assert "\n" not in str(caught.value)
