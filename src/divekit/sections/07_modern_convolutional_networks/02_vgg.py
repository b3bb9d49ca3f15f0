# %% [markdown]
# # 7.2 Networks using blocks (VGG)
#
# AlexNet works, but says nothing about how to build the next network: every layer has numbers of
# its own. VGG, named after a group in Oxford, has one part, repeated: some convolutions of 3 by 3
# that keep the sides, and a pooling that halves them. How many of each is a short table. This
# section builds networks of 11 to 19 layers from it, works out why 3 by 3 is enough, and shows
# what made the deeper ones hard to train.

# %%
import torch
from torch import nn

from divekit import plot
from divekit.evaluate import summarise
from divekit.nn import pixels_seen, receptive_fields
from divekit.train import fit

# %% [markdown]
# ## One block
#
# Two convolutions of 3 by 3, one after the other, see what one of 5 by 5 sees, and three see what
# one of 7 by 7 does. From $c$ channels to $c$ channels they have $2 \cdot 9c^2 = 18c^2$ weights
# where the larger kernel has $25c^2$, and $27c^2$ where it has $49c^2$. And there is a ReLU after
# each.

# %% source
from divekit.models.vgg import vgg_block

# %%
channels = 16
seen = {}
for number in (1, 2, 3):
    side = 2 * number + 1
    block = vgg_block(number, channels, channels)
    one = nn.Conv2d(channels, channels, side, padding=number)
    (rows, _), weights = (
        receptive_fields(block[:-1])[-1],
        sum(layer.weight.numel() for layer in block if isinstance(layer, nn.Conv2d)),
    )
    seen[number] = (rows.size, weights, one.weight.numel())
    print(f"{number} of 3 x 3 see {rows.size} pixels with {weights:,} weights; ", end="")
    print(f"one of {side} x {side}: {one.weight.numel():,}")

# %% [markdown]
# The gradient says the same. White is where it arrives from the number in the middle. But the
# pixels do not count alike. Averaged over many random blocks, those in the middle are felt most,
# since most ways lead to them. Below is the mean of the gradient's square.

# %%
noise = torch.rand(1, 9, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
masks, felt = [], []
for number in (1, 2, 3):
    torch.manual_seed(0)
    total = torch.zeros(9, 9, dtype=torch.float64)
    for _ in range(120):
        convolutions = vgg_block(number, 1, 8)[:-1].double()
        pixels = noise[None].clone().requires_grad_()
        convolutions(pixels)[0, :, 4, 4].sum().backward()
        total += pixels.grad[0, 0].square()
    masks.append(pixels_seen(convolutions, noise, (4, 4)) | (total > 0))
    felt.append(total / total.max())

# %%
words = ["one of 3 x 3", "two of 3 x 3", "three of 3 x 3"]
plot.images(
    torch.stack([*(mask.double() for mask in masks), *felt]), [*words, "", "", ""], columns=3
)

# %% [markdown]
# ## The networks
#
# A table of pairs, how many convolutions and how many channels, is all that tells VGG-11 from
# VGG-19. Each block halves the sides and, until there are 512, doubles the channels.

# %% source
from divekit.models.vgg import VGG, VGG11, VGG13, VGG16, VGG19

# %%
table = {}
with torch.device("meta"):
    for name, blocks in (
        ("VGG-11", VGG11),
        ("VGG-13", VGG13),
        ("VGG-16", VGG16),
        ("VGG-19", VGG19),
    ):
        parts = summarise(VGG(blocks=blocks), torch.empty(1, 1, 224, 224))
        table[name] = (parts.parameters, parts.flops)
    parts = summarise(VGG(width=0.25), torch.empty(1, 1, 224, 224))
table["VGG-11, a quarter as wide"] = (parts.parameters, parts.flops)
for name, (parameters, flops) in table.items():
    print(f"{name:<26}{parameters:>12,} parameters {flops:>15,} FLOPs for an image")

# %%
print(parts)

# %% [markdown]
# The last table is the network that is trained here: a quarter of the channels, since
# Fashion-MNIST is small. Its convolutions have about a sixteenth of the weights, but the dense
# layers are still large: 42.5 of its 43.1 million parameters. With all its channels VGG-11 does
# eight times the work of AlexNet.
#
# ## Why deep was hard
#
# The paper drew its weights with a deviation of 0.01. Sixteen layers then learned only when some
# of them were taken from a network of 11 that had been trained before. Xavier's weights (4.8) keep
# a signal's size in a network without ReLU; but ReLU throws half of the signal away, which halves
# its mean square, layer after layer. Kaiming's have about twice the variance to make up for it.
# Follow the signal through VGG-19, right after it was made: how much do the numbers of one place
# differ from image to image? (What does not differ comes from the biases, and knows nothing of the
# image.)

# %%
images = torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(1))


def signal_sizes(initial):
    torch.manual_seed(0)
    hidden, sizes = images, []
    for layer in VGG(
        3, image_size=32, blocks=VGG19, width=0.5, hidden=64, initial=initial
    ).features:
        for part in layer:
            hidden = part(hidden)
            if isinstance(part, nn.Conv2d):
                sizes.append(hidden.var(dim=0).mean().sqrt().item())
    return sizes


with torch.no_grad():
    signals = {
        "0.01": signal_sizes(lambda weight: nn.init.normal_(weight, std=0.01)),
        "Xavier": signal_sizes(nn.init.xavier_uniform_),
        "Kaiming": signal_sizes(nn.init.kaiming_normal_),
    }
for name, sizes in signals.items():
    print(f"{name:<8} {sizes[0]:.2g} after the first convolution, {sizes[-1]:.2g} after the last")

# %%
plot.lines(range(1, 17), signals, x_label="convolution", y_label="spread over images", log="y")

# %%
assert seen == {1: (3, 2304, 2304), 2: (5, 4608, 6400), 3: (7, 6912, 12544)}, "other fields"
for number, mask in enumerate(masks, start=1):
    inside = torch.zeros(9, 9, dtype=torch.bool)
    inside[4 - number : 5 + number, 4 - number : 5 + number] = True
    assert torch.equal(mask, inside), f"{number} of 3 x 3: the gradient disagrees"
assert all(field[4, 4] > 2 * field[4, 4 + n] for n, field in enumerate(felt[1:], start=2)), "even"
assert table["VGG-11, a quarter as wide"][0] == 43_093_322, "not the book's network"
assert table["VGG-19"][0] - table["VGG-16"][0] == 9 * (256**2 + 2 * 512**2) + 1280, "other blocks"
spread = {name: sizes[-1] for name, sizes in signals.items()}
assert spread["Kaiming"] > 300 * spread["Xavier"], "Xavier's signal does not fade"
assert spread["Xavier"] > 3000 * spread["0.01"], "the signal of 0.01 does not fade"

# %% [markdown]
# With 0.01, images are a hundredth apart after the first layer and less than a billionth after the
# last, and single precision has but seven digits. With Xavier's they are still a hundred-thousandth
# apart, which is little to learn from. With Kaiming's, a twentieth of what there was is left.
#
# ## Training
#
# VGG-11 has only eleven layers, and learns from Xavier's weights too: the book's settings have them.
# The sample takes an eighth of the channels, images of 32 pixels, Kaiming's weights and Adam.

# %% source
from divekit.recipes.deep_convolutional_networks import vgg

# %%
run = fit(vgg())
plot.curves(run.history)

# %%
print(run.check())  # fails when the recipe's goal is missed

# %% [markdown]
# ## Exercises
#
# 1. How much memory do the activations of VGG-11 take in training, for a batch of 128 images?
#    Compare with AlexNet. In which blocks are they?
# 2. A convolution of 1 by 5 followed by one of 5 by 1 sees 5 by 5 pixels as well. Count its
#    weights. What can two of 3 by 3 say that it cannot?
# 3. Put the four convolutions of the last two blocks into the first two instead: `blocks=((2, 64),
#    ...)`. What happens to parameters and work? Which place is the cheaper one for one more layer?
# 4. Work out the receptive field of one number at the end of VGG-11 and of VGG-19. How do they
#    compare with the side of the image?
# 5. Replace all poolings by a stride of 2 in the last convolution of a block. What does training
#    say?
#
# ## What to try next
#
# - On the sample, VGG-11 ends at 0.94 with Kaiming's weights and is at 0.31 with Xavier's:
#   `vgg(initial="xavier")`. VGG-19, `vgg(depth=19, epochs=5)`, comes to 0.63 with Kaiming's, and to
#   0.15 with Xavier's: it has hardly begun.
# - 7.3 gets rid of the dense layers.
