"""Random numbers for data that are made here."""

import torch


def draw_generator(draw: int) -> torch.Generator:
    """Give the generator for one draw of a data set.

    It never starts like ``torch.manual_seed`` with a small number. A recipe's seed is one, and
    with the same stream the initial weights of a linear model would be its first example.
    """
    # torch's generator on the CPU reads the lower 32 bits of a seed and no more.
    return torch.Generator().manual_seed((100_000 + draw) % 2**32)
