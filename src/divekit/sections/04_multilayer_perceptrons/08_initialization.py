# %% [markdown]
# # 4.8 Numerical stability and initialization
#
# Backward propagation multiplies: one matrix and one slope for every layer that a gradient passes. A
# product of many numbers below one is nothing, and a product of many numbers above one is everything. This
# section measures both in networks of thirty layers, shows what else goes wrong when weights begin
# badly, and derives how large they should begin.

# %%
import itertools

import torch
import torch.nn.functional as F
from torch import nn

from divekit import plot
from divekit.data import XOR
from divekit.models import MLP

# %% [markdown]
# ## A hundred matrices
#
# Multiply a hundred random matrices and follow the size of the product, the root of the mean square of
# its entries times $\sqrt{n}$, which is 1 for the identity. If the entries of an $n \times n$ matrix have mean
# zero and variance $\sigma^2$, each factor multiplies the *expected* square of the size by $n \sigma^2$.
# Where nothing else is said, $n = 4$.


# %%
def product_sizes(draw, n):
    product, sizes = torch.eye(n, dtype=torch.float64), []
    for _ in range(100):
        product = product @ draw(n)
        sizes.append((product.norm() / n**0.5).item())
    return sizes


generator = torch.Generator().manual_seed(0)


def normal(n, sigma=1.0):
    return sigma * torch.randn(n, n, dtype=torch.float64, generator=generator)


products = {
    "variance 1": product_sizes(normal, 4),
    "variance 1/n": product_sizes(lambda n: normal(n, n**-0.5), 4),
    "variance 1/n, n = 64": product_sizes(lambda n: normal(n, n**-0.5), 64),
    "rotations": product_sizes(lambda n: torch.linalg.qr(normal(n)).Q, 4),
}
for name, sizes in products.items():
    print(f"{name:<21} after 100 factors {sizes[-1]:.1e}")

# %%
plot.lines(range(1, 101), products, x_label="factors", y_label="size of the product", log="y")

# %% [markdown]
# With variance 1 the product explodes. With $n \sigma^2 = 1$ the expectation stays, yet the small product
# dwindles: the mean of its square is held up by a few enormous cases that one seldom meets. In a
# wide matrix there is more to average over, and typical and expected are nearly the same. Rotations
# keep every length, for ever.
#
# ## Slopes are factors too
#
# Section 4.1 put the slope of the sigmoid at 1/4 or less, and at nearly nothing away from zero. Thirty of
# them in a row leave at most $4^{-30} \approx 10^{-18}$ of a gradient, unless the matrices make up for it.

# %%
x = torch.linspace(-8, 8, 161, requires_grad=True)
slope = torch.autograd.grad(torch.sigmoid(x).sum(), x)[0]
print(f"steepest {slope.max():.4f}, at 8 {slope[-1]:.4f}")

# %%
plot.lines(
    x.detach(),
    {"sigmoid": torch.sigmoid(x).detach(), "its slope": slope},
    x_label="x",
    y_label="value",
)

# %% [markdown]
# ## How large should a weight begin?
#
# Take a layer $z_i = \sum_j w_{ij} h_j$ with independent weights of mean zero and variance $\sigma^2$. What
# comes out has mean zero, and with $n_\text{in}$ inputs, each of mean square $q$,
#
# $$\operatorname{Var} z_i = \sum_{j=1}^{n_\text{in}} \operatorname{Var}(w_{ij})\, \mathbb{E}[h_j^2]
# = n_\text{in}\, \sigma^2\, q .$$
#
# The signal keeps its size on the way **forward** if $n_\text{in} \sigma^2 = 1$. On the way **back** the
# transposed matrix is at work, sums run over outputs, and the gradient keeps its size if
# $n_\text{out} \sigma^2 = 1$. Both at once can only be had in a square layer. Glorot and Bengio
# proposed the middle (*Xavier* initialization, after the first author's first name):
#
# $$\tfrac12 (n_\text{in} + n_\text{out})\, \sigma^2 = 1, \qquad
# \sigma^2 = \frac{2}{n_\text{in} + n_\text{out}} .$$
#
# A uniform distribution on $(-a, a)$ has variance $a^2 / 3$, so $a = \sqrt{6 / (n_\text{in} + n_\text{out})}$.
#
# This takes the activation for a straight line of slope 1, as tanh is near zero. ReLU drops one half of a
# signal that is symmetric around zero, and with it half of the mean square. He and others therefore double the
# variance, $\sigma^2 = 2 / n_\text{in}$ (*Kaiming* initialization, by the same custom).

# %% source
from divekit.nn.initialization import (
    fans,
    kaiming_normal_scratch,
    kaiming_uniform_scratch,
    xavier_normal_scratch,
    xavier_uniform_scratch,
)

# %% [markdown]
# The derivation can be tested by its variances: 4,000 signals of variance 1, through a layer from 300 to
# 500 numbers and, as gradients are, back.

# %%
weight = xavier_uniform_scratch(torch.empty(500, 300), generator=generator)
forward = (torch.randn(4000, 300, generator=generator) @ weight.T).var().item()
backward = (torch.randn(4000, 500, generator=generator) @ weight).var().item()
bound = weight.abs().max().item()
print(f"forward {forward:.3f}, expected {300 * 2 / 800}; back {backward:.3f}, {500 * 2 / 800}")
print(f"largest weight {bound:.5f}, bound {(6 / 800) ** 0.5:.5f}")

pairs = {
    "Xavier, uniform": (xavier_uniform_scratch, nn.init.xavier_uniform_),
    "Xavier, normal": (xavier_normal_scratch, nn.init.xavier_normal_),
    "Kaiming, uniform": (
        kaiming_uniform_scratch,
        lambda w: nn.init.kaiming_uniform_(w, nonlinearity="relu"),
    ),
    "Kaiming, normal": (
        kaiming_normal_scratch,
        lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu"),
    ),
}
gaps = {}
for name, draws in pairs.items():
    weights = []
    for draw in draws:
        torch.manual_seed(0)
        weights.append(draw(torch.empty(64, 16, 3, 3)))  # a convolution of chapter 6
    gaps[name] = (weights[0] - weights[1]).abs().max().item()
    print(f"{name:<17} from one seed at most {gaps[name]:.0e} from torch's")

# %% [markdown]
# ## Thirty layers
#
# Layers of 128 units without biases, 256 random inputs, a cross-entropy on top. For each layer: the size
# of what it gives, the root of a mean square, and the length of the gradient that reaches it. In double
# precision, so that $10^{-60}$ is still a number; in single precision the lines would end at $10^{-38}$.

# %%
depth, width = 30, 128
signals = torch.randn(256, width, dtype=torch.float64, generator=generator)
targets = torch.randint(10, (256,), generator=generator)
head = torch.randn(width, 10, dtype=torch.float64, generator=generator) / width**0.5
starts = {
    "N(0, 0.01^2)": lambda w: w.normal_(0.0, 0.01, generator=generator),
    "N(0, 1)": lambda w: w.normal_(0.0, 1.0, generator=generator),
    "Xavier": lambda w: xavier_normal_scratch(w, generator=generator),
    "Kaiming": lambda w: kaiming_normal_scratch(w, generator=generator),
}


def sizes_by_layer(activation, start):
    """Give the size of the signal after each layer, and of the gradient that comes back to it."""
    hidden, layers = signals.clone().requires_grad_(), []
    for _ in range(depth):
        weight = start(torch.empty(width, width, dtype=torch.float64))
        hidden = activation(hidden @ weight.T)
        layers.append(hidden)
    gradients = torch.autograd.grad(F.cross_entropy(hidden @ head, targets), layers)
    sizes = [layer.detach().square().mean().sqrt().item() for layer in layers]
    return sizes, [gradient.norm().item() for gradient in gradients]


measured = {
    (bend, name): sizes_by_layer(activation, start)
    for bend, activation in (("sigmoid", torch.sigmoid), ("ReLU", torch.relu))
    for name, start in starts.items()
}
for (bend, name), (sizes, gradients) in measured.items():
    print(
        f"{bend:<7} {name:<12} signal {sizes[0]:.0e} to {sizes[-1]:.0e}, "
        f"gradient {gradients[-1]:.0e} at the top, {gradients[0]:.0e} at the bottom"
    )

# %%
picture = plot.new_picture(width=8.4, height=5.6)
panels = picture.subplots(2, 2, sharex=True)
for column, bend in enumerate(("sigmoid", "ReLU")):
    for row, what in enumerate(("signal", "gradient")):
        axes = panels[row][column]
        for name in starts:
            plot.draw_line(axes, range(1, depth + 1), measured[bend, name][row], name)
        if (bend, what) == ("sigmoid", "signal"):
            axes.set_ylim(0.1, 1)
        axes.set(yscale="log", ylabel=f"{what}, {bend}", xlabel="layer" if row else "")
        plot.style_axes(axes)
        if not row:
            plot.add_legend(axes)
picture

# %% [markdown]
# Read the gradients from right to left, as they travel. Through **sigmoids** they vanish with every start
# but one. $\mathcal{N}(0, 1)$ is so large that it makes up for the slopes, by luck of
# width and depth. And the signals, always positive, hover around one half and tell little about the
# input. With **ReLU** everything depends on the start. Small weights lose the signal and the gradient,
# large ones blow both up, Xavier halves the square of either in each layer, and Kaiming keeps them, as
# derived. By 4.7 the gradient of a layer's weights is a product of the signal that comes in and the
# gradient that comes back, so what the weights are told is lost on either way.
#
# A gradient of $10^{-40}$ is not merely slow. Added to a weight of 0.01 in single precision it
# changes nothing at all.
#
# ## Symmetry
#
# Size is not all. Let all weights of a network begin at the *same* number. Every hidden unit then computes the
# same, gets the same gradient, and makes the same step, so they are one unit for ever. Exchanging two units
# changes nothing in the network's output; if nothing tells them apart at the start, nothing will.
# Noise tells them apart: random weights, but also the dropout of 4.6.

# %%
points, classes = XOR().open().train.tensors


def train_from_equal_weights(drop):
    torch.manual_seed(0)
    model = MLP(2, 8, 2, activation=lambda hidden: F.dropout(hidden.tanh(), drop))
    for parameter in model.parameters():
        nn.init.constant_(parameter, 0.1)
    with torch.no_grad():
        model.output.weight[1] = -0.1  # else the two classes would be alike as well
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    for _ in range(200):
        optimizer.zero_grad()
        F.cross_entropy(model(points[:250]), classes[:250]).backward()
        optimizer.step()
    return len(model.hidden.weight.detach().unique(dim=0))


different = {drop: train_from_equal_weights(drop) for drop in (0.0, 0.5)}
print("different units among 8, by share dropped:", different)

# %% [markdown]
# ## Does it matter?
#
# Twenty ReLU layers of 64 units on 250 points of the four clouds, with each start and the same steps.


# %%
def train_deep(start):
    torch.manual_seed(0)
    generator.manual_seed(1)
    sizes = [2] + [64] * 20
    layers = []
    for inputs, outputs in itertools.pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    model = nn.Sequential(*layers, nn.Linear(64, 2))
    for layer in model[::2]:
        with torch.no_grad():
            start(layer.weight)
            layer.bias.zero_()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    losses = []
    for _ in range(50):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(points[:250]), classes[:250])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


losses = {name: train_deep(starts[name]) for name in ("N(0, 0.01^2)", "Xavier", "Kaiming")}
for name, values in losses.items():
    print(f"{name:<13} loss {values[0]:.3f} -> {values[-1]:.3f}")

# %%
plot.lines(range(1, 51), losses, x_label="step", y_label="loss")

# %% [markdown]
# The small start sits at $\log 2$, which is guessing. Xavier's is a millionth of a signal at the top and sits
# there as well, for now. Kaiming's learns from the first step on. In 4.2 the same $\mathcal{N}(0, 0.01^2)$ did
# well: with one hidden layer there is not much to multiply. Depth makes the start matter.

# %%
assert products["variance 1"][-1] > 1e15, "a hundred matrices of variance 1 explode"
assert products["variance 1/n"][-1] < 0.1, "small ones of variance 1/n dwindle"
assert 0.1 < products["variance 1/n, n = 64"][-1] < 10, "wide ones of variance 1/n stay"
assert abs(products["rotations"][-1] - 1) < 1e-12, "rotations keep lengths"
assert abs(slope.max() - 1 / 4) < 1e-6 and slope[-1] < 1e-3
assert abs(forward - 0.75) < 0.04 and abs(backward - 1.25) < 0.06, "Xavier's variances"
assert 0.99 * (6 / 800) ** 0.5 < bound < 1.0001 * (6 / 800) ** 0.5, "Xavier's bound"
assert max(gaps.values()) < 1e-6, "the initializers are torch's"
fall = {key: gradients[0] / gradients[-1] for key, (_, gradients) in measured.items()}
for name in ("N(0, 0.01^2)", "Xavier", "Kaiming"):
    assert fall["sigmoid", name] < 1e-10, "gradients vanish through sigmoids"
for name in ("N(0, 0.01^2)", "N(0, 1)"):
    reach = measured["ReLU", name][0][-1]
    assert not 1e-20 < reach < 1e20, "ReLU loses a signal or blows it up"
    assert not 1e-20 < fall["ReLU", name] < 1e20, "and the gradient as well"
signal = measured["ReLU", "Kaiming"][0]
assert 0.1 < signal[-1] / signal[0] < 10, "Kaiming keeps the signal through ReLU"
assert 0.1 < fall["ReLU", "Kaiming"] < 10, "and the gradient"
assert different[0.0] == 1 and different[0.5] == 8, "only noise parts units that begin alike"
assert losses["Kaiming"][-1] < 0.3 < 0.69 < losses["N(0, 0.01^2)"][-1], "depth needs a good start"

# %% [markdown]
# ## Exercises
#
# 1. Show that the expected square of the size of a product of $k$ matrices is $(n\sigma^2)^k$. Then draw the
#    sizes of 1,000 products of a hundred $4 \times 4$ matrices of variance 1/4: mean, median and largest.
# 2. Derive the *gain* of tanh: by how much must the standard deviation be multiplied so that a signal of
#    size 0.5 keeps it? Compare with `nn.init.calculate_gain("tanh")`.
# 3. The output of a sigmoid has mean 1/2. Why does that make the signal panel of the sigmoid so flat,
#    and what changes with $2 \operatorname{sigmoid}(2x) - 1$?
# 4. In the symmetric network, draw only the *output* weights at random. Are the hidden units still copies after
#    one step? And with only the hidden weights random?
# 5. Fill the matrices of the thirty ReLU layers with rotations (`torch.linalg.qr`) times $\sqrt2$. Do signal and
#    gradient keep their sizes better than with Kaiming's normal draws?
#
# ## What to try next
#
# - `torch.tanh` through thirty layers: with Xavier the signal goes from 0.63 to 0.12 and the gradient on its
#   way back from 0.057 to 0.013. This is the activation that the derivation was made for.
# - `F.silu`, a rounded ReLU: Kaiming's signal falls from 0.9 to 0.0001. Near zero its slope is 1/2, so what
#   suits ReLU no longer suits it once the signal is small.
# - 1,000 steps in place of 50 in `train_deep`: Xavier's loss is at 0.001 in the end. It was only late. The small
#   start is still at 0.693. With `lr=0.3` as well Kaiming's diverges: a good start is no licence for any step.
# - `[64] * 3` layers in place of 20: Xavier's is at 0.56 after 50 steps, and the small start has not moved
#   even there.
# - 4.9 leaves the network alone and asks what happens when the data change under it.
