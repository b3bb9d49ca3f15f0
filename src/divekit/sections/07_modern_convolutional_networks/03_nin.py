# %% [markdown]
# # 7.3 Network in network (NiN)
#
# LeNet, AlexNet and VGG end alike: what the convolutions have found is laid out as one long row of
# numbers and goes through dense layers. These hold most of the parameters, fix the size of the
# images, and forget where things were. Network in Network moves them: a small dense network works
# at every pixel, between the convolutions, and at the end there is nothing but a mean. What comes
# before that mean is one map for each class, and a map can be looked at.

# %%
import torch
from torch import nn

from divekit import plot
from divekit.evaluate import summarise
from divekit.models import AlexNet
from divekit.nn import cross_entropy
from divekit.train import fit

# %% [markdown]
# ## A dense network at every pixel
#
# A convolution of 1 by 1 mixes the channels of a pixel and looks at no other pixel (6.4): it is a
# dense layer, used everywhere with the same weights. A block is a convolution that looks around,
# and two of 1 by 1 that think about what it saw.

# %% source
from divekit.models.nin import nin_block

# %% [markdown]
# To see that it is one, copy the weights of the two small convolutions into two dense layers, and
# hand these the pixels of the maps one by one, as a list.

# %%
torch.manual_seed(0)
block = nin_block(3, 8, kernel_size=5, padding=2)
dense = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU())
with torch.no_grad():
    for theirs, ours in ((dense[0], block[2]), (dense[2], block[4])):
        theirs.weight.copy_(ours.weight[:, :, 0, 0])
        theirs.bias.copy_(ours.bias)
    maps = block[:2](torch.rand(2, 3, 6, 7))  # (2, 8, 6, 7): what the first convolution saw
    by_convolution = block[2:](maps)
    pixels = maps.permute(0, 2, 3, 1).reshape(-1, 8)  # (2 * 6 * 7, 8): a list of 84 pixels
    by_pixels = dense(pixels).reshape(2, 6, 7, 8).permute(0, 3, 1, 2)
difference = (by_convolution - by_pixels).abs().max().item()
print(f"{len(pixels)} pixels of 8 numbers, greatest difference {difference:.0e}")

# %% [markdown]
# ## The network
#
# The first convolutions of the blocks are AlexNet's. After dropout, the last block gives as many
# maps as there are classes, and the mean of a map is the score of its class.

# %% source
from divekit.models.nin import NiN

# %%
with torch.device("meta"):
    parts = summarise(NiN(), torch.empty(1, 1, 224, 224))
    alexnet_parts = summarise(AlexNet(), torch.empty(1, 1, 224, 224))
print(parts)
for name, whole in (("AlexNet", alexnet_parts), ("NiN", parts)):
    print(f"{name:<8}{whole.parameters:>12,} parameters {whole.flops:>15,} FLOPs for an image")

# %% [markdown]
# A twenty-third of AlexNet's parameters, at four fifths of its work. And no size is built in: this
# network takes any image of 67 pixels or more, and gives larger images larger class maps.
#
# ## How a class is lost
#
# The last block ends with ReLU, as all blocks do. So when the map of a class is zero everywhere,
# on every image, ReLU lets no gradient through, and nothing that the loss says reaches the weights
# of that map. Put it to the test: give one class of a fresh network a strongly negative bias, show
# images of just this class and of another, and ask for the gradient of that bias.

# %%
batch, truth = torch.rand(8, 1, 67, 67), torch.tensor([0] * 4 + [1] * 4)
pulls = {}
for last_relu in (True, False):
    torch.manual_seed(0)
    fresh = NiN(1, 10, 67, width=0.125, last_relu=last_relu)
    bias = fresh.classifier[1][4].bias
    with torch.no_grad():
        bias[0] = -10.0
    cross_entropy(fresh(batch), truth).backward()
    pulls[last_relu] = bias.grad[0].item()
    print(f"last ReLU {last_relu!s:<6} gradient of the lost class's bias {pulls[last_relu]:.3g}")

# %% [markdown]
# Without the last ReLU the gradient would pull the class back. With it, it is exactly zero. Such a
# class can only return when the layers below happen to change in its favour. And it takes no
# accident to lose one: show the book's network, as it is made and before any training, eight
# images of squares, from small to large, and count the classes whose map is zero on all of them.

# %%
squares = torch.zeros(8, 1, 99, 99)
for number, square in enumerate(squares):
    square[0, 8 : 20 + 10 * number, 8 : 20 + 10 * number] = 1
lost, spread = {}, {}
for name, initial in (("Xavier", nn.init.xavier_uniform_), ("Kaiming", nn.init.kaiming_normal_)):
    lost[name], spread[name] = [], []
    for seed in range(6):
        torch.manual_seed(seed)
        fresh = NiN(initial=initial).eval()
        with torch.no_grad():
            first_scores = fresh(squares)
        lost[name].append((first_scores == 0).all(dim=0).sum().item())
        spread[name].append(first_scores.std(dim=0).max().item())
    print(f"{name:<8} classes lost {lost[name]}, spread over images {max(spread[name]):.1g}")

# %%
assert parts.parameters == 1_992_166, "not the book's network"
assert difference < 1e-6, "the two ways disagree"
assert min(lost["Xavier"]) > 0, "no class is lost"
assert max(spread["Xavier"]) < 0.05 * min(spread["Kaiming"]), "the signal has not faded"
assert pulls[True] == 0 and pulls[False] < -0.1, "the last ReLU makes no difference"

# %% [markdown]
# With Xavier's weights every network begins with some of its ten classes lost. The signal has
# faded on its way through twelve layers of ReLU (7.2): all images get nearly the same score, and
# it is biases that decide whether it is above zero. A lost class can come back while the layers
# below still learn, and others can be lost meanwhile. An accuracy of 0.45 is what a network would
# have that lacks half of its classes in the end. With Kaiming's there is more of a signal, and
# fewer classes are lost, but some are.
#
# ## Training
#
# The book's settings are those of AlexNet, but with a learning rate of 0.1. Its own runs ended at
# 0.87, or at 0.45, as chance would have it. On the sample the recipe leaves the last ReLU out, and
# dropout too, which slows down what has few steps to learn in.

# %% source
from divekit.recipes.deep_convolutional_networks import nin

# %%
run = fit(nin())
plot.curves(run.history)

# %% [markdown]
# ## Class maps
#
# For some test images, the map of every class before the mean is taken. Red speaks for the class,
# blue against it; after a last ReLU nothing is blue. No one told the network *where* anything is:
# there were labels for whole images only.

# %%
model = run.model.cpu().eval()
images, labels = next(iter(run.data.test))
images, labels = images[[0, 1, 3]].cpu(), labels[[0, 1, 3]].cpu()
with torch.no_grad():
    class_maps = model.classifier[:-2](model.features(images))  # (3, K, H', W')
    scores = model(images)  # (3, K)

# %%
names = run.facts.class_names
reach = class_maps.abs().max().item()
picture = plot.new_picture(width=9.4, height=3.6)
grid = picture.subplots(3, 1 + len(names))
for axes in grid.flat:
    axes.axis("off")
for row in range(3):
    grid[row, 0].imshow(images[row, 0], cmap="gray")
    grid[row, 0].set_title(f"is {names[labels[row]]}", fontsize=8, color=plot.INK)
    for column, name in enumerate(names, start=1):
        kind = class_maps[row, column - 1]
        grid[row, column].imshow(kind, cmap="RdBu_r", vmin=-reach, vmax=reach)
        best = scores[row].argmax() == column - 1
        title = f"{name}\n{scores[row, column - 1]:.1f}"
        weight = "bold" if best else "normal"
        grid[row, column].set_title(title, fontsize=7, color=plot.INK, fontweight=weight)
picture

# %%
print(run.check())  # fails when the recipe's goal is missed
assert torch.allclose(class_maps.mean(dim=(2, 3)), scores, atol=1e-5), "a score is another mean"

# %% [markdown]
# ## Exercises
#
# 1. Why two convolutions of 1 by 1 in each block? Take one away, or add one, and train.
# 2. Where did the parameters go? Compare the last block with AlexNet's three dense layers, number
#    by number.
# 3. Take the mean away and put a dense layer on the flattened class maps. What has to be known
#    then that was not known before?
# 4. Train on images of 131 pixels, and test the same network on images of 195. What happens to the
#    class maps, and what to the accuracy?
# 5. Put two digits into one image, side by side. What do the maps of both classes say?
#
# ## What to try next
#
# - The book's network, a quarter as wide, on the clothes at 99 pixels and a rate of 0.1: of the
#   five classes that seed 0 begins without, none had come back after 600 steps, and three more
#   were lost.
# - The sample with `nin(last_relu=True)`: after five epochs seed 0 has an accuracy of 0.73, where
#   it has 0.88 without the last ReLU, and three classes get no score on any test image.
# - 7.4 uses convolutions of 1 by 1 to make wide layers affordable.
