# %% [markdown]
# # 4.6 Dropout
#
# Weight decay asks for small weights. *Dropout* asks for something else: a network should be able to
# do without any one of its units. In every training step each hidden unit is left out by the toss
# of a coin, so none can count on a particular other being there. This section writes dropout in
# three lines, works out what it does to a linear model, where the answer is exact, trains the book's
# network with it, and finds data on which it makes a difference.

# %%
import itertools

import torch
import torch.nn.functional as F

from divekit import plot
from divekit.data import FashionMNIST
from divekit.train import fit

# %% [markdown]
# ## Dropping and stretching
#
# Each entry $h$ of a layer becomes
#
# $$h' = \begin{cases} 0 & \text{with probability } p, \\
# \dfrac{h}{1-p} & \text{otherwise.} \end{cases}$$
#
# The division is there for the mean: $\mathbb{E}[h'] = p \cdot 0 + (1-p) \cdot \frac{h}{1-p} = h$.
# The next layer receives sums of the usual size, and when the trained model is used nothing has to
# be corrected: dropout is simply left out. The price is noise, of variance $\frac{p}{1-p} h^2$.

# %% source
from divekit.nn.dropout import DropoutScratch, dropout_scratch

# %%
generator = torch.Generator().manual_seed(0)
row = torch.arange(1.0, 9.0)
for p in (0.0, 0.5, 1.0):
    print(f"p = {p}:", dropout_scratch(row, p, generator=generator).tolist())

# %% [markdown]
# A picture of clothing, with more and more of its pixels dropped. Above one draw each, below the mean
# over 1,000 draws: whatever $p$ is, the mean is the picture. The larger $p$, the
# longer the averaging takes.

# %%
data = FashionMNIST().open()
facts = data.facts
images, labels = (torch.cat(part)[:1000] for part in zip(*data.test, strict=True))
chances = (0.0, 0.2, 0.5, 0.8)
once = [dropout_scratch(images[0], p, generator=generator) for p in chances]
means, spreads = {}, {}
for p in chances:
    draws = dropout_scratch(images[:1].expand(1000, -1, -1, -1), p, generator=generator)
    means[p], spreads[p] = draws.mean(dim=0), draws.var(dim=0).mean().item()

# %%
captions = [f"p = {p:g}" for p in chances] + ["mean of 1,000"] * len(chances)
plot.images(torch.stack([*once, *means.values()]), captions, columns=4, limits=(0, 1))

# %% [markdown]
# ## What it does to a linear model
#
# Drop the *features* of a linear model with squared loss, and average over all that could be dropped.
# The mean of $h'$ is right, so what is left of the noise is its variance:
#
# $$\mathbb{E} \Bigl[ \tfrac12 \lVert \mathbf{y} - \mathbf{X}'\mathbf{w} \rVert^2 \Bigr]
# = \tfrac12 \lVert \mathbf{y} - \mathbf{X}\mathbf{w} \rVert^2
# + \frac{p}{1-p} \cdot \tfrac12 \sum_j w_j^2 \sum_i x_{ij}^2.$$
#
# The second term is the penalty of 4.5, with a decay of its own for each weight: the larger a feature
# usually is, the more its weight is restrained. One example and eight features have 256
# masks, few enough to try them all.

# %%
x, w = torch.randn(2, 8, dtype=torch.float64, generator=generator)
y, p = 0.7, 0.3
average = 0.0
for choice in itertools.product([True, False], repeat=8):
    kept = torch.tensor(choice)
    chance = (1 - p) ** sum(choice) * p ** (8 - sum(choice))
    average += chance * (y - dropout_scratch(x, p, kept=kept) @ w) ** 2 / 2
plain = (y - x @ w) ** 2 / 2
penalty = p / (1 - p) * (w**2 * x**2).sum() / 2
print(f"over all masks {average:.12f}, loss and penalty {plain + penalty:.12f}")

# %% [markdown]
# In a deep network there is no such formula. Hidden units are not given but learned, and those that
# are of use only together with one certain other do badly under the coin.
#
# ## The network
#
# Two hidden layers of 256 units, with dropout after each ReLU: few units near the input are dropped,
# since what is lost there is lost for good, and more above. Nothing is dropped from the scores.

# %% source
from divekit.nn.activations import relu_scratch

# %% source
from divekit.models.dropout_mlp import DropoutMLP, DropoutMLPScratch

# %% [markdown]
# `training` is a property that every module has: `model.train()` and `model.eval()` set it for all
# parts at once. The version with torch's layers differs in nothing. To see that, it gets the same
# weights, and the one from scratch the masks that torch has drawn: what torch left of a layer
# of ones shows them.

# %%
torch.manual_seed(0)
scratch = DropoutMLPScratch(facts.num_features, facts.num_classes, sigma=0.1)
concise = DropoutMLP(facts.num_features, facts.num_classes)
with torch.no_grad():
    for number in (1, 2, 3):
        layer = getattr(concise, f"linear{number}")
        layer.weight.copy_(getattr(scratch, f"weight{number}").T)
        layer.bias.copy_(getattr(scratch, f"bias{number}"))

torch.manual_seed(1)
masks = [F.dropout(torch.ones(len(images), 256), p) != 0 for p in (0.2, 0.5)]
torch.manual_seed(1)
by_torch = concise(images)

hidden = relu_scratch(images.flatten(1) @ scratch.weight1 + scratch.bias1)
hidden = dropout_scratch(hidden, 0.2, kept=masks[0])
hidden = relu_scratch(hidden @ scratch.weight2 + scratch.bias2)
by_hand = dropout_scratch(hidden, 0.5, kept=masks[1]) @ scratch.weight3 + scratch.bias3

same_masks = (by_hand - by_torch).abs().max().item()
other_masks = (scratch(images) - by_torch).abs().max().item()
in_use = (scratch.eval()(images) - concise.eval()(images)).abs().max().item()
print(f"while training: same masks {same_masks:.0e}, other masks {other_masks:.1f} apart")
print(f"in use: {in_use:.0e} apart")

# %% [markdown]
# ## Training

# %% source
from divekit.recipes.dropout import mlp_dropout_scratch

# %%
run = fit(mlp_dropout_scratch())
plot.curves(run.history)

# %% [markdown]
# At first, and on the digits to the end, the curve of the test images is the better one. That is no
# riddle: while training, the accuracy is that of a network with a part of its units missing. The same
# weights on the same training images, with every unit in its place, do better.

# %%
run.model.eval()
with torch.no_grad():
    hits = sum((run.model(x).argmax(dim=1) == y).sum().item() for x, y in data.train)
in_place = hits / data.train.num_examples
crippled = run.metrics["train_accuracy"]
print(f"training images, in the last epoch {crippled:.3f}; every unit in place {in_place:.3f}")

# %% [markdown]
# The recipe with torch's layers is below: `divekit train mlp_dropout`. Its network has been shown to be the
# same, so its runs differ by the draws of the masks, and come out alike.

# %% source
from divekit.recipes.dropout import mlp_dropout

# %% [markdown]
# ## A crowd of networks
#
# Dropping half of 256 units leaves a network out of $2^{256}$. All of them share their weights,
# and the full network stands in for their mean. How well? Let single draws answer the test
# images, let 50 of them vote with their probabilities, and ask the full network.

# %%
answers = torch.zeros(len(images), facts.num_classes)
singles = []
run.model.train()
torch.manual_seed(0)
with torch.no_grad():
    for _ in range(50):
        probabilities = run.model(images).softmax(dim=1)
        answers += probabilities / 50
        singles.append((probabilities.argmax(dim=1) == labels).float().mean().item())
    full = run.model.eval()(images).softmax(dim=1)
single = sum(singles) / len(singles)
vote, whole = ((p.argmax(dim=1) == labels).float().mean().item() for p in (answers, full))
agree = (answers.argmax(dim=1) == full.argmax(dim=1)).float().mean().item()
print(f"accuracy: one draw {single:.3f}, a vote of 50 {vote:.3f}, the full network {whole:.3f}")
print(f"vote and full network answer alike on {agree:.1%} of {len(images)} images")

# %% [markdown]
# ## Learning by heart
#
# Ten epochs over 60,000 images leave little to be cured: there is hardly a gap between the curves
# above. So we make a task in which learning by heart does harm. Take 400 training images and
# give two in five a label out of the hat. A network that can recite these labels has
# learned nothing by it, and bends its answers to other images around them.

# %%
parts = list(zip(*itertools.islice(data.train, 20), strict=True))
few, truth = (torch.cat(part)[:400] for part in parts)
drawn = torch.rand(400, generator=generator) < 0.4
given = torch.where(drawn, torch.randint(10, (400,), generator=generator), truth)
false = given != truth
print(f"{false.sum().item()} of 400 labels are false")


def train_on_false_labels(dropout):
    torch.manual_seed(0)
    model = DropoutMLP(facts.num_features, facts.num_classes, dropout=dropout, sigma=0.05)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    losses = []
    for _ in range(50):
        for rows in torch.randperm(400).split(100):
            optimizer.zero_grad()
            F.cross_entropy(model(few[rows]), given[rows]).backward()
            optimizer.step()
        with torch.no_grad():
            losses.append(F.cross_entropy(model.eval()(images), labels).item())
            model.train()
    with torch.no_grad():
        recited = (model.eval()(few[false]).argmax(dim=1) == given[false]).float().mean().item()
        right = (model(images).argmax(dim=1) == labels).float().mean().item()
    return losses, recited, right


cured = {}
for name, dropout in (("without dropout", (0.0, 0.0)), ("dropout 0.5", (0.5, 0.5))):
    cured[name] = train_on_false_labels(dropout)
    print(f"{name}: recites {cured[name][1]:.0%} of the false labels, test {cured[name][2]:.3f}")

# %%
plot.lines(
    range(1, 51),
    {name: losses for name, (losses, _, _) in cured.items()},
    x_label="epoch",
    y_label="test loss",
)

# %% [markdown]
# Both learn what the images have in common first. Then the false labels have their turn, and without
# dropout the test loss climbs. Dropout does not forbid reciting. It makes it expensive, since a label that
# is known by heart must be known to every half of the network.

# %%
print(run.check())  # fails when the recipe's goal is missed
for p in chances:
    off = (means[p] - images[0]).abs().max()
    assert off <= 5 * (p / (1 - p) / 1000) ** 0.5 + 1e-6, "dropout keeps the mean"
    expected = p / (1 - p) * (images[0] ** 2).mean().item()
    assert abs(spreads[p] - expected) <= 0.05 * expected, "its variance is p / (1 - p) squares"
assert abs(average - plain - penalty) < 1e-12, "on a linear model dropout is weight decay"
assert same_masks < 1e-4 < 0.1 < other_masks, "with the same masks both networks are one"
assert in_use < 1e-4, "in use nothing is dropped"
assert in_place > crippled, "a network with all of its units is better than one without"
assert single < whole and agree > 0.9, "the full network stands in for the mean of all"
free, dropped = cured["without dropout"], cured["dropout 0.5"]
assert dropped[1] < 0.7 * free[1], "dropout keeps false labels from being learned"
assert dropped[0][-1] < 0.9 * free[0][-1], "and the test loss is the better for it"

# %% [markdown]
# ## Exercises
#
# 1. Take the division by $1-p$ out of `dropout_scratch`, train, and look at the test accuracy. By which
#    factor are the scores of the full network too large, and does that change its answers? Its loss?
# 2. Drop *weights* in place of units: a new mask for the matrix in every step. How many random
#    numbers does a batch need now, and how many masks do the examples of a batch share?
# 3. Give the linear model above weight decay and dropout together. Write the penalty, and find out for
#    which features which of the two counts more.
# 4. Put dropout before the first layer, on the pixels. Fashion-MNIST has pixels that are black in nearly
#    every image. What does the formula for the linear model say about their weights?
# 5. Let the network with dropout on (`model.train()`) answer one image 100 times. Are the answers more
#    spread where it is wrong? Use the spread to decide when to answer "unsure".
#
# ## What to try next
#
# - On the digits (`--sample`), `dropout1=0 dropout2=0` ends at 0.972 in the test and 0.967 in training, no worse
#   than with dropout: with 1,437 honest labels and ten epochs nothing is learned by heart yet.
# - `dropout1=0.5 dropout2=0.8` is too much for ten epochs: 0.894 in the test, and 0.866 in training.
# - `lr=0.1` has hardly begun after ten epochs there: 0.27. Weights of size 0.01 in three layers make scores
#   near zero and gradients to match. 4.8 says how large they should begin.
# - 4.7 takes the gradients out of torch's hands and writes them down.
