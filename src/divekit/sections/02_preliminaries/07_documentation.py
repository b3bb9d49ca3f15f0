# %% [markdown]
# # 2.7 Documentation
#
# torch has more names than anyone remembers, and they change from one release to the next. You
# need not know them. You need five questions, and where to put them: what is there, what does it
# take, what does it say, how is it done, and what is it called? Python answers all five itself,
# without a network, and for the release that is installed.

# %%
import importlib
import inspect
import pydoc

import torch

import divekit
from divekit import plot

# %% [markdown]
# ## What is there?
#
# `dir` lists the names in a module, a class or an object. Three habits of spelling sort them: a
# leading underscore means "not for you", a capital means a class, and in torch an
# underscore at the end means "changes the tensor itself".


# %%
def public(thing):
    """List the public names of functions and classes."""
    names = [name for name in dir(thing) if not name.startswith("_")]
    return [name for name in names if callable(getattr(thing, name))]


print("to start a random draw:", public(torch.random))
print("all of torch:", len(public(torch)), "  methods of a tensor:", len(public(torch.Tensor)))

row = torch.ones(4)
grown = row.add(1)  # a new tensor
unchanged = row.clone()
row.add_(1)  # the same tensor, changed
print("after add:", unchanged, "  after add_:", row)

# %% [markdown]
# Are there as many as it looks? We go from name to name and ask each whether it explains itself.


# %%
def says(thing):
    """Give the docstring, or nothing where there is none."""
    return thing.__doc__ if isinstance(thing.__doc__, str) else ""


modules = (
    "torch",
    "torch.Tensor",
    "torch.nn",
    "torch.nn.functional",
    "torch.distributions",
    "torch.special",
    "torch.linalg",
    "torch.utils.data",
    "torch.fft",
    "torch.optim",
)
totals, explained = {}, {}
for name in modules:
    thing = torch.Tensor if name == "torch.Tensor" else importlib.import_module(name)
    names = public(thing)
    totals[name] = len(names)
    explained[name] = sum(says(getattr(thing, item)) != "" for item in names)
twice = set(public(torch)) & set(public(torch.Tensor))
print("in torch and in torch.Tensor:", len(twice))


# %%
def bars_of_names():
    picture = plot.new_picture(width=6.0, height=3.4)
    axes = picture.subplots()
    axes.barh(list(totals), list(totals.values()), color=plot.INK, alpha=0.4, label="public")
    axes.barh(
        list(totals), list(explained.values()), color=plot.COLOURS[0], label="with a docstring"
    )
    axes.invert_yaxis()
    axes.set_xlabel("functions and classes")
    plot.style_axes(axes)
    plot.add_legend(axes)
    return picture


bars_of_names()

# %% [markdown]
# The crowd is in two places, and much of it is one crowd: most of what a tensor can do is there as
# a function too, `row.exp()` and `torch.exp(row)`. `torch` also lets hundreds of inner parts show
# without a word of explanation; what is not explained is seldom meant for you. The subjects have
# small modules of their own: look for a distribution in `torch.distributions`, for a
# decomposition in `torch.linalg`, and the list is short enough to be read to its end.
#
# ## What does it take?
#
# `inspect.signature` gives the arguments with their defaults. Parts of torch written in C++ have
# none to give; there, the signature is the first line of the docstring.


# %%
def takes(thing):
    """Give the arguments of a function or class in one line."""
    try:
        return f"{thing.__name__}{inspect.signature(thing)}"
    except ValueError:  # compiled
        return inspect.getdoc(thing).splitlines()[0]


for thing in (torch.nn.Linear, torch.ones, torch.var):
    print(takes(thing), end="\n\n")

# %% [markdown]
# Read the defaults twice. `var` has a `correction`, and it is 1: the sum of squares is divided by
# $N - 1$. NumPy's default is to divide by $N$, so the same word gives two numbers, here with a mean
# of 2.5 and squares that sum to 5:

# %%
numbers = torch.tensor([1.0, 2.0, 3.0, 4.0])
by_torch, by_numpy = numbers.var().item(), numbers.numpy().var().item()
print(f"torch {by_torch:.4f} = 5 / 3, NumPy {by_numpy:.4f} = 5 / 4")

# %% [markdown]
# ## What does it say?
#
# `help(torch.ones)` prints the whole page; in a notebook `torch.ones?` does the same, and in a
# terminal `python -m pydoc torch.ones`. In a script, `help` may stop and wait for a key;
# `pydoc.render_doc` gives the text instead. Most pages of torch end with an example.

# %%
page = pydoc.render_doc(torch.ones, renderer=pydoc.plaintext)
print(page[page.index("Example") :].strip())

# %% [markdown]
# An example is a claim, and the shortest test of whether you have understood it is to run it with
# sizes of your own. Does `ones` take its sizes one by one, or as a tuple? Both:

# %%
one_by_one, as_tuple = torch.ones(2, 3), torch.ones((2, 3))
print(one_by_one)

# %% [markdown]
# The docstrings of divekit are short and say first what goes in and out, with shapes. Its folders
# are its table of contents, and each lists in `__all__` what it means to offer, which `dir` does
# not tell from what it merely imported:

# %%
for name in dir(divekit):
    part = getattr(divekit, name)
    if inspect.ismodule(part):
        print(f"divekit.{name:<9} {inspect.getdoc(part).splitlines()[0]}")

# %% [markdown]
# For what is not Python, sections, recipes and data sets, there is a command. In a terminal it
# is `divekit info linear_regression`, which says this without training or downloading anything:

# %%
from divekit.report import info, info_text

facts = info("linear_regression")
print(info_text(facts))

# %% [markdown]
# ## How is it done?
#
# What is written in Python can be read. In a notebook `squared_loss??` shows the source, elsewhere
# `inspect.getsource` gives it. Where words and code disagree, it is the code that runs.

# %%
from divekit.nn import squared_loss

source = inspect.getsource(squared_loss)
print(source)
print("from", inspect.getmodule(squared_loss).__name__)
answer = squared_loss(torch.tensor([2.0]), torch.tensor([0.0])).item()
print("an error of 2 costs", answer)

# %% [markdown]
# The words say that a half stays in, the code divides by two, and a call gives 2 and not 4: three
# ways to ask, one answer. Compiled functions have no source to show; `getsource` raises a
# `TypeError`, and the docstring is all there is.
#
# ## What is it called?
#
# The hardest question, as one must know the answer to look it up. But one knows a word that its
# explanation must contain. So look for the word in all docstrings:


# %%
def search(thing, word):
    """List the public names whose docstrings contain a word."""
    return [name for name in public(thing) if word in says(getattr(thing, name)).lower()]


for word in ("cumulative", "without replacement", "outer product"):
    print(f"{word}: {', '.join(search(torch, word))}")

# %% [markdown]
# `cumulative` finds what 2.6 needed to update its shares. Each answer sends you back to the first
# questions: what does it take, what does it say?
#
# The web pages, https://docs.pytorch.org, have what docstrings lack: notes, tutorials and pictures.
# Mind the release. Old answers found on the web speak of an old torch, so print yours first.

# %%
print("torch", torch.__version__, "  divekit", divekit.__version__)

# %% [markdown]
# ## The check

# %%
assert "manual_seed" in public(torch.random), "manual_seed was not listed"
assert not any(name.startswith("_") for name in public(torch)), "a private name was listed"
assert torch.all(unchanged == 1) and torch.all(row == 2), "add and add_ do the same"
assert torch.equal(row.exp(), torch.exp(row)) and "exp" in twice, "method and function differ"
assert len(twice) > len(public(torch.Tensor)) / 2, "most methods are not functions too"
for name in modules:
    assert 0 < explained[name] <= totals[name], f"{name}: explained names were miscounted"
arguments = inspect.signature(torch.nn.Linear).parameters
assert list(arguments)[:2] == ["in_features", "out_features"], "Linear takes something else"
assert arguments["bias"].default is True, "Linear has no bias by default"
assert "correction=1" in takes(torch.var), "the default of var is not in its first line"
assert abs(by_torch - 5 / 3) < 1e-6 and abs(by_numpy - 5 / 4) < 1e-6, "var divides otherwise"
assert "torch.ones(2, 3)" in page and torch.equal(one_by_one, as_tuple), (
    "ones reads sizes otherwise"
)
assert "/ 2" in source and answer == 2, "source and answer of the loss disagree"
assert (
    facts["settings"]["lr"]
    == inspect.signature(divekit.recipes.linear_regression).parameters["lr"].default
), "divekit info and the signature disagree"
assert "cumsum" in search(torch, "cumulative"), "cumsum was not found by what it does"
assert "randperm" in search(torch, "permutation"), "randperm was not found by what it does"
for part in (divekit.data, divekit.models, divekit.nn, divekit.recipes):
    for name in part.__all__:
        assert says(getattr(part, name)), f"{part.__name__}.{name} does not say what it is"
print("what the documentation says is so")

# %% [markdown]
# ## Exercises
#
# 1. Without the web, find the function that counts how often each number occurs in a tensor of
#    integers. Which words did you try, and what does it take to get a zero counted too?
# 2. `torch.sort` returns two things. Learn their names from the docstring, and what happens to
#    equal entries. Then write the shortest test that shows it.
# 3. `inspect.signature(torch.nn.functional.cross_entropy)` has three arguments for one matter. Find
#    out which are left over from an earlier release, and where the docstring says so.
# 4. Let `search` rank: names before first lines before the rest. Does a word that found a dozen
#    names now put the right one on top?
# 5. Take a function that you wrote last month and ask it the five questions. Which ones
#    can it not answer?
#
# ## What to try next
#
# - `search(torch, "running total")` finds nothing and `"cumulative"` six names: guess the
#   author's word, not yours. `search(torch.Tensor, "cumulative")` is empty too, as a method's page
#   often says no more than "See torch.cumsum". Search the functions first.
# - `torch.symeig(torch.eye(2))`: the name is listed, but calling it raises an error that says since
#   when it is gone and what to use now. An error message is documentation as well; read its end.
# - `inspect.getsource(torch.nn.functional.cross_entropy)`: 92 lines, mostly words, and the last
#   statement calls compiled code. `inspect.getsource(torch.ones)` is a `TypeError`, as promised.
# - `divekit list` says which sections can be run, and `divekit info 2.4` where the script of one
#   is.
