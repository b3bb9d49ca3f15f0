"""Dropout from its definition; torch has its own: ``F.dropout`` and ``nn.Dropout``.

Book: 4.6 Dropout
Paper: Srivastava et al., 2014, https://jmlr.org/papers/v15/srivastava14a.html
"""

import torch
from torch import Tensor, nn


def dropout_scratch(
    inputs: Tensor,
    p: float,
    *,
    kept: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Put zero for a share of the entries and stretch the others, so that the mean is kept.

    Args:
        inputs: any shape, floating point.
        p: the probability with which an entry is dropped, from 0 to 1. What is kept is divided by
            1 - p.
        kept: which entries are kept, as booleans that broadcast against the inputs; drawn, each
            entry by itself, when none.
        generator: where the draw comes from, on the inputs' device; torch's own when none.
    """
    _require_probability(p)
    if p == 0 and kept is None:
        return inputs
    if p == 1:
        return inputs * 0  # 1 / (1 - p) is infinite; the gradient is to be zero, not NaN
    if kept is None:
        # On the inputs' device, where no copy has to wait. In single precision whatever their
        # type: in bfloat16 uniform numbers are multiples of 1/256, too coarse to compare with p.
        chance = torch.rand(
            inputs.shape, generator=generator, dtype=torch.float32, device=inputs.device
        )
        kept = chance >= p
    return inputs * kept / (1 - p)


class DropoutScratch(nn.Module):
    """Drop entries with probability ``p`` while training; change nothing otherwise."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        _require_probability(p)
        self.p = p

    def forward(self, inputs: Tensor) -> Tensor:
        return dropout_scratch(inputs, self.p) if self.training else inputs

    def extra_repr(self) -> str:
        """Name the probability where a model is printed."""
        return f"p={self.p}"


def _require_probability(p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"p is {p}; the probability of dropping must be from 0 to 1")
