# %% [markdown]
# # 3.3 Linear regression, concisely
#
# Section 3.2 wrote out a linear layer, a loss and an optimizer. All three come with torch.
# Here the same run is built from torch's parts, and held against both its neighbours: the
# version from scratch, which must give the same gradients for the same weights, and the closed
# form, which needs no training at all.

# %%
import torch

from divekit import plot
from divekit.data import SyntheticRegression
from divekit.train import fit

# %% [markdown]
# ## The model
#
# `nn.Linear` holds the weights and the bias and computes $\mathbf{X}\mathbf{W}^\top +
# \mathbf{b}$. It keeps its weights one row per *output*, transposed against the formula of
# 3.2. Its own initial values depend on the number of inputs; we draw them as 3.2 did.

# %% source
from divekit.models.linear_regression import LinearRegression

# %% [markdown]
# ## The loss
#
# torch's mean squared error leaves the half out. That doubles every gradient, and a learning
# rate or a weight decay that was tuned for one version is wrong for the other. The book's
# edition let its two versions differ in this way; here the half stays in both.

# %% source
from divekit.nn.losses import squared_loss

# %%
predictions, answers = torch.tensor([[1.0], [4.0]]), torch.tensor([[3.0], [4.0]])
print("torch's mean squared error:", torch.nn.functional.mse_loss(predictions, answers).item())
print("with the half:             ", squared_loss(predictions, answers).item())

# %% [markdown]
# Give both models the same weights, and they agree on the loss and on every gradient.

# %% source
from divekit.models.linear_regression import LinearRegressionScratch

# %%
scratch, concise = LinearRegressionScratch(2), LinearRegression(2)
with torch.no_grad():
    concise.linear.weight.copy_(scratch.weight.T)
    concise.linear.bias.copy_(scratch.bias)

features, targets = SyntheticRegression().open().train.tensors
for model in (scratch, concise):
    squared_loss(model(features), targets).backward()
difference = (scratch.weight.grad.T - concise.linear.weight.grad).abs().max().item()
print(
    f"gradient {concise.linear.weight.grad[0].tolist()}, the scratch version's differs by {difference:.0e}"
)

# %% [markdown]
# ## The run
#
# `torch.optim.SGD` takes the place of our own optimizer. The recipe differs from that of 3.2
# in these three names only.

# %% source
from divekit.recipes.linear_networks import linear_regression

# %%
run = fit(linear_regression(), device="cpu")
plot.curves(run.history, log_loss=True)

# %% [markdown]
# ## What it found
#
# The data were drawn around a plane that we know.

# %%
truth = SyntheticRegression()
weights = run.model.linear.weight.detach()[0]  # (1, D) -> (D,)
weight_error = (weights - torch.tensor(truth.weights)).abs().max().item()
bias_error = abs(run.model.linear.bias.item() - truth.bias)
print(f"weights {weights.tolist()}, off by {weight_error:.1e} at most")
print(f"bias    {run.model.linear.bias.item()}, off by {bias_error:.1e}")

# %% [markdown]
# ## No training at all
#
# Squared error is a bowl, and linear regression is the rare model whose bowl has a bottom one
# can write down. With the features and targets centred at their means, it is
#
# $$\mathbf{w}^* = \mathbf{X}^{+}\mathbf{y}, \qquad
# b^* = \bar{y} - \mathbf{w}^{*\top} \bar{\mathbf{x}},$$
#
# where $\mathbf{X}^{+}$ is the pseudo-inverse. It equals
# $(\mathbf{X}^\top \mathbf{X})^{-1} \mathbf{X}^\top$ where that inverse exists, and still has an
# answer where it does not: when one feature repeats another.

# %% source
from divekit.models.linear_regression import least_squares

# %%
exact = least_squares(features, targets)
gap = (run.model.linear.weight - exact.linear.weight).abs().max().item()
print(f"closed form {exact.linear.weight[0].tolist()}; training is {gap:.1e} away from it")

# %% [markdown]
# Training lands within the noise of the exact answer. Had we only linear models, nobody would
# train them by gradient steps. The point of the loop is that it goes on working when the
# bottom of the bowl can no longer be written down.

# %%
twice = torch.cat([features, features[:, :1]], dim=1)  # the first feature again: (N, 2) -> (N, 3)
print(
    "with a repeated feature:",
    [round(w, 4) for w in least_squares(twice, targets).linear.weight[0].tolist()],
)

# %% [markdown]
# The repeated feature shares its weight with the original, one half each: of all planes that
# fit equally well this is the one with the smallest weights.

# %%
print(run.check())  # fails when the recipe's goal is missed
assert weight_error < 2e-3 and bias_error < 2e-3, "the plane was not found"
assert gap < 2e-3, "training and the closed form disagree"
assert difference < 1e-5, "scratch and concise differ in their gradients"

# %% [markdown]
# ## Exercises
#
# 1. Sum the loss over the batch instead of averaging. How must the learning rate change for
#    the run to stay the same, and what does that say about comparing batch sizes?
# 2. `nn.HuberLoss` is quadratic for small errors and linear for large ones. Put ten wild
#    targets into the data and compare its plane with that of the squared loss.
# 3. Read the gradient with `run.model.linear.weight.grad`. Whose gradient is it?
#
# ## What to try next
#
# - `linear_regression(batch_size=1000)`: one step per epoch, and over three epochs the loss falls
#   from 16.4 to 14.5, nowhere near the goal. `batch_size=1` is down at the noise in the second epoch.
# - A hundred features, `SyntheticRegression(weights=(1.0,) * 100)` in the recipe: the third epoch
#   averages 0.0013, and the goal is missed; one more epoch gets there. More directions to
#   learn, and the steepest of them sets the learning rate.
# - 3.6 keeps the layer and changes the loss, and the outputs become classes.
