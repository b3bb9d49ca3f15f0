# %% [markdown]
# # 6.3 Padding and stride
#
# A kernel has to fit into the image, so every layer trims the border. Sometimes that is not wanted
# and the image is padded first; sometimes a smaller output is wanted and the kernel takes longer
# steps. Both decide how large the output is, and which pixels one of its numbers can see. This
# section counts, and then lets gradients check the counting.

# %%
import torch
from torch import nn

from divekit import plot
from divekit.nn import conv2d_scratch

# %% [markdown]
# ## How many places
#
# On a side of $n$ pixels, with $p$ pixels of padding at both ends together, lay a kernel of $k$
# weights. If it moves by $s$ pixels at a time, and its weights lie $d$ pixels apart (a *dilation*;
# usually 1), then it reaches over $d(k - 1) + 1$ pixels and finds
#
# $$\left\lfloor \frac{n + p - d(k - 1) - 1}{s} \right\rfloor + 1$$
#
# places. The floor says that the last step may be too long: what is left over is not looked at.

# %% source
from divekit.nn.convolution import output_size

# %%
print("a kernel of 3 on 8 pixels          ", output_size(8, 3))
print("padded by one at each end          ", output_size(8, 3, padding=2))
print("and in steps of two                ", output_size(8, 3, padding=2, stride=2))
print("a kernel of 5 in steps of four     ", output_size(8, 5, padding=2, stride=4))
print("a kernel of 3 with gaps, dilation 3", output_size(10, 3, dilation=3))

# %% [markdown]
# Ten layers of 5 by 5 without padding turn 240 by 240 pixels into 200 by 200, and have thrown away
# 31% of the image. What is lost first is not any 31% but the border.
#
# ## Who is seen how often
#
# Count for every pixel of an 8 by 8 image how many places of a 3 by 3 kernel cover it. No need to
# count by hand: with all weights one, the sum of the output has the count as its gradient.


# %%
def coverage(**settings):
    pixels = torch.zeros(1, 1, 8, 8, requires_grad=True)
    conv2d_scratch(pixels, torch.ones(1, 1, 3, 3), **settings).sum().backward()
    return pixels.grad[0, 0]


covered = {
    "no padding": coverage(),
    "one pixel": coverage(padding=1),
    "two pixels": coverage(padding=2),
    "one pixel, stride 2": coverage(padding=1, stride=2),
}

# %%
plot.tables(covered, {name: count.long() // 9 - 1 for name, count in covered.items()}, line=20)

# %% [markdown]
# Coloured pixels are under all nine weights once. Without padding a corner is seen once, a pixel
# in the middle nine times. With one pixel of padding the size stays, and corners are seen four
# times. For everyone to be seen equally often it takes two, and the output is larger than the image.
#
# Kernels with an odd number of weights are popular, since $p = k - 1$ then splits into halves. An
# even one needs one pixel more at one end. This spells every way of saying it out:

# %% source
from divekit.nn.convolution import padding_of_sides, pair

# %%
print("same, kernel 3:    ", padding_of_sides("same", 3))
print("same, kernel (2, 5)", padding_of_sides("same", (2, 5)))
print("rows 2, columns 1: ", padding_of_sides((2, 1), (5, 3)))
print("above only:        ", padding_of_sides(((1, 0), (0, 0)), 2))

# %% [markdown]
# Four layers on 8 by 8, the second with a kernel and a padding that differ from side to side:

# %%
image = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(0))
layers = {
    "3 x 3, padding 1": nn.Conv2d(1, 1, 3, padding=1),
    "5 x 3, padding 2 and 1": nn.Conv2d(1, 1, (5, 3), padding=(2, 1)),
    "3 x 3, padding 1, stride 2": nn.Conv2d(1, 1, 3, padding=1, stride=2),
    "3 x 5, padding 0 and 1, stride 3 and 4": nn.Conv2d(
        1, 1, (3, 5), padding=(0, 1), stride=(3, 4)
    ),
}
sizes = {}
for name, layer in layers.items():
    weight, bias = layer.weight.detach(), layer.bias.detach()
    ours = conv2d_scratch(image, weight, bias, padding=layer.padding, stride=layer.stride)
    theirs = layer(image).detach()
    assert ours.shape == theirs.shape and torch.allclose(ours, theirs, atol=1e-6), "not torch's"
    sizes[name] = tuple(ours.shape[2:])
    print(f"{name:<40}{sizes[name]}")

# %% [markdown]
# ## What is padded changes the border
#
# Zeros are a guess like any other. Black around a bright image makes an edge that nobody took a
# picture of, and a kernel that looks for edges will find it. Repeating the last pixel, or mirroring
# the image, makes none.

# %%
bright = torch.full((1, 1, 6, 6), 0.8)
sobel = torch.tensor([[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]])[None, None]
invented = {}
for mode in ("constant", "replicate", "reflect"):
    padded = nn.functional.pad(bright, (1, 1, 1, 1), mode=mode)
    invented[mode] = conv2d_scratch(padded, sobel).abs().max().item()
print({mode: round(value, 2) for mode, value in invented.items()})

# %% [markdown]
# ## What a number deep inside can see
#
# A number in the output of a 3 by 3 layer sees 3 pixels across. One in the next such layer sees
# three of those, next to each other: 5 pixels; then 7. Strides speed this up. After a layer with
# stride 2, neighbours are 2 pixels apart, and so are the weights of the next kernel: each layer adds
# $d(k - 1)$ times the product of all strides before it. With padding, the first field begins before
# the first pixel.

# %% source
from divekit.nn.receptive_field import PIXELWISE, SLIDING, Field, receptive_fields

# %%
chains = {
    "three of 3 x 3": [nn.Conv2d(1, 1, 3, padding=1) for _ in range(3)],
    "the same, stride 2": [nn.Conv2d(1, 1, 3, padding=1, stride=2) for _ in range(3)],
    "dilations 1, 2, 4": [nn.Conv2d(1, 1, 3, padding=gap, dilation=gap) for gap in (1, 2, 4)],
    "one of 7 x 7": [nn.Conv2d(1, 1, 7, padding=3)],
}
for name, chain in chains.items():
    fields = [rows.size for rows, _ in receptive_fields(chain)]
    weights = sum(layer.weight.numel() for layer in chain)
    print(f"{name:<20} sees {fields} pixels across, with {weights} weights")

# %% [markdown]
# The arithmetic should not be trusted because it is neat. A pixel is seen if the output changes
# with it, and that is what a gradient says. So take random weights, one output in the middle, and
# mark the pixels whose gradient is not zero.

# %% source
from divekit.nn.receptive_field import pixels_seen

# %%
torch.manual_seed(0)
side = 24
picture_in = torch.randn(1, side, side)
maps = {}
for name, chain in chains.items():
    network = nn.Sequential(*chain)
    rows, columns = receptive_fields(chain)[-1]
    place = network(picture_in[None]).shape[2] // 2
    by_gradient = pixels_seen(network, picture_in, (place, place))
    by_count = torch.zeros(side, side)
    by_count[rows.of(place, side).start : rows.of(place, side).stop,
             columns.of(place, side).start : columns.of(place, side).stop] = 1  # fmt: skip
    maps[name] = (by_gradient, by_count)

# %%
plot.images(
    torch.stack([by_gradient + by_count for by_gradient, by_count in maps.values()]) / 2,
    [f"{name}\n{int(by_count.sum() ** 0.5)} across" for name, (_, by_count) in maps.items()],
    columns=4,
)

# %% [markdown]
# White pixels have a gradient. Grey would be pixels that lie inside the field by our count and have
# none, and there are none of those: the four squares are full. Three small kernels see as much as
# one of 7 by 7 with 27 weights in place of 49, and a bend between them can do what one large kernel
# cannot. Networks since 2014 are made of them (7.2).
#
# Pixels in the middle of a field are reached on more ways than those at its corners, so they
# count for more. How much more is the size of the gradient. Here it is for three layers of 3 by 3
# and for eight of them, averaged over random positive weights.


# %%
def pull(depth, draws=30):
    total = torch.zeros(side, side)
    for _ in range(draws):
        pixels = torch.zeros(1, 1, side, side, requires_grad=True)
        hidden = pixels
        for _ in range(depth):
            hidden = conv2d_scratch(hidden, torch.rand(1, 1, 3, 3), padding=1)
        hidden[0, 0, side // 2, side // 2].backward()
        total += pixels.grad[0, 0] / pixels.grad.max()
    return total / draws


pulls = {"3 layers, 7 across": pull(3), "8 layers, 17 across": pull(8)}

# %%
plot.images(torch.stack(list(pulls.values())), list(pulls), columns=2)

# %% [markdown]
# ## The check

# %%
assert output_size(240, 41) == 200 == 240 - 10 * 4, "ten layers do not leave 200 pixels"
assert covered["no padding"][0, 0] == 1 and covered["no padding"][3, 3] == 9, "another coverage"
assert covered["two pixels"].eq(9).all(), "not everyone is seen equally often"
assert list(sizes.values()) == [(8, 8), (8, 8), (4, 4), (2, 2)], "the sizes are others"
assert abs(invented["constant"] - 0.8 * 4) < 1e-5, "zeros make no edge"
assert invented["replicate"] < 1e-5 and invented["reflect"] < 1e-5, "a mirror makes an edge"
for name, (by_gradient, by_count) in maps.items():
    assert torch.equal(by_gradient, by_count.bool()), f"{name}: the count is wrong"
assert [int(count.sum()) for _, count in maps.values()] == [7**2, 15**2, 15**2, 7**2]
for name, strength in pulls.items():
    assert strength[side // 2, side // 2] > 0.5, f"{name}: the middle does not count most"
assert pulls["8 layers, 17 across"][side // 2 - 8, side // 2 - 8] < 1e-3, "corners count as well"
print("sizes and fields are what the formulas say")

# %% [markdown]
# ## Exercises
#
# 1. An image of 224 pixels goes through a kernel of 11 with stride 4 and one pixel of padding at each
#    end, then twice through a window of 3 with stride 2. How large is it then? Which pixels
#    of the first layer are never looked at?
# 2. With stride $s$ and kernel $k < s$ some pixels are seen by nobody. Draw `coverage` for a stride
#    of 4, and find a padding that makes every pixel of an 8 by 8 image count.
# 3. Which three dilations let three layers of 3 by 3 see the most without leaving a gap? Check with
#    `pixels_seen`, which shows gaps that the count does not.
# 4. A recorded sentence is longer than any kernel. How many layers of kernel 2 with dilations 1, 2,
#    4, 8, ... see one second of sound at 16,000 samples per second?
# 5. Stride 2 after a layer computes four times what is kept. Show that a strided convolution
#    gives the same numbers as the full one with every second row and column kept.
#
# ## What to try next
#
# - `nn.Conv2d(1, 1, 3, dilation=3, padding=3)` twice in a row: the field is 13 across by count, but
#   only 25 of its 169 pixels have a gradient. A checkerboard of pixels is never combined.
# - A ReLU between the layers: `pixels_seen` then depends on the image, since where a unit is silent
#   nothing is seen. The count is what *can* be seen.
# - `pull` for one draw at a time: the middle is the strongest pixel in 3 draws of 30 with 3 layers,
#   and in 9 with 8 layers. Of the means it is. With weights of either sign, `torch.randn`, and
#   the size of the gradient, it is the same.
# - 6.4 gives images more than one channel.
