# %% [markdown]
# # 6.2 Convolutions for images
#
# A kernel is a small table of weights. Lay it on every place of an image, multiply what lies on
# top of each other, add up: the result is another image, which says how much each place looks like
# the kernel. This section writes that down in loops, finds edges with it in a photograph, and then
# lets gradient descent find the kernel.

# %%
import time

import torch

from divekit import plot

# %% [markdown]
# ## In loops

# %% source
from divekit.nn.convolution import cross_correlate, convolve

# %%
image = torch.arange(9.0).view(3, 3)
kernel = torch.arange(4.0).view(2, 2)
by_hand = cross_correlate(image, kernel)

# %%
plot.tables({"image": image, "kernel": kernel, "cross-correlation": by_hand})

# %% [markdown]
# In the upper left corner, $0 \cdot 0 + 1 \cdot 1 + 3 \cdot 2 + 4 \cdot 3 = 19$; then one step to
# the right, and so on. A kernel of $h \times w$ finds $H - h + 1$ places below each other and
# $W - w + 1$ beside each other, so the output is a little smaller than the image.
#
# ## Cross-correlation or convolution?
#
# Mathematics calls something else a convolution: there the kernel is turned by 180 degrees first.
# The turn makes the operation commutative, as a product should be: image and kernel may
# change places. (On the full image, that is, with zeros around it.) Deep learning leaves the turn
# out. Since kernels are learned it makes no difference: the turned kernel is learned instead.

# %%
around = torch.nn.functional.pad
one, other = torch.randn(2, 3, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
wide, wide_other = around(one, (2, 2, 2, 2)), around(other, (2, 2, 2, 2))
gaps = {
    "convolve": convolve(wide, other) - convolve(wide_other, one),
    "cross_correlate": cross_correlate(wide, other) - cross_correlate(wide_other, one),
}
for name, gap in gaps.items():
    print(f"{name:<16} changing places changes the result by up to {gap.abs().max():.3f}")

# %% [markdown]
# ## A layer
#
# A convolutional layer is the cross-correlation and a bias; kernel and bias are parameters. What a
# layer gives is called a *feature map*, because it says where a feature is. The pixels that can
# influence one of its numbers are the *receptive field* of that number, here as large as the
# kernel. Layers that are stacked see more than that: 6.3 works out how much.
#
# ## Edges
#
# The kernel $(1, -1)$ compares each pixel with its right neighbour. Where both are equal it says
# 0; where it gets darker 1, and where it gets brighter $-1$.

# %%
stripe = torch.ones(6, 8)
stripe[:, 2:6] = 0
difference = torch.tensor([[1.0, -1.0]])
edges = cross_correlate(stripe, difference)
blind = cross_correlate(stripe.T, difference)
print(edges)
print("on the image turned on its side:", blind.unique().tolist())

# %% [markdown]
# Edges that run across are invisible to it. Now a photograph that comes with scikit-learn. Pixels
# of real images flicker, so the kernels of Sobel take differences of weighted means of three:
# one kernel for upright edges, its transpose for edges that lie. The length of both
# together tells how strong an edge is, whatever its direction.

# %%
from sklearn.datasets import load_sample_image

photograph = torch.from_numpy(load_sample_image("china.jpg").copy())  # uint8 (427, 640, 3)
grey = photograph.float().mean(dim=2) / 255  # (H, W)
upright = torch.tensor([[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]])

# %% [markdown]
# The loops visit 271,150 places, one after the other: seconds of work. So from here on we take a
# version that copies what lies under the kernel into the columns of a matrix, for all places at
# once, and multiplies once. 6.4 takes it apart. First, are they the same?

# %%
from divekit.nn import conv2d_scratch


def fast(image, kernel):
    return conv2d_scratch(image[None, None], kernel[None, None])[0, 0]


corner = grey[:60, :60]
clocks = []
for function in (cross_correlate, fast):
    function(corner, upright)  # the first call of anything is slow
    start = time.perf_counter()
    found = function(corner, upright)
    clocks.append(time.perf_counter() - start)
same = (cross_correlate(corner, upright) - fast(corner, upright)).abs().max().item()
print(f"largest difference {same:.1e}; the loops took {clocks[0] / clocks[1]:.0f} times as long")

# %%
across, along = fast(grey, upright), fast(grey, upright.T)
strength = (across.square() + along.square()).sqrt()

# %%
picture = plot.new_picture(width=8.4, height=6.0)
views = {
    "photograph": (grey, "gray"),
    "upright edges": (across, "RdBu_r"),
    "edges that lie": (along, "RdBu_r"),
    "strength": (strength.clamp(max=2), "gray_r"),
}
for axes, (name, (view, colours)) in zip(picture.subplots(2, 2).flat, views.items(), strict=True):
    reach = 2.5 if colours == "RdBu_r" else None
    axes.imshow(view, cmap=colours, vmin=reach and -reach, vmax=reach)
    axes.set_title(name, fontsize=9, color=plot.INK)
    axes.axis("off")
picture

# %% [markdown]
# Red where it gets darker to the right, or downwards; blue where it gets brighter. The pillars are
# in one picture only, the beams in the other, and the sky is in neither.
#
# ## A kernel from examples
#
# We gave the kernels. Can they be learned from an image and its edges? The model is a
# cross-correlation with an unknown kernel, the loss the sum of squared errors, and since the output
# is linear in the kernel there is a single valley. Ten steps of gradient descent, on the stripe:

# %%
from divekit.nn import Conv2dScratch

torch.manual_seed(0)
layer = Conv2dScratch(1, 1, (1, 2), bias=False)
inputs, targets = stripe[None, None], edges[None, None]
losses = []
for _ in range(10):
    loss = (layer(inputs) - targets).square().sum()
    losses.append(loss.item())
    layer.weight.grad = None
    loss.backward()
    with torch.no_grad():
        layer.weight -= 0.03 * layer.weight.grad
learned = layer.weight.detach().view(1, 2)
print("losses:", [round(value, 3) for value in losses])
print("kernel:", learned)

# %%
plot.lines(range(10), {"loss": losses}, x_label="step", y_label="sum of squared errors", log="y")

# %% [markdown]
# The loss about halves at each step, and the kernel nears $(1, -1)$. Nine numbers from the photograph
# need no descent at all: each place is a linear equation for the nine weights, and least squares
# (3.1) solves all 271,150 of them at once.

# %%
from divekit.nn import windows

under = windows(grey[None, None].double(), 3)  # (1, 9, H', W', 1)
equations = under.view(9, -1).T  # a row for each place, a column for each weight
solution = torch.linalg.lstsq(equations, across.double().view(-1, 1)).solution.view(3, 3)
print(solution)

# %% [markdown]
# ## The check

# %%
assert by_hand.tolist() == [[19, 25], [37, 43]], "not what it is by hand"
assert gaps["convolve"].abs().max() < 1e-12, "the convolution does not commute"
assert gaps["cross_correlate"].abs().max() > 0.1, "the cross-correlation commutes"
assert edges[0].tolist() == [0, 1, 0, 0, 0, -1, 0], "the stripe's edges are elsewhere"
assert blind.eq(0).all(), "an edge that lies was seen by the wrong kernel"
assert same < 1e-5, "the loops and the matrix product differ"
assert across[:40, :200].abs().mean() < strength.mean() / 10, "edges in the empty sky"
assert losses[-1] < 0.01 * losses[0], "the kernel was not learned"
assert torch.allclose(learned, difference, atol=0.1), "another kernel was learned"
assert torch.allclose(solution, upright.double(), atol=1e-4), "least squares found another kernel"
print("edges found, and kernels found from edges")

# %% [markdown]
# ## Exercises
#
# 1. Of all patches of pixels with the same sum of squares, which one makes a given kernel answer
#    loudest? What does 2.3 say about dot products that settles it?
# 2. The kernel $(1, -2, 1)$ is a second difference. What does it say about a flat image, a slope,
#    and an edge? Derive it from $(1, -1)$, used twice.
# 3. Write the kernel whose output is each pixel's mean with its eight neighbours, and use it on
#    `grey` three times over. Which one kernel does the same in a single pass, and how large is it?
# 4. Sobel's kernel is the product of a column and a row, $(1, 2, 1)^\top (1, 0, -1)$. How many
#    multiplications does a place take if the two are applied one after the other, for a kernel of
#    $k \times k$? Which kernels can be split like that?
# 5. Give `grey` a shift of one pixel in both directions. Show that `across` is shifted as
#    much, and that only the border differs.
#
# ## What to try next
#
# - The learning rate 0.03 is near the limit: at 0.04 the loss doubles with every step from the third
#   on. At 0.01 it is still 1.7 after ten steps.
# - Learn Sobel's kernel from the photograph by descent in place of least squares, with the mean of
#   the squared errors: after 300 steps at 0.1 the weight that should be 2 is still 0.91, and at 0.3
#   the loss explodes. Neighbouring pixels are nearly equal, so the valley is long and narrow.
# - The other photograph, `load_sample_image("flower.jpg")`: its background is out of focus, and only
#   5% of its pixels have a strength above one half, against 26% here.
# - 6.3 keeps the output from shrinking, and lets it shrink on purpose.
