# %% [markdown]
# # 7.4 Networks with parallel concatenations (GoogLeNet)
#
# Kernels of 1, 3, 5, 7 or 11 pixels: the networks so far each made another choice, and none could
# say why. GoogLeNet, which won the ImageNet challenge of 2014, does not choose. Its block looks at
# the same maps through several windows at once, and lets the next block pick. The art is to make
# that affordable, and the means is NiN's convolution of 1 by 1.

# %%
import torch
from torch import nn

from divekit import plot
from divekit.evaluate import summarise
from divekit.models import VGG, AlexNet, NiN
from divekit.nn import pixels_seen
from divekit.train import fit

# %% [markdown]
# ## The Inception block
#
# Four paths, side by side: 1 by 1 alone; 1 by 1, then 3 by 3; 1 by 1, then 5 by 5; and the maximum
# of 3 by 3, then 1 by 1. All keep the sides, so that the channels they give can be stacked.

# %% source
from divekit.models.googlenet import Inception

# %%
torch.manual_seed(0)
block = Inception(3, 16, (8, 16), (8, 16), 16).double()
noise = torch.rand(3, 9, 9, dtype=torch.float64)
paths = {
    "1 x 1": block.path1,
    "then 3 x 3": block.path2,
    "then 5 x 5": block.path3,
    "maximum of 3 x 3": block.path4,
    "all together": block,
}
views = {name: pixels_seen(path, noise, (4, 4)) for name, path in paths.items()}
for name, view in views.items():
    print(f"{name:<18}{view.sum():>3} pixels")

# %%
plot.images(torch.stack(list(views.values())).float(), list(views), columns=5)

# %% [markdown]
# White is where the gradient of the number in the middle arrives. (Of nine pixels the maximum
# takes the largest of each channel; the others are not felt just now.)
#
# ## What a small convolution saves
#
# In the first block, 192 channels come in, and the 5 by 5 convolution gives 32. It could take all
# 192; the block makes 16 of them first. The detour costs a tenth of the straight way.

# %%
with torch.device("meta"):
    maps = torch.empty(1, 192, 12, 12)
    straight = summarise(nn.Conv2d(192, 32, kernel_size=5, padding=2), maps)
    through = summarise(Inception(192, 64, (96, 128), (16, 32), 32).path3, maps)
for name, parts in (("straight", straight), ("through 16 channels", through)):
    print(f"{name:<20}{parts.parameters:>9,} parameters {parts.flops:>12,} FLOPs")

# %% [markdown]
# ## The network
#
# A stem like the beginning of the others, then nine blocks in three groups, with the sides halved
# between the groups, then a mean over each map, as in NiN, and one dense layer. The numbers of
# channels are from the paper, which gives no rule for them.

# %% source
from divekit.models.googlenet import INCEPTIONS, GoogLeNet

# %%
with torch.device("meta"):
    whole = summarise(GoogLeNet(), torch.empty(1, 1, 96, 96))
work, weights = {}, {}  # per block: [path 1, path 2, path 3, path 4]
for layer in whole.layers:
    names = layer.name.split(".")
    if names[0] == "inceptions" and names[-2].startswith("path"):
        place = (int(names[1]) + 3, int(names[2]))  # the paper counts the groups from 3
        path = int(names[-2][-1]) - 1
        work.setdefault(place, [0] * 4)[path] += layer.flops
        weights.setdefault(place, [0] * 4)[path] += layer.parameters
for place, shares in work.items():
    counts = "".join(f"{count:>11,}" for count in weights[place])
    print(f"block {place[0]}.{place[1]}  parameters{counts}   {sum(shares):>12,} FLOPs")
in_stem = sum(layer.flops for layer in whole.layers if layer.name.startswith("stem"))
print(f"the stem alone: {in_stem:,} of {whole.flops:,} FLOPs")

# %%
picture = plot.new_picture(width=7.0, height=3.4)
axes = picture.subplots()
bottom = [in_stem / 1e6] + [0] * len(work)
labels = ["stem", *(f"{group}.{number}" for group, number in work)]
axes.bar(labels[:1], [in_stem / 1e6], color=plot.INK)
for path, name in enumerate(("1 x 1", "then 3 x 3", "then 5 x 5", "after the maximum")):
    heights = [0, *(shares[path] / 1e6 for shares in work.values())]
    axes.bar(labels, heights, bottom=bottom, color=plot.COLOURS[path], label=name)
    bottom = [low + height for low, height in zip(bottom, heights, strict=True)]
axes.set(xlabel="block", ylabel="million FLOPs for an image")
plot.style_axes(axes)
plot.add_legend(axes)
picture

# %% [markdown]
# The 3 by 3 path does most of the work in every block. The stem, three convolutions, does more
# than any block, since its maps are the largest. All four networks of this chapter so far, on
# images of 96 pixels:

# %%
sizes = {}
with torch.device("meta"):
    for model in (AlexNet(1, 10, 96), VGG(1, 10, 96), NiN(1, 10, 96), GoogLeNet(1, 10)):
        parts = summarise(model, torch.empty(1, 1, 96, 96))
        name = type(model).__name__
        sizes[name] = (parts.parameters, parts.flops)
        print(f"{name:<10}{parts.parameters:>12,} parameters {parts.flops:>14,} FLOPs for an image")

# %%
assert [views[name].sum() for name in list(paths)[:3]] == [1, 9, 25], "other windows"
assert views["all together"].sum() == 25, "together they see something else"
assert straight.flops > 9 * through.flops, "the detour does not pay"
assert sizes["GoogLeNet"][0] == 5_977_530, "not the book's network"
assert len(work) == 9 and all(shares[1] == max(shares) for shares in work.values()), "other blocks"
assert in_stem + sum(map(sum, work.values())) + 2 * 1024 * 10 == whole.flops, "work is missing"

# %% [markdown]
# GoogLeNet has less than a seventh of VGG-11's parameters, and a fifth of its work.
#
# ## Training
#
# SGD at a rate of 0.1, and images of 96 pixels, which is what ten epochs could afford. The paper
# helped the gradients down with two further classifiers halfway up; the book leaves them out. The
# sample takes a quarter of the channels.

# %% source
from divekit.recipes.deep_convolutional_networks import googlenet

# %%
run = fit(googlenet())
plot.curves(run.history)

# %% [markdown]
# ## Which paths count?
#
# Silence one path in all nine blocks of the trained network, by putting zeros for what it gives,
# and measure again. The network was not trained for this, so it says which paths the others rely
# on, not how well one could do without.

# %%
model = run.model.eval()
without = {}
for path in (None, "path1", "path2", "path3", "path4"):
    silenced = [part for name, part in model.named_modules() if path and name.endswith(path)]
    hooks = [
        part.register_forward_hook(lambda part, inputs, output: torch.zeros_like(output))
        for part in silenced
    ]
    right = total = 0
    with torch.no_grad():
        for images, labels in run.data.test:
            answers = model(images.to(run.state.device)).argmax(dim=1).cpu()
            right += (answers == labels.cpu()).sum().item()
            total += len(labels)
    for hook in hooks:
        hook.remove()
    without[path or "nothing"] = right / total
    print(f"without {path or 'nothing':<8} accuracy {right / total:.3f}")

# %%
print(run.check())  # fails when the recipe's goal is missed
assert abs(without["nothing"] - run.metrics["test_accuracy"]) < 1e-6, "another measure"
assert max(without[f"path{n}"] for n in (1, 2, 3, 4)) < without["nothing"], "an idle path"

# %% [markdown]
# ## Exercises
#
# 1. Count the parameters of one block by hand, from its row of `INCEPTIONS`.
# 2. Replace the 5 by 5 convolutions by two of 3 by 3 (7.2). What do parameters and work become?
# 3. Leave out the 1 by 1 convolutions that come before 3 by 3 and 5 by 5. How large does the
#    network grow?
# 4. What is the smallest image that this network takes? Why did AlexNet and NiN need 65 and 67
#    pixels?
# 5. Train without each of the four paths in turn. Compare with what silencing it in the trained
#    network cost.
#
# ## What to try next
#
# - 7.5 makes deep networks like this one learn at once, and 7.6 makes them much deeper.
