# %% [markdown]
# # 5.4 Custom layers
#
# torch has more than a hundred layers, and sooner or later the one that is wanted is not among them. A
# layer of one's own is a block like any other (5.1): what it holds, and what it does. This section writes
# one that holds nothing, one that holds parameters, and one that holds numbers which are no parameters. And
# it shows how to find out whether a new layer is right.

# %%
import torch
from torch import nn

from divekit import plot

# %% [markdown]
# ## A layer that holds nothing
#
# It takes an example and subtracts the mean of its numbers, so that 1, 2, 3, 4, 5 become -2, -1, 0, 1, 2.


# %%
class Centred(nn.Module):
    """Subtract from each example, along the last axis, its mean."""

    def forward(self, inputs):
        return inputs - inputs.mean(dim=-1, keepdim=True)


class CentredTogether(nn.Module):
    """Subtract the mean of all that comes in."""

    def forward(self, inputs):
        return inputs - inputs.mean()


small = torch.tensor([[1.0, 2.0, 3.0, 4.0, 5.0]])
centred = Centred()(small)
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(8, 128), Centred())
means = net(torch.rand(4, 8)).mean(dim=1)
print(centred, "and at the end of a net", [f"{mean:.0e}" for mean in means.tolist()])

# %% [markdown]
# In single precision a mean of zero is a few billionths. The second class does the same with a single
# example, and it is what one writes first. With more examples it takes one mean for all of them, and then
# what the net says of an example depends on who else is in the batch:

# %%
company = {"alone": [], "with one of 10s": [10.0], "with two of 20s": [20.0, 20.0]}
shown, apart = {}, {}
for kind in (Centred, CentredTogether):
    for name, others in company.items():
        batch = torch.cat([small, *(torch.full((1, 5), value) for value in others)])
        shown[kind.__name__, name] = kind()(batch)[0]
    apart[kind.__name__] = max(
        (shown[kind.__name__, name] - centred[0]).abs().max().item() for name in company
    )
print("what company changes:", apart)

# %%
plot.lines(
    range(1, 6),
    {
        "each by itself": shown["Centred", "with two of 20s"],
        "together, with one of 10s": shown["CentredTogether", "with one of 10s"],
        "together, with two of 20s": shown["CentredTogether", "with two of 20s"],
    },
    x_label="entry of the example",
    y_label="what it becomes",
)

# %% [markdown]
# Axes are where new layers go wrong most often. A test with two *different* examples, and each of them
# alone, finds it.
#
# ## A layer with parameters
#
# $\mathbf{Y} = \mathbf{X} \mathbf{W}^\top + \mathbf{b}$, once more, with all that `nn.Linear` does at its
# start. Since its parameters have the names and shapes of torch's, each takes the other's state.

# %% source
from divekit.nn.linear import LinearScratch

# %% [markdown]
# It is used as any layer is, here from 64 numbers to 8 and to 1. With the same seed, torch's own gives the
# same.

# %%
inputs = torch.rand(2, 64)
found = {}
for kind in (LinearScratch, nn.Linear):
    torch.manual_seed(0)
    chain = nn.Sequential(kind(64, 8), nn.ReLU(), kind(8, 1))
    outputs = chain(inputs)
    found[kind.__name__] = [outputs, *torch.autograd.grad(outputs.sum(), chain.parameters())]
off = max(
    (ours - theirs).abs().max().item()
    for ours, theirs in zip(found["LinearScratch"], found["Linear"], strict=True)
)
print("outputs and gradients are at most", off, "from those of torch")

# %% [markdown]
# Most new layers have no twin to be compared with. What they all have are slopes, and a slope can be had
# without autograd: move a number a little to either side (2.4). `gradcheck` does so for every number of
# every input, in double precision. Three layers are tried, of which the last has a mistake that one can
# look at for a long time. The `detach` was there to silence an error, once.


# %%
class Forgetful(nn.Module):
    """Multiply by the square of a weight."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(5))

    def forward(self, inputs):
        return inputs * self.weight * self.weight.detach()


def slopes_are_right(layer, example):
    """Hold all gradients of a layer, by its inputs and by its parameters, against differences."""
    layer, names = layer.double(), list(dict(layer.named_parameters()))

    def call(example, *parameters):
        return torch.func.functional_call(layer, dict(zip(names, parameters, strict=True)), example)

    example = example.double().requires_grad_()
    return torch.autograd.gradcheck(call, (example, *layer.parameters()), raise_exception=False)


torch.manual_seed(0)
example = torch.rand(3, 5)
verdict = {
    type(layer).__name__: slopes_are_right(layer, example)
    for layer in (Centred(), LinearScratch(5, 4), Forgetful())
}
print("slopes are right:", verdict)

# %% [markdown]
# ## Numbers that are no parameters
#
# A layer may need numbers that are not learned by gradients: a constant matrix, a running mean, a mask.
# There are four ways to hold a tensor, and they differ in who hears of it:


# %%
class Holding(nn.Module):
    def __init__(self):
        super().__init__()
        self.parameter = nn.Parameter(torch.zeros(3))
        self.register_buffer("buffer", torch.zeros(3))
        self.register_buffer("passing", torch.zeros(3), persistent=False)
        self.attribute = torch.zeros(3)


holding = Holding().double()  # moving to a GPU goes the same way
told = {
    name: (
        name in dict(holding.named_parameters()),
        name in holding.state_dict(),
        getattr(holding, name).dtype == torch.float64,
    )
    for name in ("parameter", "buffer", "passing", "attribute")
}
print(f"{'':<10}{'trained':<9}{'saved':<7}moved")
for name, answers in told.items():
    print(f"{name:<10}" + "".join(f"{answer!s:<8}" for answer in answers))

# %% [markdown]
# What the layer learned from data, but not by gradients, is a **buffer**. What can be computed anew from
# the settings, such as a table of positions, is a buffer that passes: it moves along and is not saved. A
# plain attribute is for what is no tensor.
#
# A case of the first kind: inputs have units, and a net does better without them. The means and deviations
# of the *training* data belong to the model. If they were left in the program that trains, everybody who
# uses the model would have to know them.


# %%
class Standardised(nn.Module):
    """Take from each feature its mean, and divide by its deviation, as learned from examples."""

    def __init__(self, num_features):
        super().__init__()
        self.register_buffer("mean", torch.zeros(num_features))
        self.register_buffer("deviation", torch.ones(num_features))

    def learn(self, examples):
        self.mean.copy_(examples.mean(dim=0))
        self.deviation.copy_(examples.std(dim=0).clamp(min=1e-6))  # a constant feature stays 0
        return self

    def forward(self, inputs):
        return (inputs - self.mean) / self.deviation


generator = torch.Generator().manual_seed(0)
spreads, centres = torch.tensor([1.0, 30.0]), torch.tensor([3.0, 100.0])
features = spreads * torch.randn(500, 2, generator=generator) + centres
prices = features @ torch.tensor([2.0, 0.1]) + 5 + 0.1 * torch.randn(500, generator=generator)


def train(model, lr):
    torch.manual_seed(0)
    optimizer, losses = torch.optim.SGD(model.parameters(), lr=lr), []
    for _ in range(50):
        optimizer.zero_grad()
        loss = (model(features)[:, 0] - prices).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


models = {}
for name in ("as they are", "standardised"):
    torch.manual_seed(0)
    models[name] = nn.Sequential(nn.Linear(2, 1))
models["standardised"].insert(0, Standardised(2).learn(features))
losses = {
    "as they are": train(models["as they are"], lr=8e-5),
    "standardised": train(models["standardised"], lr=0.1),
}
too_fast = train(nn.Sequential(nn.Linear(2, 1)), lr=1.6e-4)[-1]
print({name: round(values[-1], 3) for name, values in losses.items()}, "twice as fast:", too_fast)

# %%
plot.lines(range(1, 51), losses, x_label="step", y_label="loss", log="y")

# %% [markdown]
# The feature with the large numbers dictates the learning rate, and the other has to wait for it; twice
# that rate diverges. A copy of the trained model needs nothing but the state: its layer brings the means
# along.

# %%
state = models["standardised"].state_dict()
copied = nn.Sequential(Standardised(2), nn.Linear(2, 1))
copied.load_state_dict(state)
same = torch.equal(copied(features), models["standardised"](features))
print(list(state), "and the same outputs:", same)

# %%
assert centred.tolist() == [[-2, -1, 0, 1, 2]], "the mean is still there"
assert means.abs().max() < 1e-7, "the mean is still there, in a net"
assert apart["Centred"] == 0 < 1 < apart["CentredTogether"], "company matters, or does not"
assert off < 1e-6, "the linear layer is not torch's"
assert verdict == {"Centred": True, "LinearScratch": True, "Forgetful": False}, (
    "a right layer was blamed, or a wrong one praised"
)
assert told == {
    "parameter": (True, True, True),
    "buffer": (False, True, True),
    "passing": (False, False, True),
    "attribute": (False, False, False),
}, "somebody else hears of a tensor"
assert losses["standardised"][-1] < 0.02 < 1 < losses["as they are"][-1], "units do not matter"
assert not too_fast < 1e6, "twice the rate does not diverge"
assert len(state) == 4 and same, "the copy lacks the means"
print("the layers do what they say")

# %% [markdown]
# ## Exercises
#
# 1. Write a layer with $y_k = \sum_{i,j} W_{kij}\, x_i x_j$, first in loops and then with `torch.einsum`.
#    How many of its parameters are of no use? Hold it against `gradcheck`.
# 2. Centring is a multiplication by a matrix. Which one, and what is its square? What does that say about
#    the gradient?
# 3. Write the layer that gives the leading half of a signal's Fourier coefficients (`torch.fft.rfft`). What
#    does it give in double precision, and does `gradcheck` take complex numbers?
# 4. Let `Standardised` learn *during* training from each batch, a tenth of the new and nine tenths of the
#    old, and only while `self.training`. What should happen in the very first batch? Compare with
#    `nn.BatchNorm1d(affine=False)`.
# 5. The square in `Forgetful` keeps its factor from being negative. Write it without `detach`, and a second
#    layer that does so by another function. Both pass `gradcheck`; which of them can still learn from a
#    weight of exactly 0?
#
# ## What to try next
#
# - `slopes_are_right(nn.ReLU(), torch.zeros(1, 5))` is false, and so it is for `nn.Dropout(0.5)`. A bend
#   has no slope, and a layer that draws anew for each call is another function each time. At `torch.rand(3,
#   5)`, and in the mode `eval()`, both are right.
# - `layer.buffer = torch.ones(3)` stays a buffer: a registered name keeps its place. `layer.parameter =
#   torch.ones(3)` is a `TypeError`, and a plain attribute that is set to an `nn.Parameter` becomes a
#   parameter.
# - 2,000 steps in place of 50 for the features as they are: the loss goes from 15.5 to 5.8. With `lr=9e-5`
#   it diverges.
# - 5.5 puts such a state into a file.
