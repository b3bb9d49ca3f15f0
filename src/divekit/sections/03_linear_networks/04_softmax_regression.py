# %% [markdown]
# # 3.4 Softmax regression
#
# Linear regression answers "how much?". Often the question is "which one?": which word was said,
# which animal is in the picture, will the customer stay or go. The answer is one of a few names,
# and names have no distance between them: nothing can be off by one and a half.
#
# So the model gives a score to every name, turns the scores into probabilities, and is
# trained to find likely what was the case. This section works out those three ideas on pictures
# of four pixels, small enough to follow every number. 3.6 takes the same to real pictures.

# %%
import math

import torch

from divekit import plot
from divekit.plot.picture import COLOURS, INK

# %% [markdown]
# ## Four pixels, three answers
#
# A sensor in a window sees two by two grey pixels, each between 0 (black) and 1 (white). Where
# does the light come from: the left, above, or nowhere in particular? Light from the left makes
# the left column brighter than the right one, by $u$ on average. Light from above makes the top
# row brighter than the bottom one, by $v$.

# %%
CLASSES = ("left", "above", "even")
examples = torch.tensor(
    [
        [[0.9, 0.2], [0.8, 0.1]],
        [[0.8, 0.9], [0.3, 0.2]],
        [[0.6, 0.5], [0.5, 0.6]],
        [[0.9, 0.5], [0.5, 0.1]],
    ],
    dtype=torch.float64,
)
plot.images(examples, ["left", "above", "even", "left or above?"], limits=(0, 1))

# %% [markdown]
# How should an answer be written as numbers? Not as 1, 2, 3: that would put "above" halfway
# between "left" and "even". Give every class an axis of its own instead, and let the answer be 1
# on one axis and 0 on the others. This is a *one-hot* vector, and any two of them are equally
# far apart. It is also a probability distribution: all of it on one class.

# %%
one_hot = torch.eye(3, dtype=torch.float64)
for name, row in zip(CLASSES, one_hot.tolist(), strict=True):
    print(f"{name:<6} {row}")
print("distances:", torch.pdist(one_hot).tolist())

# %% [markdown]
# ## Scores
#
# Lay the pixels out as a vector $\mathbf{x} = (x_1, x_2, x_3, x_4)$, row by row. Each class weighs
# them in its own way and adds a bias: three linear regressions side by side, with 12 weights and
# 3 biases,
#
# $$\mathbf{o} = \mathbf{W} \mathbf{x} + \mathbf{b}.$$
#
# The entries of $\mathbf{o}$ are scores, also called *logits*. We choose the weights by hand so
# that the scores are $8u$ for left, $8v$ for above, and always 1 for even. Each row of the
# matrix, laid out two by two, is a picture of what its class looks for.

# %%
weight = torch.tensor(
    [[4, -4, 4, -4], [4, 4, -4, -4], [0, 0, 0, 0]],  # a row per class
    dtype=torch.float64,
)
bias = torch.tensor([0, 0, 1], dtype=torch.float64)


def score(images, weight, bias):
    return images.flatten(1) @ weight.T + bias  # (B, 2, 2) -> (B, 4) -> (B, 3)


for row in score(examples, weight, bias).tolist():
    print("  ".join(f"{name} {o:4.1f}" for name, o in zip(CLASSES, row, strict=True)))

# %% [markdown]
# Every input reaches every output, so $d$ inputs and $q$ outputs need $d \cdot q$ weights and as
# many multiplications. That is 12 here and 7,840 for the clothes of 3.5, but 150 million for a
# colour photograph of 224 by 224 pixels and a thousand classes. Most later architectures are ways
# not to pay $O(dq)$: convolutions use one small set of weights at every place, and if the matrix
# is put together from products of smaller ones, the cost can fall to $O(dq/n)$ for a number $n$
# of one's choice (Zhang et al., 2021; exercise 5).
#
# ## From scores to probabilities
#
# A score may be negative, and the scores of a picture sum to anything. The exponential makes them
# positive, and dividing by their sum makes them add up to one:
#
# $$\operatorname{softmax}(\mathbf{o})_j = \frac{e^{o_j}}{\sum_k e^{o_k}}.$$

# %% source
from divekit.models.softmax_regression import softmax

# %%
probabilities = softmax(score(examples, weight, bias))
for row in probabilities.tolist():
    print("  ".join(f"{name} {p:.3f}" for name, p in zip(CLASSES, row, strict=True)))

# %% [markdown]
# The last picture is brighter on the left and at the top by the same amount, and the model splits
# its belief. Two properties are worth a line of algebra. The *ratio* of two probabilities is
# $e^{o_i - o_j}$: a lead of 1 in score means 2.7 times as likely, whatever the third class does.
# And a constant added to all scores cancels, so only differences between scores mean anything.
#
# The largest score keeps the largest probability. To *decide* we need no softmax, only the
# greatest score; and between two classes the decision turns where $o_i = o_j$. This is a linear
# equation, so the boundaries are straight, and we speak of a linear model although its
# probabilities are not. Here is the plane of all $(u, v)$. The colour is that of the most likely
# class, stronger where it leads the next by more; on the dotted lines it has 90%.

# %%
ticks = torch.linspace(-0.5, 0.5, 201, dtype=torch.float64)
v, u = torch.meshgrid(ticks, ticks, indexing="ij")  # a row per v, a column per u
left = torch.tensor([[1, -1], [1, -1]])
above = torch.tensor([[1, 1], [-1, -1]])
# The picture that has differences u and v: (201, 201, 1, 1) * (2, 2) -> (201, 201, 2, 2).
plane = 0.5 + (u[..., None, None] * left + v[..., None, None] * above) / 2
beliefs = softmax(score(plane.flatten(0, 1), weight, bias)).view(201, 201, 3)


# %%
def draw_regions():
    picture = plot.new_picture(width=4.6, height=4.0)
    axes = picture.subplots()
    places = [(0.45, -0.33), (-0.33, 0.44), (-0.33, -0.33)]
    for label, (name, place) in enumerate(zip(CLASSES, places, strict=True)):
        belief = beliefs[..., label]
        lead = belief - beliefs[..., [k for k in range(3) if k != label]].amax(dim=-1)
        shades = [COLOURS[label] + alpha for alpha in ("30", "55", "80", "a8")]
        axes.contourf(u, v, lead, levels=[0, 0.25, 0.5, 0.75, 1], colors=shades)
        axes.contour(u, v, belief, [0.9], colors=INK, linestyles=":", linewidths=1)
        axes.text(*place, name, color=INK, ha="center", weight="bold")
    axes.set(xlabel="u: left brighter by", ylabel="v: top brighter by", aspect="equal")
    plot.style_axes(axes, grid=False)
    return picture


draw_regions()

# %% [markdown]
# Three regions meet at $u = v = 1/8$, where all scores are 1. Walk across a boundary, and the odds
# between its two classes change by the same factor with every step: one belief fades out and
# the other fades in.
#
# ## The loss: how likely was what happened?
#
# Suppose the world really is like that: for each of 2000 pictures of random pixels, the true
# answer is drawn from the probabilities above. Nature is not always clear, and neither are its
# labels.
#
# The examples are independent, so the probability of all the labels is a product. A product of
# 2000 numbers below one is too small for any float. Its logarithm is a sum, and no trouble at
# all:
#
# $$-\log P(\text{labels} \mid \text{pictures})
# = \sum_{i=1}^{n} -\log P\left(y^{(i)} \mid \mathbf{x}^{(i)}\right).$$

# %%
generator = torch.Generator().manual_seed(0)
num_pictures = 2000
pictures = torch.rand(num_pictures, 2, 2, generator=generator, dtype=torch.float64)
true_probabilities = softmax(score(pictures, weight, bias))  # (N, 3)
labels = torch.multinomial(true_probabilities, 1, generator=generator)[:, 0]  # (N, 1) -> (N,)
targets = one_hot[labels]  # (N,) -> (N, 3)

given_to_truth = true_probabilities[torch.arange(num_pictures), labels]
print("product of all probabilities:", given_to_truth.prod().item())
print(f"minus the sum of their logarithms: {-given_to_truth.log().sum():.2f}")

# %% [markdown]
# One term of the sum is the *cross-entropy* of a label $\mathbf{y}$ and a prediction
# $\hat{\mathbf{y}}$. With a one-hot label it picks a single logarithm; with a label that is
# itself a distribution it is an average of them:
#
# $$\ell(\mathbf{y}, \hat{\mathbf{y}}) = -\sum_j y_j \log \hat{y}_j.$$
#
# It is never negative, and zero only for a model that was certain and right. A model that was
# certain and wrong pays without limit.


# %%
def cross_entropy(p, q):
    # xlogy(p, q) is p log q, and 0 where p is 0.
    return 0 - torch.xlogy(p, q).sum(dim=-1)  # (..., K) -> (...)


true_loss = cross_entropy(targets, true_probabilities).mean()
print(f"loss of the true weights, per picture: {true_loss:.4f}")
print(f"loss of knowing nothing: {cross_entropy(targets, torch.full((3,), 1 / 3)).mean():.4f}")

# %% [markdown]
# Knowing nothing costs $\log 3 = 1.0986$. Remember it: if a classifier of $q$ classes has a loss
# far from $\log q$ before it is trained, something is wrong.
#
# ## The gradient
#
# Put the softmax into the loss. As the label's entries sum to one,
#
# $$\ell = -\sum_j y_j \left( o_j - \log \sum_k e^{o_k} \right)
# = \log \sum_k e^{o_k} - \sum_j y_j o_j,$$
#
# and the derivative of the first term is the softmax again:
#
# $$\frac{\partial \ell}{\partial o_j}
# = \frac{e^{o_j}}{\sum_k e^{o_k}} - y_j = \operatorname{softmax}(\mathbf{o})_j - y_j.$$
#
# What the model believes, minus what was: the error, just as in linear regression. Derive once
# more:
#
# $$\frac{\partial^2 \ell}{\partial o_j^2} = s_j (1 - s_j), \qquad
# \frac{\partial^2 \ell}{\partial o_i \, \partial o_j} = -s_i s_j \quad (i \ne j),
# \qquad \mathbf{s} = \operatorname{softmax}(\mathbf{o}).$$
#
# Draw a class from $\mathbf{s}$ and write it one-hot: entry $j$ is 1 with probability $s_j$, so
# its variance is $s_j (1 - s_j)$, and its covariance with entry $i$ is $-s_i s_j$. So the loss
# curves as much as the model's own guesses vary, and the label has no say in it. A variance is
# never negative, in any direction: the loss is convex in the scores, hence in the weights too,
# and whoever walks downhill cannot get stuck on the way.

# %%
scores = score(examples[3:], weight, bias)[0].requires_grad_()  # (3,)
target = one_hot[0]
loss = torch.nn.functional.cross_entropy(scores[None], target[None])  # torch's own
(by_autograd,) = torch.autograd.grad(loss, scores)
believed = softmax(scores[None])[0].detach()
by_hand = believed - target
print("autograd:", by_autograd.tolist())
print("by hand: ", by_hand.tolist())

# %%
curvature = torch.autograd.functional.hessian(
    lambda o: torch.nn.functional.cross_entropy(o[None], target[None]), scores.detach()
)
covariance = believed.diag() - believed.outer(believed)
guesses = one_hot[torch.multinomial(believed, 100_000, replacement=True, generator=generator)]
print("second derivatives, by autograd:", curvature, sep="\n")
print("covariance of 100,000 guesses:", guesses.T.cov(), sep="\n")

# %% [markdown]
# ## Does that gradient learn?
#
# By the chain rule, the gradient of a weight is the error of its class times its pixel. Start from
# zeros, forget the weights that made the labels, and take steps; training is three lines.

# %%
learned_weight, learned_bias = torch.zeros_like(weight), torch.zeros_like(bias)
learning_rate, num_steps = 1.0, 1500
for _ in range(num_steps):
    errors = softmax(score(pictures, learned_weight, learned_bias)) - targets  # (N, 3)
    learned_weight -= learning_rate * errors.T @ pictures.flatten(1) / num_pictures
    learned_bias -= learning_rate * errors.mean(dim=0)

learned_probabilities = softmax(score(pictures, learned_weight, learned_bias))
learned_loss = cross_entropy(targets, learned_probabilities).mean()
print(f"loss {learned_loss:.4f}, and of the true weights {true_loss:.4f}")
print("left minus even: ", [f"{w:+.2f}" for w in learned_weight[0] - learned_weight[2]])
print("above minus even:", [f"{w:+.2f}" for w in learned_weight[1] - learned_weight[2]])

# %% [markdown]
# The differences between rows come near the true $\pm 4$. The rows themselves cannot: what is
# added to all scores alike changes nothing, so the data do not tell. And the loss does not go to
# zero. How low could it go?
#
# ## Surprise, measured
#
# Let an event of probability $p$ *surprise* us by $-\log p$. What is certain surprises by
# nothing, and the surprises of independent events add up. The *entropy* of a distribution is its
# surprise on average,
#
# $$H(\mathbf{p}) = -\sum_j p_j \log p_j,$$
#
# which is the cross-entropy of $\mathbf{p}$ with itself. With the natural logarithm the unit is
# the *nat*; with base two, the *bit*. One nat is $1 / \log 2 \approx 1.44$ bits. Bits are also a
# length: nobody can store outcomes drawn from $\mathbf{p}$ in fewer than $H(\mathbf{p})$ bits
# each on average, and one can come as near to that as one likes (Shannon, 1948). A fair coin
# needs one bit per toss; one that falls heads 80 times in 100 needs 0.72.
#
# Cross-entropy is the surprise of somebody who believes $\mathbf{q}$ while the truth is
# $\mathbf{p}$. For coins:

# %%
BITS_PER_NAT = 1 / math.log(2)


def coin(p):
    return torch.stack([p, 1 - p], dim=-1)  # (...) -> (..., 2)


q = torch.linspace(0.002, 0.998, 499, dtype=torch.float64)
entropy_bits = BITS_PER_NAT * cross_entropy(coin(q), coin(q))
chances = torch.tensor([0.5, 0.8, 1.0], dtype=torch.float64)
cross_bits = BITS_PER_NAT * cross_entropy(coin(chances)[:, None], coin(q))  # (3, 1, 2) -> (3, 499)
floors = BITS_PER_NAT * cross_entropy(coin(chances), coin(chances))
print("entropies in bits:", [f"{bits:.3f}" for bits in floors])
print("entropies in nats:", [f"{bits / BITS_PER_NAT:.3f}" for bits in floors])

# %%
plot.lines(
    q,
    {"entropy of q": entropy_bits}
    | {f"truth {p:g}, believed q": bits for p, bits in zip(chances, cross_bits, strict=True)},
    x_label="q, probability of heads",
    y_label="bits per toss",
    y_limits=(0, 3),
    marks=list(zip(chances, floors, strict=True)),
)

# %% [markdown]
# Each dot is the lowest point of a curve. It stands where the belief is the truth, and it lies on
# the entropy curve: nothing is cheaper than to believe the truth, and even that costs the
# entropy. What a wrong belief costs on top is the Kullback-Leibler divergence (18.11). The curve
# for truth 1 is the loss of an example with a one-hot label, $-\log q$: nearly flat for the sure
# and right, and steeper and steeper for the sure and wrong.
#
# That answers the question. Labels drawn by chance have entropy, and no model stays below it but
# by luck:

# %%
floor = cross_entropy(true_probabilities, true_probabilities).mean()
for name, nats in [
    ("entropy of the labels", floor),
    ("true weights", true_loss),
    ("learned weights", learned_loss),
]:
    print(f"{name:<22} {nats:.4f} nats = {nats * BITS_PER_NAT:.4f} bits")
hits = (learned_probabilities.argmax(dim=1) == labels).double().mean()
best_hits = true_probabilities.max(dim=1).values.mean()
print(f"right in {hits:.1%}; whoever knows the true probabilities expects {best_hits:.1%}")

# %% [markdown]
# The last line is *accuracy*: how often the greatest score was at the label. It is what one
# reports, and it has a ceiling for the same reason as the loss has a floor.
#
# ## Did it hold?

# %%
corner = 0.5 + (left + above)[None].double() / 16  # u = v = 1/8: (1, 2, 2)
assert score(corner, weight, bias).tolist() == [[1, 1, 1]], "the regions do not meet at 1/8"
assert given_to_truth.prod() == 0, "the product did not underflow after all"
assert torch.isclose(true_loss, -given_to_truth.log().mean()), "cross-entropy is not likelihood"
assert torch.allclose(by_hand, by_autograd, rtol=0, atol=1e-12), "the gradient by hand is wrong"
assert torch.allclose(curvature, covariance, rtol=0, atol=1e-12), "curvature is not covariance"
assert torch.allclose(guesses.T.cov(), covariance, atol=0.01), "the guesses vary differently"
assert errors.mean(dim=0).abs().max() < 1e-3, "training has not come to rest"
assert learned_loss < true_loss, "the true weights suit these pictures better than the fitted"
assert abs(true_loss - floor) < 0.05, "the loss of the truth is not the entropy of the labels"
difference = learned_weight - learned_weight[2] - weight
assert difference.abs().max() < 1, "the weights that made the labels were not found"
for p, bits, lowest in zip(chances, cross_bits, floors, strict=True):
    assert (q[bits.argmin()] - p).abs() < 0.003, f"another belief is cheaper than the truth {p}"
    assert (bits > lowest - 1e-12).all(), f"some belief costs less than the entropy at {p}"
assert torch.isclose(floors[0], torch.tensor(1.0).double()), "a fair coin is not one bit"
print("error = gradient, variance = curvature, entropy = floor")

# %% [markdown]
# ## Exercises
#
# 1. With two classes, show that softmax is the sigmoid $1 / (1 + e^{-z})$ of a single number $z$.
#    Which one? So how many of the 15 parameters above are superfluous?
# 2. Multiply all scores by 10, then by 0.1. What happens to the regions, to the dotted lines and
#    to the loss? Find the factor with the smallest loss for the true weights, and explain it.
# 3. Add a fourth class "right" with score $-8u$. Draw the regions on paper first. Is there a place
#    where all four meet?
# 4. A code with whole numbers of bits spends 2 bits on three equally likely outcomes, or 1, 2 and
#    2. How many bits are there on average, and how near can you come to $\log_2 3$ by coding two
#    outcomes at once? Five at once?
# 5. Build a weight matrix of shape $(q, d)$ as a sum of $n$ Kronecker products (`torch.kron`) of
#    an $n \times n$ matrix and one of shape $(q/n, d/n)$. Count the numbers in it for
#    $d = q = 1024$ and $n = 4$, and compare with $dq$ and $dq/n$.
# 6. Redraw the coins with the truth $p$ on the horizontal axis and a curve for each belief $q$.
#    Why are they straight, and why are they tangents of the entropy curve? Deduce from the
#    picture that no belief is cheaper than the truth.
# 7. The derivation never used that $\mathbf{y}$ is one-hot, only that it sums to one. Train on
#    `true_probabilities` in place of `targets`. What loss do you get, and which weights?
#
# ## What to try next
#
# - `num_pictures = 30`: the learned loss is 0.285, far *below* the entropy of 0.581, and the true
#   weights have 0.466. The fit is right in 90.0%, where whoever knows the truth expects 76.2%.
#   That is the luck of thirty pictures, learned by heart. (The check stops at the product, which
#   no longer underflows.) With 20,000 the three are 0.6295, 0.6324 and 0.6298:
#   little luck is left.
# - Code the answers 0, 1, 2 and fit them by least squares as in 3.1, rounding the prediction:
#   with "even" in the middle it is right in 56%, with "above" there in 44%. The order of the
#   names, which means nothing, decides. Least squares on the one-hot labels is right in 73%, as
#   good as softmax, but its "probabilities" go from -0.51 to 1.13.
# - `learning_rate = 4.0` arrives at the same loss to four digits; at 10 the loss is 1.51 after all
#   1500 steps and the weights jump about. Convex means one valley, not that any step will do.
# - Pack a million tosses of a coin into bits (`numpy.packbits(toss < 0.8)`) and compress them:
#   `lzma` needs 0.744 bits per toss, `zlib` 0.777, and the entropy is 0.722. At 0.95 they need
#   0.342 and 0.361, and the entropy is 0.286. A fair coin costs both a little over 1.
# - 3.5 opens real pictures, and 3.6 puts this model on them.
