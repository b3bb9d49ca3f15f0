# %% [markdown]
# # 3.2 Linear regression, from scratch
#
# Every training run in this library has the same five parts: data, a model, a loss that says
# how wrong the model is, an optimizer that makes it a little less wrong, and a loop around
# them. Here each part is written out on bare tensors, small enough to hold in the head. What
# comes later, a network with millions of weights included, changes the parts and keeps the plan.
#
# The model is a plane through the data,
#
# $$\hat{y} = \mathbf{w}^\top \mathbf{x} + b,$$
#
# and we make the data ourselves, so that we know the plane it has to find.

# %%
import torch

from divekit import plot
from divekit.data import SyntheticRegression
from divekit.train import fit

# %% [markdown]
# ## Data with a known answer
#
# Features are drawn from a standard normal distribution, and the targets lie on a plane, up to
# a little noise:
#
# $$\mathbf{y} = \mathbf{X}\mathbf{w} + b + \boldsymbol{\epsilon}, \qquad
# \mathbf{w} = \begin{pmatrix}2 \\ -3.4\end{pmatrix}, \quad b = 4.2, \quad
# \epsilon_i \sim \mathcal{N}(0,\, 0.01^2).$$
#
# Targets are a column, shape (N, 1), because predictions will be one. Subtracting a row from a
# column would quietly give an N by N table.

# %% source
from divekit.data.synthetic_regression import linear_data

# %%
true_weights, true_bias = (2.0, -3.4), 4.2
generator = torch.Generator().manual_seed(0)
features, targets = linear_data(true_weights, true_bias, 0.01, 1000, generator)
print("features", tuple(features.shape), " targets", tuple(targets.shape))
print("first example", features[0].tolist(), "->", targets[0].item())

# %% [markdown]
# The second weight is negative and larger than the first, so against the second feature the
# points fall along a band. What is left of its width is the other feature at work.

# %%
plot.points(features[:, 1], targets[:, 0], x_label="second feature", y_label="target")

# %% [markdown]
# ## Reading it in small batches
#
# One step looks at a few examples, not at all of them: ten rows already tell roughly which way
# is downhill, at a hundredth of the price. Each epoch shuffles once and then cuts the shuffled
# order into slices, so that every example is used exactly once.


# %%
def batches(features, targets, batch_size):
    order = torch.randperm(len(features))
    for rows in order.split(batch_size):
        yield features[rows], targets[rows]


inputs, answers = next(batches(features, targets, batch_size=10))
print(tuple(inputs.shape), tuple(answers.shape))

# %% [markdown]
# `SyntheticRegression` does both jobs: it holds the settings, and opening it gives the batches,
# in an order that depends on a seed alone.

# %%
data = SyntheticRegression(true_weights, true_bias, noise=0.01, batch_size=10).open(seed=0)
print(len(data.train), "batches of", data.train.batch_size)

# %% [markdown]
# ## The model
#
# Weights begin as small random numbers, the bias at zero. `nn.Parameter` does no mathematics:
# it is the label by which `.to(device)`, `state_dict()` and optimizers find the tensors.

# %% source
from divekit.models.linear_regression import LinearRegressionScratch

# %% [markdown]
# ## The loss
#
# Half the squared error, averaged over the batch:
#
# $$L(\mathbf{w}, b) = \frac{1}{B} \sum_{i=1}^{B} \frac{1}{2}
# \left(\mathbf{w}^\top \mathbf{x}^{(i)} + b - y^{(i)}\right)^2.$$
#
# The half cancels the two that differentiation brings down, so the gradient of one example
# is its error times its features and nothing else. The average keeps a learning rate
# meaningful whatever the size of the batch.

# %% source
from divekit.nn.losses import squared_loss_scratch

# %% [markdown]
# ## The optimizer
#
# Step against the gradient of the batch $\mathcal{B}$, with a learning rate $\eta$:
#
# $$(\mathbf{w}, b) \leftarrow (\mathbf{w}, b) - \eta \, \nabla_{(\mathbf{w}, b)} L_\mathcal{B}.$$

# %% source
from divekit.optim.sgd import SGD

# %% [markdown]
# ## The loop
#
# Predict, measure, differentiate, step; again for every batch, and again for every epoch. This
# is the whole of training. Gradients add up in torch, so each step begins by clearing them.

# %%
lr, epochs = 0.03, 3

torch.manual_seed(0)
model = LinearRegressionScratch(num_features=2)
optimizer = SGD(model.parameters(), lr=lr)
losses = []

for epoch in range(epochs):
    for inputs, answers in data.train:
        loss = squared_loss_scratch(model(inputs), answers)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    with torch.no_grad():
        loss = squared_loss_scratch(model(features), targets)
    print(f"epoch {epoch + 1}, loss on all examples {loss.item():.2e}")

# %% [markdown]
# The loss ends near $0.01^2 / 2 = 5 \cdot 10^{-5}$, which is what the noise alone costs: no
# plane can do better. Step by step it falls along a straight line, which on this axis means by the
# same share each time, and then it hits the floor.

# %%
floor = 0.01**2 / 2
plot.lines(
    range(1, len(losses) + 1),
    {"loss of each batch": losses, "what the noise costs": [floor] * len(losses)},
    x_label="step",
    y_label="loss",
    log="y",
)

# %% [markdown]
# Because we made the data, we can look the answer up.

# %%
weight_error = (torch.tensor(true_weights) - model.weight.detach()[:, 0]).abs().max().item()
bias_error = abs(true_bias - model.bias.item())
print(f"largest error in the weights {weight_error:.1e}, in the bias {bias_error:.1e}")

# %% [markdown]
# ## The same, as a recipe
#
# A recipe names the five parts, and `fit` is the loop you have just read, with a progress
# display and a history. Nothing happens when a recipe is made; `fit` does it all. It would take a
# GPU if there is one; for the comparison below it stays on the CPU, as the loop did.

# %% source
from divekit.recipes.linear_networks import linear_regression_scratch

# %%
run = fit(linear_regression_scratch(lr=lr, epochs=epochs), device="cpu")

# %% [markdown]
# Same seed, same numbers: the loop above and `fit` end with the same weights, bit for bit.

# %%
print("equal to the loop above:", torch.equal(run.model.weight, model.weight))

# %%
print(run.check())  # fails when the recipe's goal is missed
assert weight_error < 2e-3 and bias_error < 2e-3, "the plane was not found"
assert torch.equal(run.model.weight, model.weight), "fit and the plain loop differ"

# %% [markdown]
# ## Exercises
#
# 1. Begin with all weights at zero. Does training still work? For which models would it not?
# 2. Drop the last axis of the targets, so that they have shape (N,), and take the shape check
#    out of the loss. What does the model learn, and why is there no error?
# 3. Replace half the squared error by the absolute error. Which learning rate do you need now,
#    and what happens to the last digits of the weights? Find a loss with the virtues of both.
# 4. The loss above stops falling at $5 \cdot 10^{-5}$. Predict where it stops for noise 0.1
#    before you try.
#
# ## What to try next
#
# - `lr = 0.1` is at the noise within the first epoch. `lr = 1.0` finds the plane too, less exactly:
#   the last steps overshoot. At `lr = 2.0` most steps make it worse, and the loss is infinite
#   by the second epoch.
# - `epochs = 1`: weights and bias are still off by 0.1 to 0.2. More than three epochs change
#   nothing that can be seen: what is left is the noise.
# - 3.3 builds the same run from torch's own parts.
