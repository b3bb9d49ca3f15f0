# %% [markdown]
# # 3.6 Softmax regression, from scratch
#
# Is this a shirt or a sandal? A classifier gives every class a score, turns the scores into
# probabilities, and is punished by how little probability it gave to the truth. The scores
# are one linear map of the pixels; everything new is in what happens to them afterwards.

# %%
import torch

from divekit import plot
from divekit.data import FashionMNIST
from divekit.train import fit

# %% [markdown]
# ## Data
#
# Fashion-MNIST: grey pictures of clothing, ten classes. A batch is (images, labels), the
# images as floats between 0 and 1, shape (B, 1, H, W), the labels as integers.

# %%
data = FashionMNIST().open()
images, labels = next(iter(data.test))
names = [data.facts.class_names[label] for label in labels.tolist()]
print(data.facts.name, tuple(images.shape), tuple(labels.shape))
plot.images(images[:12], names[:12])

# %% [markdown]
# ## From scores to probabilities
#
# Exponentiate, so that nothing is negative, and divide by the sum, so that all is one:
#
# $$\operatorname{softmax}(\mathbf{o})_j = \frac{e^{o_j}}{\sum_k e^{o_k}}.$$
#
# Only differences between scores matter: adding a constant to all of them cancels. That freedom
# is used to keep the exponential within the range of floats.

# %% source
from divekit.models.softmax_regression import softmax

# %%
scores = torch.tensor([[1.0, 2.0, 3.0], [101.0, 102.0, 103.0]])
print(softmax(scores))  # both rows alike, and no overflow in the second

# %% [markdown]
# ## The model
#
# Flatten each image and apply one weight matrix: a column of weights for each class, held
# against the pixels like a template.

# %% source
from divekit.models.softmax_regression import SoftmaxRegressionScratch

# %% [markdown]
# ## The loss
#
# Cross-entropy is the surprise at the truth: minus the logarithm of the probability that the
# true class $y$ was given,
#
# $$\ell(\mathbf{o}, y) = -\log \operatorname{softmax}(\mathbf{o})_y
# = -o_y + \log \sum_k e^{o_k}.$$
#
# Taking the logarithm of the softmax in two steps would lose everything when a probability
# rounds to zero: its logarithm is minus infinity. The right-hand form never takes that step.

# %% source
from divekit.nn.losses import cross_entropy_scratch, log_softmax_scratch

# %% [markdown]
# Two checks by hand. A model that knows nothing gives each of ten classes a tenth, and its
# loss is $\log 10 \approx 2.303$. A model that gives the truth one half is at $\log 2 \approx
# 0.693$.

# %%
knows_nothing = cross_entropy_scratch(torch.zeros(1, 10), torch.tensor([4]))
gives_half = cross_entropy_scratch(torch.tensor([[0.3, 0.2, 0.5]]).log(), torch.tensor([2]))
print(f"{knows_nothing.item():.4f}  {gives_half.item():.4f}")

# %% [markdown]
# Its gradient is as simple as that of the squared loss, and for the same reason: prediction
# minus truth, $\partial \ell / \partial o_j = \operatorname{softmax}(\mathbf{o})_j -
# \mathbf{1}[j = y]$. Autograd agrees:

# %%
scores = torch.tensor([[1.0, 2.0, 3.0]], requires_grad=True)
cross_entropy_scratch(scores, torch.tensor([0])).backward()
print("autograd:", scores.grad)
print("by hand: ", softmax(scores.detach()) - torch.tensor([[1.0, 0.0, 0.0]]))

# %% [markdown]
# ## How often it is right
#
# Accuracy is what we want, but it moves in jumps and has no slope to follow. So the loss is
# trained, and the accuracy watched.

# %% source
from divekit.evaluate.classification import accuracy

# %%
torch.manual_seed(0)
untrained = SoftmaxRegressionScratch(data.facts.num_features, data.facts.num_classes)
hits = [accuracy(untrained(x), y) * len(y) for x, y in data.test]
luck = (sum(hits) / data.test.num_examples).item()
print(f"untrained, on all test images: accuracy {luck:.3f}")

# %% [markdown]
# About one in ten, as drawing lots would have it. The small random weights prefer some class or
# other, and whether that is right is luck.
#
# ## Training
#
# The loop is the one of 3.2, with another loss and a second number to watch; `fit` runs it, and
# measures on the test images after each epoch.

# %% source
from divekit.recipes.linear_networks import softmax_regression_scratch

# %%
run = fit(softmax_regression_scratch())
plot.curves(run.history)

# %% [markdown]
# ## What it sees
#
# Predictions for test images it never trained on. Where it errs, the truth stands below in
# brackets.

# %%
predicted = run.predict(images[:18])
plot.images(images[:18], predicted.labels, truth=names[:18])

# %%
print(run.check())  # fails when the recipe's goal is missed
assert torch.allclose(scores.grad, softmax(scores.detach()) - torch.tensor([[1.0, 0.0, 0.0]]))

# %% [markdown]
# ## Exercises
#
# 1. Write softmax without subtracting the maximum. From which score on does it fail in float32,
#    and what does it return? Then take the logarithm of *our* softmax at scores (0, 200): which
#    loss would training see?
# 2. A wrong label now and then is a fact of life. Replace the labels of one training image in
#    ten by random ones. What happens to the training loss, and what to the test accuracy?
# 3. Return the class with the highest score only when its probability is above 0.9, and
#    "unsure" otherwise. How many test images are left, and how often is the model right on them?
#
# ## What to try next
#
# - `softmax_regression_scratch(lr=1.0)`: the test loss jumps between 0.8 and 4, the accuracy
#   between 0.71 and 0.84. At `lr=0.01` both are smooth and slow: 0.80 after ten epochs.
# - `sigma=0` in the model: it trains just as well. Unlike in networks with hidden layers there
#   is no symmetry to break: each class has a gradient of its own from the start.
# - 3.7 does the same with torch's parts, and looks at the templates.
