# %% [markdown]
# # 7.7 Densely connected networks (DenseNet)
#
# ResNet adds what a layer computes to what it was given. DenseNet *appends* it: every layer sees all that the layers
# before it have found, unmixed, and adds a few channels of its own. Nothing is computed twice, so
# layers can be narrow: with a fifteenth of ResNet-18's parameters it had a test accuracy of 0.90 in the book, and
# ResNet-18 0.92.

# %%
import torch
from torch import nn

from divekit import plot
from divekit.evaluate import summarise
from divekit.train import fit

# %% [markdown]
# ## From a sum to a list
#
# Taylor's formula takes a function apart into terms of rising order, $f(x) = f(0) + x\,[f'(0) + x\,[\tfrac12 f''(0) +
# \dots]]$. ResNet takes apart into two: $f(\mathbf{x}) = \mathbf{x} + g(\mathbf{x})$. DenseNet keeps a list,
#
# $$\mathbf{x} \;\to\; \bigl[\,\mathbf{x},\; f_1(\mathbf{x}),\; f_2([\mathbf{x}, f_1(\mathbf{x})]),\;
# f_3([\mathbf{x}, f_1(\mathbf{x}), f_2(\dots)]),\; \dots\bigr],$$
#
# along the axis of channels. A sum is a special case: whoever reads $[\mathbf{x}, \mathbf{y}]$ with the weights
# $[W, W]$ has computed $W(\mathbf{x} + \mathbf{y})$.

# %%
torch.manual_seed(0)
first, second = torch.randn(2, 4, 6, 6), torch.randn(2, 4, 6, 6)
reader = nn.Conv2d(4, 5, 3, padding=1)
twice = nn.Conv2d(8, 5, 3, padding=1)
with torch.no_grad():
    twice.weight.copy_(torch.cat([reader.weight, reader.weight], dim=1))
    twice.bias.copy_(reader.bias)
gap = (reader(first + second) - twice(torch.cat([first, second], dim=1))).abs().max().item()
print(f"reading the sum and reading the list differ by {gap:.0e}")

# %% [markdown]
# ## Dense blocks
#
# A layer normalises, bends and convolves, in this order, and appends $G$ channels; $G$ is called the *growth*. After $n$ layers
# $C$ channels have become $C + nG$. Two layers with a growth of 10 make 23 of 3.

# %% source
from divekit.models.densenet import DenseLayer, dense_block

# %%
block = dense_block(2, 3, 10)
inputs = torch.randn(4, 3, 8, 8)
outputs = block(inputs)
kept = torch.equal(outputs[:, :3], inputs)
print(tuple(inputs.shape), "->", tuple(outputs.shape), "  the inputs are still there:", kept)

# %% [markdown]
# ## Transitions
#
# Channels only grow in a block, and with them the cost of each further layer. Between two blocks a *transition* mixes them
# into half as many by a 1 x 1 convolution, and halves the sides by the mean of four pixels.

# %% source
from divekit.models.densenet import transition

# %%
print(tuple(outputs.shape), "->", tuple(transition(23, 10)(outputs).shape))

# %% [markdown]
# ## The network
#
# A stem as ResNet's, four blocks of four layers with a growth of 32, three transitions, and the mean of each
# channel. (In one of the book's editions it ends with the largest number of each channel instead; here it is the mean,
# as in the paper.)

# %% source
from divekit.models.densenet import DenseNet, densenet121

# %%
book = {"blocks": (4, 4, 4, 4), "bottleneck": 0, "biases": True}
channels, sides, names = [], [], []
with torch.device("meta"):  # shapes alone: nothing is computed
    network, maps = DenseNet(1, 10, 96, **book), torch.empty(1, 1, 96, 96)
    for name, part in network.features.named_children():
        for step, layer in (
            part.named_children() if name.startswith("denseblock") else [(name, part)]
        ):
            maps = layer(maps)
            if not step.startswith(("norm", "relu", "conv")):
                channels.append(maps.shape[1])
                sides.append(maps.shape[2])
                names.append(step)
print("channels:", *channels)

# %%
picture = plot.new_picture(width=8.4, height=3.2)
axes = picture.subplots()
shades = {24: 0, 12: 1, 6: 2, 3: 3}
for place, (count, side) in enumerate(zip(channels, sides, strict=True)):
    axes.bar(
        place,
        count,
        color=plot.COLOURS[shades[side]],
        label="" if side in sides[:place] else f"{side} x {side}",
    )
axes.set(ylabel="channels")
axes.set_xticks([0, 5, 10, 15], ["stem", "transition 1", "transition 2", "transition 3"])
plot.style_axes(axes)
plot.add_legend(axes)
picture

# %% [markdown]
# ## Parameters and work
#
# A 3 x 3 convolution of ResNet's last stage has 512 x 512 kernels. The widest one here has 216 x 32. The table
# holds the book's two networks, and those that were made for ImageNet. There, where $C$ has grown large, DenseNet-121
# first goes through a 1 x 1 convolution to $4G$ channels: a *bottleneck*.

# %% source
from divekit.models.resnet import resnet18, resnet34, resnet50, resnet101, resnet152

# %%
from divekit.models import ResNet

with torch.device("meta"):  # shapes alone: no weights are drawn
    table = {
        "ResNet-18, book": (ResNet(1, 10, 96, book=True), (1, 1, 96, 96)),
        "DenseNet, book": (DenseNet(1, 10, 96, **book), (1, 1, 96, 96)),
    }
    for make in (resnet18, resnet34, resnet50, resnet101, resnet152, densenet121):
        table[make.__name__] = (make(), (1, 3, 224, 224))
costs, numbers = {}, {}
for name, (model, shape) in table.items():
    summary = summarise(model, torch.empty(shape))
    costs[name] = (summary.parameters, summary.flops)
    numbers[name] = sum(torch.Size(layer.output_shape).numel() for layer in summary.layers)
    print(
        f"{name:<16}{summary.parameters:>12,} parameters{summary.flops / 1e9:>8.2f} GFLOPs"
        f"{numbers[name] / 1e6:>8.1f} million numbers given by layers"
    )

# %% [markdown]
# A fifteenth of the parameters, but two fifths of the work; and what a layer normalises, all channels so far, has
# to be kept for the way back. Parameters are not what training runs out of: memory for numbers in between is.
# DenseNet is thrifty with the one and lavish with the other.
#
# ## Training

# %% source
from divekit.recipes.residual_networks import densenet

# %%
run = fit(densenet())
plot.curves(run.history)

# %% [markdown]
# ## Who learns from whom?
#
# A gradient comes to a layer from every later one of its block, directly. Each square says by what share training has
# moved the weights with which a layer (from left to right) reads what one before it (from top to bottom) has appended;
# the first row is what came into the block. `fit` draws its weights from the seed, so the beginning can be had again.

# %%
torch.manual_seed(run.recipe.seed)
beginning = run.recipe.model(run.facts).features
moved = {}
for number in range(1, 5):
    pairs = zip(
        run.model.cpu().features.get_submodule(f"denseblock{number}"),
        beginning.get_submodule(f"denseblock{number}"),
        strict=True,
    )
    moved[number] = torch.full((4, 4), float("nan"))
    for column, (trained, untrained) in enumerate(pairs):
        now, then = trained.conv1.weight.detach(), untrained.conv1.weight.detach()
        growth, channels_in = now.shape[:2]
        parts = [channels_in - column * growth] + [growth] * column
        for row, (after, before) in enumerate(
            zip(now.split(parts, 1), then.split(parts, 1), strict=True)
        ):
            moved[number][row, column] = (after - before).norm() / before.norm()

# %%
picture = plot.new_picture(width=8.4, height=2.5)
panels = picture.subplots(1, 4)
most = max(shares.nan_to_num().max().item() for shares in moved.values())
for axes, (number, shares) in zip(panels, moved.items(), strict=True):
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=2 * most)
    for row in range(4):
        for column in range(row, 4):
            axes.text(
                column,
                row,
                f"{100 * shares[row, column]:.0f}",
                ha="center",
                va="center",
                fontsize=8,
            )
    axes.set(xlabel="layer that reads", ylabel="" if number > 1 else "what it reads")
    axes.set_xticks(range(4), ["1", "2", "3", "4"])
    axes.set_yticks(range(4), ["input", "1", "2", "3"])
    axes.set_title(f"block {number}, %", fontsize=9)
    plot.style_axes(axes, grid=False)
picture

# %% [markdown]
# No square stays behind: every layer has learned to read all that came before it. In a chain there would be the
# diagonal alone.

# %%
print(run.check())  # fails when the recipe's goal is missed
assert gap < 1e-5, "a list can be read as a sum"
assert kept and outputs.shape == (4, 23, 8, 8), "a dense block appends"
ends = [
    count
    for count, name in zip(channels, names, strict=True)
    if name == "denselayer4" or "transition" in name
]
assert ends == [192, 96, 224, 112, 240, 120, 248], "the book's channels"
assert costs["DenseNet, book"][0] == 758_226 and costs["densenet121"][0] == 7_978_856
assert costs["ResNet-18, book"][0] > 14 * costs["DenseNet, book"][0], "few parameters"
assert costs["DenseNet, book"][1] > costs["ResNet-18, book"][1] / 3, "but much work"
assert numbers["densenet121"] > numbers["resnet50"], "and many numbers in between"
far = [
    shares[row, column].item()
    for shares in moved.values()
    for column in range(4)
    for row in range(column + 1)
]
assert len(far) == 40 and min(far) > 0.01, "layers learn to read from all before them"

# %% [markdown]
# ## Exercises
#
# 1. How many parameters has a dense block of $n$ layers that begins with $C$ channels? For which $n$ does it have as many
#    as a residual block of two convolutions from $C$ to $C$, if $G = C / 2$?
# 2. Draw the memory of a training step over the side of the images, for both networks of the book
#    (`divekit.evaluate.peak_memory`, 4.7). Which part of it could be computed again in place of being kept?
# 3. Leave the transitions' poolings out and give the convolutions before them a stride of two. What does the
#    network lose?
# 4. Take one of the input channels of the last block away (set it to zero) and measure the accuracy, for each of
#    them. Do the oldest or the newest matter more?
# 5. Write the multilayer perceptron of 4.3 densely, and try it on the house prices of 4.10.
#
# ## What to try next
#
# - A growth of 2, 4, 8 and 16 on the sample, `densenet(growth=2, epochs=3)` and so on: 0.56, 0.58, 0.95 and 0.97 after three
#   epochs with seed 0, and 0.66, 0.78, 0.96 and 0.99 with seed 1. Layers can be narrow, but not that narrow.
# - `bottleneck=4` in place of 0 in the recipe's model: 0.87 and 0.95 after three epochs, no better in blocks of four
#   layers. It is meant for blocks of twenty.
# - `divekit compare densenet growth=8,16 --seeds 3 --sample` draws the two with their spread.
# - 8.1 leaves images for sequences, where what came before is all there is to go by.
