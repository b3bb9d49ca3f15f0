"""Rows to validate on: drawn once, by a seed of their own."""

from collections.abc import Hashable, Sequence

import torch

from divekit.errors import UsageError


def split(groups: Sequence[Hashable], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Give the indices to train on and those to validate on, both in order.

    Args:
        groups: the class of each example, all alike in regression. The share is taken of each
            class by itself, so that a rare one is on both sides: at least one example, and never
            all of them.
        share: of the examples to validate on; 0 for none.
        seed: of the draw.
    """
    if not 0 <= share < 1:
        raise UsageError(f"data.validation is {share}; it must be at least 0 and below 1")
    order = torch.randperm(len(groups), generator=torch.Generator().manual_seed(seed)).tolist()
    members: dict[Hashable, list[int]] = {}
    for index in order:
        members.setdefault(groups[index], []).append(index)
    validation: list[int] = []
    for indices in members.values():
        wanted = max(1, round(share * len(indices))) if share else 0
        validation += indices[: min(wanted, len(indices) - 1)]
    held_out = set(validation)
    return [index for index in range(len(groups)) if index not in held_out], sorted(held_out)
