# %% [markdown]
# # 4.2 Multilayer perceptrons, from scratch
#
# Softmax regression holds one template per class against an image and adds up. A multilayer
# perceptron looks for 256 patterns first, keeps those it finds, and weighs the classes by them.
# Section 4.1 showed on four clouds of points why the bend between the two layers matters; here the
# same network, written out on bare tensors, meets the pictures of clothing of 3.6. Data, loss
# and loop stay as they were there. Only the model is new.

# %%
from dataclasses import replace

import torch

from divekit import plot
from divekit.data import FashionMNIST
from divekit.train import fit

# %%
data = FashionMNIST().open()
facts = data.facts
images, labels = next(iter(data.test))
names = [facts.class_names[label] for label in labels.tolist()]
print(facts.name, facts.num_features, "features,", facts.num_classes, "classes")

# %% [markdown]
# ## The model
#
# A batch of flattened images $\mathbf{X}$, shape (B, D), becomes a batch of hidden numbers
# $\mathbf{H}$, shape (B, H), and these become scores $\mathbf{O}$, shape (B, O):
#
# $$\mathbf{H} = \operatorname{relu}(\mathbf{X}\mathbf{W}_1 + \mathbf{b}_1), \qquad
# \mathbf{O} = \mathbf{H}\mathbf{W}_2 + \mathbf{b}_2.$$
#
# The bend is applied to every hidden number by itself.

# %% source
from divekit.nn.activations import relu_scratch

# %% source
from divekit.models.multilayer_perceptron import MLPScratch

# %%
torch.manual_seed(0)
model = MLPScratch(784, 256, 10)
for name, parameter in model.named_parameters():
    print(f"{name:<14} {tuple(parameter.shape)!s:<11} {parameter.numel():>7,}")
count = sum(parameter.numel() for parameter in model.parameters())
print(f"{'together':<26} {count:>7,}")

# %% [markdown]
# Softmax regression on the same images has 7,850 parameters. Nearly all of the new ones are in
# the first matrix: one weight from each of 784 pixels to each of 256 hidden units.
#
# ## Why the weights begin as noise
#
# In 3.6 weights of zero would have done. Here they would not. Through a $\mathbf{W}_2$ of zeros no
# gradient comes back, and the hidden layer stays where it is. Copies are no better: hidden units
# with the same weights on both sides get the same gradient in every step and stay copies for
# ever, 256 units that do the work of one. Small random numbers make the units differ.


# %%
def make(start):
    torch.manual_seed(0)
    model = MLPScratch(facts.num_features, 256, facts.num_classes)
    with torch.no_grad():
        if start == "zeros":
            for parameter in model.parameters():
                parameter.zero_()
        if start == "copies":  # every hidden unit gets the weights of the first
            model.hidden_weight.copy_(model.hidden_weight[:, :1].expand(-1, 256))
            model.output_weight.copy_(model.output_weight[:1].expand(256, -1))
    return model


largest, apart = {}, {}
for start in ("zeros", "copies", "random"):
    model = make(start)
    loss = torch.nn.functional.cross_entropy(model(images), labels)
    gradient = torch.autograd.grad(loss, model.hidden_weight)[0]  # (D, H)
    largest[start] = gradient.abs().max().item()
    apart[start] = (gradient - gradient[:, :1]).abs().max().item()
    print(f"{start:<7} gradient up to {largest[start]:.0e}, units up to {apart[start]:.0e} apart")

# %% [markdown]
# ## Training
#
# Loss, optimizer and settings are those of 3.6: cross-entropy on scores, steps of 0.1 against the
# gradient, ten epochs.

# %% source
from divekit.recipes.multilayer_perceptrons import mlp_scratch

# %%
run = fit(mlp_scratch())
plot.curves(run.history)

# %% [markdown]
# And the network whose units began as copies, with everything else the same:

# %%
copies = fit(replace(mlp_scratch(), model=lambda facts: make("copies")))
weight = copies.model.hidden_weight
still_copies = torch.equal(weight, weight[:, :1].expand_as(weight))
print("all hidden units alike after training:", still_copies)

# %%
plot.side_by_side({"256 units": run.history, "256 copies": copies.history}, metric="accuracy")

# %% [markdown]
# ## What it says
#
# Test images and the answers to them. Where it errs, the truth stands below in brackets.

# %%
predicted = run.predict(images[:18])
plot.images(images[:18], predicted.labels, truth=names[:18])

# %%
print(run.check())  # fails when the recipe's goal is missed
assert count == 256 * (784 + 1) + 10 * (256 + 1), "the weights and biases of two layers"
assert largest["zeros"] == 0 < largest["copies"], "zeros give the hidden layer no gradient"
assert apart["copies"] < 1e-8 < 1e-4 < apart["random"], "copies get one gradient, noise many"
assert still_copies, "nothing ever parts units that begin alike"
assert copies.metrics["test_accuracy"] < 0.6 < run.metrics["test_accuracy"]

# %% [markdown]
# ## Exercises
#
# 1. Put a second hidden layer of 256 units between the first and the scores. Write the class, count
#    the new parameters, and train it with the recipe's other settings.
# 2. Which starts keep hidden units apart: equal hidden weights with random output weights, or
#    random hidden weights with equal output weights? Argue first, then extend `make`.
# 3. Write the network without a bias in the hidden layer. Does its accuracy suffer? What can no
#    hidden unit do any more on an image that is black all over?
# 4. A hidden unit is *silent* when it gives zero for every training image. It then has no gradient
#    and stays silent. How many units of the trained model are, and how many at `lr=1`?
#
# ## What to try next
#
# On Fashion-MNIST, seed 0, where the recipe ends at 0.847:
#
# - Take the bend out, `MLPScratch(784, 256, 10, activation=lambda hidden: hidden)`: 0.830, and a training
#   loss of 0.43 in place of 0.38. That is softmax regression, at 26 times the number of weights.
# - `sigma=0.1` ends at 0.855, and its first epoch at a training loss of 0.73 in place of 1.05. With
#   `sigma=0.0001` the start is slower, 1.54, and the end 0.840. `sigma=1` is too much: 0.772.
# - `divekit train mlp_scratch lr=0.5`: 0.861, with drops to 0.80 and 0.82 on the way.
# - 4.3 builds the network from torch's layers and looks inside.
