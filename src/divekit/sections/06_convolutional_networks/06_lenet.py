# %% [markdown]
# # 6.6 Convolutional neural networks (LeNet)
#
# In the 1990s a network of two convolutions and three dense layers read the amounts on cheques. It
# is small enough to look at every part of, and all later ones are built on its plan: maps become
# smaller and more numerous, and what is left of the image goes through dense layers. This section
# builds it, trains it with the sigmoids of its time, and then looks at what it has learned.

# %%
import torch

from divekit import plot
from divekit.evaluate import summarise
from divekit.train import fit

# %% [markdown]
# ## The network
#
# Sizes are worked out, not assumed: sides are halved, lose four pixels to the second convolution, and
# are halved again, each time rounded down. Fewer than 12 pixels leave nothing, and that is an
# error before any training begins. The weights start from Xavier's distribution (4.8).

# %% source
from divekit.models.lenet import LeNet

# %%
summary = summarise(LeNet(), torch.empty(1, 1, 28, 28))
print(summary)
print(
    f"{summary.parameters:,} parameters, {summary.flops:,} floating-point operations for an image"
)

# %% [markdown]
# Follow the sizes down: 784 pixels become 4704 numbers in 6 maps, then 400 in 16 maps, then 10
# scores. The convolutions have 4% of the parameters and do 86% of the work; with the dense layers it
# is the other way round. (`divekit info lenet` prints this table for any recipe.)
#
# ## What one number can see
#
# By the end of the convolutions, each of the 5 by 5 numbers of a map sees a window of 16 by 16
# pixels (6.3), and neighbouring windows are 4 pixels apart. Does the untrained network agree?
# White is where a gradient arrives from the number in the middle.

# %%
from divekit.nn import pixels_seen, receptive_fields

torch.manual_seed(0)
untrained = LeNet().double()
noise = torch.rand(1, 28, 28, dtype=torch.float64)
fields = receptive_fields(untrained.features)
seen = {}
for depth, words in ((1, "convolution"), (3, "pooling"), (4, "convolution"), (6, "pooling")):
    rows, columns = fields[depth - 1]
    part = untrained.features[:depth]
    middle = part(noise[None]).shape[2] // 2
    seen[f"{words}: {rows.size} across"] = (
        pixels_seen(part, noise, (middle, middle)),
        (rows.of(middle, 28), columns.of(middle, 28)),
    )

# %%
plot.images(torch.stack([mask for mask, _ in seen.values()]).float(), list(seen), columns=4)

# %% [markdown]
# ## Training
#
# Stochastic gradient descent at the unusually large learning rate of 0.9. It has to be large: four
# sigmoids in a row leave little of a gradient (4.1), at most $4^{-4}$, one part in 256. For the
# first epoch or so nothing seems to happen, and the loss stays near $\ln 10 \approx 2.30$, that of
# a guess. Then it finds a way down. On the small sample of digits there are too few steps in ten
# epochs to get there, so the recipe takes Adam (11.10) where the sample stands in.

# %% source
from divekit.recipes.convolutional_networks import lenet

# %%
run = fit(lenet())
plot.curves(run.history)

# %% [markdown]
# ## Feature maps
#
# Three test images, and beside each what the six kernels of the first layer make of it, before
# pooling. Some maps are the image made soft, some its negative, and some are its edges from one
# side. Above the maps stand the kernels: red weights are positive, blue ones negative.

# %%
model = run.model.cpu().eval()
images, labels = next(iter(run.data.test))
first = model.features[:2]  # convolution and sigmoid
with torch.no_grad():
    maps = first(images[:3])  # (3, 1, H, W) -> (3, 6, H, W)
kernels = model.features[0].weight.detach()[:, 0]  # (6, 5, 5)

# %%
picture = plot.new_picture(width=8.4, height=4.8)
grid = picture.subplots(4, 7)
reach = kernels.abs().max().item()
for axes in grid.flat:
    plot.hide_axes(axes)
for column, kernel in enumerate(kernels, start=1):
    grid[0, column].imshow(kernel, cmap="RdBu_r", vmin=-reach, vmax=reach)
for row in range(3):
    grid[row + 1, 0].imshow(images[row, 0], cmap="gray")
    name = run.facts.class_names[labels[row]]
    grid[row + 1, 0].set_title(name, fontsize=8, color=plot.INK)
    for column in range(6):
        grid[row + 1, column + 1].imshow(maps[row, column], cmap="gray")
picture

# %% [markdown]
# ## Shifted images
#
# The convolutions do not mind where something is, but the dense layers above them do. How far may
# the test images be shifted to the right until the network is lost? Softmax regression (3.7) has a
# weight for each pixel, and should be lost sooner.

# %%
from dataclasses import replace

from divekit.recipes import softmax_regression

# The same images for both: the sample's are enlarged.
templates = fit(replace(softmax_regression(), data=run.recipe.data), callbacks=[])
steps = range(9)


def accuracy(trained, step):
    right = total = 0
    for inputs, targets in run.data.test:
        moved = torch.zeros_like(inputs)
        moved[..., step:] = inputs[..., : inputs.shape[-1] - step]
        right += (trained.predict(moved).outputs.argmax(dim=1) == targets.cpu()).sum().item()
        total += len(targets)
    return right / total


shares = {
    "LeNet": [accuracy(run, step) for step in steps],
    "softmax regression": [accuracy(templates, step) for step in steps],
}
for name, values in shares.items():
    print(f"{name:<20}", "  ".join(f"{value:.2f}" for value in values))

# %%
plot.lines(steps, shares, x_label="shift, pixels", y_label="test accuracy", y_limits=(0, 1))

# %% [markdown]
# Without a shift the two are close: ten epochs are few for sigmoids, and on the clothes softmax
# regression is even ahead, at 0.83. With a shift LeNet is lost a little later, but it is lost. Equivariance (6.1) is not indifference: the maps are
# shifted with the image, and the dense layers on top were trained on maps that were not. What
# helps is more pooling, down to one number for each map (7.3), and shifted images to train on
# (13.1).

# %%
print(run.check())  # fails when the recipe's goal is missed
assert (summary.parameters, summary.flops) == (61_706, 833_040), "not the book's network"
assert [rows.size for rows, _ in fields] == [5, 5, 6, 14, 14, 16], "the fields are others"
for words, (mask, (rows, columns)) in seen.items():
    inside = torch.zeros(28, 28, dtype=torch.bool)
    inside[rows.start : rows.stop, columns.start : columns.stop] = True
    assert torch.equal(mask, inside), f"{words}: the gradient disagrees"
assert maps.shape == (3, 6, 28, 28) and maps.min() > 0 and maps.max() < 1, "no maps of sigmoids"
assert shares["LeNet"][-1] < shares["LeNet"][0] - 0.3, "a network that does not mind shifts"

# %% [markdown]
# ## Exercises
#
# 1. Take the padding out of the first convolution. Which numbers of the table change, and by how much
#    does the first dense layer shrink? (7.5 does so.)
# 2. In the paper, the second convolution does not connect every map with every other. What would
#    `groups=2` save, and what could the network then no longer say?
# 3. Draw the 16 maps of the second convolution for one image. Then find, for each map, the test
#    image that makes its largest number largest, and draw the 16 by 16 pixels that this number sees.
# 4. Feed it noise and pictures of other things. How sure is it? Why is it never unsure in the way
#    that you would be?
# 5. Train on images that are shifted by up to 4 pixels, at random, each time anew. What does that cost
#    without a shift, and what does the last picture look like then?
#
# ## What to try next
#
# - `lenet(lr=0.1)` on the clothes stays on the plateau for five epochs, and has 0.65 after ten.
# - Bends and pooling of today, `replace(lenet(lr=0.1), model=lambda facts: LeNet(activation=nn.ReLU,
#   pooling=nn.MaxPool2d))`, on the clothes: 0.73 after one epoch, and 0.86 after ten, where the
#   sigmoids have 0.11 and 0.81. On the sample, with `optimizer="sgd"`, 0.95 after two epochs.
# - Seeds 0, 1 and 2 end at 0.809, 0.792 and 0.815 on the clothes, and the fifth epoch of seed 0 falls
#   back to 0.62 for once. At such a learning rate the last epoch is partly luck.
# - 7.1 follows the same plan with several hundred times as many parameters.
