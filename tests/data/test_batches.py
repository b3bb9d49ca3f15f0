import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from divekit.data import Batches


def pair(num_examples: int) -> tuple[torch.Tensor, torch.Tensor]:
    rows = torch.arange(num_examples)
    return rows[:, None].float(), rows


@settings(deadline=None, max_examples=50)
@given(
    num_examples=st.integers(1, 200),
    batch_size=st.integers(1, 64),
    shuffle=st.booleans(),
    seed=st.integers(0, 2**62),
)
def test_an_epoch_holds_every_example_once_with_its_target(num_examples, batch_size, shuffle, seed):
    batches = Batches(*pair(num_examples), batch_size=batch_size, shuffle=shuffle, seed=seed)
    seen = list(batches)
    assert len(seen) == len(batches)
    assert all(len(inputs) == batch_size for inputs, _ in seen[:-1])
    inputs, targets = (torch.cat(parts) for parts in zip(*seen, strict=True))
    assert torch.equal(inputs[:, 0].long(), targets)
    assert torch.equal(targets.sort().values, torch.arange(num_examples))
    assert shuffle or torch.equal(targets, torch.arange(num_examples))


def labels_of(batches: Batches) -> list[int]:
    return torch.cat([labels for _, labels in batches]).tolist()


def test_the_order_depends_on_seed_and_epoch_alone():
    def make(seed):
        return Batches(*pair(100), batch_size=7, shuffle=True, seed=seed)

    first, again, other = make(1), make(1), make(2)
    epochs = [labels_of(first) for _ in range(3)]
    torch.manual_seed(123)  # the global generator has no say
    assert [labels_of(again) for _ in range(3)] == epochs
    assert epochs[0] != epochs[1]
    assert labels_of(other) != epochs[0]
    continued = make(1)
    continued.epoch = 2
    assert labels_of(continued) == epochs[2]


def test_neighbouring_seeds_do_not_share_epochs():
    # Epoch 1 of seed 0 must not be epoch 0 of seed 1, as it would be were the two added.
    zero = Batches(*pair(50), batch_size=50, shuffle=True, seed=0)
    one = Batches(*pair(50), batch_size=50, shuffle=True, seed=1)
    orders = [tuple(zero.order(e).tolist()) for e in range(5)] + [
        tuple(one.order(e).tolist()) for e in range(5)
    ]
    assert len(set(orders)) == 10


def test_gathering_many_small_batches_at_once_changes_nothing(monkeypatch):
    expected = labels_of(Batches(*pair(1000), batch_size=10, shuffle=True, seed=3))
    monkeypatch.setattr("divekit.data.batches.GATHER_BYTES", 1)
    assert labels_of(Batches(*pair(1000), batch_size=10, shuffle=True, seed=3)) == expected


def test_the_transform_is_applied_to_inputs_only():
    batches = Batches(*pair(4), batch_size=4, transform=lambda inputs: inputs * 10)
    inputs, targets = next(iter(batches))
    assert inputs[:, 0].tolist() == [0, 10, 20, 30]
    assert targets.tolist() == [0, 1, 2, 3]


def test_moving_keeps_order_and_place():
    batches = Batches(*pair(9), batch_size=2, shuffle=True, seed=5)
    labels_of(batches)
    moved = batches.to("cpu")
    assert labels_of(moved) == labels_of(batches)


def test_what_cannot_be_batched_is_refused():
    with pytest.raises(ValueError, match="different lengths"):
        Batches(torch.zeros(3), torch.zeros(4), batch_size=1)
    with pytest.raises(ValueError, match="batch_size is 0"):
        Batches(torch.zeros(3), batch_size=0)
