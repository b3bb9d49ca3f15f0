# %% [markdown]
# # 5.1 Layers and blocks
#
# A layer takes tensors, gives tensors, and has parameters. So does a network of two hundred layers, and so
# does any part of it. In torch all three are one thing, an `nn.Module`: a *block* that may hold other
# blocks. This section builds blocks in three ways, shows how a block knows what it holds (and when it does
# not), and lets the way forward do whatever Python can.

# %%
import math

import torch
from torch import nn

from divekit import plot

# %% [markdown]
# ## One network, three ways
#
# 20 inputs, 256 hidden units with a ReLU, 10 outputs. The shortest way is torch's container, which calls
# its layers one after the other. The second is a class of one's own: what it holds is made in `__init__`,
# what it does is written in `forward`, and nothing is said about the way back, as autograd finds that by
# itself. It is the perceptron of 4.3:

# %% source
from divekit.models.multilayer_perceptron import MLP

# %% [markdown]
# The third way is to write the container too. It is short, since `nn.Module` does the bookkeeping:

# %% source
from divekit.nn.containers import SequentialScratch

# %% [markdown]
# Two containers have the same names for the same things, so one takes over the state of the other. The
# class has names of its own (`hidden`, `output`), so its parameters are copied in their order. Then all
# three must agree, forward and back.

# %%
torch.manual_seed(0)
torchs = nn.Sequential(nn.Linear(20, 256), nn.ReLU(), nn.Linear(256, 10))
ours = SequentialScratch(nn.Linear(20, 256), nn.ReLU(), nn.Linear(256, 10))
ours.load_state_dict(torchs.state_dict())
own_class = MLP(20, 256, 10)
with torch.no_grad():
    for copied, original in zip(own_class.parameters(), torchs.parameters(), strict=True):
        copied.copy_(original)

inputs = torch.rand(2, 20)
found = {}
for name, model in (("torch's", torchs), ("ours", ours), ("a class", own_class)):
    outputs = model(inputs)
    found[name] = [outputs, *torch.autograd.grad(outputs.square().sum(), model.parameters())]
    print(f"{name:<8}", list(model.state_dict()))
gaps = {
    name: max(
        (one - other).abs().max().item() for one, other in zip(parts, found["torch's"], strict=True)
    )
    for name, parts in found.items()
}
print(gaps)

# %% [markdown]
# ## How a block knows what it holds
#
# Nobody told torch that `hidden` is a part of the perceptron. It noticed: writing `self.hidden = ...` is a
# call of `__setattr__`, and a module's looks at what it is given. That much fits into a few lines:


# %%
class Noticing:
    def __init__(self):
        self.__dict__["parts"] = {}  # past our own __setattr__

    def __setattr__(self, name, value):
        if isinstance(value, nn.Parameter | Noticing):
            self.parts[name] = value
        self.__dict__[name] = value

    def named_parameters(self, before=""):
        for name, part in self.parts.items():
            if isinstance(part, nn.Parameter):
                yield before + name, part
            else:
                yield from part.named_parameters(f"{before}{name}.")


class NoticedLinear(Noticing):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(outputs))


class NoticedMLP(Noticing):
    def __init__(self):
        super().__init__()
        self.hidden = NoticedLinear(20, 256)
        self.output = NoticedLinear(256, 10)


noticed = [(name, tuple(part.shape)) for name, part in NoticedMLP().named_parameters()]
print(noticed)

# %% [markdown]
# It explains two things that puzzle everybody once. Leave out `super().__init__()`, and there is no place
# to note anything down. And a **plain list** of layers is not noticed, for what is being set is a list:


# %%
class Listed(nn.Module):
    """Three layers, in a list that is handed in."""

    def __init__(self, layers):
        super().__init__()
        self.layers = layers
        self.head = nn.Linear(8, 1)

    def forward(self, inputs):
        for layer in self.layers:
            inputs = layer(inputs).tanh()
        return self.head(inputs)


def moved_by_a_step(model):
    """Give how far a step of SGD moves the first layer, and what the model says it has."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    before = model.layers[0].weight.detach().clone()
    model(torch.ones(4, 8)).square().sum().backward()
    optimizer.step()
    return (model.layers[0].weight - before).abs().max().item(), len(list(model.parameters()))


def three_layers():
    torch.manual_seed(0)
    return [nn.Linear(8, 8) for _ in range(3)]


plain = Listed(three_layers())
registered = Listed(nn.ModuleList(three_layers()))
same_outputs = torch.equal(plain(torch.ones(1, 8)), registered(torch.ones(1, 8)))
steps = {"plain list": moved_by_a_step(plain), "ModuleList": moved_by_a_step(registered)}
for name, (far, known) in steps.items():
    print(f"{name}: {known} parameters are known, the first layer moved by {far:.3f}")

# %% [markdown]
# No error anywhere: both models give the same numbers, and one of them will train its last layer only, will
# be saved without the others, and will leave them behind when it goes to a GPU. So, for layers in a list
# there is `nn.ModuleList`, for a dict `nn.ModuleDict`, for bare parameters `nn.ParameterList`. A quick test
# for any block of your own is to count its parameters.
#
# ## Python on the way forward
#
# `forward` is a program. The next block holds a matrix that is drawn once and never learned, uses one layer
# twice, and halves what it has until it is small enough; then it adds up. How often it halves depends on
# the input.


# %%
class FixedAndHalving(nn.Module):
    def __init__(self):
        super().__init__()
        # A buffer: saved, and moved between devices, with the block, but no parameter (5.4).
        self.register_buffer("fixed", torch.rand(20, 20))
        self.linear = nn.Linear(20, 20)

    def forward(self, inputs):
        hidden = self.linear(inputs)
        hidden = torch.relu(hidden @ self.fixed + 1)
        hidden = self.linear(hidden)  # the same layer again: one set of parameters
        self.halvings = 0
        while hidden.abs().sum() > 1:
            hidden = hidden / 2
            self.halvings += 1
        return hidden.sum()


torch.manual_seed(0)
block = FixedAndHalving()
state = {name: tensor.clone() for name, tensor in block.state_dict().items()}
optimizer = torch.optim.SGD(block.parameters(), lr=0.1)
value = block(inputs)
value.backward()
optimizer.step()
moved = [
    name for name, tensor in block.state_dict().items() if not torch.equal(tensor, state[name])
]
print(
    f"gave {value:.4f} after {block.halvings} halvings; holds {list(state)}, a step moved {moved}"
)

# %% [markdown]
# With the sum of absolute values $s$ before the loop, $k = \lceil \log_2 s \rceil$ halvings are needed
# (none below 1), and what comes out is $2^{-k}$ times what went in. So the formula can be held against the
# loop, for inputs of many sizes:

# %%
block.load_state_dict(state)
scales = torch.logspace(-1, 4, 201)
by_loop, by_formula, counts = [], [], []
with torch.no_grad():
    for scale in scales:
        by_loop.append(block(scale * inputs).item())
        counts.append(block.halvings)
        hidden = block.linear(torch.relu(block.linear(scale * inputs) @ block.fixed + 1))
        size = hidden.abs().sum().item()
        by_formula.append(hidden.sum().item() / 2 ** max(0, math.ceil(math.log2(size))))
off = max(abs(one - other) for one, other in zip(by_loop, by_formula, strict=True))
print(f"halvings from {min(counts)} to {max(counts)}; loop and formula are at most {off:.0e} apart")

# %%
plot.lines(
    scales,
    {"what the block gives": by_loop},
    x_label="size of the input",
    y_label="output",
    log="x",
)

# %% [markdown]
# A jump wherever one halving more is needed. Between the jumps the slope is that of the branch which was
# taken (2.5), so the block can be trained like any other. What Python decides on the way is noted down by
# nobody, though: a program that exports the block, or compiles it into one piece, has to do without the
# loop.
#
# ## Blocks in blocks
#
# A block does not ask what its parts are. Here is a chain of a block that holds a chain, a layer, and the
# block from above:


# %%
class Nested(nn.Module):
    def __init__(self):
        super().__init__()
        self.chain = SequentialScratch(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU())
        self.linear = nn.Linear(32, 16)

    def forward(self, inputs):
        return self.linear(self.chain(inputs))


torch.manual_seed(0)
chimera = nn.Sequential(Nested(), nn.Linear(16, 20), FixedAndHalving())
answer = chimera(inputs)
count = sum(parameter.numel() for parameter in chimera.parameters())
print(f"gives {answer:.4f}, has {count} parameters; the deepest is called",
      max(dict(chimera.named_parameters()), key=lambda name: name.count(".")))  # fmt: skip


# %%
def tree(module, name="all", row=0, column=0):
    """Lay out a block and what it holds: nodes and texts by path, arrows, the next free column."""
    nodes, texts, arrows, places = {}, {name: type(module).__name__}, [], []
    for part_name, part in module.named_children():
        path = f"{name}.{part_name}"
        below, below_texts, below_arrows, column = tree(part, path, row + 1, column)
        nodes |= below
        texts |= below_texts
        arrows += [(name, path), *below_arrows]
        places.append(below[path][0])
    middle = sum(places) / len(places) if places else column
    return {name: (middle, row), **nodes}, texts, arrows, column if places else column + 1


nodes, texts, arrows, _ = tree(chimera)

# %%
plot.graph(nodes, arrows, texts=texts, meaning="holds", cell=(1.35, 0.85))

# %% [markdown]
# The names of parameters are the ways through this tree. `print(chimera)` shows the same as text, and every
# question that is put to the root (`parameters()`, `to(device)`, `eval()`, `state_dict()`) is handed on to
# the leaves.
#
# ## What it costs
#
# Each call of a block is a call in Python, some millionths of a second in which no number is computed. In a
# large layer that is nothing; in a tiny one it is nearly all. That is why blocks are made for whole
# batches, and why there is `torch.compile`, which turns many small operations into few (12.1).

# %%
assert max(gaps.values()) < 1e-6, "three ways to write one network differ"
assert noticed == [(name, tuple(part.shape)) for name, part in own_class.named_parameters()], (
    "torch notices something else"
)
assert same_outputs, "a list changes what a model computes"
assert steps["plain list"] == (0.0, 2), "a plain list was noticed"
assert steps["ModuleList"][0] > 0 and steps["ModuleList"][1] == 8, "a ModuleList was not noticed"
assert moved == ["linear.weight", "linear.bias"], "the fixed matrix was trained, or the layer not"
assert min(counts) < max(counts) - 5, "the number of halvings does not depend on the input"
assert off < 1e-5, "the loop does not do what the formula says"
assert answer.dim() == 0 and answer.abs() <= 1, "the halving did not end"
by_hand = (20 * 64 + 64) + (64 * 32 + 32) + (32 * 16 + 16) + (16 * 20 + 20) + (20 * 20 + 20)
assert count == by_hand, "a part of the nested block was not counted, or counted twice"
assert len(nodes) == len(list(chimera.modules())) == len(arrows) + 1, "the tree is not whole"
print("blocks hold what they say, and do what they should")

# %% [markdown]
# ## Exercises
#
# 1. Write a block that takes two others, calls both with the same input, and gives their results side by
#    side. Which of its parts have to be attributes, and what does `state_dict` call them?
# 2. Write a function that makes a chain of $n$ blocks out of *a function* that makes one. Why is handing in
#    a block and repeating it $n$ times not the same? Show it by the number of parameters.
# 3. `Noticing` notices when an attribute is set. What does it do on `del block.hidden`, and what when a
#    layer is set in the place of an older one? Compare with `nn.Module`, and mend it.
# 4. Draw the output of `FixedAndHalving` against *one* weight of its layer in place of the size of the
#    input. Between jumps, is it a straight line?
# 5. Time `nn.Linear(8, 8)` and `nn.Linear(1024, 1024)`, called and as the bare product `inputs @ weight.T`,
#    for one example. From which width on is the call less than a tenth of the time?
#
# ## What to try next
#
# - `Listed(three_layers()).double()`, called with doubles, ends in an error about types that do not match:
#   the layers in the list stayed in single precision. On a GPU the same happens with devices.
# - `own_class.register_forward_hook(lambda *_: print("called"))`, then `own_class(inputs)` and
#   `own_class.forward(inputs)`: the first prints, the second does not. Call blocks, not their `forward`;
#   what is hung on a block hangs on the call.
# - `torch.export.export(block, (inputs,))` fails, as it cannot know how often to halve, and so does
#   `torch.compile(block, fullgraph=True)`. Plain `torch.compile(block)` works: it compiles the pieces
#   between the decisions.
# - `nn.Sequential(*[nn.Linear(8, 8)] * 5)` has 2 parameters, not 10. It is one layer, five times; 5.2 says
#   what that means.
