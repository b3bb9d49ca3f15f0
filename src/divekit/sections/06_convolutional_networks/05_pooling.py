# %% [markdown]
# # 6.5 Pooling
#
# A convolution says exactly where a feature is. In the end we want to know whether there is a cat,
# and not that its ear begins in column 117. Pooling sums up a window of a feature map in one number,
# its largest or its mean. It learns nothing, makes what follows cheaper, lets it see further, and
# forgives small shifts. This section builds both kinds and measures how much they forgive.

# %%
import torch
import torch.nn.functional as F
from torch import nn

from divekit import plot

# %% [markdown]
# ## From windows to numbers
#
# The windows are those of convolution, with padding, stride and all; what is done with their
# pixels differs. A mean is even a convolution, by a kernel of equal weights. A maximum is not: it
# is not linear.

# %% source
from divekit.nn.pooling import avg_pool2d_scratch, max_pool2d_scratch

# %%
nine = torch.arange(9.0).view(1, 1, 3, 3)
sixteen = torch.arange(16.0).view(1, 1, 4, 4)
largest = max_pool2d_scratch(nine, 2, stride=1)
mean = avg_pool2d_scratch(nine, 2, stride=1)

# %%
plot.tables({"image": nine[0, 0], "maximum": largest[0, 0], "mean": mean[0, 0]})

# %% [markdown]
# Unless it is told otherwise, a pooling layer lays its windows edge to edge: the stride is the size
# of the window. On 4 by 4 pixels, then, a window of 3 by 3 finds a single place.

# %%
for words, settings in {
    "3 x 3": {"kernel": 3},
    "3 x 3, padding 1, stride 2": {"kernel": 3, "padding": 1, "stride": 2},
    "2 x 3, padding 0 and 1": {"kernel": (2, 3), "padding": (0, 1)},
}.items():
    print(f"{words:<28}{max_pool2d_scratch(sixteen, **settings)[0, 0].tolist()}")

# %% [markdown]
# Padding never wins: for a maximum it is minus infinity. For a mean it is zero and counts, as in
# torch, so means at the border are smaller than their pixels. Channels are pooled each by itself,
# in contrast to a convolution, and there are as many afterwards as before.
#
# ## Where the gradient goes
#
# A mean hands each of its pixels an equal share of the gradient. A maximum gives all of it to the
# pixel that won, and nothing to the others: they could change a little without any effect. Of
# equals the first one wins.


# %%
def gradient(pool, image):
    pixels = image.clone().requires_grad_()
    pool(pixels, 2).sum().backward()
    return pixels.grad[0, 0]


tie = torch.tensor([[1.0, 3.0], [3.0, 0.0]]).view(1, 1, 2, 2)
print("mean:   ", gradient(avg_pool2d_scratch, tie).tolist())
print("maximum:", gradient(max_pool2d_scratch, tie).tolist())

# %% [markdown]
# torch agrees, on random images with ties among them, for windows, strides and paddings drawn at
# random:

# %%
generator = torch.Generator().manual_seed(0)


def draw(low, high):
    return tuple(torch.randint(low, high + 1, (2,), generator=generator).tolist())


worst = {"outputs": 0.0, "gradients": 0.0}
for _ in range(50):
    kernel, stride = draw(1, 4), draw(1, 4)
    padding = tuple(size // 2 for size in kernel)
    whole = torch.randint(-3, 4, (2, 3, 9, 7), generator=generator).double().requires_grad_()
    for ours, theirs in ((max_pool2d_scratch, F.max_pool2d), (avg_pool2d_scratch, F.avg_pool2d)):
        both = [pool(whole, kernel, stride=stride, padding=padding) for pool in (ours, theirs)]
        pull = torch.randn(both[0].shape, generator=generator, dtype=torch.float64)
        slopes = [torch.autograd.grad(output, whole, pull)[0] for output in both]
        for name, (one, other) in {"outputs": both, "gradients": slopes}.items():
            worst[name] = max(worst[name], (one - other).abs().max().item())
print(worst)

# %% [markdown]
# ## What it forgives
#
# Find the edges of a photograph (6.2). Then shift the photograph by one pixel, and find them again.
# To whatever layer comes next, how different do the two look? We give the length of the
# difference as a share of the length of the map.

# %%
from sklearn.datasets import load_sample_image

from divekit.nn import conv2d_scratch

grey = torch.from_numpy(load_sample_image("china.jpg").copy()).float().mean(dim=2) / 255
sobel = torch.tensor([[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]])[None, None]


def edges(image):
    return conv2d_scratch(image[None, None], sobel).relu()  # (1, 1, H', W')


here, there = edges(grey[:416, :608]), edges(grey[:416, 1:609])  # one pixel to the left


def change(pool, size):
    before, after = pool(here, size), pool(there, size)
    return ((before - after).norm() / before.norm()).item()


windows_of = (1, 2, 4, 8, 16)
kinds = {
    "maximum": max_pool2d_scratch,
    "mean": avg_pool2d_scratch,
    "every n-th pixel": lambda image, size: image[..., ::size, ::size],
}
changes = {name: [change(pool, size) for size in windows_of] for name, pool in kinds.items()}
for name, shares in changes.items():
    print(f"{name:<18}", "  ".join(f"{share:.0%}" for share in shares))

# %%
plot.lines(
    windows_of, changes, x_label="window, pixels across", y_label="change, by one pixel", log="x",
    y_limits=(0, 1.4),
)  # fmt: skip

# %% [markdown]
# Without pooling, a shift by a single pixel makes an edge map that differs from the first by as much
# as the first differs from nothing: most edges are one or two pixels wide, and now stand next to
# where they stood. The larger the window, the smaller the change, and the two kinds forgive alike.
# It is the summing up that does it, not the smaller map: to keep every n-th pixel makes the map as
# small, and forgives nothing. It does not even show the house any more:

# %%
picture = plot.new_picture(width=8.4, height=6.0)
views = {"edges": here, "maximum of 8 x 8": max_pool2d_scratch(here, 8)}
views |= {"mean of 8 x 8": avg_pool2d_scratch(here, 8), "every 8th pixel": here[..., ::8, ::8]}
for axes, (name, view) in zip(picture.subplots(2, 2).flat, views.items(), strict=True):
    darkest = view.quantile(0.995).item() if view is not here else 2
    axes.imshow(view[0, 0], cmap="gray_r", vmax=darkest)
    axes.set_title(name, fontsize=9, color=plot.INK)
    axes.axis("off")
picture

# %% [markdown]
# ## It sees further
#
# After pooling by 2, neighbours are two pixels of the image apart, and the next kernel spans twice as
# many. Two convolutions of 5 by 5, alone and with pooling after each:

# %%
from divekit.nn import MaxPool2dScratch, receptive_fields

convolutions = [nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5)]
pooled = [convolutions[0], MaxPool2dScratch(2), convolutions[1], MaxPool2dScratch(2)]
across = {
    name: receptive_fields(chain)[-1][0].size
    for name, chain in {"alone": convolutions, "with pooling": pooled}.items()
}
print(across)

# %% [markdown]
# ## The check

# %%
assert largest.tolist() == [[[[4, 5], [7, 8]]]], "the largest are others"
assert mean.tolist() == [[[[2, 3], [5, 6]]]], "the means are others"
assert max_pool2d_scratch(sixteen, 3).item() == 10, "another place"
assert gradient(max_pool2d_scratch, tie).tolist() == [[0, 1], [0, 0]], "the gradient went elsewhere"
assert gradient(avg_pool2d_scratch, tie).eq(1 / 4).all(), "the shares are not equal"
assert worst["outputs"] < 1e-12 and worst["gradients"] < 1e-12, "ours is not torch's"
for name in ("maximum", "mean"):
    assert changes[name] == sorted(changes[name], reverse=True), f"{name}: forgives less"
    assert changes[name][-1] < changes[name][0] / 4, f"{name} of 16 pixels forgives little"
assert changes["every n-th pixel"][-1] > 0.75 * changes["mean"][0], "leaving pixels out forgives"
assert across == {"alone": 9, "with pooling": 16}, "the fields are others"
print("windows are summed up, and a shift by one pixel is forgiven")

# %% [markdown]
# ## Exercises
#
# 1. Write the maximum of two numbers with a ReLU and sums. How many convolutions and ReLUs make a
#    maximum of 2 by 2 out of that?
# 2. How many additions, products and comparisons does pooling with a window of $h \times w$ take per
#    output, of each kind? Compare with the convolution before it in LeNet (6.6).
# 3. The square root of the mean of squares is a third way to sum up a window. Where does it stand
#    between the two, for a window with one bright pixel? What is its gradient at zero?
# 4. Pool by a window of 3 with stride 2, so that windows overlap. Does it forgive more than a window
#    of 2, or one of 3, each with its own stride?
# 5. A network whose pooling windows begin at pixel 0 does change when the image is shifted by one
#    pixel. By which shifts does it not, apart from the border?
#
# ## What to try next
#
# - Shift by four pixels in place of one, `there = edges(grey[:416, 4:612])`: with windows of 8 the maps
#   change by 38% (maximum) and 41% (mean). A window forgives what is small against it.
# - `avg_pool2d_scratch(here, 4, stride=1)[..., ::4, ::4]` is `avg_pool2d_scratch(here, 4)`, to
#   rounding: pooling is a blur of which every n-th pixel is kept. Leaving out the blur is what hurts.
# - 6.6 puts convolutions, pooling and dense layers together.
