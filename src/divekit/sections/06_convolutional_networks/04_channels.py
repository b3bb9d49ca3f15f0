# %% [markdown]
# # 6.4 Multiple input and output channels
#
# A colour photograph is three images on top of each other, and a layer inside a network may have
# hundreds. This section adds the two missing indices to the kernel, in loops first. Then it writes
# the whole layer as one product of two matrices, holds it against torch's in double precision,
# gradients too, and takes the time.

# %%
import time

import torch
import torch.nn.functional as F
from torch import nn

from divekit import plot

# %% [markdown]
# ## Many in, many out
#
# With $C$ input channels, a kernel has a table of weights for each of them. Each table is laid on
# its own channel, and the results are *added*: one place, one number. For $O$ output channels there
# are $O$ such kernels, and so the weight of a layer has four axes, $O \times C \times h \times w$:
#
# $$H_{o, i, j} = u_o + \sum_{c, a, b} W_{o, c, a, b} \, X_{c,\, i + a,\, j + b}.$$

# %% source
from divekit.nn.convolution import cross_correlate, cross_correlate_channels

# %%
base = torch.arange(9.0).view(3, 3)
small = torch.arange(4.0).view(2, 2)
image = torch.stack([base, base + 1])  # (2, 3, 3)
kernel = torch.stack([small, small + 1])  # (2, 2, 2)
kernels = torch.stack([kernel, kernel + 1, kernel + 2])  # (3, 2, 2, 2)
maps = cross_correlate_channels(image, kernels)

# %%
plot.tables(
    {f"channel {c}": channel for c, channel in enumerate(image)}
    | {f"its kernel {c}": table for c, table in enumerate(kernel)}
    | {f"output {o}": table for o, table in enumerate(maps)},
    {f"output {o}": [[o, o], [o, o]] for o in range(3)},
    line=13,
)

# %% [markdown]
# The kernels shown are those of output 0, which begins with $(0 \cdot 0 + 1 \cdot 1 + 3 \cdot 2 + 4 \cdot 3) + (1 \cdot 1 + 2 \cdot 2
# + 4 \cdot 3 + 5 \cdot 4) = 19 + 37 = 56$: a sum for each channel.
#
# ## All places at once
#
# At every place the same happens: a patch of $C h w$ pixels meets $O$ kernels of as many weights.
# That is a matrix times a vector. Put the patches of all places, of all images of a batch, side by
# side as the columns of a matrix, and the layer is one product:
#
# $$\underbrace{(O, \; C h w)}_{\text{kernels}} \times
# \underbrace{(C h w, \; H' W' B)}_{\text{what lies under them}}
# = \underbrace{(O, \; H' W' B)}_{\text{feature maps}}.$$
#
# Pixels are copied once for every weight that they meet, nine times for a kernel of 3 by 3. Memory is
# the price of speed here: the product of matrices is what computers do best.

# %% source
from divekit.nn.convolution import windows

# %%
under = windows(image[None], 2)  # (C, h * w, H', W', B)
columns = under.view(8, 4)
print("columns, one for each place:")
print(columns.long())
print("times the kernels:")
print((kernels.view(3, 8) @ columns).long())

# %% source
from divekit.nn.convolution import WIDE, Conv2dScratch, conv2d_scratch

# %% [markdown]
# It does whatever torch's layer does: stride, padding (from side to side if need be), dilation, and
# groups, of which below. Is it right? In double precision, with every setting in use, outputs and
# all three gradients, largest difference:

# %%
torch.manual_seed(0)
batch = torch.randn(2, 4, 9, 8, dtype=torch.float64, requires_grad=True)
weight = torch.randn(6, 2, 3, 2, dtype=torch.float64, requires_grad=True)
bias = torch.randn(6, dtype=torch.float64, requires_grad=True)
settings = {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 3), "groups": 2}
ours = conv2d_scratch(batch, weight, bias, **settings)
theirs = F.conv2d(batch, weight, bias, **settings)
pull = torch.randn_like(theirs)
pairs = [(ours.detach(), theirs.detach())]
for side in zip(
    torch.autograd.grad(ours, (batch, weight, bias), pull),
    torch.autograd.grad(theirs, (batch, weight, bias), pull),
    strict=True,
):
    pairs.append(side)
gaps = [(one - other).abs().max().item() for one, other in pairs]
for name, gap in zip(("outputs", "images", "weight", "bias"), gaps, strict=True):
    print(f"{name:<8} {gap:.1e}")

# %% [markdown]
# ## How fast?
#
# torch has machine code for convolutions, made for the processor at hand. Here are the two layers of
# LeNet (6.6), 64 images at a time, forward and backward; the two take turns, and the fastest lap of
# each counts. In processor time, on one thread, we saw ratios of 1.4 and 1.8; what else the machine
# is doing can change them a lot.

# %%
layers = {
    "1 to 6 channels, 28 x 28": (nn.Conv2d(1, 6, 5, padding=2), (64, 1, 28, 28)),
    "6 to 16 channels, 14 x 14": (nn.Conv2d(6, 16, 5), (64, 6, 14, 14)),
}


def lap(layer, inputs, pull):
    start = time.perf_counter()
    layer(inputs).backward(pull)
    return time.perf_counter() - start


ratios = {}
for name, (concise, shape) in layers.items():
    scratch = Conv2dScratch(
        concise.in_channels, concise.out_channels, concise.kernel_size, padding=concise.padding
    )
    scratch.load_state_dict(concise.state_dict())
    inputs = torch.randn(shape, requires_grad=concise.in_channels > 1)  # pixels need no gradient
    pull = torch.randn_like(concise(inputs))
    laps = [(lap(scratch, inputs, pull), lap(concise, inputs, pull)) for _ in range(10)]
    ratios[name] = min(one for one, _ in laps) / min(other for _, other in laps)
    print(f"{name:<26} takes {ratios[name]:.1f} times as long as torch's")

# %% [markdown]
# ## A kernel of one pixel
#
# A kernel of $1 \times 1$ sees no neighbours. What is left is the sum over channels: every pixel's
# channels go through the same dense layer. So the columns are just the image, and the layer is
# a matrix product without any copying. It is used to change the number of channels, cheaply.

# %%
batch = torch.randn(2, 3, 5, 5, dtype=torch.float64)
weight = torch.randn(2, 3, 1, 1, dtype=torch.float64)
as_product = weight.view(2, 3) @ batch.flatten(2)  # (O, C) @ (B, C, H * W) -> (B, O, H * W)
as_product = as_product.view(2, 2, 5, 5)
one_pixel = (as_product - conv2d_scratch(batch, weight)).abs().max().item()
print(f"largest difference: {one_pixel:.1e}")

# %% [markdown]
# On a photograph it mixes colours. Three ways of making one channel of three, each a row of three
# weights: brightness, as the eye weighs it; how much redder than green; how much bluer than the
# mean of both. Of the last two, red is more and blue is less.

# %%
from sklearn.datasets import load_sample_image

flower = torch.from_numpy(load_sample_image("flower.jpg").copy()).float() / 255  # (H, W, 3)
colours = flower.permute(2, 0, 1)[None]  # (H, W, 3) -> (1, 3, H, W)
mixes = {
    "brightness": (0.299, 0.587, 0.114),
    "red less green": (1.0, -1.0, 0.0),
    "blue less the rest": (-0.5, -0.5, 1.0),
}
mixing = torch.tensor(list(mixes.values())).view(3, 3, 1, 1)
mixed = conv2d_scratch(colours, mixing)[0]  # (3, H, W)

# %%
picture = plot.new_picture(width=8.4, height=6.0)
panels = picture.subplots(2, 2).flat
for axes, name, view in zip(panels, ["photograph", *mixes], [flower, *mixed], strict=True):
    signed = "less" in name
    axes.imshow(view, cmap="RdBu_r" if signed else "gray", vmin=-0.8 if signed else 0,
                vmax=0.8 if signed else 1)  # fmt: skip
    axes.set_title(name, fontsize=9, color=plot.INK)
    axes.axis("off")
picture

# %% [markdown]
# ## What it costs
#
# At each of $H' W'$ places there are $O C h w$ products, and as many sums. The parameters do not
# depend on the size of the image; the work does. Both grow with the *product* of the channels,
# which is why networks halve the sides of the image when they double the channels. *Groups* cut
# the product down: with $G$ groups, each output looks at one $G$-th of the inputs only.

# %%
from divekit.evaluate import summarise

costs = {}
for groups in (1, 4, 64):
    layer = Conv2dScratch(64, 64, 3, padding=1, groups=groups)
    costs[groups] = summarise(layer, torch.empty(1, 64, 32, 32))
    print(
        f"{groups:>3} group(s): {costs[groups].parameters:>7,} parameters, "
        f"{costs[groups].flops:>12,} floating-point operations for an image"
    )

# %% [markdown]
# ## The check

# %%
assert maps.tolist() == [
    [[56, 72], [104, 120]],
    [[76, 100], [148, 172]],
    [[96, 128], [192, 224]],
], "not what it is by hand"
assert torch.equal(kernels.view(3, 8) @ columns, maps.view(3, 4)), "the product is not the layer"
assert max(gaps) < 1e-11, "ours is not torch's"
assert one_pixel < 1e-12, "a kernel of one pixel is no matrix product"
assert torch.allclose(mixed[1], flower[..., 0] - flower[..., 1], atol=1e-6), "colours are mixed up"
assert costs[1].parameters == 64 * 64 * 9 + 64 and costs[64].parameters == 64 * 9 + 64
assert costs[1].flops == 2 * 32 * 32 * 64 * 64 * 9 == 64 * costs[64].flops, "another cost"
print("channels add up, and a layer is one product of matrices")

# %% [markdown]
# ## Exercises
#
# 1. Two convolutions in a row, of 3 by 3 and 2 by 2, with nothing between them: which single
#    kernel does the same? What is its size, and what if there are channels?
# 2. How many bytes do the columns need for a batch of 128 images of 64 channels and 56 by 56 pixels,
#    with a kernel of 3 by 3? And the images themselves? Compute the product in slices of the
#    batch so that it fits, and find out what that does to the time.
# 3. In one place of `conv2d_scratch`, a matrix is copied from rows to columns for speed only. Take the
#    line out and measure. Which of the three products (outputs, gradient of the images, gradient of
#    the weight) does it change?
# 4. A layer of 3 by 3 from 256 to 256 channels, or 1 by 1 to 64, 3 by 3 from 64 to 64, and 1 by 1 back
#    to 256: how many parameters has each? (7.6 uses the second.)
# 5. The gradient of the images is itself a convolution: of the incoming gradient, padded, with the
#    kernels turned by 180 degrees and inputs and outputs exchanged. Show it in code for stride 1.
#
# ## What to try next
#
# - `settings` with `padding=((0, 2), (1, 3))` works in ours only: torch's layer pads both ends alike.
# - The layer with 64 groups has 64 times fewer operations. On 16 images ours takes 42 ms in place of
#   70, and torch's 8 in place of 29: most of our time goes into copying, which groups do not save.
# - Mix colours by nine rows of random weights, `torch.randn(9, 3, 1, 1)`: six of the nine results have a
#   correlation above 0.9 with brightness, for the three channels of a photograph are much alike.
# - 6.5 puts layers in between that have no weights at all.
