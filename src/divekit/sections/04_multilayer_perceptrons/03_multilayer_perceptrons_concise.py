# %% [markdown]
# # 4.3 Multilayer perceptrons, concisely
#
# With torch's layers a multilayer perceptron is a few lines. They are held against those of 4.2
# first: from equal weights, equal scores and equal gradients. Then the network is trained, set
# beside softmax regression on the same data, and opened: what do the 256 hidden units look for,
# and how often does each of them have something to say?

# %%
import torch
import torch.nn.functional as F
from torch import nn

from divekit import plot
from divekit.data import FashionMNIST
from divekit.train import fit

# %% [markdown]
# ## The model
#
# `MLP` has one attribute for each layer, so that the hidden numbers can be reached later.
# `nn.Sequential` is shorter still, and what comes out is the same. Initial values are a part of
# a model too: `sigma=0.01` draws them as 4.2 does, and without it they are torch's own.

# %% source
from divekit.models.multilayer_perceptron import MLP

# %%
facts = FashionMNIST().open().facts
torch.manual_seed(0)
concise = MLP(facts.num_features, 256, facts.num_classes, sigma=0.01)
chain = nn.Sequential(nn.Flatten(), concise.hidden, nn.ReLU(), concise.output)
print(concise)
print("parameters:", sum(parameter.numel() for parameter in concise.parameters()))

# %% [markdown]
# The one from scratch keeps its matrices as the formula has them, (D, H) and (H, O). `nn.Linear`
# has a row for each output, so a copy is a transpose.

# %% source
from divekit.models.multilayer_perceptron import MLPScratch
from divekit.nn.losses import cross_entropy

# %%
scratch = MLPScratch(facts.num_features, 256, facts.num_classes)
with torch.no_grad():
    scratch.hidden_weight.copy_(concise.hidden.weight.T)
    scratch.output_weight.copy_(concise.output.weight.T)  # the biases are zero in both

images, labels = next(iter(FashionMNIST().open().test))
for model in (scratch, concise):
    cross_entropy(model(images), labels).backward()
gaps = {
    "scores": (scratch(images) - concise(images)).abs().max().item(),
    "scores of the chain": (chain(images) - concise(images)).abs().max().item(),
    "hidden gradient": (scratch.hidden_weight.grad.T - concise.hidden.weight.grad)
    .abs()
    .max()
    .item(),
    "output gradient": (scratch.output_weight.grad.T - concise.output.weight.grad)
    .abs()
    .max()
    .item(),
}
for name, gap in gaps.items():
    print(f"{name:<19} differ by at most {gap:.0e}")

# %% [markdown]
# ## Training
#
# The recipe of 3.7 with another model in it. Settings are the book's: learning rate 0.1, batches
# of 256, ten epochs.

# %% source
from divekit.recipes.multilayer_perceptrons import mlp

# %%
run = fit(mlp())
plot.curves(run.history)

# %% [markdown]
# Beside it, softmax regression with the same loss, optimizer, batches and number of epochs:

# %%
from divekit.recipes import softmax_regression

linear = fit(softmax_regression())

# %%
plot.side_by_side({"linear": linear.history, "one hidden layer": run.history})

# %% [markdown]
# ## Whom the hidden layer helps


# %%
def count_by_class(run):
    """Give, for each class, how many test images are classified rightly, and how many there are."""
    pairs = [
        (run.predict(images).outputs.argmax(dim=1), labels) for images, labels in run.data.test
    ]
    guesses, labels = (torch.cat(parts) for parts in zip(*pairs, strict=True))
    hits = torch.bincount(labels[guesses == labels], minlength=run.facts.num_classes)
    return hits, torch.bincount(labels, minlength=run.facts.num_classes)  # both (K,)


(before, total), (after, _) = count_by_class(linear), count_by_class(run)
for k in (after - before).argsort(descending=True).tolist():
    print(f"{facts.class_names[k]:<11} {before[k] / total[k]:.1%} -> {after[k] / total[k]:.1%}")

# %% [markdown]
# On Fashion-MNIST the gain is small and uneven. Coats and pullovers, which share an outline, gain
# three or four percent; shirts stay the hardest, and T-shirts lose what others gain. Do not read
# much into one class: the test accuracy moves by as much from one epoch to the next. The
# training loss is the steadier witness: lower by a seventh. On the digits of the sample it is lower by
# a third, and the two models are right equally often.
#
# ## What the hidden units look for
#
# A hidden unit is one template, as a class was in 3.7: red pixels excite it, blue ones silence it.
# The classes are then mixed from the templates. Here are the twelve with the largest weights on
# the scores.

# %%
model = run.model.cpu()

# %%
height, width = facts.input_shape[1:]
heard = model.output.weight.detach().norm(dim=0)  # how loudly the scores listen: (O, H) -> (H,)
loudest = heard.argsort(descending=True)[:12]
templates = model.hidden.weight.detach()[loudest].view(-1, height, width)  # (12, D) -> (12, H, W)
favourites = model.output.weight.detach()[:, loudest].argmax(dim=0)  # (12,)
plot.images(templates, [facts.class_names[k] for k in favourites.tolist()], signed=True)

# %% [markdown]
# Over each stands the class that it speaks for most. Where a template of softmax regression had to
# hold a whole class, these hold parts: the gap between two trouser legs, a collar, the edge of
# a sleeve, the heel of a sandal; strokes, in the sample.
#
# ## How often they speak
#
# A unit is active on an image when its number is above zero before the bend.

# %%
everything = torch.cat([images for images, _ in run.data.test])
with torch.no_grad():
    active = model.hidden(everything.flatten(1)) > 0  # (N, D) -> (N, H)
share = active.float().mean(dim=0).sort().values
silent = int((share == 0).sum())
print(f"silent on every test image: {silent} of {len(share)} units")
print(f"on an image, {active.float().sum(dim=1).mean():.0f} units are active on average")

# %%
plot.lines(
    torch.arange(len(share)),
    {"units": share},
    x_label="hidden units, the quietest first",
    y_label="active on this share of the images",
)

# %% [markdown]
# A unit that is active on every image bends nothing: on these data it is linear. One that is
# never active is not there. The work is done by those in between. On Fashion-MNIST that is most of
# them. On the digits of the sample three units in four are active on nearly every image, the
# network is not far from a linear model, and no more accurate than one.

# %%
print(run.check())  # fails when the recipe's goal is missed
assert max(gaps.values()) < 1e-5, "scratch and concise disagree"
assert run.metrics["train_loss"] < 0.95 * linear.metrics["train_loss"], "the bend buys something"
right = (after.sum() / total.sum()).item()
assert abs(right - run.metrics["test_accuracy"]) < 1e-4, "the classes do not add up to the whole"
assert 0 < active.float().mean() < 1, "a bend that all or none of the units use is none"

# %% [markdown]
# ## Exercises
#
# 1. Add the three lines that give `MLP` a second hidden layer. With `sigma=0.01` its first epoch on
#    Fashion-MNIST ends at a training loss of 1.72, with torch's own initial values at 1.00. Print the
#    size of the hidden numbers in each layer before training, and explain.
# 2. Replace every hidden unit that is active on more than 99% of the images by the linear function
#    that it nearly is, and fold all of these into one matrix from pixels to scores. How many units
#    are left, and how much accuracy is lost?
# 3. Permute the hidden units of the trained network, together with the rows and columns that
#    belong to them. What changes? How many equal networks are there, with 256 units?
# 4. The scores of one image are a sum over hidden units. For an image that is classified
#    wrongly, list the five units that speak loudest for the wrong class, and draw their templates.
#
# ## What to try next
#
# On Fashion-MNIST, seed 0, where the recipe ends at 0.845:
#
# - `mlp(num_hidden=16)` reaches 0.836, and 1,024 units reach 0.849. In ten epochs the width is not what is
#   missing.
# - `mlp(batch_size=64)`: 0.869 in ten epochs, four times as many steps. `mlp(epochs=30)`: 0.862, while the
#   training loss falls to 0.28; the test accuracy still jumps by two percent from one epoch to the next.
# - `mlp(lr=1.0)` never passes 0.38 and ends at 0.10, which is guessing.
# - Leave out `sigma`, and torch's own initial values end at 0.849.
# - 4.4 asks what happens when a model can do more than its data ask for.
