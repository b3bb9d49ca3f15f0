# %% [markdown]
# # 2.6 Probability
#
# A test for an illness finds everyone who is ill, and is wrong about one healthy person in a
# hundred. Yours says "ill". How likely is it? It is tempting to say 99 percent. The answer
# further down this page is 13, and a second, worse test then makes it 83.
#
# Probability is how one reckons with what is not certain: first where chances are plain to see, on
# a die, and then where they are not. Each number is worked out and also played through, since
# one can always let the computer draw and count.

# %%
import torch

from divekit import plot

generator = torch.Generator().manual_seed(0)

# %% [markdown]
# ## Throwing a die
#
# Drawing from a distribution is called *sampling*. Handed six weights, `torch.multinomial` draws
# positions, each as often as its weight says. A single draw follows the *categorical*
# distribution; the six counts of many draws follow the *multinomial* one, hence the name. The
# generator is passed, so that the page shows the same throws every time.

# %%
die = torch.ones(6) / 6


def throw(times):
    """Throw the die, and give how often each of the six faces came up."""
    faces = torch.multinomial(die, times, replacement=True, generator=generator)  # (times,)
    return faces.bincount(minlength=6)  # (times,) -> (6,)


for times in (1, 10, 1000):
    counts = throw(times)
    shares = [f"{share:.3f}" for share in (counts / times).tolist()]
    print(f"{times:>4} throws: counts {counts.tolist()}, shares {shares}")

# %% [markdown]
# One throw says next to nothing, ten say little, and a thousand come near to
# $\frac{1}{6} \approx 0.167$. That shares settle at probabilities is the law of large numbers. How
# fast? We throw 500 groups of ten and update the shares after each group. Around $\frac{1}{6}$
# stands the band
#
# $$p \pm 2 \sqrt{\frac{p (1 - p)}{n}}, \qquad p = \frac{1}{6},$$
#
# which the end of this page explains. After any given number of throws $n$, a share is inside
# 19 times in 20.

# %%
groups = torch.stack([throw(10) for _ in range(500)])  # (500, 6)
running = groups.cumsum(dim=0)
thrown = running.sum(dim=1, keepdim=True)  # (500, 6) -> (500, 1): 10, 20, ..., 5000
shares = running / thrown
half_width = 2 * (1 / 6 * 5 / 6 / thrown).sqrt()


# %%
def shares_in_band():
    picture = plot.new_picture(width=6.0, height=3.6)
    axes = picture.subplots()
    n, width = thrown[:, 0], half_width[:, 0]
    axes.fill_between(n, 1 / 6 - width, 1 / 6 + width, color=plot.INK, alpha=0.2, linewidth=0)
    for face in range(6):
        plot.draw_line(axes, n, shares[:, face], f"face {face + 1}")
    axes.set(xlabel="throws", ylabel="share", xscale="log", ylim=(0, 0.4))
    plot.style_axes(axes)
    plot.add_legend(axes)
    return picture


shares_in_band()

# %% [markdown]
# The lines wander, and only the band narrows: with $1 / \sqrt{n}$, so that one digit more costs a
# hundred times the throws. A batch of examples is such a sample, and the gradient it gives is as
# uncertain.
#
# ## Three rules
#
# What can happen at all are the *outcomes*; a set of outcomes is an *event*. A probability gives
# each event a number, and three rules (Kolmogorov, 1933) are all it must obey:
#
# 1. no event has less than zero, $P(A) \ge 0$;
# 2. that anything happens at all has one, $P(\text{all outcomes}) = 1$;
# 3. events with no outcome in common add up, $P(A \text{ or } B) = P(A) + P(B)$, and so on
#    for three of them, or for an endless sequence.
#
# The rest follows. If two events share outcomes, then adding counts the shared ones twice, so
# $P(A \text{ or } B) = P(A) + P(B) - P(A \text{ and } B)$:

# %%
faces = torch.arange(1, 7)
odd, high = faces % 2 == 1, faces >= 5


def chance(event):
    return die[event].sum().item()


print(f"odd {chance(odd):.3f}, five or six {chance(high):.3f}, both {chance(odd & high):.3f}")
print(f"either: {chance(odd | high):.3f}")

# %% [markdown]
# A *random variable* is a number that depends on the outcome: the face itself, or its square. If
# it may be any number on a line, such as a height, then each single value has probability zero.
# One asks for intervals then, and the area under a density answers (3.1 has the normal one).
#
# ## Two at a time
#
# Throw two dice. Let $X$ be the first and $M$ the larger of the two. Their *joint* distribution
# is a table: in row $x$ and column $m$ stands $P(X = x, M = m)$.

# %%
joint = torch.zeros(6, 6)  # first die by larger
for first in range(6):
    for second in range(6):
        joint[first, max(first, second)] += 1 / 36
print("in 36ths:", *(36 * joint).round().int().tolist(), sep="\n")

# %% [markdown]
# Three operations on this table are all there is to many a long word:
#
# - **Sum** over what you do not ask for, and the *marginal* is left: $P(m) = \sum_x P(x, m)$.
# - **Divide** a row or column by its sum, which keeps only what agrees with what you know. This is
#   the *conditional*: $P(x \mid m) = P(x, m) / P(m)$.
# - **Turn** one conditional into the other. Because $P(x \mid m) P(m)$ and $P(m \mid x) P(x)$ are
#   the same entry of the table, $P(x \mid m) = P(m \mid x) P(x) / P(m)$: *Bayes' theorem*.
#
# If the larger is a 3, was the first a 3? Of the five pairs (1, 3), (2, 3), (3, 3), (3, 2) and
# (3, 1), three say yes.

# %%
of_first, of_larger = joint.sum(dim=1), joint.sum(dim=0)  # (6, 6) -> (6,)
larger_given_first = joint / of_first[:, None]  # rows sum to one
first_given_larger = joint / of_larger  # columns sum to one
by_bayes = larger_given_first * of_first[:, None] / of_larger
print("P(M):", [f"{36 * p:.0f}/36" for p in of_larger.tolist()])
print("P(X | M = 3):", [f"{p:.1f}" for p in first_given_larger[:, 2].tolist()])

# %% [markdown]
# Two variables are *independent* if knowing one changes nothing about the other, which is to say
# that the table is the product of its margins, $P(x, m) = P(x) P(m)$. The two dice are. $X$ and $M$
# are not: no pair with a 6 has 1 as its larger, and yet $P(X = 6)\, P(M = 1) = 1/216$.
#
# ## The test
#
# Back to the doctor. $H = 1$ says that you are ill, and 15 people in 10,000 are. The test $D_1$
# is always positive on the ill, and on one in a hundred of the healthy:
#
# $$P(H = 1) = 0.0015, \qquad P(D_1 = 1 \mid H = 1) = 1, \qquad P(D_1 = 1 \mid H = 0) = 0.01.$$
#
# Sum, divide, turn:
#
# $$P(D_1 = 1) = 1 \cdot 0.0015 + 0.01 \cdot 0.9985 = 0.011485, \qquad
# P(H = 1 \mid D_1 = 1) = \frac{0.0015}{0.011485} = 0.1306.$$
#
# Think of a million people. 1500 are ill and all of them test positive; but 998,500 are healthy,
# and one in a hundred of those is 9985. You are one of 11,485, and 1500 of them are ill.

# %%
prior = 0.0015
alarm_ill, alarm_healthy = (1.0, 0.98), (0.01, 0.03)  # of the first test and of the second


def after_alarms(prior, tests):
    """Give P(all tests positive), and P(ill | all tests positive)."""
    ill, healthy = prior, 1 - prior
    for test in range(tests):
        ill = ill * alarm_ill[test]
        healthy = healthy * alarm_healthy[test]
    return ill + healthy, ill / (ill + healthy)


one_alarm, ill_after_one = after_alarms(prior, 1)
two_alarms, ill_after_two = after_alarms(prior, 2)
print(f"first test positive: {one_alarm:.6f};   then ill: {ill_after_one:.4f}")
print(f"both tests positive: {two_alarms:.8f}; then ill: {ill_after_two:.4f}")

# %% [markdown]
# The second test is the worse at both: it finds 98 percent of the ill and alarms 3 percent of the
# healthy. What helps is that it errs on its own account. Among the ill, and among the healthy, the
# tests are independent, and so their probabilities multiply:
#
# $$P(D_1 = 1, D_2 = 1) = 1 \cdot 0.98 \cdot 0.0015 + 0.01 \cdot 0.03 \cdot 0.9985
# = 0.00176955.$$
#
# This is *conditional* independence. Among all people together the tests are anything but
# independent: a positive one makes you likelier to be ill, and so the other likelier to be
# positive. The second alone is positive on 0.031425 of all, and $0.011485 \cdot 0.031425$ is
# 0.00036, a fifth of what it should be.

# %%
priors = torch.logspace(-5, 0, 201, dtype=torch.float64)
plot.lines(
    priors,
    {
        "before": priors,
        "one test positive": after_alarms(priors, 1)[1],
        "two tests positive": after_alarms(priors, 2)[1],
    },
    x_label="share of people who are ill",
    y_label="P(ill | tests)",
    log="x",
    marks=[(prior, ill_after_one), (prior, ill_after_two)],
)

# %% [markdown]
# The dots are our two answers. No test has an answer of its own: the curves climb from nothing to
# certainty, and where you stand depends on how rare the illness was to begin with. Do you believe
# it? Then let four million people be tested.

# %%
people = 4_000_000


def happens(probability):
    return torch.rand(people, generator=generator) < probability


is_ill = happens(prior)
alarms = [
    torch.where(is_ill, happens(alarm_ill[test]), happens(alarm_healthy[test])) for test in (0, 1)
]
both = alarms[0] & alarms[1]
print(f"first positive: {alarms[0].sum():,}, of these ill: {is_ill[alarms[0]].float().mean():.4f}")
print(f"both positive:  {both.sum():,}, of these ill: {is_ill[both].float().mean():.4f}")

# %% [markdown]
# ## On average, and how far off it
#
# The *expectation* of a variable is its average, weighted by probability, and the *variance* is
# the expected square of the distance from it. Its root, the *standard deviation*, has the
# unit of the variable again:
#
# $$E[X] = \sum_x x\, P(x), \qquad
# \operatorname{Var}[X] = E\left[(X - E[X])^2\right] = E[X^2] - E[X]^2.$$
#
# For one die, $E[X] = \frac{21}{6} = 3.5$ and $E[X^2] = \frac{91}{6}$, so the variance is
# $\frac{91}{6} - \frac{49}{4} = \frac{35}{12}$. For the larger of two we read the margin of
# the table: $E[M] = \frac{1 \cdot 1 + 3 \cdot 2 + 5 \cdot 3 + 7 \cdot 4 + 9 \cdot 5 + 11 \cdot 6}
# {36} = \frac{161}{36}$.


# %%
def mean_and_variance(probabilities):
    mean = (probabilities * faces).sum()
    return mean.item(), (probabilities * (faces - mean) ** 2).sum().item()


pairs = torch.randint(1, 7, (1_000_000, 2), generator=generator)
largest = pairs.max(dim=1).values.double()  # (N, 2) -> (N,)
worked = {"one die": mean_and_variance(die), "larger": mean_and_variance(of_larger)}
played = {
    name: (values.mean().item(), values.var().item())
    for name, values in (("one die", pairs[:, 0].double()), ("larger", largest))
}
for name in worked:
    print(f"{name:<8} mean {worked[name][0]:.4f}, variance {worked[name][1]:.4f} worked out")
    print(f"{'':<8} mean {played[name][0]:.4f}, variance {played[name][1]:.4f} in a million throws")

# %% [markdown]
# Now the band. Let $X$ be 1 if a throw shows a six and 0 if not: its mean is $p$ and its variance
# $p - p^2 = p(1 - p)$. Variances of independent variables add up, so $n$ throws have $n p (1 - p)$,
# and their *share*, $n$ times smaller, has $p (1 - p) / n$, for variance counts in squares. Two
# standard deviations to both sides hold about 95 percent. Two thousand people, each throwing
# on their own, put it to the test:

# %%
spread, inside = {}, {}
for n in (10, 100, 1000):
    sixes = (torch.rand(2000, n, generator=generator) < 1 / 6).double().mean(dim=1)  # -> (2000,)
    formula = (1 / 6 * 5 / 6 / n) ** 0.5
    spread[n] = sixes.std().item()
    inside[n] = ((sixes - 1 / 6).abs() < 2 * formula).double().mean().item()
    print(
        f"{n:>4} throws: standard deviation {spread[n]:.4f}, by the formula {formula:.4f}; "
        f"{inside[n]:.1%} in the band"
    )

# %% [markdown]
# ## The check

# %%
off = (shares[-1] - 1 / 6).abs()
assert torch.all(off < 2 * half_width[-1]), "after 5000 throws a face is far outside the band"
for n in spread:
    assert abs(spread[n] * n**0.5 - 5**0.5 / 6) < 0.03, f"{n} throws do not spread as the root of n"
assert 0.93 < inside[1000] < 0.97, "the band does not hold 19 in 20"
assert abs(chance(odd | high) - 2 / 3) < 1e-6, "odd or high is not 1/2 + 1/3 - 1/6"
assert abs(joint.sum() - 1) < 1e-6, "the joint distribution does not sum to one"
assert torch.allclose(by_bayes, first_given_larger), "Bayes' theorem fails"
assert abs(first_given_larger[2, 2] - 3 / 5) < 1e-6, "three of five pairs, counted by hand"
assert not torch.allclose(joint, torch.outer(of_first, of_larger)), "X and M came out independent"
assert abs(one_alarm - 0.011485) < 1e-9, "P(first positive) is not 0.011485"
assert abs(ill_after_one - 0.1306) < 5e-5, "P(ill | first positive) is not 0.1306"
assert abs(two_alarms - 0.00176955) < 1e-9, "P(both positive) is not 0.00176955"
assert abs(ill_after_two - 0.8307) < 5e-5, "P(ill | both positive) is not 0.8307"
for who, answer, limit in ((alarms[0], ill_after_one, 0.007), (both, ill_after_two, 0.02)):
    assert abs(is_ill[who].float().mean() - answer) < limit, "four million people say otherwise"
for name, mean, variance in (("one die", 7 / 2, 35 / 12), ("larger", 161 / 36, 2555 / 1296)):
    assert abs(worked[name][0] - mean) < 1e-5, f"{name}: the mean is not {mean}"
    assert abs(worked[name][1] - variance) < 1e-5, f"{name}: the variance is not {variance}"
    assert abs(played[name][0] - mean) < 0.01, f"{name}: another mean in a million throws"
    assert abs(played[name][1] - variance) < 0.02, f"{name}: another variance in a million throws"
print("what was worked out is what was counted")

# %% [markdown]
# ## Exercises
#
# 1. How many throws does it take to know the share of sixes to 0.001, 19 times in 20? And to tell
#    a die whose six comes with 0.18 from a fair one? Try your second answer.
# 2. Make the table of the first die and of whether the *sum* of both is even. Are they
#    independent? Find another pair of variables that surprises you.
# 3. The first test is positive and the second negative. Work out how likely you are to be ill, then
#    count among the four million. Does the order of the tests matter?
# 4. What is $P(M \le m)$ for the largest of $k$ dice? Find $E[M]$ from it, and the $k$ at which it
#    is above 5.9.
# 5. $E[X^2]$ is never less than $E[X]^2$. Why does the variance show it, and when are they equal?
#
# ## What to try next
#
# - Take the first test twice. With `alarm_ill, alarm_healthy = (1.0, 1.0), (0.01, 0.01)` the
#   formula promises 0.9376. But if the test errs because of something in your blood, it errs again:
#   `is_ill[alarms[0] & alarms[0]]` is what it was, 0.1309. The formula was right and its
#   assumption wrong.
# - Tested because of symptoms, from a group of whom one in ten is ill, one alarm says 0.9174. In a
#   screening of a population with one case in 100,000 it says 0.0010.
# - A die whose six comes with 0.18, twenty thousand throws, seeds 0 to 5: its share of sixes left
#   the band for good after 4448 throws at the earliest and 11,409 at the latest.
# - Not everything settles. `torch.tan(torch.pi * (torch.rand(1_000_000) - 0.5))` are draws from a
#   Cauchy distribution, which has no expectation. Their averages over the first 100, 10,000 and
#   1,000,000 were 2.6, -0.8 and -0.6 in double precision with seed 0.
# - 3.4 lets a model give the probabilities.
