# %% [markdown]
# # 3.5 The image classification dataset
#
# For twenty years everybody tried everything on MNIST: handwritten digits, 28 by 28 pixels. By now
# it is too easy. Small models are right in 97 of 100 and more, which leaves little room to tell a
# good one from a better one. Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017) has the same sizes
# and the same file format, but shows clothes, and they are harder to tell apart.
#
# This section looks at it from all sides: what it holds, how it becomes batches, how its files are
# read, and how fast. Look before you train: a wrong label or a tilted picture is seen in seconds
# here, and costs days later.
#
# With `--sample`, in tests and on the website another data set stands in, which needs no download:
# 1,797 digits of 8 by 8 pixels from scikit-learn. The code below is the same for both. Where the
# words speak of clothes, the pictures may show digits.

# %%
import gzip
import struct
import tempfile
from pathlib import Path

import torch

from divekit import plot
from divekit.data import Batches, FashionMNIST, scale_pixels
from divekit.errors import BadDataError

# %% [markdown]
# ## Settings first, data later
#
# In divekit a data set is a handful of settings. Making one reads nothing and takes no time, so
# a recipe can hold it, print it and compare it. It knows its card and its *facts*, which are what
# a model must be told: the shape of an input and the names of the classes.

# %%
settings = FashionMNIST(batch_size=256)
print(settings)
print(f"{settings.card.about}; {settings.card.size}, {settings.card.licence}")
print("facts:", settings.facts.input_shape, settings.facts.class_names)
print("its sample:", settings.sample())

# %% [markdown]
# `open` is where files are looked for: in the folders named in `DIVEKIT_DATA`, in the cache, and
# at last in the network. What comes back has facts, batches to train on and batches to test on.
# Facts always say which data they are about, so a sample is never taken for the real thing.

# %%
data = settings.open()
height, width = data.facts.input_shape[1:]
print(f"{data.facts.name}: {data.facts.num_classes} classes, pictures of {height} x {width}")
print(f"{data.train.num_examples:,} to train on, {data.test.num_examples:,} to test on")

# %% [markdown]
# ## What the pictures show
#
# The first pictures of the test set, with the names of their classes. Labels are integers from 0
# to 9; their names are at that place in `class_names`.

# %%
images, labels = next(iter(data.test))  # (B, 1, H, W), (B,)
names = [data.facts.class_names[label] for label in labels.tolist()]
plot.images(images[:24], names[:24], columns=8)

# %% [markdown]
# In memory a pixel is one byte, 0 for black and 255 for white. Models want floats, and small ones;
# so each batch is divided by 255 on its way out. Kept as floats, all pictures would take four
# times the memory, for the same information.

# %%
pixels, all_labels = data.train.tensors  # uint8 (N, 1, H, W), int64 (N,)
print("kept:   ", pixels.dtype, tuple(pixels.shape), f"{pixels.nbytes / 1e6:.1f} MB")
print("a batch:", images.dtype, tuple(images.shape), f"from {images.min():g} to {images.max():g}")
print("examples of each class:", all_labels.bincount().tolist())

# %% [markdown]
# The last line deserves a look in any data set. Fashion-MNIST has exactly 6,000 of each class, the
# digits nearly the same number. Then a model that always says the same is right in a tenth,
# and accuracy is a fair measure. Were nine in ten pictures shoes, "shoe" would score 90%.
#
# ## A class on average
#
# Lay all pictures of a class on top of each other and take the mean. What they have in common
# stays sharp, what varies is a blur.

# %%
num_classes = data.facts.num_classes
means = torch.stack(
    [scale_pixels(pixels[all_labels == k]).mean(dim=0) for k in range(num_classes)]
)  # one mean (1, H, W) per class -> (K, 1, H, W)
plot.images(means, data.facts.class_names, columns=5, limits=(0, 1))

# %% [markdown]
# The means are already a classifier: name the class whose mean is nearest to the picture. It has
# one template per class like softmax regression, but nothing in it was trained. The distance of
# two means says, too, which classes will be hard to tell apart.


# %%
def nearest_mean(images, means):
    return torch.cdist(images.flatten(1), means.flatten(1)).argmin(dim=1)  # (B, K) -> (B,)


num_right = sum((nearest_mean(images, means) == labels).sum() for images, labels in data.test)
baseline = num_right.item() / data.test.num_examples
print(f"nearest mean: right in {baseline:.1%} of the test pictures")

distances = torch.pdist(means.flatten(1))  # (K * (K - 1) / 2,), the pairs in the order below
pairs = torch.combinations(torch.arange(num_classes))
for pair in pairs[distances.argsort()[:3]].tolist():
    print("alike:", " and ".join(data.facts.class_names[k] for k in pair))

# %% [markdown]
# On the clothes that is two of three, on the digits nine of ten. Whatever 3.6 trains should beat
# it, and these pairs are where to expect its mistakes.
#
# ## Batches, shuffled and resized
#
# Training batches come in a new order every epoch. The order depends on the seed and the number
# of the epoch and on nothing else, so any run can be repeated, or continued half way. Test
# batches come in the order of the file: an average does not mind, and pictures can be compared
# between runs.
#
# Larger networks expect larger pictures. `resize` interpolates, batch by batch, to any side.

# %%
wide = FashionMNIST(batch_size=32, resize=64).open()
wide_images, wide_labels = next(iter(wide.train))
print("a batch:", tuple(wide_images.shape), tuple(wide_labels.shape))
sizes = [len(labels) for _, labels in wide.train]
print(f"{len(sizes)} batches to an epoch, the last one of {sizes[-1]}")
print("first rows of two epochs:", [wide.train.order(epoch)[:4].tolist() for epoch in (0, 1)])

# %%
first = wide.train.order(0)[:4]  # the pictures of that batch before they were resized
before_and_after = [*scale_pixels(pixels[first]), *wide_images[:4]]
sides = [f"{picture.shape[-1]} pixels wide" for picture in before_and_after]
plot.images(before_and_after, sides, columns=4, limits=(0, 1))

# %% [markdown]
# There are more pixels now, and not one more thing to see. Resizing lets a picture pass through
# a network; it does not sharpen it.
#
# ## How the files are read
#
# MNIST's file format, idx, fits on a beer mat. Two zero bytes; one byte for the type of the
# numbers, `08` for bytes; one byte for the number of axes; then the length of each axis as four
# bytes, the most significant first; then the numbers themselves, the last axis running fastest.
# There is no compression inside, hence the gzip around it.

# %% source
from divekit.data.idx import UNSIGNED_BYTE, read_idx

# %% [markdown]
# Most of these lines are there for files that are *not* as they should be. A download that broke
# off must not turn into a data set with fewer pictures. We write three pictures to a file of our
# own, look at its header, and read it back; then we lose the last ten bytes.

# %%
three = data.test.tensors[0][:3, 0]  # uint8 (3, H, W)
header = struct.pack(">BBBB3I", 0, 0, UNSIGNED_BYTE, three.ndim, *three.shape)
contents = header + three.numpy().tobytes()
print("header:", header.hex(" "), "=", *struct.unpack(">4B3I", header))

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "three-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(contents))
    print(f"{len(contents)} bytes, {path.stat().st_size} of them left in the gzip file")
    read_back = read_idx(path)

    path.write_bytes(gzip.compress(contents[:-10]))
    complaint = None
    try:
        read_idx(path)
    except BadDataError as error:
        complaint = str(error).replace(folder, "...")
print("read back the same:", torch.equal(read_back, three))
print("cut short:", complaint)

# %% [markdown]
# ## How fast is reading?
#
# A loader often treats one picture at a time: look it up, scale it, put it on a list, and stack
# the list when it is long enough. `Batches` looks up all rows of a batch in one call and scales
# them in another. Both do the same arithmetic on every pixel. The time in between is spent on
# being called, and that is paid per picture or per batch. So we expect large batches to gain
# most. The watch is the one of 3.1, on a thousand pictures.

# %%
from divekit.evaluate import Timer

subset = (pixels[:1024], all_labels[:1024])


def by_batch(batch_size):
    return Batches(*subset, batch_size=batch_size, shuffle=True, transform=scale_pixels)


def by_picture(batch_size):
    images, labels = subset
    for rows in by_batch(batch_size).order(0).split(batch_size):  # the same shuffled rows
        batch = torch.stack([scale_pixels(images[row]) for row in rows])  # (B, 1, H, W)
        yield batch, torch.stack([labels[row] for row in rows])


def pictures_per_second(make_batches, batch_size, repeats=5):
    timer = Timer()
    for _ in range(repeats):
        timer.start()
        for _ in make_batches(batch_size):
            pass
        timer.stop()
    return len(subset[0]) / min(timer.times)  # the lap that was disturbed least


batch_sizes = [1, 4, 16, 64, 256, 1024]
speeds = {
    "picture by picture": [pictures_per_second(by_picture, size) for size in batch_sizes],
    "batch by batch": [pictures_per_second(by_batch, size) for size in batch_sizes],
}
for size, slow, fast in zip(batch_sizes, *speeds.values(), strict=True):
    print(f"batches of {size:>4}: {fast / slow:5.1f} times as fast by the batch")

# %%
plot.lines(batch_sizes, speeds, x_label="batch size", y_label="pictures per second", log="xy")

# %% [markdown]
# Picture by picture, the size of the batch hardly matters: every picture pays for its own calls.
# Batch by batch, the calls are shared, and speed grows until the arithmetic itself takes the
# time.
#
# ## Did it hold?

# %%
assert images.min() >= 0 and images.max() <= 1, "pixels are not scaled to 0-1"
assert pixels.dtype == torch.uint8, "the pictures are not kept as bytes"
counts = all_labels.bincount(minlength=num_classes)
assert counts.min() > 0.8 * counts.max(), "the classes are not balanced"
assert baseline > 0.5, "the means of the classes tell hardly anything"
assert wide_images.shape == (32, 1, 64, 64) and wide_labels.shape == (32,), "a batch of other shape"
assert torch.equal(wide_labels, all_labels[wide.train.order(0)[:32]]), "labels left their pictures"
assert sum(sizes) == data.train.num_examples, "an epoch is not every example once"
assert not torch.equal(wide.train.order(0), wide.train.order(1)), "two epochs of one order"
assert torch.equal(read_back, three), "what was written is not what was read"
assert complaint and "promises" in complaint, "a file cut short was taken for whole"
for slow, fast in zip(by_picture(100), by_batch(100), strict=True):
    assert all(map(torch.equal, slow, fast)), "the two ways of reading differ"
print(f"{data.facts.name} is whole, balanced, readable, and told apart by means")

# %% [markdown]
# ## Exercises
#
# 1. Show the test pictures that nearest mean gets wrong, with `truth=`. Which of them would you
#    get wrong yourself? Guess fifty before you look, and count.
# 2. How often is each pixel black? Draw it as one picture for each class. Of the digits' 64
#    pixels four are black in every training picture. What does softmax regression learn for their
#    weights if it starts from zeros, and what if it starts from random numbers?
# 3. The mean is the picture with the smallest squared distance to all of its class. Which picture
#    has the smallest *absolute* distance? Show it for each class, and test it as a classifier.
# 4. Write `write_idx(path, tensor)` for any number of axes, so that `read_idx` gives back the
#    tensor, and say what should happen for floats.
# 5. A data set of your own: a frozen dataclass with `name`, `card`, `facts` and `load`, which
#    gives `Opened.from_tensors(...)`. Let it leave out all classes but two of Fashion-MNIST.
#    Which pair is the easiest for nearest mean, and which the hardest?
#
# ## What to try next
#
# - `open` with `resize=4`, and nearest mean in 16 pixels: still right in 58% of the clothes (68%
#   with all 784 pixels) and in 84% of the digits (90%). With `resize=2` it is 43% and 46%.
# - The nearest *picture* instead of the nearest mean, `torch.cdist` against all of `pixels`: 85%
#   on the first 2000 clothes, 98% on the digits. It trains nothing, but carries all data with it.
# - Only the outline, `(pixels > 0).float()` in place of `scale_pixels`, for the means and the test
#   pictures: 67% on the clothes, hardly less than with all shades of grey; 83% on the digits.
# - torch's `DataLoader` over the same 1024 pictures, 256 to a batch, takes some 15 times as long
#   as `Batches` on the clothes and some 75 times on the digits, which are smaller.
#   `num_workers=2` makes it slower still, by five to nine times: starting the workers takes
#   longer than the work.
# - 3.6 trains on these batches.
