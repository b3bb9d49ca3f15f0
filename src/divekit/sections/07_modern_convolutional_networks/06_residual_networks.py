# %% [markdown]
# # 7.6 Residual networks (ResNet)
#
# A deeper network can do what a shallower one does, if the layers that it has besides learn to do nothing. Trained,
# it was often worse, on the training data already: doing nothing is hard to learn for a layer that multiplies
# and bends. A *residual block* adds what it computes to what it was given. To do nothing it need only
# compute zero. Since 2015 hardly any deep network has been built without this sum.

# %%
import itertools

import torch
import torch.nn.functional as F
from torch import nn

from divekit import plot
from divekit.evaluate import summarise
from divekit.train import fit

# %% [markdown]
# ## Nested classes of functions
#
# Let $\mathcal{F}$ be all functions that an architecture can be, by any weights, and $f^*$ the one that we
# would like. Training looks for the nearest member of $\mathcal{F}$. A larger class need not contain a nearer one,
# unless it contains the smaller class: only for *nested* classes $\mathcal{F}_1 \subseteq \mathcal{F}_2 \subseteq
# \cdots$ does the distance never grow.
#
# A small example where all can be computed: approximate a function by sums of given ones, by least squares. Each class
# of the first chain has the members of the one before it and one more. The second chain has as many at each
# step, but others.

# %%
x = torch.linspace(0, 1, 200, dtype=torch.float64)
wanted = (4 * x).sin() * (-x).exp() + (x > 0.6) * 0.3
nested = [[torch.cos(torch.pi * k * x) for k in range(size)] for size in range(1, 9)]
others = [
    [torch.cos(torch.pi * ((k * 3 + size * size) % 11) * x) for k in range(size)]
    for size in range(1, 9)
]


def distance(functions):
    columns = torch.stack(functions, dim=1)
    return (
        (columns @ torch.linalg.lstsq(columns, wanted[:, None]).solution - wanted[:, None])
        .norm()
        .item()
    )


distances = {
    "nested": [distance(functions) for functions in nested],
    "not nested": [distance(functions) for functions in others],
}

# %%
plot.lines(
    range(1, 9), distances, x_label="functions in the class", y_label="distance of the nearest"
)

# %% [markdown]
# ## The block
#
# $$\mathbf{y} = \mathbf{x} + g(\mathbf{x})$$
#
# with two or three convolutions in $g$, each with batch normalization (7.5). Where sides are halved and channels doubled,
# $\mathbf{x}$ goes through a 1 x 1 convolution, since only what has one shape can be added.
#
# There are two forms. The **original** one bends the sum as well, $\mathbf{y} = \max(0, \mathbf{x} + g(\mathbf{x}))$. The
# **pre-activated** one, of a year later, normalises and bends before each convolution and leaves the sum alone. Then
# what goes up a stage is never touched:
#
# $$\mathbf{x}_L = \mathbf{x}_l + \sum_{k=l}^{L-1} g_k(\mathbf{x}_k), \qquad
# \frac{\partial \mathcal{L}}{\partial \mathbf{x}_l} = \frac{\partial \mathcal{L}}{\partial \mathbf{x}_L}
# \Bigl(1 + \frac{\partial}{\partial \mathbf{x}_l} \sum_k g_k(\mathbf{x}_k)\Bigr).$$
#
# The gradient of the last sum reaches every block below as it is, whatever the weights in between.

# %% source
from divekit.models.resnet import Residual

# %% [markdown]
# ## Identity in the beginning
#
# With zeros in the last scale of $g$ a block hands on what it was given, and a network of any depth begins as
# its stem and its last layer. (In the original form this holds for what a block before it has bent.) The gradients of
# that last scale are not zero, so it soon leaves the beginning.

# %%
torch.manual_seed(0)
maps = torch.randn(8, 16, 12, 12).relu()
block = Residual(16, 16)
nn.init.zeros_(block.bn2.weight)
handed_on = torch.equal(block(maps), maps)
before_inputs = Residual(16, 16, preactivation=True)
nn.init.zeros_(before_inputs.conv2.weight)
handed_on_before = torch.equal(before_inputs(maps), maps)
halved = Residual(16, 32, stride=2)(maps).shape
print("identity:", handed_on, handed_on_before, "  halved and doubled:", tuple(halved))

# %% [markdown]
# ## Gradients through depth
#
# Stacks of up to 32 blocks, 64 convolutions of 8 channels, with random weights as they begin. Each is built three
# times from the same draws: without the sum, $\mathbf{y} = \max(0, g(\mathbf{x}))$, and in both residual forms. Two
# things are measured. How much *longer* is the gradient at the input of the first block than at that of the last? And
# if the input moves by a hundredth of its spread, how far does the gradient there still *agree* with what it was (the
# cosine between the two)? If it points somewhere else altogether, a step that was right at one place says
# nothing about the next.


# %%
class Plain(Residual):
    """The original block without the sum."""

    def forward(self, inputs):
        outputs = F.relu(self.bn1(self.conv1(inputs)))
        return F.relu(self.bn2(self.conv2(outputs)))


kinds = {
    "plain": lambda: Plain(8, 8),
    "original": lambda: Residual(8, 8),
    "pre-activated": lambda: Residual(8, 8, preactivation=True),
}
inputs, classes = torch.randn(16, 8, 6, 6), torch.randint(10, (16,))
nearby = inputs + 0.01 * torch.randn_like(inputs)
head = torch.randn(8, 10)


def gradients_through(blocks, inputs):
    """Give the gradients (B, C H W) at the inputs of the first block and of the last."""
    first = hidden = inputs.clone().requires_grad_()
    for block in blocks:
        last = hidden
        hidden = block(last)
    hidden = hidden / hidden.std()  # as a last normalisation would
    loss = F.cross_entropy(hidden.mean((2, 3)) @ head, classes)
    return [gradient.flatten(1) for gradient in torch.autograd.grad(loss, [first, last])]


depths = (2, 4, 8, 16, 32)
lengths, agreement = {kind: [] for kind in kinds}, {kind: [] for kind in kinds}
for depth in depths:
    for kind, make in kinds.items():
        torch.manual_seed(depth)
        blocks = [make().requires_grad_(False) for _ in range(depth)]  # no gradients of weights
        first, last = gradients_through(blocks, inputs)
        moved_first, _ = gradients_through(blocks, nearby)
        lengths[kind].append((first.norm() / last.norm()).item())
        agreement[kind].append(F.cosine_similarity(first, moved_first).mean().item())
for kind in kinds:
    print(
        f"{kind:<14} {depths[-1]} blocks: {lengths[kind][-1]:9,.1f} times as long, "
        f"agreement {agreement[kind][-1]:.2f}"
    )

# %%
picture = plot.new_picture(width=8.4, height=3.0)
panels = picture.subplots(1, 2)
for axes, values, label in (
    (panels[0], lengths, "gradient, first block to last"),
    (panels[1], agreement, "agreement of neighbours"),
):
    for kind in kinds:
        plot.draw_line(axes, depths, values[kind], kind)
    axes.set(xscale="log", xlabel="blocks", ylabel=label, xticks=depths, xticklabels=depths)
    axes.minorticks_off()
panels[0].set_yscale("log")
panels[1].set_ylim(0, 1.05)
for axes in panels:
    plot.style_axes(axes)
plot.add_legend(panels[0])
picture

# %% [markdown]
# Without the sum every normalised block multiplies the gradient, and with depth it grows by orders of magnitude; what
# is left of it points nowhere. With the sum the growth is a slow one: the spread of a sum grows like the root of the
# number of its summands, and each new summand is a smaller part of the whole.
#
# This is what depth alone does to a network before it has learned anything, and what the sum mends.
#
# ## ResNet-18
#
# A stem that halves the sides twice, four stages of two blocks, the mean of each channel, and one dense layer. All deeper
# ones (34, 50, 101, 152) have more blocks in the same four stages; from 50 on a block is a *bottleneck*, 1 x 1 to a
# quarter of the channels, 3 x 3, 1 x 1 back. The book's network is that of the paper but for two things: convolutions
# have biases, and the shortcut is not normalised (`book=True`). What it has here besides are torchvision's names, so
# weights that were trained on ImageNet fit into it: `divekit.train.load_state(resnet50(), state)`.

# %% source
from divekit.models.resnet import ResNet

# %%
from divekit import models

sizes = {}
with torch.device("meta"):  # shapes alone: no weights are drawn
    whole = summarise(ResNet(1, 10, 96, book=True), torch.empty(1, 1, 96, 96))
    print(
        f"the book's: {whole.parameters:,} parameters, {whole.flops:,} floating-point operations for an image"
    )
    for depth in (18, 34, 50, 101, 152):
        network = getattr(models, f"resnet{depth}")()
        sizes[depth] = sum(parameter.numel() for parameter in network.parameters())
        print(f"ResNet-{depth}: {sizes[depth]:,} parameters in ImageNet's form")

# %% [markdown]
# ## Training
#
# Images are enlarged to 96 pixels, as in the book: the paper's ImageNet images had 224. On the sample a network of a
# quarter of the channels reads digits of 20 pixels.

# %% source
from divekit.recipes.residual_networks import resnet18

# %%
run = fit(resnet18())
plot.curves(run.history)

# %% [markdown]
# ## Without a block
#
# If blocks only add, the trained network should survive the loss of one. Each of the eight is left out in turn, but
# for those that halve: what they were given no longer fits.

# %%
model = run.model.cpu().eval()
images, labels = next(iter(run.data.test))


def accuracy(network):
    with torch.no_grad():
        return (network(images).argmax(1) == labels.cpu()).float().mean().item()


left = {"none": accuracy(model)}
for stage in range(1, 5):
    blocks = model.get_submodule(f"layer{stage}")
    for number, removed in enumerate(blocks):
        if removed.downsample is None:
            blocks[number] = nn.Identity()
            left[f"{stage}.{number + 1}"] = accuracy(model)
            blocks[number] = removed
print("left out  ", *(f"{name:>5}" for name in left))
print("accuracy  ", *(f"{value:5.2f}" for value in left.values()))

# %% [markdown]
# ## Today's way
#
# The same depth with what has been learned since about training: no halving in the stem of small images, images moved
# and mirrored, momentum, a rate that rises and falls. `divekit train resnet18_modern` runs it; it takes a GPU, or a
# night. A quarter as wide (`width=0.25`) it takes an hour of one core, and ten epochs came to 0.934 on the test images
# of Fashion-MNIST: more than any network of this chapter in the book. Its parts are in view here.

# %% source
from divekit.recipes.residual_networks import resnet18_modern

# %%
from divekit.data import Moved

originals = (255 * images[:6]).byte()
moved = Moved(shift=2, mirror=False)(originals, torch.Generator().manual_seed(1))

# %%
plot.images(torch.cat([originals, moved]), ["as it is"] * 6 + ["shifted"] * 6)

# %%
print(run.check())  # fails when the recipe's goal is missed
steps = itertools.pairwise(distances["nested"])
assert all(after <= before + 1e-9 for before, after in steps), "nested classes come ever nearer"
steps = itertools.pairwise(distances["not nested"])
assert any(after > before + 1e-3 for before, after in steps), "others need not"
assert handed_on and handed_on_before, "a block that adds nothing is the identity"
assert halved == (8, 32, 6, 6)
for kind in ("original", "pre-activated"):
    assert lengths[kind][-1] < 0.1 * lengths["plain"][-1], "the sum tames the gradient"
    assert agreement[kind][-1] > agreement["plain"][-1] + 0.3, "and lets neighbours agree"
assert whole.parameters == 11_178_378, "not the book's network"
assert list(sizes.values()) == [11_689_512, 21_797_672, 25_557_032, 44_549_160, 60_192_808]
assert len(left) == 6 and max(list(left.values())[1:]) > 0.4, "some block can be spared"

# %% [markdown]
# ## Exercises
#
# 1. Show that the spread of what goes up a stage of pre-activated blocks grows like $\sqrt{k}$ if each of $k$ blocks
#    adds something of spread one that has nothing to do with the rest. What does the last normalisation then do to each
#    part, and to its gradient?
# 2. Count the products of a bottleneck of 256 channels and of two 3 x 3 convolutions of 256. What does the
#    bottleneck cost in the second picture?
# 3. Compare with 7.4: which of the four paths of an Inception block would have to be taken away, and which put in, to
#    make a residual block of it?
# 4. Train `ResNet` with `start_as_identity=True` and without, three seeds each. Where in the curves is the
#    difference?
# 5. Multiply the sum by 0.9 in every block. What becomes of the gradient through 48 of them?
#
# ## What to try next
#
# - Take the sum out and train three epochs: with `Plain` in every place the sample ends at 0.87 and 0.92 (seeds 0 and
#   1), with it at 0.91 and 0.97. Give each stage six blocks in place of two, 50 layers in all, and it is 0.29 and 0.22
#   without the sum, 0.83 and 0.86 with it.
# - `preactivation=True`, three epochs again: 0.94 with both seeds. So few do not tell the two forms apart.
# - `start_as_identity=True`: 0.24, 0.71 and 0.84 after three epochs of seed 0. A slow start, for so shallow a network;
#   it is for those of hundreds of layers.
# - `small_stem=True` keeps all pixels of the small images, and ends at 0.94 with both seeds, for nine times the work.
# - 7.7 keeps what a block was given by the side of what it computes, in place of adding the two.
