"""Trained here, used there: weights for examples when the distribution has shifted in between.

Book: 4.9 Environment and Distribution Shift
Shapes: S examples of the source, T of the target, B of either, D features, K classes
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from divekit.errors import UsageError

MOST_STEPS = 200
# Above it, a hundredth more or less of the answers could mean any shares of the classes.
MOST_CONDITION = 100.0


@dataclass(frozen=True)
class DensityRatio:
    """How many times likelier inputs are at the target than at the source: exp(x w + b)."""

    weight: Tensor
    """(D,), float64."""
    bias: Tensor
    """A single number, float64."""

    def __call__(self, inputs: Tensor, most: float | None = None) -> Tensor:
        """Give the ratio for inputs (B, D): (B,), float64; at most ``most``, when given."""
        ratios = (inputs.double() @ self.weight + self.bias).exp()
        return ratios if most is None else ratios.clamp(max=most)


def learn_density_ratio(source: Tensor, target: Tensor, *, decay: float = 1e-4) -> DensityRatio:
    """Learn the ratio of two densities from inputs alone, by telling them apart.

    A logistic regression learns whether an input is of the target or of the source. Where both
    count alike in its loss, the odds that it gives are the ratio of the densities.

    Args:
        source: (S, D), inputs that have labels.
        target: (T, D), inputs from where the model is to be used; T may differ from S.
        decay: of the weights, in the mean loss. Above zero, since without it the weights grow for
            ever where a plane divides the two. The features should have spreads of about one.
    """
    if source.ndim != 2 or target.ndim != 2 or source.shape[1] != target.shape[1]:
        raise ValueError(
            f"source {tuple(source.shape)} and target {tuple(target.shape)} must be (S, D) and "
            "(T, D) with one D"
        )
    if not (len(source) and len(target)):
        raise UsageError("the ratio of densities needs inputs of the source and of the target")
    if not decay > 0:
        raise UsageError(f"decay is {decay}; it must be above zero")
    inputs = torch.cat([source, target]).double()
    inputs = torch.cat([inputs, torch.ones_like(inputs[:, :1])], dim=1)  # (S + T, D + 1)
    signs = torch.cat([-torch.ones(len(source)), torch.ones(len(target))]).double()
    shares = torch.where(signs > 0, 0.5 / len(target), 0.5 / len(source)).double()
    penalty = torch.full((inputs.shape[1],), decay, dtype=torch.float64)
    penalty[-1] = 0  # the bias is free

    def loss(weights: Tensor) -> Tensor:
        margins = signs * (inputs @ weights)
        fit = shares @ torch.nn.functional.softplus(-margins)
        return fit + (penalty * weights**2).sum() / 2

    # Newton's method: the loss is convex, and D is small.
    weights = torch.zeros(inputs.shape[1], dtype=torch.float64)
    for _ in range(MOST_STEPS):
        wrong = (-signs * (inputs @ weights)).sigmoid()  # the chance given to the other side
        slope = -inputs.T @ (shares * signs * wrong) + penalty * weights
        bend = (inputs.T * (shares * wrong * (1 - wrong))) @ inputs + penalty.diag()
        step = torch.linalg.solve(bend, slope)
        length = 1.0
        while length > 1e-6 and loss(weights - length * step) > loss(weights):
            length /= 2  # too far: the loss is not the parabola that it was taken for
        weights = weights - length * step
        if step.abs().max() < 1e-9 * (1 + weights.abs().max()):
            return DensityRatio(weights[:-1], weights[-1])
    raise UsageError(
        f"source and target cannot be told apart in {MOST_STEPS} steps; give the features "
        "spreads of about one, or a larger decay"
    )


def effective_size(weights: Tensor) -> float:
    """Give how many examples of equal weight are worth as much as these (B,), none below zero.

    (sum of w)^2 / (sum of w^2): B when all are alike, 1 when one has all the weight.
    """
    weights = weights.double()
    return (weights.sum() ** 2 / (weights**2).sum()).item()


def estimate_label_shares(counts: Tensor, answers: Tensor, *, most_errors: float = 4.0) -> Tensor:
    """Estimate how common each class is at the target, where only a classifier's answers are known.

    If only the shares of the classes have shifted, the classifier takes each class for others as
    often as it did at the source: answers = C shares, with C from the source.

    Args:
        counts: (K, K), who was taken for whom at the source, a row for each true class, a column
            for each answer (``evaluate.confusion``), on examples that it was not trained on.
        answers: (K,), how often it gave each answer at the target: counts, not shares.
        most_errors: how many standard errors below zero an estimate may lie by chance; it is then
            taken as zero, and the others are scaled to a sum of one.

    Gives (K,), float64. Raises UsageError where C cannot be inverted with any certainty, and where
    an estimate lies further below zero: then more has shifted than the shares.
    """
    classes = len(counts)
    if counts.shape != (classes, classes) or answers.shape != (classes,):
        raise ValueError(
            f"counts {tuple(counts.shape)} and answers {tuple(answers.shape)} must be (K, K), (K,)"
        )
    counts, answers = counts.double(), answers.double()
    of_each = counts.sum(dim=1, keepdim=True)
    if not (of_each > 0).all():
        missing = int((of_each[:, 0] == 0).nonzero()[0])
        raise UsageError(
            f"class {missing} has no examples at the source to learn its mistakes from"
        )
    if not answers.sum() > 0:
        raise UsageError("there are no answers at the target")
    confused = (counts / of_each).T  # (K, K): the chance of answer i where the class is j
    condition = torch.linalg.cond(confused).item()
    if not condition < MOST_CONDITION:
        raise UsageError(
            "the classifier does not tell the classes apart well enough to count them by its "
            f"answers (condition number {condition:.3g}, at most {MOST_CONDITION:g})"
        )
    inverse, given = torch.linalg.inv(confused), answers / answers.sum()
    shares = inverse @ given
    # By chance the answers differ, and so does each column of C: draws of as many as were counted.
    noise = _covariance(given) / answers.sum()
    for j in range(classes):
        noise += shares[j] ** 2 * _covariance(confused[:, j]) / of_each[j]
    spreads = (inverse @ noise @ inverse.T).diagonal().clamp(min=0).sqrt()
    least = int((shares + most_errors * spreads).argmin())
    if shares[least] < -most_errors * spreads[least] - 1e-9:
        raise UsageError(
            f"class {least} would have a share of {shares[least]:.3f} at the target, with a "
            f"standard error of {spreads[least]:.3f}: such answers do not come from the same "
            "classes in other shares; more has shifted"
        )
    shares = shares.clamp(min=0)
    return shares / shares.sum()


def label_weights(counts: Tensor, answers: Tensor, *, most_errors: float = 4.0) -> Tensor:
    """Give the weight (K,) of an example of each class: its share at the target over the source's.

    Takes what ``estimate_label_shares`` takes; the shares at the source are those in ``counts``.
    """
    shares = estimate_label_shares(counts, answers, most_errors=most_errors)
    return shares / (counts.sum(dim=1).double() / counts.sum())


def _covariance(chances: Tensor) -> Tensor:
    """Give the covariance (K, K) of one draw from K chances, as a row of zeros and a one."""
    return chances.diag() - torch.outer(chances, chances)
