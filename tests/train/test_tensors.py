"""Tensors, nested values and models as files, and what is refused."""

import json
from collections import OrderedDict

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import nn
from torch.testing import assert_close

from divekit.errors import BadDataError, UsageError
from divekit.train import (
    differences,
    load_tensors,
    load_weights,
    save_tensors,
    save_weights,
)


def same(first, second):
    """Tell whether two nested values are the same in kinds, keys and order, types and numbers."""
    if isinstance(first, torch.Tensor):
        return first.dtype == second.dtype and torch.equal(first, second)
    if isinstance(first, dict):
        keys = [(type(key), key) for key in first]
        return keys == [(type(key), key) for key in second] and all(
            same(part, second[key]) for key, part in first.items()
        )
    if isinstance(first, list | tuple):
        return (
            type(first) is type(second)
            and len(first) == len(second)
            and all(map(same, first, second))
        )
    return type(first) is type(second) and first == second


TENSORS = st.sampled_from(
    [
        torch.arange(4.0),
        torch.ones(2, 3).T,
        torch.tensor(7),
        torch.zeros(0, 5),
        torch.tensor([True, False]),
        torch.ones(3, dtype=torch.bfloat16),
    ]
)
KEYS = st.sampled_from(["a", "b", "a.b", "0", "", "value", 0, 1])
PLAIN = st.sampled_from([None, True, 3, 0.1, "text", ""])
NESTED = st.recursive(
    TENSORS | PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=4)
    ),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(value=NESTED)
def test_any_nested_value_comes_back_as_it_was(value, tmp_path_factory):
    path = save_tensors(value, tmp_path_factory.getbasetemp() / "value.safetensors")
    assert same(load_tensors(path), value)


def test_names_that_are_spelled_alike_are_kept_apart(tmp_path):
    value = {0: torch.zeros(1), "0": torch.ones(1), "a.b": torch.ones(2), "a": {"b": torch.ones(3)}}
    assert same(load_tensors(save_tensors(value, tmp_path / "file")), value)


def test_other_programs_find_the_tensors_by_their_place(tmp_path):
    path = save_tensors({"layers": [torch.ones(2), 5], "bias": torch.zeros(3)}, tmp_path / "file")
    found = load_file(path)
    assert sorted(found) == ["bias", "layers.0"]
    assert torch.equal(found["layers.0"], torch.ones(2))


def test_files_of_other_programs_are_a_dict(tmp_path):
    save_file({"weight": torch.arange(3.0)}, tmp_path / "file", {"format": "pt"})
    assert same(load_tensors(tmp_path / "file"), {"weight": torch.arange(3.0)})


def test_a_state_of_a_model_is_saved_by_the_names_of_its_parameters(tmp_path):
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    path = save_tensors(model.state_dict(), tmp_path / "file")
    assert set(load_file(path)) == set(model.state_dict())
    loaded = load_tensors(path)
    assert same(loaded, dict(model.state_dict()))
    assert not any(tensor.requires_grad for tensor in loaded.values())


def test_the_state_of_an_optimizer_goes_on_where_it_was(tmp_path):
    def trained(steps, start=None):
        torch.manual_seed(0)
        layer = nn.Linear(3, 1)
        optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
        if start is not None:
            layer.load_state_dict(start["model"])
            optimizer.load_state_dict(start["optimizer"])
        for _ in range(steps):
            optimizer.zero_grad()
            layer(torch.ones(2, 3)).square().sum().backward()
            optimizer.step()
        return {"model": layer.state_dict(), "optimizer": optimizer.state_dict()}

    path = save_tensors(trained(3), tmp_path / "file")
    assert_close(trained(4, load_tensors(path))["model"], trained(7)["model"], rtol=0, atol=0)


def test_shared_memory_is_saved_each_for_itself(tmp_path):
    numbers = torch.arange(6.0)
    value = [numbers, numbers, numbers[2:4]]
    assert same(load_tensors(save_tensors(value, tmp_path / "file")), value)


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"a": [1, {2, 3}]}, "a.1 is a set"),
        (nn.Linear(1, 1), "this is a Linear"),
        ({"a": torch.eye(2).to_sparse()}, "a cannot be saved"),
        (torch.ones(2, device="meta"), "value cannot be saved"),
        ({(1, 2): torch.ones(1)}, "a key of type tuple"),
        ({"w": nn.LazyLinear(2).weight}, "w cannot be saved"),
    ],
)
def test_what_cannot_be_saved_is_named_and_nothing_is_written(value, named, tmp_path):
    with pytest.raises(UsageError, match=named):
        save_tensors(value, tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    path = save_tensors(torch.zeros(2), tmp_path / "file")

    def fail(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr("divekit.train.disk.Disk.sync", fail)
    for save in (lambda: save_tensors(torch.ones(2), path), lambda: save_weights(MODEL, path)):
        with pytest.raises(OSError, match="no space"):
            save()
    assert torch.equal(load_tensors(path), torch.zeros(2))
    assert [child.name for child in tmp_path.iterdir()] == ["file"]


ran = []


def go_off():
    ran.append(1)


class Bomb:
    def __reduce__(self):
        return go_off, ()


@pytest.mark.parametrize("new", [True, False])
def test_a_pickle_is_refused_and_not_run(new, tmp_path):
    path = tmp_path / "file"
    torch.save({"weight": Bomb()}, path, _use_new_zipfile_serialization=new)
    for load in (load_tensors, lambda path: load_weights(path, MODEL)):
        with pytest.raises(BadDataError, match="this is a pickle"):
            load(path)
    assert ran == []
    torch.load(path, weights_only=False)
    assert ran == [1]  # the bomb was live
    ran.clear()


@pytest.mark.parametrize(
    "structure",
    [
        "{",
        "[" * 100_000,
        json.dumps({"tensor": "elsewhere"}),
        json.dumps({"call": "print"}),
        json.dumps({"dict": [[["unhashable"], 1]]}),
    ],
)
def test_a_damaged_structure_is_one_line(structure, tmp_path):
    save_file({"a": torch.ones(1)}, tmp_path / "file", {"divekit": structure})
    with pytest.raises(BadDataError, match="file: ") as caught:
        load_tensors(tmp_path / "file")
    assert "\n" not in str(caught.value)


def test_a_missing_or_cut_file_is_named(tmp_path):
    path = save_tensors(torch.ones(100), tmp_path / "file")
    path.write_bytes(path.read_bytes()[:-8])
    for broken in (path, tmp_path / "nothing"):
        with pytest.raises(BadDataError, match=broken.name):
            load_tensors(broken)
        with pytest.raises(BadDataError, match=broken.name):
            load_weights(broken, MODEL)


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.second = self.first
        self.norm = nn.BatchNorm1d(4)

    def forward(self, inputs):
        return self.norm(self.second(self.first(inputs)))


MODEL = nn.Linear(1, 1)


def test_a_models_weights_come_back_with_buffers_and_ties(tmp_path):
    model = Tied()
    model(torch.randn(8, 4))  # moves the running means
    path = save_weights(model, tmp_path / "tied.safetensors")
    assert set(load_file(path)) == {name for name in model.state_dict() if "second" not in name}
    other = Tied()
    load_weights(path, other)
    assert other.second is other.first
    assert_close(other.state_dict(), model.state_dict(), rtol=0, atol=0)
    inputs = torch.randn(3, 4)
    assert torch.equal(other.eval()(inputs), model.eval()(inputs))


def test_weights_that_do_not_fit_are_listed_and_change_nothing(tmp_path):
    path = save_weights(nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1)), tmp_path / "w")
    model = nn.Sequential(nn.Linear(4, 2), nn.Linear(2, 1))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(BadDataError) as caught:
        load_weights(path, model)
    for part in ("0.weight is 2 x 3 in the file, 2 x 4 here", "1.weight is missing",
                 "1.bias is missing", "2.weight has no place", "2.bias has no place"):  # fmt: skip
        assert part in str(caught.value)
    assert_close(dict(model.state_dict()), before, rtol=0, atol=0)


def test_differences_are_told_in_words():
    saved = OrderedDict(a=torch.ones(2, 3), b=torch.ones(()), extra=torch.ones(1))
    wanted = {"a": torch.ones(2, 3), "b": torch.ones(4), "c": torch.ones(1)}
    assert differences(saved, wanted) == [
        "b is a single number in the file, 4 here",
        "c is missing",
        "extra has no place",
    ]
    assert differences(saved, saved) == []
