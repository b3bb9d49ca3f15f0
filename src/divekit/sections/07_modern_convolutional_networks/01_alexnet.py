# %% [markdown]
# # 7.1 Deep convolutional neural networks (AlexNet)
#
# For twenty years after LeNet, people measured images by rules of their own (edges, corners,
# histograms of them) and let a machine learn only the last step. In 2012 a network that learned
# all of it, from the pixels up, won the ImageNet challenge by a wide margin. It had LeNet's plan.
# What had changed were the data (a million labelled photographs), the hardware (two graphics
# cards), and a handful of decisions that this section looks at one by one: size, ReLU, dropout.

# %%
import torch
from torch import nn

from divekit import plot
from divekit.evaluate import summarise
from divekit.models import LeNet
from divekit.nn import cross_entropy
from divekit.train import fit

# %% [markdown]
# ## The network
#
# Five convolutions in place of two, three dense layers as before. The first kernel is 11 by 11 and
# moves by four pixels, since things in photographs are larger than in scans of 28 pixels. Pooling
# windows overlap: 3 by 3, in steps of 2. The images are enlarged to 224 pixels, for the sake of
# the network, not of the clothes. Fewer than 65 leave nothing for the third pooling, and that is
# an error at once.

# %% source
from divekit.models.alexnet import AlexNet

# %%
with torch.device("meta"):  # shapes without numbers: nothing is allocated
    alexnet_parts = summarise(AlexNet(), torch.empty(1, 1, 224, 224))
    lenet_parts = summarise(LeNet(), torch.empty(1, 1, 28, 28))
print(alexnet_parts)

# %%
dense = sum(layer.parameters for layer in alexnet_parts.layers if layer.kind == "Linear")
for name, parts in (("LeNet", lenet_parts), ("AlexNet", alexnet_parts)):
    print(f"{name:<8}{parts.parameters:>12,} parameters {parts.flops:>15,} FLOPs for an image")
print(f"of AlexNet's parameters {dense / alexnet_parts.parameters:.0%} are in its dense layers")

# %% [markdown]
# It has 758 times LeNet's parameters and does 2,252 times its work. The dense layers hold 92% of
# the parameters and do 5% of the work; 7.3 does without them.
#
# ## ReLU
#
# A sigmoid's slope is 1/4 at most (4.1), so eight layers of them leave a gradient next to nothing.
# Where ReLU is on, its slope is 1. Take the network before any training, once with each, and look
# at the gradients of the weights: their root mean square, from the first layer to the last.

# %%
generator = torch.Generator().manual_seed(0)
noise = torch.rand(32, 1, 65, 65, generator=generator)
targets = torch.randint(10, (32,), generator=generator)


def gradient_sizes(activation):
    torch.manual_seed(0)
    model = AlexNet(1, 10, 65, width=0.25, hidden=256, activation=activation)
    cross_entropy(model(noise), targets).backward()
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    return [layer.weight.grad.square().mean().sqrt().item() for layer in layers]


sizes = {"ReLU": gradient_sizes(nn.ReLU), "sigmoid": gradient_sizes(nn.Sigmoid)}
for name, values in sizes.items():
    print(f"{name:<8}", "  ".join(f"{value:.0e}" for value in values))

# %%
plot.lines(range(1, 9), sizes, x_label="layer", y_label="size of the gradient", log="y")

# %%
assert (alexnet_parts.parameters, lenet_parts.parameters) == (46_764_746, 61_706), "other networks"
assert sizes["ReLU"][0] > 1000 * sizes["sigmoid"][0], "the sigmoid does not starve the first layer"

# %% [markdown]
# With sigmoids the last layer has as much to go by as with ReLU, or more, and the first has almost
# nothing: it would take a thousand steps to go where ReLU goes in one. Better initial
# values do not mend a slope.
#
# ## Training
#
# Stochastic gradient descent at a rate of 0.01, a ninetieth of LeNet's: with ReLU, gradients are
# no longer small. Half of the 8,192 hidden dense units are left out in every step (4.6), or that
# many parameters would learn the images by heart. The paper also shifted, mirrored and recoloured
# its images; 13.1 does so. On a CPU this takes a night, on a GPU some minutes. The sample takes an
# eighth of the channels, images of 65 pixels, and Adam.

# %% source
from divekit.recipes.deep_convolutional_networks import alexnet

# %%
run = fit(alexnet())
plot.curves(run.history)

# %% [markdown]
# In the first epochs the accuracy on the test data is far above that in training. This is not
# luck: a figure of training is the mean over an epoch in which the network was changing, and is
# taken with half of the units left out.
#
# ## What the first layer learned
#
# The same kernels before and after training, and below them the difference, which is small and
# drawn on a scale of its own. Red is positive, blue negative, white nothing.

# %%
torch.manual_seed(run.recipe.seed)
before = run.recipe.model(run.facts).features[0].weight.detach()
after = run.model.cpu().features[0].weight.detach()
kernels = torch.stack([before, after, after - before])[:, :8]  # (3, 8, 1, 11, 11)
captions = [
    word if index == 0 else "" for word in ("before", "after", "change") for index in range(8)
]

# %%
kernels = kernels / kernels.abs().amax(dim=(1, 2, 3, 4), keepdim=True)  # each row to its scale
plot.images(kernels.flatten(0, 1), captions, columns=8, signed=True)


# %%
def roughness(weights):
    """Give how much neighbouring weights differ, against how large they are: 2 for noise."""
    step = weights.diff(dim=-1).square().mean() + weights.diff(dim=-2).square().mean()
    return (step / 2 / weights.square().mean()).item()


rough = {"before": roughness(before), "change": roughness(after - before)}
for name, value in rough.items():
    print(f"neighbouring weights, {name}: {value:.2f}")

# %% [markdown]
# The kernels begin as noise, and after so few steps noise is still most of what one sees. But what
# training *added* is smooth: broad stripes and blobs of eleven pixels, since the images are
# smooth, and a gradient is a weighted sum of patches of images. On a million photographs, and
# after weeks, the noise is gone, and stripes of all directions and patches of colour are left.

# %%
print(run.check())  # fails when the recipe's goal is missed
assert 1.8 < rough["before"] < 2.2, "the initial weights are not noise"
assert rough["change"] < 0.6, "what was learned is as rough as noise"

# %% [markdown]
# ## Exercises
#
# 1. Which layer has most of the parameters, and why just this one? Work out its number without the
#    table, and again for images of 96 pixels.
# 2. How much memory do the activations of one image take, and those of a batch of 128, with
#    gradients? Compare with the parameters. Which of the two would you save first?
# 3. The paper cut the network into two halves for two graphics cards. Use `groups=2` in the
#    second, fourth and fifth convolution: what does it save in parameters, what in work?
# 4. Fit the network to images of 28 pixels as they are: other kernels, other strides. How much
#    of the accuracy was due to enlarging?
# 5. Draw the sizes of the gradients again, for `nn.Tanh`, and for other widths. Which of the two
#    matters more?
#
# ## What to try next
#
# - `divekit info alexnet resize=96` shows the table for smaller images.
# - 7.2 makes one block of what is repeated here.
