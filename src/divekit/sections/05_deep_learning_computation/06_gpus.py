# %% [markdown]
# # 5.6 GPUs
#
# A GPU does many thousand multiplications at once, has a memory of its own, and works while the program
# goes on. Each of the three has consequences for whoever writes the program: *where* a tensor lies has to
# be said, what lies in different places cannot be combined, and a stopwatch shows something else than one
# thinks. This section shows all of it on any machine. What it needs of a second device is done by one that
# torch always has, `meta`; where there are GPUs, the last parts use them. (The numbers and pictures below
# are from a machine that has none.)

# %%
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import nn

from divekit import plot
from divekit.evaluate import Timer

# %% [markdown]
# ## What is there

# %% source
from divekit.train.devices import available_devices, pick_device

# %%
devices = available_devices()
print("here:", *devices, "  auto:", pick_device())


def attempt(what):
    """Give what a function gives, or the first line of its error."""
    try:
        return what()
    except (RuntimeError, ValueError) as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"


missing = attempt(lambda: pick_device("cuda:99"))
print(missing)

# %% [markdown]
# The book's `try_gpu(99)` would quietly give the CPU. For a lesson that is kind. A run that was meant for a
# GPU, and crawls along on a CPU over the weekend, would rather have been told. So `auto` takes the best
# there is, and a name means that device and no other. `fit` and the command line take a `device` and treat
# it so.
#
# ## A second device for everybody
#
# Tensors on `meta` have a shape and a type, and no numbers. What is computed with them gives tensors of the
# right shape at once, whatever the size. So the largest of models can be built and measured on a small
# machine. Here is a layer with more weights than any GPU of today holds:

# %%
with torch.device("meta"):  # whatever is made in this block is made there
    huge = nn.Linear(10**7, 10**6)
    there = torch.ones(2, 3)
numbers = sum(parameter.numel() for parameter in huge.parameters())
answer = huge(torch.empty(5, 10**7, device="meta"))
print(f"{numbers:.1e} weights, {4 * numbers / 1e12:.0f} TB; it gives {tuple(answer.shape)}")
print("its numbers:", attempt(lambda: answer.sum().item()))

# %% [markdown]
# ## Moving
#
# A tensor says where it is (`device`), and `to` gives one that is elsewhere. That is a *copy*, over a cable
# that is far slower than either memory. Unless it is there already: then it is the very same tensor, and
# writing to it writes to the first.

# %%
here = torch.ones(2, 3)
same = here.to("cpu")
copied = here.to("cpu", copy=True)
moved = here.to("meta")
same[0, 0] = 7
print(
    "same tensor:",
    same is here,
    " here now",
    here[0, 0].item(),
    " in the copy",
    copied[0, 0].item(),
)
print("moved:", moved.device, moved.shape, " and the first is still on the", here.device)

# %% [markdown]
# ## Different places
#
# An operation wants all its tensors in one place. torch does not move them by itself, since nobody would
# notice, until somebody wondered why it is so slow. Only a single number without axes may come from the
# CPU.

# %%
mixed = attempt(lambda: here + there)
with_number = there + torch.tensor(2.0)
print("mixed:", mixed)
print("with a single number:", with_number.device)

# %% [markdown]
# On a GPU the words are "Expected all tensors to be on the same device". They name the operation in which
# it was noticed, not the tensor that was forgotten. There are three usual suspects: the batch, a tensor
# that is **made in `forward`**, and a tensor that is a **plain attribute** (5.4), which `model.to(device)`
# does not see.


# %%
class Suspicious(nn.Module):
    """Adds a row of ones and scales, in one of three ways."""

    def __init__(self, way):
        super().__init__()
        self.way, self.linear = way, nn.Linear(4, 2)
        if way == "attribute":
            self.scale = torch.full((3,), 2.0)
        else:
            self.register_buffer("scale", torch.full((3,), 2.0))

    def forward(self, inputs):
        where = "cpu" if self.way == "made in forward" else inputs.device
        ones = torch.ones(len(inputs), 1, device=where)
        return self.linear(torch.cat([inputs * self.scale, ones], dim=1))


def places(model, *inputs):
    """Say where everything is that a model computes with, as far as it can be seen from outside."""
    found = {name: tensor.device.type for name, tensor in model.state_dict().items()}
    for name, module in model.named_modules():
        for key, value in vars(module).items():
            if isinstance(value, torch.Tensor):
                found[f"{name}.{key}".lstrip(".") + " (plain)"] = value.device.type
    return found | {f"input {number}": one.device.type for number, one in enumerate(inputs)}


batch = torch.rand(5, 3)
results, seen = {}, {}
for way in ("attribute", "made in forward", "right"):
    suspect = Suspicious(way).to("meta")
    results[way] = attempt(lambda suspect=suspect: suspect(batch.to("meta")).shape)
    seen[way] = places(suspect, batch)
    print(f"{way + ':':<17}", results[way])
print(seen["attribute"])

# %% [markdown]
# The batch in the last line is where it was made, which would be the first suspect. What is made in
# `forward` is made where the inputs are (`device=inputs.device`, or `inputs.new_ones(...)`), all else is a
# parameter or a buffer, and then one line moves a model.
#
# ## Models
#
# `tensor.to` gives another tensor. `model.to` changes the model itself, and gives it back. Do so *before*
# making the optimizer: it holds the parameters that it was given. Between CPU and GPU torch usually keeps
# the objects and exchanges what is in them. On the way to `meta` it cannot, and we see what would happen
# then:

# %%
model = nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
given_back = model.to("meta")
held = optimizer.param_groups[0]["params"][0]
print("the model itself:", given_back is model, " the weight is on", model.weight.device,
      " the optimizer's is on", held.device)  # fmt: skip
for device in devices:
    trained = nn.Linear(3, 1).to(device)
    step = torch.optim.SGD(trained.parameters(), lr=0.1)
    start = trained.weight.detach().clone()
    trained(torch.ones(2, 3, device=device)).sum().backward()
    step.step()
    far = (trained.weight - start).abs().max().item()
    print(f"a step on {device} went {far:.2f} far")

# %% [markdown]
# ## It works while you go on
#
# A call that computes on a GPU does not compute. It puts an order into a queue and returns; the GPU works
# through the queue. Only who wants to *see* a number has to wait: `item()`, `print`, `.cpu()`, an `if`. A
# CPU works at once, so for the lesson here is a device of our own, a thread with a queue. torch lets other
# threads run while it multiplies.


# %%
class Queue:
    """A device that works through its orders one by one, and notes down when it did."""

    def __init__(self):
        self.worker, self.busy = ThreadPoolExecutor(max_workers=1), []

    def order(self, work):
        return self.worker.submit(self._do, work)

    def _do(self, work):
        start = time.perf_counter()
        result = work()
        self.busy.append((start, time.perf_counter()))
        return result


# First without a clock: the work waits for a gate that we open only after the order was given.
queue, gate = Queue(), threading.Event()
order = queue.order(lambda: gate.wait(timeout=60))
returned_early = not order.done()
gate.set()
finished = order.result()  # reading waits
queue.worker.shutdown()
print("the order returned before the work was done:", returned_early, " reading waited:", finished)

matrix = torch.rand(600, 600)


def steps(read_each, count=8):
    """Prepare a batch, order a step, and perhaps read its result; give the busy times of both."""
    queue, busy, begin = Queue(), [], time.perf_counter()
    for _ in range(count):
        start = time.perf_counter()
        time.sleep(0.004)  # the program prepares a batch
        order = queue.order(lambda: matrix @ matrix)
        busy.append((start, time.perf_counter()))
        if read_each:
            order.result()
    order.result()
    shifted = [[(s - begin, e - begin) for s, e in times] for times in (busy, queue.busy)]
    queue.worker.shutdown()
    return shifted


steps(read_each=False)  # the first time everything is slower
lanes = {"read at the end": steps(read_each=False), "read after each step": steps(read_each=True)}
for name, (_, work) in lanes.items():
    print(f"{name:<21} {1000 * work[-1][1]:.0f} ms")

# %%
picture = plot.new_picture(width=7.5, height=3.2)
panels = picture.subplots(2, 1, sharex=True)
for axes, (name, both) in zip(panels, lanes.items(), strict=True):
    for row, times in enumerate(both):
        bars = [(1000 * start, 1000 * (end - start)) for start, end in times]
        axes.broken_barh(bars, (row + 0.1, 0.8), color=plot.COLOURS[row], alpha=0.8)
    axes.set(title=name, yticks=[0.5, 1.5], yticklabels=["program", "device"])
    plot.style_axes(axes)
panels[1].set_xlabel("milliseconds")
picture

# %% [markdown]
# Above, the program prepares the next batch while the device is at work. Below, it looks at each result,
# and each waits for the other in turn. One `loss.item()` in every step of training is enough for that. It
# is why divekit adds losses up where they are, and reads the sum once an epoch.
#
# And a stopwatch that is stopped when the *call* returns has measured how long it takes to give an order.
# It must wait for the device before it is started and before it is stopped:

# %% source
from divekit.evaluate.timing import device_clock

# %%
rates, widths = {}, [8, 16, 32, 64, 128, 256, 512, 1024]
for device in devices:
    rates[str(device)] = []
    for width in widths:
        square = torch.rand(width, width, device=device)
        square @ square  # the first call of an operation sets things up
        timer, repeats = Timer(device_clock(device)), min(1000, max(3, 4 * 10**6 // width**3))
        for _ in range(3):
            timer.start()
            for _ in range(repeats):
                square @ square
            timer.stop()
        rates[str(device)].append(2 * width**3 * repeats / min(timer.times) / 1e9)
print({name: [round(rate, 1) for rate in values] for name, values in rates.items()})

# %%
plot.lines(
    widths,
    rates,
    x_label="width of a square matrix",
    y_label="billion operations per second",
    log="xy",
)

# %% [markdown]
# Even on a CPU small products waste most of their time on being called. On a GPU it is far worse, for
# thousands of units find nothing to do in a matrix of 32 by 32. Large batches and wide layers are what it
# is made for.

# %%
assert devices[-1] == torch.device("cpu") and pick_device().type == devices[0].type
assert "UsageError" in str(missing) and "cuda:99" in missing, "a missing device was given anyway"
assert numbers == 10**13 + 10**6 and answer.shape == (5, 10**6), "meta knows no shapes"
assert same is here and here[0, 0] == 7 and copied[0, 0] == 1, "to() copied, or copy=True did not"
assert moved.is_meta and moved.shape == here.shape and not here.is_meta
assert "RuntimeError" in str(mixed) and "device" in mixed, "tensors of two places were added"
assert with_number.is_meta, "a single number may come from the CPU"
assert "Error" in str(results["attribute"]), "a plain attribute was moved"
assert "Error" in str(results["made in forward"]), "what is made in forward followed the inputs"
assert results["right"] == (5, 2), "the right way is wrong"
assert seen["attribute"]["scale (plain)"] == "cpu" != seen["attribute"]["linear.weight"]
assert given_back is model and model.weight.is_meta, "a model was copied"
assert held is not model.weight and not held.is_meta, "the optimizer followed the model"
assert far > 0.1, "a step on the last device did nothing"
assert returned_early and finished, "the order was done before it returned, or never"
program, work = lanes["read after each step"]
for (_, done), (begun, _) in zip(work, program[1:], strict=False):
    assert done <= begun, "a result was read before it was there"
assert all(rate > 0 for values in rates.values() for rate in values)
print("places and waiting are as told, on", *devices)

# %% [markdown]
# ## Exercises
#
# 1. Write `move(value, device)` for lists, tuples and dicts of tensors, nested as they come. What should it
#    do with plain numbers, and with a tensor that is there already?
# 2. How many bytes go over the cable in an epoch of Fashion-MNIST if each batch is moved when its turn
#    comes, as floats and as bytes? When is it better to move the whole data set once?
# 3. In `steps` the program takes 4 ms for a batch. Predict both times for 0, 2 and 20 ms from the time of
#    one product, then measure.
# 4. Let the queue hold two orders at most, so that the program waits when it is too far ahead. Why would a
#    device want that?
# 5. Estimate from the number of weights and the size of a batch whether a layer of 1,000 by 1,000 is faster
#    on a GPU with $10^{13}$ operations per second, if its inputs come over a cable of $10^{10}$ bytes per
#    second and its outputs go back.
#
# ## What to try next
#
# - `nn.Linear(3, 1).to("meta").to("cpu")` is an error, for there are no numbers to copy.
#   `to_empty(device="cpu")` gives memory with whatever happens to be in it; fill it before use.
# - A model made on `meta` and filled by `load_state_dict(state, assign=True)` is where the state is, and no
#   first values were drawn for nothing. Without `assign` the model stays on `meta`, with a warning.
# - Do not count on the check: in torch 2.13, `torch.ones(2, 3) @ torch.ones(3, 2, device="meta")` is not
#   refused, and gives a tensor on the CPU with whatever lay in memory. Each operation checks for itself,
#   and this one forgets to.
# - `summarise(huge, torch.empty(1, 10**7))` of `divekit.evaluate` follows any model on `meta`: 2e13
#   operations for one example, known at once.
# - `DIVEKIT_SAMPLE=1 divekit train lenet --device cuda:99` ends in one line before any data are read.
