# %% [markdown]
# # 6.1 From fully connected layers to convolutions
#
# A fully connected layer does not know that its inputs are an image. Shuffle the pixels of every
# picture in the same way, and it learns just as well. That is a strange lack of knowledge: pixels
# have neighbours, and a cat in the left corner is the same cat in the right one. This section puts
# the two facts into a layer, and watches how many of its weights are left.

# %%
import torch
from torch import nn

from divekit import plot

generator = torch.Generator().manual_seed(0)

# %% [markdown]
# ## The bill
#
# One megapixel, one thousand hidden units, and every unit weighs every pixel. On the *meta* device
# a layer has a shape and no numbers, so we can order it without paying.

# %%
dense = nn.Linear(1000 * 1000, 1000, device="meta")
small = nn.Conv2d(1, 1000, kernel_size=5, device="meta")
bills = {"dense": dense, "convolution, 5 x 5": small}
counts = {name: sum(item.numel() for item in layer.parameters()) for name, layer in bills.items()}
for name, count in counts.items():
    print(f"{name:<20}{count:>15,} parameters, {count * 4 / 1e9:.4f} GB")

# %% [markdown]
# Four gigabytes for one layer, nearly forty thousand times as much as the convolution beside it,
# and a thousand hidden units are few for a million pixels. Nobody has as many labelled pictures
# as it takes to learn a billion numbers from nothing. Something must be known beforehand.
#
# ## A layer from images to images
#
# Let the hidden units form an image too, $\mathbf{H}$, of the size of the input $\mathbf{X}$. Each
# weight then has four indices, the place of the hidden unit and that of the pixel:
#
# $$H_{ij} = U_{ij} + \sum_{k, l} W_{ijkl} \, X_{kl}
# = U_{ij} + \sum_{a, b} V_{ijab} \, X_{i+a,\, j+b}.$$
#
# The right-hand side only counts the pixels from the hidden unit's own place: $a = k - i$ and
# $b = l - j$. Nothing has been assumed yet.
#
# **All places alike.** If the input is shifted, the output shall be shifted as much, and not
# change otherwise. Then $V_{ijab}$ and $U_{ij}$ cannot depend on $i$ and $j$:
#
# $$H_{ij} = u + \sum_{a, b} V_{ab} \, X_{i+a,\, j+b}.$$
#
# This is a convolution. It was not chosen from among many; it is the *only* linear layer that
# treats all places alike. Which is easy to say, so let us see it happen. Take a random dense
# layer on images of 6 by 6, whose edges are joined so that a shift loses nothing. For each of the
# 36 shifts, shift the input, apply the layer, shift back; and take the mean of all 36.

# %%
side = 6
places = side * side
weight = torch.randn(places, places, generator=generator, dtype=torch.float64)


def shift(images, down, right):
    return images.roll((down, right), dims=(-2, -1))


def shifted_back(down, right):
    four = weight.view(side, side, side, side)  # (i, j, k, l)
    four = four.roll((down, right), dims=(0, 1)).roll((down, right), dims=(2, 3))
    return four.view(places, places)


shifts = [(down, right) for down in range(side) for right in range(side)]
alike = torch.stack([shifted_back(*step) for step in shifts]).mean(dim=0)
print("different numbers in the random layer:", len(weight.unique()))
print("different numbers in the mean:        ", len((alike * 1e9).round().unique()))

# %% [markdown]
# 1296 weights went in, and the mean holds 36 different ones: a kernel as large as the image. Read
# it off from one row, the one of the hidden unit at (0, 0), and convolve with it.

# %%
from divekit.nn import conv2d_scratch

image = torch.randn(1, 1, side, side, generator=generator, dtype=torch.float64)
kernel = alike[0].view(1, 1, side, side)  # the weights of unit (0, 0) on every pixel
joined = torch.cat([torch.cat([image, image], dim=2)] * 2, dim=3)  # edges joined: the image again
by_mean = (alike @ image.flatten()).view(side, side)
by_kernel = conv2d_scratch(joined, kernel)[0, 0, :side, :side]
print("largest difference:", (by_mean - by_kernel).abs().max().item())

# %% [markdown]
# **Only what is near.** To know whether there is an edge here, one need not look at the other end
# of the picture. So let $V_{ab} = 0$ unless both $|a| \le \Delta$ and $|b| \le \Delta$:
#
# $$H_{ij} = u + \sum_{a=-\Delta}^{\Delta} \sum_{b=-\Delta}^{\Delta} V_{ab} \, X_{i+a,\, j+b}.$$
#
# What is left is a kernel of $(2\Delta + 1)^2$ weights, whatever the size of the image. Here are
# the three layers as matrices: a row for each hidden unit, a column for each pixel. Red is
# positive, blue negative.

# %%
reach = 1
offset = (torch.arange(side)[:, None] - torch.arange(side) + side // 2) % side - side // 2
near = offset.abs() <= reach  # (i, k): rows of pixels that are neighbours, edges joined
mask = (near[:, None, :, None] & near[None, :, None, :]).reshape(places, places)
local = alike * mask
steps = {"dense": weight / 4, "all places alike": alike, "and only near ones": local}
for name, matrix in steps.items():
    distinct = len((matrix[matrix != 0] * 1e9).round().unique())
    print(f"{name:<20}{(matrix != 0).sum().item():>6} weights, {distinct:>5} different ones")

# %%
plot.images(torch.stack(list(steps.values())), list(steps), columns=3, signed=True)

# %% [markdown]
# (The dense layer is drawn at a quarter of its strength. A mean of 36 random numbers is small.)
#
# ## What it buys
#
# Draw a bright square on a dark ground and shift it. A layer is *equivariant* if it makes no
# difference whether the shift comes before the layer or after it. We measure the difference, as a
# share of the output.

# %%
spot = torch.zeros(side, side, dtype=torch.float64)
spot[1:3, 1:3] = 1


def apply(matrix, picture):
    return (matrix @ picture.flatten()).view(side, side)


moved = {}
for name, matrix in steps.items():
    before, after = apply(matrix, shift(spot, 2, 3)), shift(apply(matrix, spot), 2, 3)
    moved[name] = ((before - after).norm() / after.norm()).item()
    print(f"{name:<20} shift before or after: differs by {moved[name]:.1%}")

# %% [markdown]
# And locality: change one pixel, and count the hidden units that notice.

# %%
touched = spot.clone()
touched[4, 4] += 1
noticed = {
    name: (apply(matrix, touched) != apply(matrix, spot)).sum().item()
    for name, matrix in steps.items()
}
print(noticed)

# %% [markdown]
# ## A pattern that may be anywhere
#
# Hide one pattern of 5 by 5 in noise, at a random place of an image of 32 by 32, and ask where it
# is. The convolution lays its kernel on every place and answers where it fits best. A dense
# template has learned the pattern at one place, since it has seen it there, and looks for it there
# only.

# %%
pattern = torch.randn(5, 5, generator=generator)
scenes = torch.randn(200, 1, 32, 32, generator=generator)
corners = torch.randint(0, 28, (200, 2), generator=generator)
for scene, (row, column) in zip(scenes, corners.tolist(), strict=True):
    scene[0, row : row + 5, column : column + 5] += pattern

fits = conv2d_scratch(scenes, pattern[None, None])[:, 0]  # (200, 1, 32, 32) -> (200, 28, 28)
best = fits.flatten(1).argmax(dim=1)
found = torch.stack([best // 28, best % 28], dim=1)
right = (found == corners).all(dim=1).float().mean().item()

template = torch.zeros(32, 32)
template[10:15, 10:15] = pattern
answers = (scenes[:, 0] * template).sum(dim=(1, 2))  # how sure the template is, scene by scene
there = (answers > pattern.square().sum() / 2).float().mean().item()
print(f"25 weights find the pattern in {right:.1%} of the scenes")
print(f"1024 weights that saw it at one place say that it is in {there:.1%} of them")

# %%
plot.images(
    torch.cat([scenes[:3, 0], nn.functional.pad(fits[:3], (2, 2, 2, 2))]),
    ["scene"] * 3 + ["how well it fits"] * 3,
    columns=3,
)

# %% [markdown]
# The noise is as strong as the pattern. Can you see where it is in the upper row? The kernel can:
# the bright dots below.
#
# ## Channels
#
# An image has colours, and a layer may ask more than one question about each place. So inputs and
# outputs get one more index, $X_{ijc}$ and $H_{ijd}$, and the kernel two:
#
# $$H_{ijd} = u_d + \sum_{a, b} \sum_{c} V_{abcd} \, X_{i+a,\, j+b,\, c}.$$
#
# $H$ is again an image with channels, so that layers can be stacked. 6.4 builds them.
#
# What was given up for all this? A layer that treats all places alike cannot know places: that
# the sky is above, for instance, or in passport photographs the nose in the middle. If the
# assumption is false, no training will repair it.
#
# ## The check

# %%
assert counts["dense"] == 10**9 + 1000 and counts["convolution, 5 x 5"] == 26_000, "the bill"
assert len((alike * 1e9).round().unique()) == places, "the mean is not one kernel, shifted"
assert torch.allclose(by_mean, by_kernel, rtol=0, atol=1e-12), "the mean is no convolution"
assert len((local[local != 0] * 1e9).round().unique()) == (2 * reach + 1) ** 2, "not a small kernel"
assert moved["dense"] > 0.5, "a random layer is not shifted with its input"
assert moved["all places alike"] < 1e-12, "the convolution is not equivariant"
assert moved["and only near ones"] < 1e-12, "the local convolution is not equivariant"
assert noticed["dense"] == noticed["all places alike"] == places, "somebody did not look"
assert noticed["and only near ones"] == (2 * reach + 1) ** 2, "one pixel is felt too far away"
assert right > 0.9 and there < 0.2, "the kernel misses the pattern, or the template finds it"
print("alike everywhere, and near: a dense layer becomes a small kernel")

# %% [markdown]
# ## Exercises
#
# 1. With $\Delta = 0$ the kernel has one weight per pair of channels. Show that the layer is then
#    a dense layer on the channels of each pixel, with the same weights for all pixels.
# 2. The mean over shifts is the nearest equivariant layer to the random one, in the sum of squares.
#    Why? (It is a projection: what does a second mean over shifts change?)
# 3. A sentence is an image with one row. What do the two principles say there, and which words of
#    a sentence do they leave apart for too long?
# 4. The edges of a real image are not joined. Which of the statements above fails at the edges if
#    the image is continued with zeros, and for how many pixels?
# 5. Ask for more: the layer shall also not care whether the picture is mirrored left to right.
#    Take the mean over mirrored inputs too. How many different weights has a kernel of 3 by 3 then?
#
# ## What to try next
#
# - More noise, `scenes = 1.5 * torch.randn(...)`: the kernel finds 61% of the patterns. At 2.5 it is
#   14%, and at 4 still 3.5%. Chance would find one of 784.
# - `reach = 2` leaves 25 different weights, and a changed pixel is noticed at 25 places.
# - 6.2 writes the convolution out, and lets it find edges in a photograph.
