"""Folds for cross-validation.

Book: 4.4 Model Selection, Underfitting, and Overfitting
Shapes: N examples
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from divekit.errors import UsageError


def folds(num_examples: int, k: int, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Give k pairs of row numbers: those to train on, and those held out.

    Each of the N examples is held out once. The held-out parts are as equal in size as can be.
    """
    if not 2 <= k <= num_examples:
        raise UsageError(f"k is {k}; with {num_examples} examples it must lie in 2 ... N")
    parts = torch.randperm(num_examples, generator=generator).tensor_split(k)
    for number, held_out in enumerate(parts):
        yield torch.cat(parts[:number] + parts[number + 1 :]), held_out
