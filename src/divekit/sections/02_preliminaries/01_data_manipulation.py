# %% [markdown]
# # 2.1 Data manipulation
#
# Pictures, sentences, weights and losses all end up as numbers in a box: a tensor. Behind every
# tensor there is one long row of numbers in memory, and a note that says how to read it. Most
# of what is easy about tensors, and nearly all that surprises, follows from the note being
# separate from the numbers. So that is how this page goes about it.

# %%
import numpy as np
import torch

from divekit import plot

# %% [markdown]
# ## Making one
#
# Numbers can be counted off, written down, all be the same, or be drawn by chance. Chance comes
# from a generator with a seed, so that tomorrow's run draws what today's did.

# %%
x = torch.arange(12)
print(x, x.shape, x.numel(), x.dtype)

# %%
generator = torch.Generator().manual_seed(0)
print(torch.zeros(2, 3, 4).shape, "holds", torch.zeros(2, 3, 4).numel(), "numbers")
print(torch.ones(2, 2))
print(torch.randn(3, 4, generator=generator))  # normal: mean 0, standard deviation 1
print(torch.tensor([[3, 1, 4], [1, 5, 9]]))

# %% [markdown]
# The *shape* is the length along each axis, and `numel` is their product. The *dtype* is the kind
# of number: whole ones stay whole (`int64`), and what has a decimal point is stored in single
# precision (`float32`). Only floating-point numbers can be trained.
#
# ## The row and the note
#
# The twelve numbers can be read as a table of 3 rows and 4 columns. One length may be left as -1:
# it follows from the others.

# %%
X = x.reshape(3, -1)
print(X)
print("shape", tuple(X.shape), "strides", X.stride())
print("same memory:", X.data_ptr() == x.data_ptr())

# %% [markdown]
# Nothing was copied: `data_ptr`, the address of the first number, is the one `x` has. What is
# new is the note. Its *strides* say how far to walk along the row for one step along each axis:
# entry $(i, j)$ stands at place $s_0 i + s_1 j$, here $4i + j$.
#
# Other notes read the same row as other tables. Transposing swaps the strides. Every second
# column is a stride twice as long. In the picture a number is the place in memory, and its
# colour is its row in `X`.

# %%
views = {"x: the row in memory": x[None], "X": X, "X.T": X.T, "X[:, ::2]": X[:, ::2]}
for name, view in views.items():
    print(f"{name:<21} shape {tuple(view.shape)!s:<8} strides {view.stride()}")

# %%
plot.tables(views, {name: view // 4 for name, view in views.items()})

# %% [markdown]
# A tensor that reads somebody else's row is a *view*. Writing through one view is seen in all of
# them. That is useful when you mean it, and a day's search when you do not; `clone` gives a row
# of its own.

# %%
own = X.clone()
X.T[3, 0] = 100  # row 3, column 0 of the transpose is row 0, column 3 of X
print("x:  ", x)
print("own:", own.flatten())
x[3] = 3

# %% [markdown]
# Not every table is a way of walking along the row in even steps. Reading `X.T` line by line
# visits places 0, 4, 8, 1, ...: no single stride does that. `view` then refuses, whereas `reshape`
# makes a copy without a word. A tensor whose places come in order is called *contiguous*, and
# `contiguous()` copies when it must.

# %%
print("X contiguous:", X.is_contiguous(), " X.T contiguous:", X.T.is_contiguous())
try:
    X.T.view(12)
except RuntimeError as error:
    print("view refuses:", error)
flat = X.T.reshape(12)
print("reshape copies:", flat, flat.data_ptr() != X.data_ptr())

# %% [markdown]
# ## Entry by entry
#
# Arithmetic works on entries at the same place. Division always gives floating-point numbers;
# `//` stays whole.

# %%
a, b = torch.tensor([1.0, 2, 4, 8]), torch.tensor([2.0, 2, 2, 2])
for name, result in {"+": a + b, "-": a - b, "*": a * b, "/": a / b, "**": a**b}.items():
    print(f"a {name:<2} b =", result.tolist())
print("exp(a) =", a.exp())

# %% [markdown]
# A comparison gives a tensor of true and false, and these count as 1 and 0. So the mean of
# `guesses == labels` is an accuracy, and this is how the library computes it. Sums and means
# *reduce*: all axes, or the one that is named. `cat` lays tensors end to end along an axis that
# is there, `stack` along a new one.

# %%
Y = torch.tensor([[3, 1, 0, 2], [4, 9, 6, 1], [2, 5, 3, 8]])
print("X == Y:", X == Y, sep="\n")
print("places where they agree:", (X == Y).sum().item())
print("sum of X:", X.sum().item(), " of each column:", X.sum(dim=0).tolist())
print("below each other:", tuple(torch.cat([X, Y], dim=0).shape))
print("side by side:    ", tuple(torch.cat([X, Y], dim=1).shape))
print("stacked:         ", tuple(torch.stack([X, Y]).shape))

# %% [markdown]
# ## Broadcasting
#
# What if the shapes differ? Write them one above the other, flush right. On every axis the
# lengths must be equal, or one of them must be 1 or absent. An axis of length 1 is stretched:
#
# ```
# column   3  1
# row         2
# sum      3  2
# ```
#
# Stretched does not mean copied. The note gets a stride of 0, so that a step along the axis leads
# to the same number again. Coloured cells are in memory; pale ones are read over and over.

# %%
column = torch.arange(3).reshape(3, 1)
row = 10 * torch.arange(1, 3)
wide, tall = column.expand(3, 2), row.expand(3, 2)
print("strides of the stretched column", wide.stride(), "and row", tall.stride())
total = column + row  # (3, 1) + (2,) -> (3, 2)

# %%
plot.tables(
    {"column": wide, "row": tall, "column + row": total},
    {
        "column": [[0, -1], [0, -1], [0, -1]],
        "row": [[1, 1], [-1, -1], [-1, -1]],
        "column + row": [[2, 2], [2, 2], [2, 2]],
    },
    cell=(0.6, 0.36),
)

# %% [markdown]
# The rule never asks what you meant. Here is a mistake that it lets through in silence: a model
# gives predictions of shape (3, 1), the targets have shape (3,), and every prediction is right.

# %%
predictions, targets = torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([1.0, 2.0, 3.0])
everyone_with_everyone = predictions - targets  # (3, 1) - (3,) -> (3, 3)
print("shape", tuple(everyone_with_everyone.shape))
print("mean square:", (everyone_with_everyone**2).mean().item())
print("with equal shapes:", ((predictions - targets[:, None]) ** 2).mean().item())

# %% [markdown]
# No error, and a loss of 4/3 for a perfect model. Make shapes equal where two tensors meet;
# `[:, None]` puts in an axis of length 1.
#
# ## Choosing and writing
#
# Counting starts at 0, negative places count from the end, and a range stops before its second
# number. Whatever can be read so can be written so; one number fills a whole block.

# %%
print("last row:  ", X[-1])
print("rows 1, 2: ", X[1:3].tolist())
Z = X.clone()
Z[1, 2] = 17
Z[:2, :2] = -1
Z[Z > 9] = 9
print(Z)

# %% [markdown]
# Ranges and single numbers can be told in a note, so they give views. A list of places or a mask
# of true and false cannot: reading with one gives a copy, and writing to the copy is lost. Only
# `Z[mask] = ...`, the mask directly before the equals sign, writes into `Z`.

# %%
by_range, by_list = X[1:3], X[[1, 2]]
print("equal:", torch.equal(by_range, by_list))
for name, chosen in {"range": by_range, "list": by_list}.items():
    shares = chosen.untyped_storage().data_ptr() == X.untyped_storage().data_ptr()
    print(f"by {name}: reads the memory of X: {shares}")

# %% [markdown]
# (A tensor's `data_ptr` is the address of *its* first number. `X[1:3]` begins four numbers into
# the row, so we ask for the address of the row itself, the storage.)
#
# ## In place
#
# `Y = Y + X` makes a new row and hangs the name `Y` on it; whoever else holds the old tensor
# does not notice. `Y += X` and `Y[:] = Y + X` change the numbers where they are. So do functions
# with an underscore at the end, `add_`. The optimizers of this book work in place: the model
# holds the same tensors, and must see the new weights.

# %%
before = Y.data_ptr()
Y = Y + X
moved = Y.data_ptr() != before

before = Y.data_ptr()
Y += X
Y[:] = Y - X
Y.sub_(X)
stayed = Y.data_ptr() == before
print("Y = Y + X moved:", moved, " the others stayed:", stayed)

# %% [markdown]
# Why not Python's `id`? It names the object that holds the note, and says nothing of the numbers.
# `x` and `X` have two ids and share one row. And `Z[:] = ...` cannot change `id(Z)`
# whatever it does inside, so comparing ids before and after shows nothing at all.
#
# `Y[:] = Y + X` still makes the sum somewhere before it is copied over. `Y += X` and
# `torch.add(X, Y, out=Y)` do not.
#
# ## NumPy, and single numbers
#
# NumPy reads rows with notes too, so the two can share. `tensor.numpy()` and `torch.from_numpy`
# **share** the memory; `torch.tensor` **copies**. On a GPU there is nothing to share:
# `tensor.cpu().numpy()` copies to main memory first.

# %%
array = np.zeros(3)
shared = torch.from_numpy(array)
copied = torch.tensor(array)
array[0] = 7
shared.numpy()[1] = 8
print("array ", array)
print("shared", shared)
print("copied", copied)

# %% [markdown]
# Mind the dtype: NumPy computes in double precision, and tensors made from its arrays keep it.
# Convert with `.float()` before they meet `float32` weights.
#
# A tensor with a single number becomes a Python number with `item`, `float` or `int`. The last
# cuts off what stands behind the point, and a tensor of two numbers is an error.

# %%
single = torch.tensor([-3.7])
print(single.item(), float(single), int(single))

# %% [markdown]
# -3.7 comes back as -3.700000047...: the nearest number that single precision has.
#
# ## The check

# %%
assert X.sum() == 66 and torch.equal(X, torch.arange(12).view(3, 4)), "X was not put back"
for name, view in views.items():
    for i in range(view.shape[0]):
        for j in range(view.shape[1]):
            place = view.storage_offset() + i * view.stride(0) + j * view.stride(1)
            assert view[i, j] == x[place], f"{name}: the strides do not lead to entry {i}, {j}"
assert own[0, 3] == 3, "the clone shares its memory"
assert flat.tolist() == [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11], "reshape reads line by line"
assert (wide.stride(), tall.stride()) == ((1, 0), (0, 1)), "broadcasting copied"
assert total.tolist() == [[10, 20], [11, 21], [12, 22]], "not every row met every column"
assert torch.isclose((everyone_with_everyone**2).mean(), torch.tensor(4 / 3)), "not 4/3"
assert Z.tolist() == [[-1, -1, 2, 3], [-1, -1, 9, 7], [8, 9, 9, 9]], "the writing went astray"
assert moved and stayed, "`Y = Y + X` must move, the others must not"
assert id(X) != id(x) and X.data_ptr() == x.data_ptr(), "ids tell who shares memory"
assert array.tolist() == shared.tolist() == [7, 8, 0], "from_numpy and numpy() do not share"
assert copied.tolist() == [0, 0, 0], "torch.tensor does not copy"
assert int(single) == -3, "int does not cut"
print("the notes lead to the right places, and who shares memory is as told")

# %% [markdown]
# ## Exercises
#
# 1. `torch.arange(24).reshape(2, 3, 4)`: write down its strides before you print them, and those
#    after `.transpose(0, 2)` and after `.permute(1, 0, 2)`. At which place is entry (1, 2, 3)?
# 2. Which of these shapes can be added: (5, 1, 4) and (3, 1); (5, 4) and (5,); (1,) and (2, 3);
#    (2, 3) and (3, 2)? Give the shape of the sum or say which axis is in the way.
# 3. Build the 10 by 10 multiplication table in one line and without a loop. Then find how many
#    different numbers are in it.
# 4. `torch.as_strided(torch.arange(6), (4, 3), (1, 1))` is a view. What does it show, how many
#    numbers are in memory, and what happens when you add 100 to its first row in place?
# 5. A batch of images is (B, C, H, W). Subtract from each channel its mean over the batch, with
#    one reduction and one subtraction. Which axes must be kept?
#
# ## What to try next
#
# - `column.expand(3, 2).add_(1)`: an error, "more than one element of the written-to tensor refers
#   to a single memory location". Adding twice to one number is not what anybody means.
# - `x += 0.5`: "result type Float can't be cast to the desired output type Long". `x = x + 0.5`
#   works, since a new row may hold another kind of number.
# - Numbers have room for so much: `torch.tensor(200, dtype=torch.uint8) + 100` is 44, and
#   `torch.tensor(2.0**24) + 1` is $2^{24}$ in `float32`. Neither complains.
# - With `A` and `B` of 4000 by 4000 random numbers, in plain Python on one core here, `A + B` takes
#   46 milliseconds, `A.add_(B)` 6, and `A + B.T` 133. Most of the first is the price of new
#   memory; the last walks through `B` with a stride of 4000.
# - 2.3 multiplies matrices, which is more than multiplying their entries.
