# %% [markdown]
# # 2.2 Data preprocessing
#
# Data seldom arrive as tensors. They arrive as a file that somebody typed: a column of numbers
# with holes in it, a column of words, and a label that one program writes for "nothing here" and
# the next reads as a word. This section takes such a file to the two tensors that a model wants,
# and then to the question that is so easily forgotten: what about the rows that come
# tomorrow?
#
# Tables are what pandas is for: `pip install 'divekit[data]'`.

# %%
import tempfile
from pathlib import Path

import pandas as pd
import torch

from divekit import plot

# %% [markdown]
# ## A file
#
# Four houses: how many rooms, what the alley is paved with, and the price. `NA` is a gap.

# %%
rows = ("NA,Pave,127500", "2,NA,106000", "4,NA,178100", "NA,NA,140000")
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "house_tiny.csv"
    path.write_text("\n".join(("NumRooms,Alley,Price", *rows)) + "\n", encoding="utf-8")
    houses = pd.read_csv(path)
houses

# %%
print(houses.dtypes)
print("gaps:", houses.isna().sum().to_dict())

# %% [markdown]
# Look before you compute. `NumRooms` became floating-point, because whole numbers have no way to
# say "missing" and floating-point ones have `nan`. `Alley` holds words. And pandas decided that
# `NA` is a gap, as it does for `N/A`, `null`, `None` and an empty field. In a column of countries,
# `NA` may be Namibia.
#
# ## Filling the gaps
#
# A row with a gap can be thrown away. That would leave us no house at all: each of the four has
# one. Or the gap can be filled.
#
# - **Numbers** get the mean of those that are there: here $(2 + 4) / 2 = 3$ rooms. It is the
#   one number that is closest to them all in squared distance.
# - **Words** have no mean, and no order that a model could use: Pave is not more than Gravel.
#   Each word becomes a column of its own, 1 where it stands and 0 elsewhere. This is called
#   *one-hot*. A gap is treated like one more word, since "nobody wrote anything" often says
#   something: in the data this little table imitates, no alley *is* an answer.
#
# All of it takes knowledge of the table: which mean, which words. We keep that apart from
# its use, in two functions. `learn` looks at rows and notes down what must be known;
# `encode` turns rows into numbers and looks at nothing but the note.


# %%
def learn(table):
    """Note, for each column, its mean if it holds numbers and its words if it does not."""
    return {
        name: float(column.mean())
        if pd.api.types.is_numeric_dtype(column)
        else sorted(column.dropna().unique())
        for name, column in table.items()
    }


def encode(table, learned):
    """Turn rows into numbers only, in the columns that were learned."""
    columns = {}
    for name, known in learned.items():
        if isinstance(known, list):
            for word in known:
                columns[f"{name}_{word}"] = table[name] == word
            columns[f"{name}_missing"] = table[name].isna()
        else:
            columns[name] = table[name].fillna(known)
    return pd.DataFrame(columns).astype("float32")


features = houses[["NumRooms", "Alley"]]
learned = learn(features)
print("learned:", learned)
filled = encode(features, learned)
filled

# %% [markdown]
# ## Into tensors
#
# All columns are numbers of one kind now, so the table is a matrix. `torch.tensor` copies it
# (2.1). Sharing would be a mistake here: the array may be the table itself, and pandas does not
# want it written to.

# %%
inputs = torch.tensor(filled.to_numpy())
targets = torch.tensor(houses["Price"].to_numpy(), dtype=torch.float32)
print(inputs, tuple(inputs.shape), inputs.dtype)
print(targets, tuple(targets.shape))

# %% [markdown]
# From left to right, what was in the file and what the model sees. Red is a gap, and the place
# where it went.

# %%
gaps = houses.isna().astype(int).to_numpy() * 6 - 1  # 5, red, for a gap; -1, pale, for none
rooms_missing, alley_missing = gaps[:, 0], gaps[:, 1]
plot.tables(
    {
        "rooms, alley, price": houses.astype(object).where(houses.notna(), "NA").to_numpy(),
        "inputs": inputs,
        "targets": targets[:, None],
    },
    {
        "rooms, alley, price": gaps,
        "inputs": [[r, -1, a] for r, a in zip(rooms_missing, alley_missing, strict=True)],
    },
    cell=(0.72, 0.36),
)

# %% [markdown]
# ## Tomorrow's rows
#
# A model has been trained on these four houses, and three more come in. The first lacks its rooms
# and has an alley of a kind that was never seen, the second lacks its alley, the third lacks
# nothing. The short way, one call of pandas on the new table, goes wrong at once:

# %%
new = pd.DataFrame({"NumRooms": [None, 5.0, 6.0], "Alley": ["Grvl", None, "Pave"]})
short_way = pd.get_dummies(new.fillna({"NumRooms": new["NumRooms"].mean()}), dummy_na=True)
short_way.astype("float32")

# %% [markdown]
# Four columns where the model has three weights. That is the lucky case, because it is an error.
# The other mistake makes no noise: the gap was filled with 5.5, the mean of the *new* rows, and
# so the same house would get another number, and another price, in other company. What is learned
# belongs to the model like its weights. It is learned on the training rows, once, and then only
# used:

# %%
new_inputs = torch.tensor(encode(new, learned).to_numpy())
print(new_inputs)

# %% [markdown]
# Three columns again, and the gap is 3 rooms, as it was in training. Gravel has no column, so its
# house gets zeros all over: neither Pave nor missing. The model has no weight for a word it never
# met, and that is the truth of it.
#
# The same holds for the rows we hold back to *test* a model. If they have a say in the mean, the
# test is no longer about rows the model knows nothing of. In 4.10, with the house prices in full,
# this is called a leak.
#
# ## What a mean does, and what it does not
#
# A mean is so convenient that we should know its price. We invent 200 houses, lose two in five
# of their sizes by chance, and fill the gaps.

# %%
generator = torch.Generator().manual_seed(0)
size = 100 + 20 * torch.randn(200, generator=generator, dtype=torch.float64)
price = 2 * size + 20 + 25 * torch.randn(200, generator=generator, dtype=torch.float64)
lost = torch.rand(200, generator=generator) < 0.4
guess = size.clone()
guess[lost] = size[~lost].mean()


def line_through(x, y):
    """Give slope and correlation of points (x, y)."""
    dx, dy = x - x.mean(), y - y.mean()
    return (dx @ dy / (dx @ dx)).item(), (dx @ dy / (dx @ dx * (dy @ dy)).sqrt()).item()


kept_slope, kept_correlation = line_through(size[~lost], price[~lost])
slope, correlation = line_through(guess, price)
spread = (guess.var(correction=0) / size[~lost].var(correction=0)).item()
print(f"rows without a gap: slope {kept_slope:.4f}, correlation {kept_correlation:.3f}")
print(f"all, gaps filled:   slope {slope:.4f}, correlation {correlation:.3f}")
print(f"variance, of what it was: {spread:.3f}; share of rows kept: {(~lost).double().mean():.3f}")

# %%
picture = plot.new_picture()
axes = picture.subplots()
for x, y, colour, name in (
    (size[~lost], price[~lost], plot.COLOURS[0], "size known"),
    (guess[lost], price[lost], plot.COLOURS[5], "size filled in"),
):
    axes.scatter(x, y, s=8, color=colour, label=name)
axes.set(xlabel="size in square metres", ylabel="price in thousands")
plot.style_axes(axes)
plot.add_legend(axes)
picture

# %% [markdown]
# The filled rows stand on a wall. A point at the mean does not tilt a line, whatever its price, so
# the slope is *exactly* that of the rows without a gap: nothing was won by filling, and
# nothing lost. But the column now looks less varied than it is. Its variance shrinks to the share
# of rows that were known, and the correlation falls with it.
#
# All this was for gaps made by chance. Where the owners of large houses keep the size to
# themselves, the mean of the rest is too small, and no arithmetic on the rest can tell. A column
# that says "missing" gives the model a chance to notice; for numbers, `encode` has none yet.
#
# ## The check

# %%
assert learned == {"NumRooms": 3.0, "Alley": ["Pave"]}, "not the mean and the words of the file"
expected = [[3, 1, 0], [2, 0, 1], [4, 0, 1], [3, 0, 1]]
assert inputs.tolist() == expected, "the inputs are not those worked by hand"
assert targets.tolist() == [127500, 106000, 178100, 140000], "the targets are not the prices"
assert inputs.dtype == targets.dtype == torch.float32, "not the dtype of a model's weights"
assert new_inputs.tolist() == [[3, 0, 0], [5, 0, 1], [6, 1, 0]], "new rows are encoded otherwise"
alone = torch.tensor(encode(new.iloc[:1], learned).to_numpy())
assert torch.equal(alone, new_inputs[:1]), "a house depends on the company it comes in"
assert short_way.shape[1] == 4 and short_way["NumRooms"][0] == 5.5, "the short way went well"
assert abs(slope - kept_slope) < 1e-9, "filling with the mean has tilted the line"
assert abs(spread - (~lost).double().mean()) < 1e-9, "the variance is not the share known"
assert correlation < kept_correlation, "filling has made the correlation stronger"
print("four houses and three new ones, as worked by hand; a mean tilts no line")

# %% [markdown]
# ## Exercises
#
# 1. Let `encode` also write a column `NumRooms_missing`. Which two houses can a linear model now
#    tell apart from a house of three rooms, and what does the new weight mean?
# 2. `Alley_Pave` and `Alley_missing` add up to 1 in every training row. So does the column of ones
#    that carries the bias. What does this mean for the weights found by solving equations (3.1)?
#    Which of the columns would you leave out, and what happens to unseen words then?
# 3. Replace the mean by the median. For which columns of a table of houses does it matter? Show
#    that the median, too, is the closest number in some sense.
# 4. A column holds house numbers: 1, 2, 2a, 3. What does `learn` make of it, what of 10,000 rows of
#    them, and what would you do?
# 5. Fill a gap with a number drawn from those that are known instead of with their mean. What
#    happens to the variance, and what to the slope? Work it out first, then try it on the 200.
#
# ## What to try next
#
# - `pd.read_csv(path, keep_default_na=False)`: `NA` stays a word, so `NumRooms` is a column of
#   words and `learn` says `['2', '4', 'NA']`. Out come seven columns, and no complaint.
# - `lost = size > size.quantile(0.6)`: the large houses lose their size. The mean of the rest is 87
#   square metres instead of 99, and a line through the filled points errs by 44 thousand
#   (root of the mean square). With a column for "missing" it errs by 31; the noise alone is 25.
# - `torch.from_numpy(houses["Price"].to_numpy())` on pandas 3: "The given NumPy array is not
#   writable". On such a warning, copy.
# - scikit-learn has this pair as `fit` and `transform`. `SimpleImputer()` on the rooms and
#   `OneHotEncoder(handle_unknown="ignore")` on the alley give the same numbers, for the four
#   houses and for the first two new ones.
# - 4.10 does all this to the 79 columns of a real table.
