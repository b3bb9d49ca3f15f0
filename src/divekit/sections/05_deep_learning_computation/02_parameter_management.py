# %% [markdown]
# # 5.2 Parameter management
#
# What a network has learned is in its parameters. So one wants to look at them, to choose some of them (for
# decay, say, or to hold them still), to give them their first values, and sometimes to use one of them in
# two places. All of it is done with the names that 5.1 made.

# %%
import copy

import torch
from torch import nn

from divekit import plot

# %% [markdown]
# ## One parameter
#
# A net with 4 inputs, 8 hidden units and 1 output. A layer of a chain is found by its number, a parameter
# of a layer is an attribute. It is a tensor that also has a gradient, once somebody asked for one.

# %%
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
inputs = torch.rand(2, 4)
print(type(net[2].bias).__name__, net[2].bias.detach(), "gradient:", net[2].bias.grad)
net(inputs).sum().backward()
print("after backward():", net[2].bias.grad)

# %% [markdown]
# The output is a sum over two examples, and each has the bias once: its gradient is 2.
#
# ## All of them
#
# `named_parameters()` walks through the whole net, and `get_parameter` goes the way that a name describes.
# `state_dict()` has the same names, and buffers besides; it is what is saved and loaded (5.5).

# %%
for name, parameter in net.named_parameters():
    print(f"{name:<9} {tuple(parameter.shape)!s:<7} {parameter.numel():>3} numbers")
by_path = net.get_parameter("2.bias")

# %% [markdown]
# A state is not a copy. Its tensors are the parameters' own memory, so it goes along with the training.
# Whoever keeps `net.state_dict()` in order to go back to it later will come back to where they are:

# %%
kept, copied = net.state_dict(), copy.deepcopy(net.state_dict())
before = net[2].bias.item()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
optimizer.step()
now, kept_says = net[2].bias.item(), kept["2.bias"].item()
print(f"before {before:.4f}, now {now:.4f}, kept {kept_says:.4f}")
net.load_state_dict(copied)
print(f"restored from the copy: {net[2].bias.item():.4f}")

# %% [markdown]
# ## In nested blocks
#
# Four pairs of layers in a chain, the chain in a net. Names grow with the depth, and are chosen among as
# one chooses among words: here, all that are not matrices. The optimizer is then told to let decay (4.5)
# pull at matrices only.


# %%
def pair():
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4), nn.ReLU())


pairs = nn.Sequential()
for number in range(4):
    pairs.add_module(f"pair_{number}", pair())  # a name of our own in place of a number
deep = nn.Sequential(pairs, nn.Linear(4, 1))
total = sum(parameter.numel() for parameter in deep.parameters())
biases = [name for name, parameter in deep.named_parameters() if parameter.ndim < 2]
print(f"{total} numbers; the biases are {biases[:3]} ... {biases[-1]}")
print("one of them:", deep.get_parameter("0.pair_1.0.bias").detach()[:3])

groups = [
    {"params": [p for p in deep.parameters() if p.ndim >= 2], "weight_decay": 0.5},
    {"params": [p for p in deep.parameters() if p.ndim < 2]},
]
decaying = torch.optim.SGD(groups, lr=1.0)
for parameter in deep.parameters():
    parameter.grad = torch.zeros_like(parameter)  # only the decay is left
old = copy.deepcopy(deep.state_dict())
decaying.step()
shrunk = {name: (new.norm() / old[name].norm()).item() for name, new in deep.state_dict().items()}
print({name: round(share, 3) for name, share in list(shrunk.items())[-2:]})

# %% [markdown]
# ## First values
#
# `nn.init` has the usual draws; they fill a parameter in place. `apply` calls a function with every block
# of a net, the inner ones first, and the function looks at what it was given. Which values are good is the
# subject of 4.8; here it is about putting them there.


# %%
def small_normal(block):
    if isinstance(block, nn.Linear):
        nn.init.normal_(block.weight, mean=0, std=0.01)
        nn.init.zeros_(block.bias)


torch.manual_seed(0)
wide = nn.Sequential(nn.Linear(300, 200), nn.ReLU(), nn.Linear(200, 100))
wide.apply(small_normal)
normal = wide[0].weight.detach().clone()

nn.init.xavier_uniform_(wide[0].weight)  # or layer by layer
nn.init.constant_(wide[2].weight, 42.0)
xavier, constant = wide[0].weight.detach().clone(), wide[2].weight.detach().clone()
print(f"normal: deviation {normal.std():.4f}; Xavier: largest {xavier.abs().max():.4f}; "
      f"constant: {constant.unique().tolist()}")  # fmt: skip

# %% [markdown]
# Where no function of `nn.init` will do, a rule of one's own is a line or two under `no_grad`: filling a
# parameter is no part of what the net computes. The book's example asks for
#
# $$w \sim \begin{cases} U(5, 10) & \text{with probability } \tfrac14 \\ 0 & \text{with probability } \tfrac12 \\
# U(-10, -5) & \text{with probability } \tfrac14 \end{cases}$$
#
# It takes one draw from $U(-10, 10)$, of which everything nearer to zero than 5, one half, becomes zero.


# %%
@torch.no_grad()
def far_or_nothing(block):
    if isinstance(block, nn.Linear):
        block.weight.uniform_(-10, 10)
        block.weight *= block.weight.abs() >= 5


wide.apply(far_or_nothing)
far = wide[0].weight.detach().clone()
shares = [(far < 0).double().mean(), (far == 0).double().mean(), (far > 0).double().mean()]
print("below, at and above zero:", [round(share.item(), 3) for share in shares])

# %%
picture = plot.new_picture(width=8.4, height=2.6)
draws = {"normal, 0.01": normal, "Xavier, uniform": xavier, "far or nothing": far}
for axes, (name, weight) in zip(picture.subplots(1, 3), draws.items(), strict=True):
    axes.hist(weight.flatten().numpy(), bins=40, color=plot.COLOURS[0])
    axes.locator_params(axis="x", nbins=5)
    axes.set(title=name, xlabel="weight", ylabel="count" if name.startswith("normal") else "")
    plot.style_axes(axes)
picture

# %% [markdown]
# The bar at zero is 30,000 weights high. It is a rule nobody should train with.
#
# ## One parameter in two places
#
# Put the same layer into a chain twice. It is one object under two names: changing it here changes it
# there, for it is not there, it is here.

# %%
torch.manual_seed(0)
shared = nn.Linear(8, 8)
tied = nn.Sequential(
    nn.Linear(4, 8), nn.ReLU(), shared, nn.ReLU(), shared, nn.ReLU(), nn.Linear(8, 1)
)
with torch.no_grad():
    tied[2].weight[0, 0] = 100.0
changed_too = tied[4].weight[0, 0].item()
with torch.no_grad():
    tied[2].weight[0, 0] = 0.1
names = [name for name in tied.state_dict() if name.endswith("weight")]
counted = len(list(tied.parameters()))
print(f"there it is {changed_too}; {names} name {counted // 2} matrices")

# %% [markdown]
# What is its gradient? By the chain rule a parameter that is used twice is a variable on two ways to the
# loss, and every way contributes. Think of each use as having a matrix of its own, $\mathbf{W}_1$ and
# $\mathbf{W}_2$, both of which happen to equal $\mathbf{W}$:
#
# $$\frac{\partial L}{\partial \mathbf{W}} = \frac{\partial L}{\partial \mathbf{W}_1} + \frac{\partial L}{\partial \mathbf{W}_2} .$$

# %%
nodes = {
    r"$\mathbf{x}$": (0, 1), "use 1": (1, 1), r"$\mathbf{h}$": (2, 1), "use 2": (3, 1),
    "L": (4, 1), r"$\mathbf{W}$": (2, 0),
}  # fmt: skip
arrows = [
    (r"$\mathbf{x}$", "use 1"), ("use 1", r"$\mathbf{h}$"), (r"$\mathbf{h}$", "use 2"),
    ("use 2", "L"), (r"$\mathbf{W}$", "use 1"), (r"$\mathbf{W}$", "use 2"),
]  # fmt: skip
back = {
    ("use 2", "L"): "1",
    (r"$\mathbf{h}$", "use 2"): r"$\mathbf{G}_\mathbf{h}$",
    ("use 1", r"$\mathbf{h}$"): r"$\mathbf{G}_\mathbf{h}$",
    (r"$\mathbf{W}$", "use 1"): r"$\partial L / \partial \mathbf{W}_1$",
    (r"$\mathbf{W}$", "use 2"): r"$\partial L / \partial \mathbf{W}_2$",
}
texts = {"use 1": r"$\times$", "use 2": r"$\times$", "L": "$L$"}

# %%
plot.graph(nodes, arrows, back, operations=["use 1", "use 2"], texts=texts, cell=(1.3, 1.2))

# %% [markdown]
# The same net with two layers of its own in the place of one, equal at the start, has the two parts of the
# sum apart. In double precision, so that nothing is hidden by rounding:

# %%
tied = tied.double()
untied = nn.Sequential(
    *(copy.deepcopy(layer) for layer in tied)  # one by one: copied together they would stay tied
)
doubles = torch.rand(16, 4, dtype=torch.float64)
for model in (tied, untied):
    model(doubles).square().mean().backward()
one, two = untied[2].weight.grad, untied[4].weight.grad
apart = (tied[2].weight.grad - (one + two)).abs().max().item()
print(
    f"lengths: use 1 {one.norm():.3f}, use 2 {two.norm():.3f}, tied {tied[2].weight.grad.norm():.3f}"
)
print(f"tied and the sum are at most {apart:.0e} apart")

for model in (tied, untied):
    torch.optim.SGD(model.parameters(), lr=0.1).step()
drift = {
    name: (model[2].weight - model[4].weight).abs().max().item()
    for name, model in (("tied", tied), ("untied", untied))
}
print("after a step the two places differ by", {name: round(far, 4) for name, far in drift.items()})

# %% [markdown]
# Each use pulls its own way, the tied layer goes along the sum, and the untied ones part. That the gradient
# is a *sum* matters: a layer that is used a hundred times (as in the recurrent networks of chapter 8) has
# the gradients of a hundred uses added up. Tying saves memory, and says something about the problem: that
# the same thing should be done in both places. A convolution (6.2) is a linear layer with most of its
# weights tied.
#
# ## The check

# %%
assert net[2].bias.grad.item() == 2, "two examples do not add up to 2"
assert by_path is net[2].bias, "the path leads elsewhere"
assert kept_says == now != before, "a state was a copy"
assert net[2].bias.item() == before, "a copied state was changed"
assert total == 4 * (4 * 8 + 8 + 8 * 4 + 4) + 4 + 1, "a nested block was not counted"
assert len(biases) == 9 and all(name.endswith("bias") for name in biases)
for name, share in shrunk.items():
    assert abs(share - (1.0 if name in biases else 0.5)) < 1e-5, f"{name}: decay pulled otherwise"
assert abs(normal.std().item() - 0.01) < 1e-4, "another deviation"
assert 0.99 * (6 / 500) ** 0.5 < xavier.abs().max() <= (6 / 500) ** 0.5, "not Xavier's bound"
assert constant.unique().tolist() == [42], "not constant"
for share, expected in zip(shares, (1 / 4, 1 / 2, 1 / 4), strict=True):
    assert abs(share - expected) < 0.01, "other probabilities"
assert far[far != 0].abs().min() >= 5 and far.abs().max() <= 10, "a weight between 0 and 5"
assert changed_too == 100 and counted == 6, "two places, two layers"
assert one.norm() > 1e-3 and two.norm() > 1e-3, "one of the uses does not count"
assert apart < 1e-15, "gradients of two uses do not add up"
assert drift["tied"] == 0 < drift["untied"], "tied places parted, or untied ones did not"
print("names, first values and ties are as told")

# %% [markdown]
# ## Exercises
#
# 1. Write `freeze(net, pattern)`: parameters whose names match a pattern (`fnmatch`) get no gradients any
#    more. What does an optimizer do with them that was made before?
# 2. Draw the weights of `far_or_nothing` by another way: first the kind, then the number. Compare both by
#    their mean and variance, and work the variance out by hand.
# 3. An *autoencoder* gives back what it takes. Write one in which the second layer has the transposed
#    matrix of the first. Which gradients add up now, and what does `state_dict` hold?
# 4. A layer is used $n$ times in a row. Plot the length of its gradient against $n = 1, \dots, 30$ for
#    weights of deviation $0.5/\sqrt8$, $1/\sqrt8$ and $2/\sqrt8$, and explain it by 4.8.
# 5. Group the parameters of `deep` so that every pair learns ten times as slowly as the one above it.
#
# ## What to try next
#
# - `copy.deepcopy(tied)` is tied as well: what is one object in the model is one object in the copy.
#   `tied[2].weight = nn.Parameter(torch.zeros(8, 8))` keeps both places one, since it is the *layer* that
#   is shared. If only the weights were (`b.weight = a.weight`), such a line would cut the tie, and say
#   nothing.
# - `load_state_dict` with other numbers under `2.weight` than under `4.weight`: no error, and the later one
#   is in both places. divekit's own loader (5.5) refuses such a file.
# - `wide[0].weight.fill_(3)` without `no_grad`: an error, "a leaf Variable that requires grad is being used
#   in an in-place operation". `wide[0].weight = torch.zeros(200, 300)` is a `TypeError`: only an
#   `nn.Parameter` goes there.
# - A square layer whose weights keep lengths (`nn.init.orthogonal_`), used 1, 10 and 100 times on positive
#   inputs: the gradient of the sum of what comes out has the length 61, 265 and 2,612. It grows with the
#   uses, though no signal does.
