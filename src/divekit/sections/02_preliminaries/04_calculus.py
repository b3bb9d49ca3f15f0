# %% [markdown]
# # 2.4 Calculus
#
# Training a model means nudging numbers until a loss is small. For every one of them we need to
# know: if it grows a little, does the loss rise or fall, and how fast? That is the derivative, and
# this section gets it by the plainest means there is, by nudging and looking. What is found that
# way is slow and not quite exact, but it is honest: it trusts no formula, so it can test them all.

# %%
import torch

from divekit import plot

# %% [markdown]
# ## Slope between two points
#
# Take $f(x) = 3x^2 - 4x$, stand at $x = 1$ and step forward by $h$. The rise divided by the
# step is the difference quotient, and here it can be worked out by hand:
#
# $$\frac{f(1 + h) - f(1)}{h}
# = \frac{3 (1 + h)^2 - 4 (1 + h) + 1}{h}
# = \frac{2h + 3h^2}{h}
# = 2 + 3h.$$
#
# So it is never 2, as long as there is a step, and yet it comes as near to 2 as we like. The
# derivative is the number that it closes in on: $f'(1) = \lim_{h \to 0} (2 + 3h) = 2$.


# %%
def f(x):
    return 3 * x**2 - 4 * x


def quotient(f, x, h):
    return (f(x + h) - f(x)) / h


one = torch.tensor(1.0, dtype=torch.float64)
steps = (0.1, 0.01, 0.001, 0.0001, 0.00001)
quotients = [quotient(f, one, h).item() for h in steps]
for h, value in zip(steps, quotients, strict=True):
    print(f"h = {h:<7g} quotient = {value:.5f}")

# %% [markdown]
# Each step a tenth of the last, and each error too: what is left over is $3h$, to the digit.
#
# In a picture, a quotient is the slope of the line through two points of the curve, a secant. As
# the second point slides towards the first, the secant turns into the tangent: the line of slope
# $f'(1)$ through $(1, f(1))$, here $y = f(1) + f'(1)(x - 1) = 2x - 3$.

# %%
slope = quotients[-1]
x = torch.linspace(-0.4, 2.4, 141, dtype=torch.float64)
rays = {
    "secant, h = 1": f(one) + quotient(f, one, 1.0) * (x - one),
    "secant, h = 0.5": f(one) + quotient(f, one, 0.5) * (x - one),
    "tangent, y = 2x - 3": f(one) + slope * (x - one),
}

# %%
plot.lines(x, {"f(x)": f(x), **rays}, x_label="x", y_label="y", marks=[(one, f(one))])

# %% [markdown]
# Near the point, curve and tangent can hardly be told apart. This is what a derivative is for:
# it replaces a function, nearby, by the simplest one that does the same, $f(1 + h) \approx
# f(1) + f'(1) h$. Every optimizer in this book relies on it, and on its learning rate being
# small enough for "nearby" to be true.
#
# ## How small may a step be?
#
# On paper, the smaller the better. A computer keeps some 16 digits (some 7 in single
# precision), and the two values we subtract agree in more and more of them. What remains of
# the difference is rounding error, and dividing by a tiny $h$ makes it large. Stepping to both
# sides helps at the other end, because the terms in $h$ cancel:
#
# $$\frac{f(x + h) - f(x - h)}{2h} = f'(x) + O(h^2).$$
#
# A parabola would have no error left at all, so the picture uses $e^x$ at 1, whose slope is $e$.


# %%
def central(f, x, h):
    return (f(x + h) - f(x - h)) / (2 * h)


h = 10.0 ** -torch.arange(1, 13, dtype=torch.float64)
slope_of_exp = one.exp()
errors = {
    "forward, single": quotient(torch.exp, one.float(), h.float()),
    "forward, double": quotient(torch.exp, one, h),
    "both sides, double": central(torch.exp, one, h),
}
errors = {name: (value.double() - slope_of_exp).abs() for name, value in errors.items()}

# %%
plot.lines(
    h, errors, x_label="step h", y_label="error of the slope", log="xy", y_limits=(1e-14, 10)
)

# %% [markdown]
# Read it from right to left. Each error falls while the step shrinks, and then rises again along
# the jagged line that is rounding. With steps to both sides and double precision, $h = 10^{-5}$
# is right to ten digits. We keep that.
#
# ## Several variables: the gradient
#
# With more than one variable, let one move and hold the others still. The slope is then a
# partial derivative, and all of them in a row are the gradient:
#
# $$\nabla g(\mathbf{x}) = \left( \frac{\partial g}{\partial x_1}, \ldots,
# \frac{\partial g}{\partial x_n} \right)^\top.$$
#
# For $g(x_1, x_2) = x_1^2 x_2 + x_2^3$ we get $2 x_1 x_2$ with $x_2$ held, and
# $x_1^2 + 3 x_2^2$ with $x_1$ held: at the point $(2, 1)$ the gradient is $(4, 7)$. In code, the
# rows of the unit matrix are the directions in which a single variable moves, so one call probes
# them all.


# %%
def g(x):
    return x[..., 0] ** 2 * x[..., 1] + x[..., 1] ** 3  # (..., 2) -> (...)


def slopes(f, x, directions, h=1e-5):
    step = h * directions  # (k, n): a step along each of k directions
    return (f(x + step) - f(x - step)) / (2 * h)  # (k, n) -> (k,)


def gradient(f, x):
    return slopes(f, x, torch.eye(len(x), dtype=x.dtype))


point = torch.tensor([2.0, 1.0], dtype=torch.float64)
print("gradient at (2, 1):", gradient(g, point))

# %% [markdown]
# ## Which way is up?
#
# Nothing forces us to step along an axis. Turn a unit vector once around the point and measure
# the slope in each direction. The slope along $\mathbf{d}$ is the dot product
# $\nabla g \cdot \mathbf{d} = \lVert \nabla g \rVert \cos \theta$, where $\theta$ is the angle
# between the two, so it must be a cosine: greatest along the gradient, where it is the gradient's
# length, level at right angles to it, and steepest downhill just opposite. In the picture the
# line is what was measured, and the dot stands at the gradient's direction and length.

# %%
degrees = torch.arange(0.0, 360.0, dtype=torch.float64)
compass = torch.stack([degrees.deg2rad().cos(), degrees.deg2rad().sin()], dim=-1)  # (360, 2)
measured = slopes(g, point, compass)
up = gradient(g, point)
up_degrees = torch.atan2(up[1], up[0]).rad2deg()
print(f"steepest at {degrees[measured.argmax()]:.0f} degrees, slope {measured.max():.3f}")
print(f"gradient at {up_degrees:.1f} degrees, length {up.norm():.3f}")

# %%
plot.lines(
    degrees,
    {"slope": measured},
    x_label="degrees",
    y_label="slope",
    marks=[(up_degrees, up.norm())],
)

# %% [markdown]
# No direction was tried in computing the gradient but the two axes, yet it knows the best of all
# 360. This is why training steps *against* the gradient: for a small step, no other way
# down is steeper.
#
# Two gradients come up so often that they are worth knowing by heart. For a matrix $\mathbf{A}$,
#
# $$\nabla_{\mathbf{x}} \, \mathbf{x}^\top \mathbf{A} \mathbf{x}
# = (\mathbf{A} + \mathbf{A}^\top) \mathbf{x}, \qquad
# \nabla_{\mathbf{x}} \lVert \mathbf{x} \rVert^2 = 2 \mathbf{x},$$
#
# the second being the first with the unit matrix. A formula is soon tested against the nudge:

# %%
generator = torch.Generator().manual_seed(0)
A = torch.randn(4, 4, generator=generator, dtype=torch.float64)
v = torch.randn(4, generator=generator, dtype=torch.float64)
by_formula = (A + A.T) @ v
by_nudging = gradient(lambda x: (x @ A * x).sum(dim=-1), v)  # (k, 4) -> (k,)
print("by formula:", by_formula)
print("by nudging:", by_nudging)

# %% [markdown]
# ## The chain rule
#
# A network is a function of a function of a function. Suppose we walk over the landscape $g$, and
# at time $t$ stand at $\mathbf{x}(t) = (2t, t^2)$. How fast do we climb? Each coordinate moves at
# its own speed, each counts as much as its partial derivative says, and the parts add up:
#
# $$\frac{dg}{dt} = \frac{\partial g}{\partial x_1} \frac{dx_1}{dt}
# + \frac{\partial g}{\partial x_2} \frac{dx_2}{dt}.$$
#
# At $t = 1$ we are at $(2, 1)$ again, moving with velocity $(2, 2)$, and the rate is
# $4 \cdot 2 + 7 \cdot 2 = 22$. Putting the path into $g$ first gives $4t^4 + t^6$, whose slope
# at 1 is $16 + 6$: the same. With many inputs $t_1, \ldots, t_m$ there is one such sum for each
# of them, $\nabla_{\mathbf{t}}\, g = \mathbf{J}^\top \nabla_{\mathbf{x}}\, g$ with
# $J_{ij} = \partial x_i / \partial t_j$: a product of a matrix and a vector. Backpropagation is
# this, layer after layer.


# %%
def path(t):
    return torch.stack([2 * t, t**2], dim=-1)  # (...) -> (..., 2)


velocity = central(path, one, 1e-5)
through_parts = gradient(g, path(one)) @ velocity
all_at_once = central(lambda t: g(path(t)), one, 1e-5)
print(f"gradient times velocity {through_parts:.6f}, all at once {all_at_once:.6f}")

# %% [markdown]
# ## The check
#
# Every number on this page that was worked out by hand, against what the nudging found.

# %%
for step, value in zip(steps, quotients, strict=True):
    assert abs(value - (2 + 3 * step)) < 1e-8, f"the quotient at h = {step} is not 2 + 3h"
assert torch.allclose(rays["tangent, y = 2x - 3"], 2 * x - 3, atol=1e-4), "not the tangent"
assert errors["both sides, double"][4] < 1e-9, "h = 1e-5 is not right to ten digits"
assert errors["forward, single"].min() > 1e-5, "single precision is better than it can be"
hand_worked = torch.tensor([4.0, 7.0], dtype=torch.float64)
assert torch.allclose(up, hand_worked, atol=1e-7), "the gradient is not (4, 7)"
assert (degrees[measured.argmax()] - up_degrees).abs() <= 0.5, "another direction is steeper"
assert torch.allclose(measured, compass @ hand_worked, atol=1e-7), "the slopes are no cosine"
assert torch.allclose(by_nudging, by_formula, atol=1e-7), "the formula is wrong"
assert abs(through_parts - 22) < 1e-6 and abs(all_at_once - 22) < 1e-6, "the chain rule fails"
print("the numbers worked by hand are the numbers found")

# %% [markdown]
# ## Exercises
#
# 1. Where is the tangent of $f$ level? Find the place by hand, then let a loop find it that
#    starts at $x = 1$ and steps against the slope. For which step sizes does the loop run away?
# 2. Work out the quotient of $x^3$ at any $x$ by hand, as above, and the one with steps to both
#    sides. Which terms cancel, and which is the first that stays?
# 3. The error picture has its lowest points near $h = 10^{-8}$ going forward and $10^{-5}$ going
#    both ways. Add the two kinds of error as functions of $h$ and explain both numbers.
# 4. At $(2, 1)$, find the directions in which $g$ does not change. What do they say about the
#    line of equal height through that point?
# 5. Nudging needs two evaluations for every variable. How many for the 7850 parameters of
#    softmax regression on 28 by 28 images? Section 2.5 needs one pass forward and one back.
#
# ## What to try next
#
# - `one = torch.tensor(1.0)`, single precision: the first two quotients look the same, but at
#   $h = 10^{-5}$ the quotient is 2.0027 and not 2.00003. The check fails at $h = 0.1$ already,
#   by $2 \cdot 10^{-7}$.
# - `quotient(torch.abs, 0 * one, h)` is 1 for every positive `h` and -1 for every negative one, and
#   `central` says 0. There is no tangent at a corner; stepping to both sides hides it.
# - `point = torch.zeros(2, dtype=torch.float64)`: all 360 slopes are 0, but for $10^{-10}$ that the
#   step leaves behind. No direction leads up at first sight, though $g$ has no peak there.
# - 2.5 lets torch find derivatives by the chain rule: exact to rounding, and at the price of
#   a few evaluations, whatever the number of variables.
