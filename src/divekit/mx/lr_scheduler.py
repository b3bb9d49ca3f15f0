"""``mx.lr_scheduler``: the learning rate of each update, by its number.

A scheduler is called with the number of updates so far. For the first ``warmup_steps`` the rate
rises from ``warmup_begin_lr`` to ``base_lr`` (``linear``), or stays there (``constant``).
"""

import itertools
import math
from collections.abc import Sequence


class LRScheduler:
    """The base of all schedulers; subclasses write ``__call__(self, num_update)``."""

    def __init__(
        self,
        base_lr: float = 0.01,
        warmup_steps: int = 0,
        warmup_begin_lr: float = 0.0,
        warmup_mode: str = "linear",
    ) -> None:
        if not isinstance(warmup_steps, int) or warmup_steps < 0:
            raise ValueError(f"warmup_steps is a number of updates, not {warmup_steps!r}")
        if warmup_begin_lr > base_lr:
            raise ValueError(f"warmup begins at {warmup_begin_lr}, above base_lr={base_lr}")
        if warmup_mode not in ("linear", "constant"):
            raise ValueError(f"warmup_mode is linear or constant, not {warmup_mode!r}")
        self.base_lr = base_lr
        self.warmup_steps, self.warmup_begin_lr = warmup_steps, warmup_begin_lr
        self.warmup_final_lr, self.warmup_mode = base_lr, warmup_mode

    def get_warmup_lr(self, num_update: int) -> float:
        """Give the rate of an update that is still part of the warm-up."""
        if self.warmup_mode == "constant":
            return self.warmup_begin_lr
        rise = self.warmup_final_lr - self.warmup_begin_lr
        return self.warmup_begin_lr + rise * num_update / self.warmup_steps

    def __call__(self, num_update: int) -> float:
        raise NotImplementedError("a scheduler writes __call__(self, num_update)")


class FactorScheduler(LRScheduler):
    """Multiply by ``factor`` after every ``step`` updates, down to ``stop_factor_lr``."""

    def __init__(
        self,
        step: int,
        factor: float = 1,
        stop_factor_lr: float = 1e-8,
        base_lr: float = 0.01,
        warmup_steps: int = 0,
        warmup_begin_lr: float = 0,
        warmup_mode: str = "linear",
    ) -> None:
        super().__init__(base_lr, warmup_steps, warmup_begin_lr, warmup_mode)
        if step < 1:
            raise ValueError(f"step is at least 1, not {step}")
        if factor > 1:
            raise ValueError(f"factor is at most 1, for the rate to fall, not {factor}")
        self.step, self.factor, self.stop_factor_lr = step, factor, stop_factor_lr
        self.count = 0

    def __call__(self, num_update: int) -> float:
        """Give the rate; updates are asked about in order."""
        if num_update < self.warmup_steps:
            return self.get_warmup_lr(num_update)
        while num_update > self.count + self.step:
            self.count += self.step
            self.base_lr = max(self.base_lr * self.factor, self.stop_factor_lr)
        return self.base_lr


class MultiFactorScheduler(LRScheduler):
    """Multiply by ``factor`` after each of the updates listed in ``step``."""

    def __init__(
        self,
        step: Sequence[int],
        factor: float = 1,
        base_lr: float = 0.01,
        warmup_steps: int = 0,
        warmup_begin_lr: float = 0,
        warmup_mode: str = "linear",
    ) -> None:
        super().__init__(base_lr, warmup_steps, warmup_begin_lr, warmup_mode)
        steps = list(step)
        if not steps or steps[0] < 1 or any(a >= b for a, b in itertools.pairwise(steps)):
            raise ValueError(f"step is a list of rising numbers of updates, not {step!r}")
        if factor > 1:
            raise ValueError(f"factor is at most 1, for the rate to fall, not {factor}")
        self.step, self.factor = steps, factor
        self.cur_step_ind = 0

    def __call__(self, num_update: int) -> float:
        """Give the rate; updates are asked about in order."""
        if num_update < self.warmup_steps:
            return self.get_warmup_lr(num_update)
        while self.cur_step_ind < len(self.step) and num_update > self.step[self.cur_step_ind]:
            self.cur_step_ind += 1
            self.base_lr *= self.factor
        return self.base_lr


class _Falling(LRScheduler):
    """A rate that falls from ``base_lr`` to ``final_lr`` between warm-up and ``max_update``."""

    def __init__(
        self,
        max_update: int,
        base_lr: float,
        final_lr: float,
        warmup_steps: int,
        warmup_begin_lr: float,
        warmup_mode: str,
    ) -> None:
        super().__init__(base_lr, warmup_steps, warmup_begin_lr, warmup_mode)
        if not isinstance(max_update, int) or max_update < 1:
            raise ValueError(f"max_update is a number of updates, not {max_update!r}")
        self.base_lr_orig, self.final_lr, self.max_update = base_lr, final_lr, max_update
        self.max_steps = max_update - warmup_steps

    def _share(self, passed: float) -> float:
        raise NotImplementedError

    def __call__(self, num_update: int) -> float:
        """Give the rate; after ``max_update`` it stays."""
        if num_update < self.warmup_steps:
            return self.get_warmup_lr(num_update)
        if num_update <= self.max_update:
            share = self._share((num_update - self.warmup_steps) / self.max_steps)
            self.base_lr = self.final_lr + (self.base_lr_orig - self.final_lr) * share
        return self.base_lr


class PolyScheduler(_Falling):
    """Fall as ``(1 - passed) ** pwr``."""

    def __init__(
        self,
        max_update: int,
        base_lr: float = 0.01,
        pwr: int = 2,
        final_lr: float = 0,
        warmup_steps: int = 0,
        warmup_begin_lr: float = 0,
        warmup_mode: str = "linear",
    ) -> None:
        super().__init__(max_update, base_lr, final_lr, warmup_steps, warmup_begin_lr, warmup_mode)
        self.power = pwr

    def _share(self, passed: float) -> float:
        return (1 - passed) ** self.power


class CosineScheduler(_Falling):
    """Fall as half a wave of the cosine."""

    def __init__(
        self,
        max_update: int,
        base_lr: float = 0.01,
        final_lr: float = 0,
        warmup_steps: int = 0,
        warmup_begin_lr: float = 0,
        warmup_mode: str = "linear",
    ) -> None:
        super().__init__(max_update, base_lr, final_lr, warmup_steps, warmup_begin_lr, warmup_mode)

    def _share(self, passed: float) -> float:
        return (1 + math.cos(math.pi * passed)) / 2
