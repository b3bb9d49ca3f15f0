# %% [markdown]
# # 2.5 Automatic differentiation
#
# In 2.4 we found slopes by nudging: two evaluations for every variable, and rounding error on top.
# A network has millions of variables. But it computes with a few dozen kinds of operation, and the
# derivative of each is known. So torch takes notes while we compute, and then walks back through
# its notes, multiplying derivatives by the chain rule. No formula is simplified and nothing is
# nudged: the result is exact to rounding, for all variables at once.

# %%
import math

import torch

from divekit import plot

# %% [markdown]
# ## One pass forward, one pass back
#
# Let $y = 2\, \mathbf{x}^\top \mathbf{x}$ at $\mathbf{x} = (0, 1, 2, 3)$, so
# $y = 2\,(0 + 1 + 4 + 9) = 28$. By 2.4 its gradient is $4\mathbf{x}$. To have it found,
# say that `x` is a variable, compute, and call `backward`. The gradient is put down at the
# variable, in `x.grad`.

# %%
x = torch.arange(4.0, requires_grad=True)
y = 2 * x.dot(x)
y.backward()
first_gradient = x.grad.clone()
print("y =", y.item(), "  gradient =", first_gradient)

# %% [markdown]
# The notes can be read. Each computed tensor knows the operation it came from, its `grad_fn`, and
# that knows the operations before it:

# %%
step = y.grad_fn
while step.next_functions:
    print(step.name())
    step = step.next_functions[0][0]
print(step.name(), "of x:", step.variable is x)

# %% [markdown]
# From the bottom up that is what we wrote: take `x`, form the dot product, multiply. `backward`
# goes down the list and adds its result to the `grad` of the leaf it finds at the end.
#
# ## Gradients add up
#
# *Adds* is meant. A second `backward` does not overwrite the first:

# %%
x.sum().backward()  # its own gradient is 1 everywhere
added_up = x.grad.clone()
x.grad.zero_()
x.sum().backward()
print("without zeroing:", added_up)
print("after zeroing:  ", x.grad)

# %% [markdown]
# Adding is right: `x.dot(x)` uses `x` twice, and each use contributes its share. It also lets a
# large batch be handled in pieces. The price is that every training loop must clear the gradients
# before each step. An optimizer has `zero_grad` for that, and forgetting it raises no error.
#
# ## More than one result
#
# If $\mathbf{y}$ is a vector, then its derivative is a matrix, $J_{ij} = \partial y_i / \partial
# x_j$, and `backward` refuses to choose among its rows. It wants a vector $\mathbf{v}$, which says
# how much each entry counts, and puts down $\mathbf{J}^\top \mathbf{v}$, the gradient of
# $\mathbf{v} \cdot \mathbf{y}$. With ones for $\mathbf{v}$ that is the gradient of the sum. For
# $y_i = x_i^2$ the matrix is diagonal, with $2x_i$ on it.

# %%
try:
    (x * x).backward()
except RuntimeError as error:
    refused = str(error)
print("without a vector:", refused)


def pulled_back(v):
    """Give the gradient of v . (x * x)."""
    x.grad = None  # clears as zero_() does, and frees the memory
    (x * x).backward(v)
    return x.grad


by_ones = pulled_back(torch.ones(4))
by_weights = pulled_back(torch.tensor([1.0, 10.0, 100.0, 1000.0]))
x.grad = None
(x * x).sum().backward()
by_sum = x.grad
print("ones:   ", by_ones)
print("weights:", by_weights)

# %% [markdown]
# Losses are such sums: one entry per example, averaged into one number. The full matrix is hardly
# ever needed, and never built.
#
# ## A constant among variables
#
# Sometimes a value is to be used, but not to be held responsible. `detach` gives the same
# numbers without the notes. Below, `u` is $x^2$ to the eye and a constant to `backward`, so that
# $z = u x$ has gradient $u = x^2$; without `detach` it would be that of $x^3$, which is $3x^2$.

# %%
x.grad = None
square = x * x
u = square.detach()
(u * x).sum().backward()
through_constant = x.grad
x.grad = None
(x * x * x).sum().backward()
through_all = x.grad
print("u held constant:", through_constant)
print("all of x^3:     ", through_all)

# %% [markdown]
# Where no gradient is wanted at all, `torch.no_grad()` stops the note-taking. It saves memory when
# a model only predicts, and it is needed for the step of an optimizer: moving a variable is
# not part of the function. From $\mathbf{x}$ against the gradient $4\mathbf{x}$ with rate
# $\frac{1}{4}$, one step must end at the lowest point.

# %%
x.grad = None
(2 * x.dot(x)).backward()
with torch.no_grad():
    silent = 2 * x
    x -= 0.25 * x.grad
print("notes taken:", silent.requires_grad, "  after one step:", x.detach())

# %% [markdown]
# ## Through loops and branches
#
# The notes list what was done, not what the program might have done. So `while` and `if` need no
# special treatment. Take a function that doubles its input until the length reaches 1000, and
# multiplies by 100 unless the sum is positive:


# %%
def f(a):
    b = a
    while 0 < b.norm() < 1000:  # zero stays zero, however often it is doubled
        b = 2 * b
    return b if b.sum() > 0 else 100 * b


def slope(a):
    a = a.detach().requires_grad_()
    f(a).sum().backward()
    return a.grad


generator = torch.Generator().manual_seed(0)
inputs = [torch.tensor(3.0), torch.tensor(-3.0), torch.randn(3, generator=generator)]
for a in inputs:
    print("a =", a, " gradient =", slope(a), " f(a) / a =", f(a) / a)

# %% [markdown]
# But for the jumps, the number of rounds stays the same near $a$, so $f(a) = ka$ with a constant
# $k$, and the gradient is $k = f(a)/a$. The picture shows why: $f$ is made of straight pieces, and
# all of them, drawn further, go through the origin.

# %%
grid = torch.linspace(0, 600, 3001)
heights = torch.stack([f(a) for a in grid])
pieces = heights.clone()
pieces[1:][heights.diff() < 0] = math.nan  # a jump is not a line
pieces[grid < 20] = math.nan  # ever more pieces, ever steeper
at = torch.tensor(180.0)
ray = slope(at) * grid
ray[ray > 2500] = math.nan

# %%
plot.lines(
    grid,
    {f"slope {slope(at):.0f}, as found at 180": ray, "f(a)": pieces},
    x_label="a",
    y_label="f(a)",
    y_limits=(0, 2700),
    marks=[(at, f(at))],
)

# %% [markdown]
# Each piece is half as steep as the one to its left. At the jumps there is no derivative;
# `backward` follows the branch that was taken and says nothing about the other.
#
# ## The slope of a slope
#
# With `create_graph=True` the walk back is itself noted down, and can be differentiated again.
# `torch.autograd.grad` returns a gradient instead of adding it to `grad`. As our function works
# entry by entry, the gradient of its sum holds the slope at every point of the curve.


# %%
def swish(x):
    return x * torch.sigmoid(x)


def derivative(values, x):
    (result,) = torch.autograd.grad(values.sum(), x, create_graph=True)
    return result


points = torch.linspace(-6, 6, 241, dtype=torch.float64, requires_grad=True)
curve = swish(points)
first = derivative(curve, points)
second = derivative(first, points)

# %%
plot.lines(
    points.detach(),
    {"function": curve.detach(), "slope": first.detach(), "slope of the slope": second.detach()},
    x_label="x",
    y_label="y",
    y_limits=(-0.6, 2.5),
)

# %% [markdown]
# Read it downwards: where the first curve has its valley, the second crosses zero; where the second
# has its peak, the third does. Nobody wrote down a formula for either.
#
# ## Against the nudge
#
# A gradient found by the notes can be tested by one that trusts nothing. We step to both sides
# in double precision, as in 2.4. The second test has a thousand variables:
# $g(\mathbf{x}) = \log \sum_i e^{x_i}$, whose gradient is the softmax of $\mathbf{x}$.


# %%
def nudged(f, x, h=1e-5):
    return (f(x + h) - f(x - h)) / (2 * h)


with torch.no_grad():
    off_first = (nudged(swish, points) - first).abs().max()
    off_second = (nudged(lambda x: nudged(swish, x, 1e-4), points, 1e-4) - second).abs().max()
print(f"slope: {off_first:.0e} apart; slope of the slope: {off_second:.0e}")

calls = 0


def g(x):
    global calls
    calls += 1
    return x.logsumexp(dim=0)


many = torch.randn(1000, generator=generator, dtype=torch.float64, requires_grad=True)
g(many).backward()
print(f"by notes:   {calls} call of g")
calls = 0
with torch.no_grad():
    unit = torch.eye(1000, dtype=torch.float64)
    by_nudging = torch.stack([(g(many + 1e-5 * e) - g(many - 1e-5 * e)) / 2e-5 for e in unit])
print(f"by nudging: {calls} calls of g")
exact = many.detach().softmax(dim=0)
error_by_notes = (many.grad - exact).abs().max()
error_by_nudging = (by_nudging - exact).abs().max()
print(f"errors: {error_by_notes:.0e} by notes, {error_by_nudging:.0e} by nudging")

# %% [markdown]
# ## The check

# %%
assert y.item() == 28, "2 x.x at (0, 1, 2, 3) is not 28"
start = torch.arange(4.0)
assert torch.equal(first_gradient, 4 * start), "the gradient of 2 x.x is not 4x"
assert torch.equal(added_up, 4 * start + 1), "the second gradient was not added to the first"
assert "scalar" in refused, "backward took a vector without weights"
assert torch.equal(by_ones, 2 * start), "ones do not give the gradient of the sum"
assert torch.equal(by_ones, by_sum), "ones and sum differ"
assert torch.equal(by_weights, 2 * start * 10**start), "the weights were not applied"
assert torch.equal(through_constant, start**2), "u was not held constant"
assert torch.equal(through_all, 3 * start**2), "the slope of x^3 is not 3x^2"
assert not silent.requires_grad and torch.all(x == 0), "the step missed the lowest point"
for a in inputs:
    assert torch.allclose(slope(a), f(a) / a), f"the gradient at {a} is not f(a) / a"
assert slope(inputs[0]) == 512 and slope(inputs[1]) == 51200, "3 takes nine doublings to 1536"
assert off_first < 1e-9 and off_second < 1e-6, "nudging finds other slopes"
assert error_by_notes < 1e-15, "the gradient is not the softmax"
assert error_by_notes < error_by_nudging < 1e-9, "nudging should be close, but not as close"
print("what the notes say is what hand and nudge say")

# %% [markdown]
# ## Exercises
#
# 1. Call `backward` twice on the same `y`. What is missing the second time, and which argument
#    keeps it?
# 2. Change `f` so that it halves while the length is above 1, and draw it from 0 to 20 on
#    logarithmic axes. Where are the jumps, and what is the slope between them?
# 3. The Hessian of $g$ has a million entries. Find its product with one vector by two passes
#    back, and never more than a few thousand numbers in memory.
# 4. Write `derivative` so that it takes an order $n$. How many steps does the list of notes of the
#    $n$-th derivative of `swish` have? Plot the count for $n = 1, \ldots, 8$.
# 5. `x.relu()` has no slope at 0. What does torch answer there, and what for `x.abs()`? Which
#    other answers would be as good for an optimizer?
#
# ## What to try next
#
# - `f(torch.tensor(0.0))` is 0 and `slope` there is 100: zero falls into the second branch. Just
#   beside it `f` is above 1000 or below -100,000. `backward` reports the slope of the branch,
#   even where the function jumps.
# - `torch.where(a > 0, a.sqrt(), a)` at `a = 0`: the value is 0 and the gradient `nan`. The slope
#   of the root is infinite, and the branch not taken is not skipped but multiplied by zero.
#   `where` is no `if`: both sides are computed and noted. Move `a` away from 0 before the root.
# - `torch.autograd.gradcheck(swish, points)` is torch's own nudge, and says `True`. With
#   `points.detach().float().requires_grad_()` it warns and fails: single precision is too coarse
#   for its step of $10^{-6}$.
# - 3.2 trains with nothing but `backward` and the step above.
