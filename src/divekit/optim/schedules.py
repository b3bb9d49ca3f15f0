"""Learning-rate schedules: functions from time to a factor on the learning rate.

A factor function goes into ``torch.optim.lr_scheduler.LambdaLR``, and any other of torch's
schedulers can stand in its place. Time counts epochs or updates, as the recipe says.

Book: 11.11 Learning Rate Scheduling
"""

import math
from collections.abc import Callable

Factor = Callable[[int], float]


def cosine(total: int, *, warmup: int = 0, final: float = 0.0) -> Factor:
    """Rise linearly for ``warmup`` steps, then fall along half a cosine to ``final``."""
    if not 0 <= warmup < total:
        raise ValueError(f"warmup is {warmup}; it must lie in 0 ... {total - 1}")

    def factor(time: int) -> float:
        if time < warmup:
            # From 1/(warmup+1): a first step of zero would be a step wasted.
            return (time + 1) / (warmup + 1)
        progress = min(1.0, (time - warmup) / (total - warmup))
        return final + (1 - final) * (1 + math.cos(math.pi * progress)) / 2

    return factor
