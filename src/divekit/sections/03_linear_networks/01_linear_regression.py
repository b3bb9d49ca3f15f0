# %% [markdown]
# # 3.1 Linear regression
#
# How long will the bicycle take? You know how far it is and how much of it goes uphill, and you
# have kept a diary of earlier trips. Nobody gave you a formula, but you may guess its form:
# so many minutes for each kilometre, so many for each hundred metres of climb, and a few for
# getting under way. Finding the three numbers is linear regression.
#
# It is the smallest model that has everything a large one has: weights, a loss, a way to make
# the loss small, and a reason why it is *this* loss. Here are the ideas; 3.2 trains it step by
# step, 3.3 does the same with torch's parts.

# %%
import math

import torch

from divekit import plot

# %% [markdown]
# ## A diary of trips
#
# We invent two hundred trips, so that the true numbers are known: 3 minutes per kilometre, 5 per
# hundred metres of climb, 4 to set out. Wind and traffic add an error of about two minutes
# either way.

# %%
generator = torch.Generator().manual_seed(0)
num_trips, noise = 200, 2.0
distance = 2 + 18 * torch.rand(num_trips, generator=generator)  # kilometres
climb = 4 * torch.rand(num_trips, generator=generator)  # hundreds of metres
delay = noise * torch.randn(num_trips, generator=generator)
features = torch.stack([distance, climb], dim=1)  # two of (N,) -> (N, 2)
minutes = (3 * distance + 5 * climb + 4 + delay)[:, None]  # (N,) -> (N, 1)

# %%
plot.points(distance, minutes[:, 0], x_label="distance in km", y_label="minutes")

# %% [markdown]
# The points fill a band. Part of its width is the climb, which this picture does not show, and
# part is chance, which no model can know.
#
# ## The model
#
# One trip is a vector $\mathbf{x}$ with an entry per feature. The prediction weighs the entries,
# adds them up and adds a number that is always there:
#
# $$\hat{y} = w_1 x_1 + w_2 x_2 + b = \mathbf{w}^\top \mathbf{x} + b.$$
#
# All trips at once are a matrix $\mathbf{X}$ with a row per trip, and all predictions are one
# product, $\hat{\mathbf{y}} = \mathbf{X}\mathbf{w} + b$. "Linear" is a promise about the weights:
# twice the weights and twice the bias predict twice the time. The features may be what you like,
# squares and logarithms of other features included.

# %% source
from divekit.models.linear_regression import LinearRegression

# %% [markdown]
# ## The loss
#
# A prediction that is off by $\hat{y} - y$ costs half the square of that. Two minutes too many
# cost as much as two too few, and four minutes cost four times as much as two. Over $n$ trips
# we take the average:
#
# $$L(\mathbf{w}, b) = \frac{1}{n} \sum_{i=1}^{n}
# \frac{1}{2} \left(\hat{y}^{(i)} - y^{(i)}\right)^2.$$

# %% source
from divekit.nn.losses import squared_loss_scratch

# %%
guesses = torch.tensor([[30.0], [44.0], [21.0]])
answers = torch.tensor([[32.0], [40.0], [21.0]])
print("off by 2, 4 and 0 minutes: (2 + 8 + 0) / 3 =", squared_loss_scratch(guesses, answers).item())

# %% [markdown]
# ## The bottom, written down
#
# Give every trip a third feature that is always 1; its weight is then the bias, and there is
# only $\mathbf{w}$ left to find. At the bottom of the loss its gradient is zero:
#
# $$\frac{1}{n} \mathbf{X}^\top (\mathbf{X}\mathbf{w} - \mathbf{y}) = 0
# \quad\Longrightarrow\quad
# \mathbf{w}^* = (\mathbf{X}^\top \mathbf{X})^{-1} \mathbf{X}^\top \mathbf{y}.$$
#
# The left side says it in a picture: what is left over, $\mathbf{X}\mathbf{w} - \mathbf{y}$, is at
# right angles to every feature. Were it not, a bit more or less of that feature would help. The
# inverse is a way of writing; a program solves the equations instead, which is cheaper and loses
# fewer digits.

# %%
X = torch.cat([features, torch.ones(num_trips, 1)], dim=1).double()  # (N, 2) -> (N, 3)
y = minutes.double()
solved = torch.linalg.solve(X.T @ X, X.T @ y)[:, 0]  # (3, 3), (3, 1) -> (3,)
print("per km {:.3f}, per hundred metres {:.3f}, to set out {:.3f}".format(*solved.tolist()))

# %% [markdown]
# The library has the closed form too. Its version also stands features that repeat each other,
# where $\mathbf{X}^\top \mathbf{X}$ has no inverse; 3.3 shows that.

# %% source
from divekit.models.linear_regression import least_squares

# %%
best = least_squares(features, minutes)
leftover = (best(features) - minutes).detach()  # (N, 1)
print("weights", best.linear.weight.tolist(), "bias", best.linear.bias.tolist())
print(f"loss {(leftover**2 / 2).mean():.4f}; the true numbers have {(delay**2 / 2).mean():.4f}")

# %% [markdown]
# The fitted numbers have a *smaller* loss than the true ones. They were chosen to suit these two
# hundred trips, the luck in them included. On new trips it is the other way round, and chapter 4
# is about that difference.
#
# ## Small steps instead
#
# Hardly any other model has a bottom that can be written down. What nearly all have is a slope.
# So: start anywhere; ask the gradient which way the loss rises; go a little the other way; repeat.
#
# The gradient over all examples is exact and dear. Over a handful $\mathcal{B}$ of them, drawn by
# chance, it costs little and is right on average, and many rough steps beat one exact step at
# the same price. This is *minibatch stochastic gradient descent*:
#
# $$\mathbf{w} \leftarrow \mathbf{w} - \frac{\eta}{|\mathcal{B}|}
# \sum_{i \in \mathcal{B}} \left(\hat{y}^{(i)} - y^{(i)}\right) \mathbf{x}^{(i)}.$$
#
# Each example pulls along its own features, as hard as it is wrong. The learning rate $\eta$ and
# the size of the batch are not found by training: you set them, look, and set them again.
# Such numbers are called hyperparameters.
#
# At the bottom the full gradient is zero. That of a batch is not: it goes on pushing, now this way,
# now that. Hence training by batches never quite comes to rest.

# %%
errors = X @ solved[:, None] - y  # (N, 1)
pulls = errors * X  # one gradient per trip: (N, 1) * (N, 3) -> (N, 3)
print("all 200:", [f"{pull:+.1e}" for pull in pulls.mean(0).tolist()])
for rows in torch.randperm(num_trips, generator=generator).split(10)[:3]:
    print("ten:    ", [f"{pull:+.2f}" for pull in pulls[rows].mean(0).tolist()])

# %% [markdown]
# ## Why the square?
#
# Suppose the error of a trip is the sum of many small delays. Then it is close to a normal
# distribution, whose density with mean $\mu$ and standard deviation $\sigma$ is
#
# $$p(y) = \frac{1}{\sqrt{2 \pi \sigma^2}}
# \exp\left(-\frac{(y - \mu)^2}{2 \sigma^2}\right).$$
#
# There is the square already. $\mu$ moves the bell, and $\sigma$ widens it; since the area must
# stay one, a wide bell is a low one.


# %%
def normal_density(y, mean, std):
    return torch.exp(-((y - mean) ** 2) / (2 * std**2)) / math.sqrt(2 * math.pi * std**2)


grid = torch.arange(-7, 7, 0.01)
bells = {(mean, std): normal_density(grid, mean, std) for mean, std in [(0, 1), (0, 2), (3, 1)]}
plot.lines(
    grid,
    {f"mean {mean}, std {std}": bell for (mean, std), bell in bells.items()},
    x_label="y",
    y_label="density",
)

# %% [markdown]
# Now let the model give the mean of each trip, $\mu = \hat{y}$. How likely is the whole diary?
# The trips are independent, so their densities multiply; minus the logarithm turns the
# product into a sum and "most likely" into "smallest":
#
# $$-\log P(\mathbf{y} \mid \mathbf{X}) = \frac{1}{\sigma^2}
# \underbrace{\sum_{i=1}^n \frac{1}{2}
# \left(\hat{y}^{(i)} - y^{(i)}\right)^2}_{n \, L(\mathbf{w}, b)}
# + \frac{n}{2} \log(2 \pi \sigma^2).$$
#
# The second term does not know the weights, and $1/\sigma^2$ only stretches the first. So the
# weights that make the diary most likely are those with the smallest squared loss, **whatever
# the noise**. To believe in normal noise and to use squared loss are one decision.
#
# We look: change the minutes per kilometre, keep the other two numbers, and measure both ways.

# %%
slopes = torch.linspace(2.7, 3.3, 601, dtype=torch.float64)
others = solved[1] * X[:, 1] + solved[2]
guesses = slopes[:, None] * X[:, 0] + others  # a row per slope: (601, 1) * (N,) -> (601, N)
losses = ((guesses - y[:, 0]) ** 2 / 2).mean(dim=1)  # (601, N) -> (601,)
surprise = {
    std: -normal_density(y[:, 0], guesses, std).log().mean(dim=1) for std in (1.5, 2.0, 4.0)
}
plot.lines(
    slopes,
    {f"believing σ = {std}": values for std, values in surprise.items()},
    x_label="minutes per km",
    y_label="minus log likelihood, per trip",
)

# %%
print(f"smallest squared loss at         {slopes[losses.argmin()]:.3f} minutes per km")
for std, values in surprise.items():
    print(f"most likely, believing σ = {std}, at {slopes[values.argmin()]:.3f}")

# %% [markdown]
# All curves have their lowest point at one place. Which curve reaches lowest is another
# question: here the one whose σ is nearest to the errors that were made. Exercise 3 finds the best.
#
# ## One product instead of a loop
#
# Above, 601 models predicted 200 trips in one line, without a loop. That is not only shorter. In
# a Python loop every single addition is looked up, boxed and unboxed; on whole tensors
# that happens once, and compiled code does the rest. To see how much it matters, we need
# a stopwatch.

# %% source
from divekit.evaluate.timing import Timer

# %%
num_entries, repeats = 10_000, 5
left, right = torch.ones(num_entries), torch.ones(num_entries)
left + right  # once for nothing: the first call also sets things up

by_loop, at_once = Timer(), Timer()
for _ in range(repeats):
    by_loop.start()
    looped = torch.zeros(num_entries)
    for i in range(num_entries):
        looped[i] = left[i] + right[i]
    by_loop.stop()
for _ in range(repeats):
    at_once.start()
    whole = left + right
    at_once.stop()

print(f"entry by entry {by_loop.average():.6f} s on average, {by_loop.sum():.4f} s in all")
print(f"all at once    {at_once.average():.6f} s on average, {at_once.sum():.4f} s in all")
print(f"the loop takes {by_loop.average() / at_once.average():,.0f} times as long")
print("after each repeat, in s:", [f"{seconds:.3f}" for seconds in by_loop.cumulative_sum()])

# %% [markdown]
# ## The same as a network
#
# Draw each feature as a dot on the left and the prediction as a dot on the right, and join every
# left dot to the right one. On each line stands a weight:
#
# ```
# distance  x1 ──── w1 ────╮
# climb     x2 ──── w2 ────┼──── sum ──── minutes
# always     1 ──── b  ────╯
# ```
#
# This is a neural network with one layer. The dots on the left compute nothing, so they are
# not counted; the one on the right does all the work. Every input reaches every
# output, which is called *fully connected* or *dense*. More dots on the right would predict more
# numbers from the same features (3.4), and dots in between, with a bend in them, make
# the networks of chapter 4.
#
# ## Did it hold?

# %%
fitted = torch.cat([best.linear.weight[0], best.linear.bias]).detach().double()
assert torch.allclose(fitted, solved, atol=1e-3), "the two closed forms disagree"
assert (solved - torch.tensor([3.0, 5.0, 4.0])).abs().max() < 1, "the true numbers were not found"
assert pulls.mean(0).abs().max() < 1e-8, "the gradient at the bottom is not zero"
for (mean, std), bell in bells.items():
    assert abs(0.01 * bell.sum() - 1) < 1e-3, f"the area under the bell ({mean}, {std}) is not 1"
for std, values in surprise.items():
    assert values.argmin() == losses.argmin(), f"σ = {std}: most likely is not smallest loss"
assert torch.equal(looped, whole) and torch.all(whole == 2), "the loop and the sum differ"
assert by_loop.sum() > at_once.sum(), "the loop was faster"
print("closed forms agree, bells have area one, most likely is smallest squared loss")

# %% [markdown]
# ## Exercises
#
# 1. You may answer with one number $b$ for all trips, and no features. Which $b$ has the smallest
#    squared loss, and which the smallest absolute loss? What follows for one trip on which you
#    had a flat tyre?
# 2. Replace the normal density by $\frac{1}{2s} e^{-|y - \mu| / s}$. Which loss is
#    its negative logarithm? Does $s$ matter for the best weights?
# 3. Keep the weights and find the $\sigma$ that makes the diary most likely, first by derivative
#    and then on a grid. What has it to do with the smallest loss?
# 4. Measure distance in metres. What happens to the weights, to the predictions, and to the
#    learning rates that work? Which of the answers differ between the closed form and the steps?
# 5. A friend adds the feature "distance in miles". Neither `torch.linalg.solve` nor `least_squares`
#    complains, but look at the weights that each finds, and at the predictions. What did
#    `least_squares` do that the plain formula cannot?
#
# ## What to try next
#
# - `num_trips = 20`: setting out takes 4.15 minutes instead of 3.98, and the fit has a loss of
#   1.580 where the true numbers have 1.606. With 20,000 trips the two are 1.9624 and 1.9629: the
#   more trips, the less luck there is to fit.
# - Write the minibatch steps yourself, from zero weights and with batches of ten. At `lr = 0.01`
#   the loss is 2.62 after ten epochs and 2.34 after a hundred; at 0.02 it is above $10^{91}$ in
#   ten. The steepest direction of this bowl has curvature 142, the largest of
#   `torch.linalg.eigvalsh(X.T @ X / 200)`, and steps above $2 / 142 = 0.014$ grow. The flattest
#   has 0.11, so the bias creeps: it is still 0.3 short after a hundred epochs.
# - Add two Python lists of 10,000 ones, `[a + b for a, b in zip(xs, ys)]`: 0.4 milliseconds here,
#   two hundred times faster than the loop over tensor entries, which makes a tensor of each.
#   `left + right` is another ten to two hundred times faster, depending on what the processor
#   did just before.
# - 3.2 trains this model in small steps, every part written out.
