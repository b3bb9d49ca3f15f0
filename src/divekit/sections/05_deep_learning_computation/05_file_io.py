# %% [markdown]
# # 5.5 File I/O
#
# What training found should survive the program that trained. This section saves tensors, lists and dicts
# of them, models, and the whole state of a run in the middle of its way. It also opens two kinds of files
# up, as one of them can do more than hold numbers: a program is hidden in it, and reading the file runs it.

# %%
import json
import os
import pickle
import pickletools
import struct
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import nn

from divekit import plot
from divekit.errors import BadDataError, UsageError
from divekit.models import MLP
from divekit.train import load_weights

# %% [markdown]
# ## With torch
#
# `torch.save` writes any Python value that holds tensors, and `torch.load` gives it back.

# %%
holder = tempfile.TemporaryDirectory()  # goes when the program ends
folder = Path(holder.name)
x, y = torch.arange(4), torch.zeros(4)
value = {"tensors": [x, y], "by name": {"x": x, "y": y}, "step": 7}
torch.save(value, folder / "value.pt")
by_torch = torch.load(folder / "value.pt")
print(by_torch)

# %% [markdown]
# ## What is in such a file
#
# Next to the numbers there is a *pickle*: Python's way of writing any object down. It is not a description
# of the object but a list of commands that make it, for a small machine with a stack. One of them,
# `REDUCE`, calls a function. Which function, the file says.
#
# The next object asks to be made by calling `os.mkdir`. A folder is harmless and easily seen. It could be
# any function of any installed package, with any arguments.


# %%
class Trap:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


mark = folder / "made by loading a file"
commands = [command.name for command, _, _ in pickletools.genops(pickle.dumps(Trap(mark)))]
print("the commands:", *commands)
torch.save({"weight": torch.ones(2), "extra": Trap(mark)}, folder / "model.pt")

# %% [markdown]
# Three ways to open this file follow. The first two say no, and what matters is that they do so *before*
# anything was run. The third was torch's default until version 2.6, and is what many answers on the web
# still advise.

# %% source
from divekit.train.weights import PICKLES, read_tensors

# %%
ways = {
    "divekit": lambda path: read_tensors(path),
    "weights_only=True": lambda path: torch.load(path, weights_only=True),
    "weights_only=False": lambda path: torch.load(path, weights_only=False),
}
ran, said = {}, {}
for name, load in ways.items():
    try:
        said[name] = str(load(folder / "model.pt"))
    except (BadDataError, pickle.UnpicklingError) as error:
        said[name] = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    if ran.setdefault(name, mark.exists()):
        mark.rmdir()
    print(
        f"{name + ':':<20} ran code: {ran[name]}.  {said[name].replace(str(folder), '...')[:110]}"
    )

# %% [markdown]
# With `weights_only=True`, today's default, torch reads pickles by a machine of its own that knows tensors,
# plain containers and numbers, and refuses to call anything else. It has had holes of its own
# (CVE-2025-32434 up to torch 2.5, CVE-2026-24747 up to 2.9). A file format in which nothing can be called
# needs no guard.
#
# ## A file that holds numbers only
#
# That is *safetensors*. Eight bytes say how long the heading is, the heading is JSON and says for each
# tensor its type, its shape, and where its bytes begin and end; then come the bytes. It can be read by
# hand, in a few lines that call nothing the file names:


# %%
def read_by_hand(path):
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    heading = json.loads(content[8 : 8 + length])
    heading.pop("__metadata__", None)
    tensors = {}
    for name, about in heading.items():
        start, end = (8 + length + place for place in about["data_offsets"])
        kind = {"F32": np.float32, "I64": np.int64}[about["dtype"]]
        numbers = np.frombuffer(content[start:end], dtype=kind).reshape(about["shape"])
        tensors[name] = torch.tensor(numbers)
    return tensors, heading


# %% [markdown]
# A flat dict of tensors is all that the format knows. To hold lists, dicts in dicts and plain values as
# well, divekit takes a value apart, names each tensor by where it stood, and writes the rest into the
# heading as JSON:

# %% source
from divekit.train.plain import flatten, unflatten

# %% source
from divekit.train.tensors import STRUCTURE, load_tensors, save_tensors

# %%
path = save_tensors(value, folder / "value.safetensors")
loaded = load_tensors(path)
by_hand, heading = read_by_hand(path)
print("loaded: ", loaded)
print("by hand:", by_hand)
try:
    save_tensors({"extra": [Trap(mark)]}, folder / "no.safetensors")
except UsageError as error:
    not_saved = str(error)
print("refused:", not_saved)

# %% [markdown]
# ## Models
#
# What is saved of a model is its state (5.2): the numbers by name. The code is not saved with it; whoever
# loads must have the class, and make a model of the same sizes.

# %% source
from divekit.train.tensors import save_weights

# %% source
from divekit.train.weights import differences

# %%
torch.manual_seed(0)
model = MLP(20, 256, 10)
inputs = torch.rand(2, 20)
path = save_weights(model, folder / "mlp.safetensors")
clone = MLP(20, 256, 10)
unlike = torch.equal(clone(inputs), model(inputs))
load_weights(path, clone)
alike = torch.equal(clone(inputs), model(inputs))
print("equal outputs before loading:", unlike, " and after:", alike)

by_hand, heading = read_by_hand(path)
in_file = all(torch.equal(by_hand[name], tensor) for name, tensor in model.state_dict().items())
places = {name: about["data_offsets"] for name, about in heading.items()}
print("bytes:", places)

# %%
picture = plot.new_picture(width=7.5, height=1.9)
axes = picture.subplots()
for number, (name, (start, end)) in enumerate(places.items()):
    axes.barh(0, end - start, left=start, color=plot.COLOURS[number], label=name)
axes.set(xlabel="bytes behind the heading", yticks=[])
plot.style_axes(axes)
plot.add_legend(axes)
picture

# %% [markdown]
# Tensors lie one behind the other, $4 \cdot 256 \cdot 20$ bytes for the largest; the two biases can hardly
# be seen. A program can take one of them out without reading the others.
#
# ## A state that does not fit
#
# A model has changed since its file was written: fewer hidden units, and a layer has another name. What
# differs should be told in full, in words, and nothing should have been copied when it is.


# %%
class Renamed(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(20, 128)
        self.head = nn.Linear(128, 10)

    def forward(self, inputs):
        return self.head(torch.relu(self.hidden(inputs)))


renamed = Renamed()
before = {name: tensor.clone() for name, tensor in renamed.state_dict().items()}
try:
    load_weights(path, renamed)
except BadDataError as error:
    told = str(error)
print(told.replace(str(folder), "..."))
untouched = all(torch.equal(tensor, before[name]) for name, tensor in renamed.state_dict().items())
listed = differences(load_tensors(path), renamed.state_dict())

# %% [markdown]
# torch's `load_state_dict` lists the same in its own words. It has a switch that silences the list,
# `strict=False`: names that do not match are then passed over. It is meant for taking over a part of a
# model. Where a name was merely misspelt, *nothing* is taken over, and no error says so:

# %%
misspelt = {f"model.{name}": tensor for name, tensor in load_tensors(path).items()}
other = MLP(20, 256, 10)
start = other.hidden.weight.detach().clone()
answer = other.load_state_dict(misspelt, strict=False)
nothing_came = torch.equal(other.hidden.weight, start)
print("taken over: nothing" if nothing_came else "taken over", "- the answer that nobody reads:")
print(answer.missing_keys[:2], "...", answer.unexpected_keys[:2], "...")

# %% [markdown]
# ## In the middle of training
#
# Adam keeps running means for each weight (11.10). A run that goes on with the weights alone starts them
# anew. So an interrupted run needs the state of its optimizer too, which is a dict of numbers and tensors
# and goes into the same file.

# %%
torch.manual_seed(0)
examples, targets = torch.rand(64, 20), torch.randint(10, (64,))


def train(steps, checkpoint=None, with_optimizer=True):
    """Train a new model, or go on from a file; give the losses, the model and its optimizer."""
    torch.manual_seed(1)
    model = MLP(20, 64, 10)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    if checkpoint is not None:
        saved = load_tensors(checkpoint)
        model.load_state_dict(saved["model"])
        if with_optimizer:
            optimizer.load_state_dict(saved["optimizer"])
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(examples), targets)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, model, optimizer


whole = train(40)[0]
first, half, its_optimizer = train(20)
state = {"model": half.state_dict(), "optimizer": its_optimizer.state_dict()}
path = save_tensors(state, folder / "checkpoint.safetensors")
continued = first + train(20, path)[0]
weights_only = first + train(20, path, with_optimizer=False)[0]
print(f"step 40: in one go {whole[-1]:.6f}, continued {continued[-1]:.6f}, "
      f"weights only {weights_only[-1]:.6f}")  # fmt: skip

# %%
runs = {"weights only": weights_only, "with the optimizer": continued}
plot.lines(range(1, 41), runs, x_label="step", y_label="loss")

# %% [markdown]
# Bit for bit the run that was never stopped. divekit's `fit(recipe, resume=folder)` does this, and keeps
# random generators, schedules and the place in the epoch besides. Each file is written beside its place,
# flushed, and renamed, so that a crash while saving leaves the old one whole.

# %%
for name, got in (("torch", by_torch), ("divekit", loaded)):
    assert torch.equal(got["tensors"][0], x) and torch.equal(got["by name"]["y"], y), name
    assert got["step"] == 7 and list(got) == list(value), f"{name} lost a plain value"
assert "REDUCE" in commands, "the pickle calls nothing"
assert ran == {"divekit": False, "weights_only=True": False, "weights_only=False": True}, (
    "code was run that should not be, or the trap is none"
)
assert "pickle" in said["divekit"] and "UnpicklingError" in said["weights_only=True"]
assert "extra.0 is a Trap" in not_saved, "the place of what cannot be saved is not named"
assert in_file, "read by hand, the file holds other numbers"
assert places["hidden.weight"][1] - places["hidden.weight"][0] == 4 * 256 * 20
assert alike and not unlike, "the clone is none"
assert sorted(listed) == [
    "head.bias is missing",
    "head.weight is missing",
    "hidden.bias is 256 in the file, 128 here",
    "hidden.weight is 256 x 20 in the file, 128 x 20 here",
    "output.bias has no place",
    "output.weight has no place",
], f"the list of differences is {listed}"
assert all(line in told for line in listed) and untouched, "the error does not say it all"
assert nothing_came, "strict=False took something over"
assert continued == whole, "the continued run is another"
assert weights_only != whole, "Adam needs no state"
print("what was saved came back, and nothing else happened")

# %% [markdown]
# ## Exercises
#
# 1. `read_by_hand` knows two types. Add booleans and bfloat16, for which NumPy has no type. How would you
#    check that offsets neither overlap nor leave the file?
# 2. A model is saved in single precision and used in half. Is it better to convert before saving or after
#    loading? Compare the sizes of the files, and the outputs.
# 3. Take the first two layers of a trained network of three into a new one with another last layer. Write
#    it with `differences`, so that a misspelt name is an error.
# 4. Save a tied model (5.2) with `torch.save`, `save_weights` and `save_tensors(model.state_dict(), ...)`.
#    Which file is larger, and where is the tie after loading?
# 5. Kill a program while it saves a large tensor, a hundred times, at random moments: once with
#    `torch.save` to the final name, once with `save_tensors`. How often can the file be read afterwards?
#
# ## What to try next
#
# - `torch.load` of a file that holds a whole model (`torch.save(nn.Linear(2, 2), path)`) is refused, as
#   that is a pickle of a class. Save the state.
# - `torch.save(torch.arange(1_000_000.0)[:3], path)` writes 4 MB: a slice is saved with all of the memory
#   it looks into. `save_tensors` writes 132 bytes.
# - Two layers that are one, with 250,500 numbers: 1.0 MB by `torch.save` and by `save_weights`, 2.0 MB by
#   `save_tensors` of the state, which knows nothing of the model.
# - Cut the last byte off a safetensors file, and loading says "file not fully covered". Flip a bit of a
#   number, and nothing is said: a format knows no hashes. divekit's checkpoints keep one for each file.
# - An optimizer made with `lr=0.5` that loads `saved["optimizer"]` has a rate of 0.02: settings are part of
#   its state.
