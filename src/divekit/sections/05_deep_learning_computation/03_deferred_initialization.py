# %% [markdown]
# # 5.3 Deferred initialization
#
# Whoever writes a network says each size twice: as what one layer gives, and as what the next one takes. In
# a chain of linear layers that is a nuisance. Behind a few convolutions it is arithmetic that changes with
# the size of the images. But the data know. A *lazy* layer is told only what to give, and finds out what it
# takes when the first example comes by. This section looks at such a layer before and after, and says what
# can go wrong in between.

# %%
import torch
from torch import nn
from torch.nn.parameter import is_lazy

from divekit import plot

# %% [markdown]
# ## Before
#
# 256 hidden units and 10 outputs, for inputs of unknown width. The parameters are there, by name, and in
# the state; what is there has no shape and holds no numbers. Hardly anything can be done with it:


# %%
def attempt(what):
    """Give what a function gives, or the first words of its error."""
    try:
        return what()
    except (RuntimeError, ValueError) as error:
        return f"{type(error).__name__}: {str(error)[:48]} ..."


net = nn.Sequential(nn.LazyLinear(256), nn.ReLU(), nn.LazyLinear(10))
weight = net[0].weight
print("names:      ", list(net.state_dict()))
print("the weight: ", weight, "of a", net[0])
tried = {
    "its shape": lambda: weight.shape,
    "count": lambda: sum(parameter.numel() for parameter in net.parameters()),
    "penalty": lambda: sum(parameter.square().sum() for parameter in net.parameters()),
    "fill": lambda: nn.init.normal_(weight, std=0.01),
}
refused = {name: attempt(what) for name, what in tried.items()}
for name, answer in refused.items():
    print(f"{name + ':':<12} {answer}")

# %% [markdown]
# ## After
#
# One call with two examples of width 20. The first layer sees 20 and takes its shape, gives 256, which the
# second sees, and so on to the end. Shapes were unknown for no longer than it takes to walk through the
# net.

# %%
torch.manual_seed(0)
outputs = net(torch.rand(2, 20))
shapes = {name: tuple(parameter.shape) for name, parameter in net.named_parameters()}
print(shapes)
print("the weight is the same object:", net[0].weight is weight, " the layer is now a", net[0])

# %% [markdown]
# The placeholder *became* the parameter, and the lazy layer an ordinary one; nothing lazy is left. From now
# on another width is the usual error:

# %%
too_late = attempt(lambda: net(torch.rand(2, 19)))
print(too_late)

# %% [markdown]
# ## Why a placeholder?
#
# One could simply make the weight in the first call:


# %%
class LateLinear(nn.Module):
    def __init__(self, outputs):
        super().__init__()
        self.outputs, self.weight = outputs, None

    def forward(self, inputs):
        if self.weight is None:
            self.weight = nn.Parameter(torch.zeros(self.outputs, inputs.shape[-1]))
        return inputs @ self.weight.T


# %% [markdown]
# Then an optimizer that is made before the first call finds no parameters, or, which is worse, only those
# of other layers. A placeholder it can take into its list, and it is the right object later on. Which of
# torch's optimizers can be made too early, then?

# %%
kinds = ("SGD", "Adam", "RMSprop", "Adagrad", "Muon")


def made_too_early(layer, kind):
    """Make an optimizer, then call the layer, then step: give how far the step went."""
    optimizer = getattr(torch.optim, kind)([layer.weight] if kind == "Muon" else layer.parameters())
    layer(torch.ones(2, 20)).sum().backward()
    start = layer.weight.detach().clone()
    optimizer.step()
    return (layer.weight - start).abs().max().item()


torch.manual_seed(0)
early = {kind: attempt(lambda kind=kind: made_too_early(nn.LazyLinear(3), kind)) for kind in kinds}
late = attempt(lambda: made_too_early(LateLinear(3), "SGD"))
for kind, answer in early.items():
    print(f"{kind:<8} {answer}")
print("SGD on the layer without a placeholder:", late)

# %% [markdown]
# Most come to no harm. Adagrad makes its sums of squares at once and needs the shapes, Muon looks for
# matrices. It depends on how each was written, and that is nothing to rely on: **first the shapes, then the
# first values, then the optimizer.** A penalty, a count, a file: all of them come after the shapes.
#
# ## In one call
#
# The call that finds the shapes need not be a step of training. It should then do as little as possible:
# keep no gradients, leave running means alone (batch normalization, 7.5, would learn from a picture of
# nothing), and put every layer back into the mode it was in. And it should notice when a layer was missed.

# %% source
from divekit.nn.lazy import Model, materialize

# %% [markdown]
# Two convolutions with pooling as in LeNet (6.6), for images of 28 by 28. How wide is it behind them? By
# 6.3 it is 28, 14 after pooling, 10 after a kernel of 5, then 5: $16 \cdot 5 \cdot 5 = 400$ numbers.


# %%
def lazy_lenet():
    return nn.Sequential(
        nn.LazyConv2d(6, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.LazyConv2d(16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.LazyLinear(10),
    )


def xavier(block):
    if isinstance(block, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(block.weight)
        nn.init.zeros_(block.bias)


torch.manual_seed(0)
lenet = materialize(lazy_lenet(), torch.zeros(1, 1, 28, 28), init=xavier)
print("the linear layer takes", lenet[7].in_features)
optimizer = torch.optim.Adagrad(lenet.parameters(), lr=0.01)  # now it can be made

widths, sides = [], list(range(16, 65))
for side in sides:
    widths.append(materialize(lazy_lenet(), torch.zeros(1, 1, side, side))[7].in_features)
by_formula = [16 * ((side // 2 - 4) // 2) ** 2 for side in sides]

# %%
plot.lines(
    sides,
    {"found out": widths},
    x_label="pixels on a side of the image",
    y_label="what the linear layer takes",
)

# %% [markdown]
# Steps of four pixels, since two poolings drop what does not fill a window.
#
# ## When are the numbers drawn?
#
# In the first call, layer by layer. So the same seed, set right before it, gives the numbers of a net whose
# sizes were written out. Anything drawn in between, a batch of examples for instance, changes them. A
# result that is to be repeated wants an example of zeros.


# %%
def first_weight(model, example):
    torch.manual_seed(3)
    return materialize(model, example())[0].weight.detach()


torch.manual_seed(3)
written_out = nn.Linear(20, 256).weight.detach()
from_zeros = first_weight(nn.Sequential(nn.LazyLinear(256)), lambda: torch.zeros(1, 20))
from_noise = first_weight(nn.Sequential(nn.LazyLinear(256)), lambda: torch.rand(1, 20))
print("equal to a layer with its sizes: zeros", torch.equal(written_out, from_zeros),
      "and noise", torch.equal(written_out, from_noise))  # fmt: skip

# %% [markdown]
# ## Ways not taken
#
# A lazy layer that the example never reaches stays without a shape. In plain torch that comes out at the
# first example of the other kind, perhaps an hour later. `materialize` says it at once.


# %%
class Fork(nn.Module):
    def __init__(self):
        super().__init__()
        self.bright, self.dark = nn.LazyLinear(3), nn.LazyLinear(3)

    def forward(self, inputs):
        return self.bright(inputs) if inputs.mean() > 0 else self.dark(inputs)


missed = attempt(lambda: materialize(Fork(), torch.ones(1, 4)))
fork = Fork()
fork(torch.ones(1, 4))
shapeless = [name for name, parameter in fork.named_parameters() if is_lazy(parameter)]
print(missed)
print("without it:", shapeless)

# %% [markdown]
# The other way to a shape is a state that has one. Loading fills in shapes and numbers with no example at
# all:

# %%
loaded = nn.Sequential(nn.LazyLinear(256), nn.ReLU(), nn.LazyLinear(10))
loaded.load_state_dict(net.state_dict())
loaded_shapes = [tuple(parameter.shape) for parameter in loaded.parameters()]
example = torch.rand(2, 20)
same = torch.equal(loaded(example), net(example))
print(loaded_shapes, "and the same outputs:", same)

# %% [markdown]
# divekit's own models write their sizes out. They take them from the facts of the data set, so nobody has
# to do the arithmetic, and a model can be printed, counted and saved before there is an example. Lazy
# layers are at their best in a notebook, while one tries what a network should look like.

# %%
assert all("Error" in str(answer) for answer in refused.values()), "a placeholder has numbers"
assert shapes == {"0.weight": (256, 20), "0.bias": (256,), "2.weight": (10, 256), "2.bias": (10,)}
assert net[0].weight is weight and type(net[0]) is nn.Linear, "the placeholder was replaced"
assert outputs.shape == (2, 10) and "cannot be multiplied" in too_late
for kind in ("SGD", "Adam", "RMSprop"):
    assert early[kind] > 0, f"{kind} lost the parameter"
for kind in ("Adagrad", "Muon"):
    assert "ValueError" in str(early[kind]), f"{kind} can do without shapes"
assert "empty parameter list" in str(late), "a parameter that is not there was found"
assert lenet[7].in_features == 400 and widths == by_formula, "the arithmetic says otherwise"
bound = (6 / (400 + 10)) ** 0.5
assert 0.99 * bound < lenet[7].weight.abs().max() <= bound, "Xavier's values were not filled in"
assert torch.equal(written_out, from_zeros), "a lazy layer draws other numbers"
assert not torch.equal(written_out, from_noise), "what was drawn in between did not matter"
assert "dark.weight" in str(missed) and shapeless == ["dark.weight", "dark.bias"]
assert same and loaded_shapes == list(shapes.values()), "a state does not bring its shapes"
print("shapes are found out, and stay")

# %% [markdown]
# ## Exercises
#
# 1. Say the *first* size only, and let all others be found out. In `nn.Sequential(nn.Linear(20, 256),
#    nn.LazyLinear(10))`, what is known before the first call, and what could be?
# 2. Mend `LateLinear`: let it hold an `nn.UninitializedParameter` and `materialize` it in the first call.
#    Which of the five optimizers can then be made too early?
# 3. Write a lazy layer that standardises its inputs by the means and deviations of the first batch, kept as
#    buffers. What must be true of that batch? What if it were the zeros that `materialize` is given?
# 4. Find out shapes without computing: send an example on the device `meta` (5.6) through a copy of the net
#    there. Where does it fail for a lazy one, and what would you note down on the way?
# 5. For which sides below 16 does `lazy_lenet` work at all? Predict the smallest, then let `materialize`
#    tell.
#
# ## What to try next
#
# - `nn.Sequential(nn.LazyLinear(4), nn.LazyBatchNorm1d())` called with 64 rows of `torch.randn(64, 3) + 5`:
#   its running means are no longer zero, though nobody trained. After `materialize` with the same rows they
#   are. With a single row the plain call is an error, as one row has no deviation; `materialize` takes it.
# - `materialize(nn.Sequential(nn.LazyLinear(10)), torch.zeros(2, 28, 28))`: the weight is 10 by 28. A lazy
#   layer believes what it sees, and somebody forgot `nn.Flatten()`.
# - `materialize(nn.Sequential(nn.LazyLinear(4), nn.Linear(5, 1)), torch.zeros(1, 3))` ends in the second
#   layer's error, and the first keeps its shape. After an error, build the net anew.
# - `nn.LazyLinear(3)`, then `load_state_dict(nn.Linear(5, 3).state_dict())`: the weight is 3 by 5, and the
#   layer is printed as lazy with `in_features=0` until it is called.
# - `torch.save(nn.LazyLinear(3).state_dict(), "state.pt")` works, and `torch.load("state.pt")` refuses what
#   was written. A state without shapes should not be saved: 5.5.
