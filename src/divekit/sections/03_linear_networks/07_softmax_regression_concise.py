# %% [markdown]
# # 3.7 Softmax regression, concisely
#
# One linear layer scores ten kinds of clothing; 3.6 built it from bare tensors. torch has the
# layer, the optimizer and, above all, a cross-entropy that is safe at any scores. This section
# builds the run from those parts, then opens the trained model and looks at what it has learned.

# %%
import torch

from divekit import plot
from divekit.data import FashionMNIST
from divekit.train import fit

# %% [markdown]
# ## The model

# %% source
from divekit.models.softmax_regression import SoftmaxRegression

# %%
facts = FashionMNIST().open().facts
model = SoftmaxRegression(facts.num_features, facts.num_classes)
print(model)
print("parameters:", sum(parameter.numel() for parameter in model.parameters()))

# %% [markdown]
# ## Why scores go into the loss, and not probabilities
#
# In single precision `exp` overflows above 88.7 and is zero below about -104. Softmax followed
# by a logarithm fails at both ends, in silence: `inf / inf` is `nan`, and `log(0)` is `-inf`. Both
# are avoided by writing the logarithm of the softmax in one piece, with $m = \max_k o_k$:
#
# $$\log \operatorname{softmax}(\mathbf{o})_j
# = o_j - m - \log \sum_k e^{o_k - m}.$$
#
# The largest exponent is now exactly zero, so the sum is at least one and its logarithm is
# harmless. This is the log-sum-exp trick, and the reason why the model returns scores and the loss
# takes them.

# %%
scores = torch.tensor([[100.0, 0.0, -100.0]])
naive = (scores.exp() / scores.exp().sum(dim=1, keepdim=True)).log()
print("in two steps:", naive)
print("in one piece:", scores.log_softmax(dim=1))

# %% [markdown]
# torch's cross-entropy does this inside, for the whole batch, so there is nothing left to write.

# %% source
from divekit.nn.losses import cross_entropy

# %% [markdown]
# ## Training
#
# The recipe is that of 3.6 with torch's layer, loss and optimizer in place of ours.

# %% source
from divekit.recipes.linear_networks import softmax_regression

# %%
run = fit(softmax_regression())
plot.curves(run.history)

# %% [markdown]
# ## The templates
#
# The score of a class is the sum of the pixels, each times its weight. So the weights of a
# class, laid out like an image, show what the class looks for: red pixels speak for it, blue ones
# against, and where it is white it does not care. All templates share one scale.

# %%
height, width = run.facts.input_shape[1:]
weights = run.model.linear.weight.detach().cpu()
templates = weights.view(-1, height, width)  # (K, H*W) -> (K, H, W)
plot.images(templates, run.facts.class_names, columns=5, signed=True)

# %% [markdown]
# ## Where it errs
#
# Count, for each true class, how often it is taken for which other.

# %%
num_classes = run.facts.num_classes
confusion = torch.zeros(num_classes, num_classes, dtype=torch.long)  # true class by predicted class
for images, labels in run.data.test:
    guesses = run.predict(images).outputs.argmax(dim=1)
    confusion.view(-1).index_add_(0, labels * num_classes + guesses, torch.ones_like(labels))

right = confusion.diagonal() / confusion.sum(dim=1)
for name, share in sorted(
    zip(run.facts.class_names, right.tolist(), strict=True), key=lambda item: item[1]
):
    print(f"{name:<11} right in {share:.1%}")

# %%
mistakes = confusion - confusion.diagonal().diag()
worst = mistakes.flatten().topk(3)
for count, place in zip(worst.values.tolist(), worst.indices.tolist(), strict=True):
    true, guess = divmod(place, num_classes)
    print(f"{run.facts.class_names[true]} taken for {run.facts.class_names[guess]}: {count} times")

# %% [markdown]
# In Fashion-MNIST, clothes of the same outline are confused, and no linear score can help it: what tells a shirt
# from a pullover is a collar, wherever it is, and a template cannot say "wherever". Chapter 6
# builds models that can.

# %%
print(run.check())  # fails when the recipe's goal is missed
assert torch.isfinite(scores.log_softmax(dim=1)).all() and not torch.isfinite(naive).all()
assert confusion.sum() == run.data.test.num_examples

# %% [markdown]
# ## Exercises
#
# 1. Train with `batch_size=1024` and with 32 at the same learning rate. Which reaches the better
#    accuracy in ten epochs, and which in equal time? What should the learning rate do?
# 2. Divide all scores of the trained model by a temperature $T$ before the softmax. Accuracy
#    cannot change; the test loss does. Which $T$ makes it smallest, and what does that say about
#    how sure the model is?
# 3. Take a test image that is classified rightly, and change it by the smallest amount that
#    changes the answer. Its gradient has the same shape as a template. Why?
#
# ## What to try next
#
# - `softmax_regression(epochs=50)`: the training loss goes on falling, from 0.45 to 0.39, and
#   the test accuracy gains one percent. The straight line is the limit, not the training.
# - `divekit predict runs/softmax_regression/1 photo.png`, after `divekit train
#   softmax_regression`, on a picture of your own: light on a black ground, as the data are.
# - 4.3 puts one hidden layer in front.
