# %% [markdown]
# # 4.7 Forward propagation, backward propagation, and computational graphs
#
# So far `backward()` has found every gradient (2.5 says how). For a network with one hidden layer and
# weight decay the work fits on a page, and this section does it by hand: it draws what depends
# on what, writes down a formula for each value and each gradient, and turns them into some twenty lines
# that ask nothing of autograd. They train a network, and end with the weights that torch ends with. Then
# we count the bytes: why does training need so much more memory than using a model?

# %%
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import nn

from divekit import plot
from divekit.data import XOR

# %% [markdown]
# ## Forward
#
# $B$ examples with $D$ features, $H$ hidden units, $K$ classes. From left to right:
#
# $$\begin{aligned}
# \mathbf{Z} &= \mathbf{X} \mathbf{W}_1^\top + \mathbf{b}_1
#   && (B, H) = (B, D)(D, H) \\
# \mathbf{H} &= \sigma(\mathbf{Z}) && (B, H) \\
# \mathbf{O} &= \mathbf{H} \mathbf{W}_2^\top + \mathbf{b}_2
#   && (B, K) = (B, H)(H, K) \\
# L &= -\frac1B \sum_{i} \log \operatorname{softmax}(\mathbf{O})_{i, y_i} && \text{a number} \\
# s &= \frac{\lambda}{2} \left( \lVert \mathbf{W}_1 \rVert^2 + \lVert \mathbf{W}_2 \rVert^2 \right)
#   && \text{a number} \\
# J &= L + s && \text{a number}
# \end{aligned}$$
#
# The objective $J$ is what training makes small: the loss $L$ and the penalty $s$ of 4.5. A *computational
# graph* shows the same with an arrow for each use of a value. Operations have a circle.

# %%
W1, b1, W2, b2 = r"$\mathbf{W}_1$", r"$\mathbf{b}_1$", r"$\mathbf{W}_2$", r"$\mathbf{b}_2$"
x, z, h, o = (rf"$\mathbf{{{letter}}}$" for letter in "XZHO")
nodes = {
    x: (0, 2), "linear 1": (1, 2), W1: (1, 1), b1: (1, 3), z: (2, 2), "bend": (3, 2), h: (4, 2),
    "linear 2": (5, 2), W2: (5, 1), b2: (5, 3), o: (6, 2), "loss": (7, 2), "y": (7, 3), "L": (8, 2),
    "squares": (3, 0), "s": (7, 0), "sum": (9, 2), "J": (10, 2),
}  # fmt: skip
texts = {
    "linear 1": r"$\times$", "linear 2": r"$\times$", "bend": r"$\sigma$", "loss": r"$\ell$",
    "squares": r"$\lambda$", "sum": "$+$", "L": "$L$", "s": "$s$", "J": "$J$", "y": r"$\mathbf{y}$",
}  # fmt: skip
operations = ["linear 1", "bend", "linear 2", "loss", "squares", "sum"]
arrows = [
    (x, "linear 1"), (W1, "linear 1"), (b1, "linear 1"), ("linear 1", z), (z, "bend"), ("bend", h),
    (h, "linear 2"), (W2, "linear 2"), (b2, "linear 2"), ("linear 2", o), (o, "loss"),
    ("y", "loss"), ("loss", "L"), ("L", "sum"), (W1, "squares"), (W2, "squares"), ("squares", "s"),
    ("s", "sum"), ("sum", "J"),
]  # fmt: skip

# %%
plot.graph(nodes, arrows, operations=operations, texts=texts, cell=(0.86, 0.86))

# %% [markdown]
# ## Backward
#
# How much does $J$ change when a value changes a little? Go through the graph from its end. Write
# $\mathbf{G}_\mathbf{V}$ for the gradient of $J$ with respect to a value $\mathbf{V}$: it has the shape of
# $\mathbf{V}$, and that alone settles most of the transposes below. Each operation is handed the
# gradient of what it gave, and hands on the gradient of what it took.
#
# $$\begin{aligned}
# G_L &= G_s = 1 && J = L + s \\
# \mathbf{G}_\mathbf{O} &= \tfrac1B \left( \operatorname{softmax}(\mathbf{O}) - \mathbf{Y} \right)
#   && (B, K) \quad \text{as in 3.6, and the mean's } \tfrac1B \\
# \mathbf{G}_{\mathbf{W}_2} &= \mathbf{G}_\mathbf{O}^\top \mathbf{H} + \lambda \mathbf{W}_2
#   && (K, H) = (K, B)(B, H) + (K, H) \\
# \mathbf{G}_{\mathbf{b}_2} &= \textstyle\sum_i (\mathbf{G}_\mathbf{O})_i && (K,) \\
# \mathbf{G}_\mathbf{H} &= \mathbf{G}_\mathbf{O} \mathbf{W}_2 && (B, H) = (B, K)(K, H) \\
# \mathbf{G}_\mathbf{Z} &= \mathbf{G}_\mathbf{H} \odot \sigma'(\mathbf{Z}) && (B, H) \\
# \mathbf{G}_{\mathbf{W}_1} &= \mathbf{G}_\mathbf{Z}^\top \mathbf{X} + \lambda \mathbf{W}_1
#   && (H, D) = (H, B)(B, D) + (H, D) \\
# \mathbf{G}_{\mathbf{b}_1} &= \textstyle\sum_i (\mathbf{G}_\mathbf{Z})_i && (H,)
# \end{aligned}$$
#
# $\mathbf{Y}$ has a one in each row, at the true class. Each matrix is used twice, by a layer and by the
# penalty; two arrows leave it, two gradients come back, and they add up. A bias is used by every
# example, and its gradient is a sum over them. Nothing goes back to $\mathbf{X}$ and $\mathbf{y}$:
# the data are not for changing.

# %%
back = {
    ("sum", "J"): "1",
    ("L", "sum"): "1",
    ("s", "sum"): "1",
    ("loss", "L"): "1",
    ("squares", "s"): "1",
    (o, "loss"): r"$\mathbf{G}_\mathbf{O}$",
    ("linear 2", o): r"$\mathbf{G}_\mathbf{O}$",
    (h, "linear 2"): r"$\mathbf{G}_\mathbf{H}$",
    ("bend", h): r"$\mathbf{G}_\mathbf{H}$",
    (z, "bend"): r"$\mathbf{G}_\mathbf{Z}$",
    ("linear 1", z): r"$\mathbf{G}_\mathbf{Z}$",
    (W1, "linear 1"): r"$\mathbf{G}_\mathbf{Z}^\top \mathbf{X}$",
    (W2, "linear 2"): r"$\mathbf{G}_\mathbf{O}^\top \mathbf{H}$",
    (b1, "linear 1"): r"$\mathbf{G}_{\mathbf{b}_1}$",
    (b2, "linear 2"): r"$\mathbf{G}_{\mathbf{b}_2}$",
    (W1, "squares"): r"$\lambda \mathbf{W}_1$",
    (W2, "squares"): r"$\lambda \mathbf{W}_2$",
}

# %%
plot.graph(nodes, arrows, back, operations=operations, texts=texts, cell=(0.86, 0.86))

# %% [markdown]
# ## The same as a program
#
# One line for each formula. The slopes are written with what the activation *gave*, as in 4.1:
# $h(1-h)$ for the sigmoid, $1-h^2$ for tanh, and for ReLU whether $h$ is positive. So $\mathbf{Z}$ is not
# needed again once $\mathbf{H}$ is there, and may be forgotten.

# %% source
from divekit.nn.activations import ACTIVATIONS, SLOPES

# %% source
from divekit.models.multilayer_perceptron import MLP

# %% source
from divekit.models.backpropagation import MLPKept, MLPWeights, mlp_backward, mlp_forward

# %% [markdown]
# ## Against autograd
#
# In double precision the two must agree to rounding, for every activation and with the decay on.

# %%
generator = torch.Generator().manual_seed(0)
inputs = torch.randn(6, 5, dtype=torch.float64, generator=generator)
labels = torch.randint(3, (6,), generator=generator)
torch.manual_seed(0)
decay = 0.1
models = {
    name: MLP(5, 4, 3, activation=function).double()
    for name, function in (("relu", torch.relu), ("sigmoid", torch.sigmoid), ("tanh", torch.tanh))
}


def by_autograd(model, inputs, labels):
    """Give the objective, and the gradients in the order of MLPWeights."""
    squares = model.hidden.weight.square().sum() + model.output.weight.square().sum()
    objective = F.cross_entropy(model(inputs), labels) + decay * squares / 2
    return objective.detach(), torch.autograd.grad(objective, list(model.parameters()))


gaps = {}
for name, model in models.items():
    weights = MLPWeights.of(model)
    objective, kept = mlp_forward(weights, inputs, labels, name, decay)
    ours = vars(mlp_backward(weights, kept, labels, name, decay))
    value, theirs = by_autograd(model, inputs, labels)
    gaps[name] = abs(objective - value).item()
    for gradient, other in zip(ours.values(), theirs, strict=True):
        gaps[name] = max(gaps[name], (gradient - other).abs().max().item())
    print(f"{name:<8} objective {objective:.6f}, at most {gaps[name]:.0e} apart")

# %% [markdown]
# Two programs can share a mistake. The nudge of 2.4 shares none: move one weight a little to each side
# and look at the objective. It costs two forward passes for each of the 39 weights, and one backward pass
# gives them all.

# %%
weights = MLPWeights.of(models["tanh"])
_, kept = mlp_forward(weights, inputs, labels, "tanh", decay)
ours = mlp_backward(weights, kept, labels, "tanh", decay)
nudge, off, passes = 1e-5, 0.0, 0
for name, tensor in vars(weights).items():
    for place in range(tensor.numel()):
        ends = []
        for side in (nudge, -nudge):
            moved = tensor.clone()
            moved.view(-1)[place] += side
            there = replace(weights, **{name: moved})
            ends.append(mlp_forward(there, inputs, labels, "tanh", decay)[0].item())
            passes += 1
        slope = (ends[0] - ends[1]) / (2 * nudge)
        off = max(off, abs(slope - getattr(ours, name).view(-1)[place].item()))
print(f"{passes} forward passes; the slopes are at most {off:.0e} off")

# %% [markdown]
# ## Training by hand
#
# The four clouds of 4.1, a step against our own gradients, 200 times over. Beside it torch: autograd,
# its SGD, and decay for the matrices only. Both begin with the same weights.

# %%
(points, classes), decay = XOR().open().train.tensors, 0.001
points = points.double()
torch.manual_seed(0)
model = MLP(2, 8, 2, activation=torch.tanh).double()
weights, lr, objectives = MLPWeights.of(model), 0.5, []
optimizer = torch.optim.SGD(
    [
        {"params": [model.hidden.weight, model.output.weight], "weight_decay": decay},
        {"params": [model.hidden.bias, model.output.bias]},
    ],
    lr=lr,
)
for _ in range(200):
    objective, kept = mlp_forward(weights, points, classes, "tanh", decay)
    gradient = mlp_backward(weights, kept, classes, "tanh", decay)
    for name, tensor in vars(weights).items():
        tensor -= lr * getattr(gradient, name)
    objectives.append(objective.item())

    optimizer.zero_grad()
    F.cross_entropy(model(points), classes).backward()
    optimizer.step()

apart = max(
    (ours - theirs).abs().max().item()
    for ours, theirs in zip(vars(weights).values(), model.parameters(), strict=True)
)
right = (model(points).argmax(dim=1) == classes).double().mean().item()
print(f"after 200 steps the weights are {apart:.0e} apart; accuracy {right:.3f}")

# %%
plot.lines(range(1, 201), {"objective": objectives}, x_label="step", y_label="objective")

# %% [markdown]
# ## torch's graph
#
# While torch computes it builds this graph itself, out of one node for each operation, each of which
# knows how to hand gradients on. Followed from the loss to its end it is ours, read from the right:


# %%
def nodes_below(node):
    yield node
    for below, _ in node.next_functions:
        if below is not None:
            yield from nodes_below(below)


loss = F.cross_entropy(model(points), classes)
noted = [node.name().split("::")[-1].removesuffix("0") for node in nodes_below(loss.grad_fn)]
print(" ".join(name.removesuffix("Backward") for name in noted))

# %% [markdown]
# `Addmm` is a matrix product and the addition of a bias, `T` a transpose, and
# `AccumulateGrad` puts a gradient down at a parameter: four times here.
#
# ## What it costs to remember
#
# The formulas for the gradients need values of the way forward: $\mathbf{G}_{\mathbf{W}_2}$ needs $\mathbf{H}$, and
# $\mathbf{G}_{\mathbf{W}_1}$ needs $\mathbf{X}$. So these must be kept until the way back has reached them. Besides
# inputs and weights, which are there anyway, our program keeps $\mathbf{H}$ and the logarithms of
# the probabilities: $B(H + K)$ numbers. And torch?

# %% source
from divekit.evaluate.memory import kept_for_backward, peak_memory

# %%
batch, wide = torch.randn(512, 784), MLP(784, 256, 10)
answers = torch.zeros(512, dtype=torch.long)
by_hand = 4 * 512 * (256 + 10)  # four bytes to a number
kept_by_torch = kept_for_backward(
    lambda: F.cross_entropy(wide(batch), answers), besides=[batch, answers, *wide.parameters()]
)
with torch.no_grad():
    kept_in_use = kept_for_backward(lambda: wide(batch))
print(
    f"kept: by hand {by_hand:,} bytes, by torch {kept_by_torch:,}, without gradients {kept_in_use}"
)

# %% [markdown]
# The same, but for a number. torch too writes the slope of ReLU with its output.
#
# One layer more is one $\mathbf{H}$ more to keep. A model that is only used can forget each layer as soon
# as the next one is computed. So the memory of training grows with the depth, and that of using a model
# does not. Layers of 256 units, a batch of 512, in units of one $\mathbf{H}$, half a megabyte:

# %%
batch, unit = torch.randn(512, 256), 4 * 512 * 256
depths, training, using = [1, 2, 4, 6, 8, 12, 16], [], []
for depth in depths:
    layers = [layer for _ in range(depth) for layer in (nn.Linear(256, 256, bias=False), nn.ReLU())]
    deep = nn.Sequential(*layers)
    training.append(peak_memory(lambda deep=deep: deep(batch).sum().backward()) / unit)
    with torch.no_grad():
        using.append(peak_memory(lambda deep=deep: deep(batch)) / unit)
print("training:", [round(size, 2) for size in training])
print("using:   ", using)

# %%
plot.lines(
    depths,
    {"training": training, "using": using},
    x_label="layers",
    y_label="most memory at one time, in layers",
    y_limits=(0, 19),
)

# %% [markdown]
# What is kept grows with the batch as well, while the weights do not. When a model does not fit into
# the memory of a device, smaller batches are the first remedy. Another is to keep only some of the layers, and
# to compute the others a second time on the way back: `torch.utils.checkpoint`.

# %%
assert max(gaps.values()) < 1e-12, "by hand and by autograd are the same gradients"
assert off < 1e-8, "and they are the slopes that a nudge finds"
assert passes == 2 * (4 * 5 + 4 + 3 * 4 + 3), "two passes for each weight"
assert apart < 1e-10, "200 steps by hand end where those of torch end"
assert right > 0.95 and objectives[-1] < 0.5 * objectives[0], "nothing was learned"
assert noted.count("AccumulateGrad") == 4, "there are two matrices and two biases"
assert abs(kept_by_torch - by_hand) <= 16, "torch keeps what the formulas need, and no more"
assert kept_in_use == 0, "without gradients nothing is kept"
assert using == [2.0] * len(depths), "in use two layers are held at a time, whatever the depth"
growth = (training[-1] - training[2]) / (depths[-1] - depths[2])
assert abs(growth - 1) < 0.05, "in training each layer stays"

# %% [markdown]
# ## Exercises
#
# 1. Derive $\mathbf{G}_{\mathbf{W}_2}$ entry by entry: which entries of $\mathbf{O}$ depend on $(\mathbf{W}_2)_{kj}$, and how? Sum over
#    them, and read off the matrix product.
# 2. Add a second hidden layer to the graph, then to `mlp_forward` and `mlp_backward`. Which lines are new, and
#    which of the old ones change?
# 3. Put dropout of 4.6 after $\mathbf{H}$. What has to be kept for the way back, and what is the line?
# 4. The order matters: $\mathbf{G}_\mathbf{O} \mathbf{W}_2$ and then $\odot\, \sigma'$ needs $BKH$ multiplications. How many
#    would it take to build the derivative of all of $\mathbf{O}$ by all of $\mathbf{W}_1$ first?
# 5. Estimate, then measure with `kept_for_backward`: what does the network keep with
#    `activation=lambda z: z * torch.sigmoid(z)`, in which each operation is noted down by itself?
#
# ## What to try next
#
# - In training by hand, `"relu"` for `"tanh"` (and in the `MLP`) is right about 0.987 of the points after
#   200 steps; `"sigmoid"` needs more of them and is at 0.55. `decay = 0.1` learns nothing: what the weights would
#   cost is more than what they would save, and the objective stays at $\log 2$.
# - `MLP(784, 256, 10, F.silu)` in place of ReLU keeps two layers instead of one: its slope cannot be told
#   from what it gave.
# - `torch.utils.checkpoint.checkpoint_sequential(deep, 4, batch, use_reentrant=False)` in place of `deep(batch)`
#   lowers the peak of 16 layers from 17.5 to 8.5. With 2 or 8 parts in place of 4 it is 10.5.
# - Twice the batch, and the peak of 16 layers is 34.5: the weights' share is too small to be seen.
# - 4.8 asks what happens to these products when there are a hundred of them in a row.
