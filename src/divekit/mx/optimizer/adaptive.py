"""Optimizers with a rate for each element.

``g`` is the rescaled gradient; where not said otherwise ``wd`` times the weight is part of it.
"""

from typing import Any

import torch
from torch import Tensor

from divekit.mx.optimizer.base import Rule, register


@register
class AdaGrad(Rule):
    """``h += g^2``; ``w -= lr (g / sqrt(h + eps) + wd w)``; Duchi, Hazan and Singer, 2011."""

    kept = ("history",)

    def __init__(self, eps: float = 1e-7, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.float_stable_eps = eps

    def step(
        self, weight: Tensor, grad: Tensor, kept: list[Tensor], lr: float, wd: float, count: int
    ) -> None:
        """Do one update."""
        grad, (history,) = self.clipped(grad), kept
        history.addcmul_(grad, grad)
        change = grad / (history + self.float_stable_eps).sqrt_()
        weight.sub_(change.add_(weight, alpha=wd), alpha=lr)


@register
class RMSProp(Rule):
    """``n = gamma1 n + (1 - gamma1) g^2``; ``w -= lr g / sqrt(n + epsilon)``; Tieleman, 2012.

    ``centered``, after Graves, 2013, subtracts the mean gradient's square from n and keeps a
    velocity with ``gamma2``. ``clip_weights`` keeps weights within a bound.
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        gamma1: float = 0.9,
        gamma2: float = 0.9,
        epsilon: float = 1e-8,
        centered: bool = False,
        clip_weights: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.gamma1, self.gamma2, self.epsilon = gamma1, gamma2, epsilon
        self.centered, self.clip_weights = centered, clip_weights
        self.kept = ("square", "mean", "velocity") if centered else ("square",)

    def step(
        self, weight: Tensor, grad: Tensor, kept: list[Tensor], lr: float, wd: float, count: int
    ) -> None:
        """Do one update."""
        grad = self.decayed_first(weight, grad, wd)
        square = kept[0].mul_(self.gamma1).addcmul_(grad, grad, value=1 - self.gamma1)
        if self.centered:
            mean = kept[1].mul_(self.gamma1).add_(grad, alpha=1 - self.gamma1)
            spread = (square - mean * mean).add_(self.epsilon).sqrt_()
            weight.add_(kept[2].mul_(self.gamma2).addcdiv_(grad, spread, value=-lr))
        else:
            weight.addcdiv_(grad, (square + self.epsilon).sqrt_(), value=-lr)
        if self.clip_weights:
            weight.clamp_(-self.clip_weights, self.clip_weights)


@register
class AdaDelta(Rule):
    """Steps in the units of the weights, without a learning rate; Zeiler, 2012.

    ``a = rho a + (1 - rho) g^2``; ``d = sqrt(b + eps) / sqrt(a + eps) g``; ``b = rho b +
    (1 - rho) d^2``; ``w -= d + wd w``.
    """

    kept = ("gradients", "changes")

    def __init__(self, rho: float = 0.90, epsilon: float = 1e-5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rho, self.epsilon = rho, epsilon

    def step(
        self, weight: Tensor, grad: Tensor, kept: list[Tensor], lr: float, wd: float, count: int
    ) -> None:
        """Do one update."""
        grad, (gradients, changes) = self.clipped(grad), kept
        gradients.mul_(self.rho).addcmul_(grad, grad, value=1 - self.rho)
        change = (changes + self.epsilon).sqrt_() / (gradients + self.epsilon).sqrt_() * grad
        changes.mul_(self.rho).addcmul_(change, change, value=1 - self.rho)
        weight.sub_(change.add_(weight, alpha=wd))


class _Moments(Rule):
    """Running means of the gradient and of its square."""

    kept = ("mean", "square")

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon

    def _moved(self, grad: Tensor, kept: list[Tensor]) -> None:
        kept[0].mul_(self.beta1).add_(grad, alpha=1 - self.beta1)
        kept[1].mul_(self.beta2).addcmul_(grad, grad, value=1 - self.beta2)


@register
class Adam(_Moments):
    """Running means of the gradient and its square, made up for their start; Kingma and Ba, 2014.

    ``w -= lr sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + epsilon)``: epsilon stands beside
    the root that is not made up for. ``lazy_update`` is about sparse gradients.
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        lazy_update: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, beta1, beta2, epsilon, **kwargs)

    def step(
        self, weight: Tensor, grad: Tensor, kept: list[Tensor], lr: float, wd: float, count: int
    ) -> None:
        """Do one update."""
        self._moved(self.decayed_first(weight, grad, wd), kept)
        rate = lr * (1 - self.beta2**count) ** 0.5 / (1 - self.beta1**count)
        weight.addcdiv_(kept[0], kept[1].sqrt().add_(self.epsilon), value=-rate)


@register
class AdamW(_Moments):
    """Adam whose weight decay stands beside the gradient; Loshchilov and Hutter, 2017.

    ``w -= lr (m' / (sqrt(v') + epsilon) + wd w)`` with both means made up for their start.
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-6,
        correct_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, beta1, beta2, epsilon, **kwargs)
        self.correct_bias = correct_bias

    def step(
        self, weight: Tensor, grad: Tensor, kept: list[Tensor], lr: float, wd: float, count: int
    ) -> None:
        """Do one update."""
        self._moved(self.clipped(grad), kept)
        rate, spread = lr, kept[1].sqrt()
        if self.correct_bias:
            rate /= 1 - self.beta1**count
            spread /= (1 - self.beta2**count) ** 0.5
        weight.mul_(1 - lr * wd).addcdiv_(kept[0], spread.add_(self.epsilon), value=-rate)


@register
class Adamax(_Moments):
    """Adam with the largest gradient so far, slowly forgotten, in place of the root.

    A gradient that has always been 0 gives no step; MXNet divided 0 by 0.
    """

    def __init__(
        self, learning_rate: float = 0.002, beta1: float = 0.9, beta2: float = 0.999, **kwargs: Any
    ) -> None:
        super().__init__(learning_rate, beta1, beta2, **kwargs)

    def step(
        self, weight: Tensor, grad: Tensor, kept: list[Tensor], lr: float, wd: float, count: int
    ) -> None:
        """Do one update."""
        grad, (mean, largest) = self.decayed_first(weight, grad, wd), kept
        mean.mul_(self.beta1).add_(grad, alpha=1 - self.beta1)
        torch.maximum(largest.mul_(self.beta2), grad.abs(), out=largest)
        step = torch.where(largest > 0, mean / largest, torch.zeros_like(mean))
        weight.sub_(step, alpha=lr / (1 - self.beta1**count))


@register
class Nadam(_Moments):
    """Adam that looks ahead as Nesterov's momentum does; Dozat, 2016.

    The momentum's schedule is each parameter's own; MXNet advanced one for all of them.
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        schedule_decay: float = 0.004,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, beta1, beta2, epsilon, **kwargs)
        self.schedule_decay = schedule_decay
        self._products = [1.0]  # of the momenta up to each count

    def _momentum(self, count: int) -> float:
        return self.beta1 * float(1 - 0.5 * 0.96 ** (count * self.schedule_decay))

    def step(
        self, weight: Tensor, grad: Tensor, kept: list[Tensor], lr: float, wd: float, count: int
    ) -> None:
        """Do one update."""
        grad = self.decayed_first(weight, grad, wd)
        self._moved(grad, kept)
        now, ahead = self._momentum(count), self._momentum(count + 1)
        while len(self._products) <= count:
            self._products.append(self._products[-1] * self._momentum(len(self._products)))
        product = self._products[count]
        mean = grad * ((1 - now) / (1 - product)) + kept[0] * (ahead / (1 - product * ahead))
        spread = (kept[1] / (1 - self.beta2**count)).sqrt_().add_(self.epsilon)
        weight.addcdiv_(mean, spread, value=-lr)


@register
class Ftrl(Rule):
    """Follow the regularized leader: weights near 0 become 0; McMahan et al., 2013."""

    kept = ("sums", "squares")

    def __init__(
        self, lamda1: float = 0.01, learning_rate: float = 0.1, beta: float = 1, **kwargs: Any
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.lamda1, self.beta = lamda1, beta

    def step(
        self, weight: Tensor, grad: Tensor, kept: list[Tensor], lr: float, wd: float, count: int
    ) -> None:
        """Do one update."""
        grad, (sums, squares) = self.clipped(grad), kept
        before = squares.sqrt()
        squares.addcmul_(grad, grad)
        root = squares.sqrt()
        sums.add_(grad).sub_((root - before) / lr * weight)
        moved = (sums.sign() * self.lamda1 - sums) / ((self.beta + root) / lr + wd)
        weight.copy_(moved * (sums.abs() > self.lamda1))


@register
class FTML(Rule):
    """Follow the moving leader; Zheng and Kwok, 2017."""

    kept = ("previous", "square", "sums")

    def __init__(
        self,
        learning_rate: float = 0.0025,
        beta1: float = 0.6,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon

    def step(
        self, weight: Tensor, grad: Tensor, kept: list[Tensor], lr: float, wd: float, count: int
    ) -> None:
        """Do one update."""
        grad, (previous, square, sums) = self.decayed_first(weight, grad, wd), kept
        square.mul_(self.beta2).addcmul_(grad, grad, value=1 - self.beta2)
        spread = (square / (1 - self.beta2**count)).sqrt_().add_(self.epsilon)
        scale = spread * ((1 - self.beta1**count) / lr)
        sums.mul_(self.beta1).add_(grad, alpha=1 - self.beta1)
        sums.sub_((scale - self.beta1 * previous) * weight)
        previous.copy_(scale)
        weight.copy_(-sums / scale)


@register
class LAMB(_Moments):
    """Adam's step, scaled for each weight to its own length; You et al., 2019."""

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-6,
        lower_bound: float | None = None,
        upper_bound: float | None = None,
        bias_correction: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, beta1, beta2, epsilon, **kwargs)
        self.bounds, self.bias_correction = (lower_bound, upper_bound), bias_correction

    def step(
        self, weight: Tensor, grad: Tensor, kept: list[Tensor], lr: float, wd: float, count: int
    ) -> None:
        """Do one update."""
        self._moved(self.clipped(grad), kept)
        mean, square = kept
        if self.bias_correction:
            mean = mean / (1 - self.beta1**count)
            square = square / (1 - self.beta2**count)
        change = (mean / (square.sqrt() + self.epsilon)).add_(weight, alpha=wd)
        length = weight.norm()
        if any(bound is not None for bound in self.bounds):
            length = length.clamp(*self.bounds)
        both = length / change.norm()
        ratio = torch.where((length > 0) & (change.norm() > 0), both, torch.ones_like(both))
        weight.sub_(change * ratio, alpha=lr)
