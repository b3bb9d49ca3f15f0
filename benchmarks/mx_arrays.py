"""What ``divekit.mx`` costs on arrays of ten numbers, where nothing but the call itself counts.

Each contender does the same operation a thousand times, on torch's tensors or on mx's arrays.
"""

from collections.abc import Callable
from typing import Any

import torch

from benchmarks.harness import Call, Contender, Job, Ratio
from divekit.mx import autograd, np

REPEATS = 1000

# On tensors and on arrays the same characters: what the user writes.
OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "a + b": lambda a, b: a + b,
    "a * 2": lambda a, b: a * 2,
    "a > b": lambda a, b: a > b,
    "a.sum()": lambda a, b: a.sum(),
    "a[2:5]": lambda a, b: a[2:5],
}


def on_tensors(operation: str, recorded: bool) -> Call:
    """Call eager torch."""
    a, b = torch.rand(10, requires_grad=recorded), torch.rand(10)
    return lambda: repeat(OPERATIONS[operation], a, b)


def on_arrays(operation: str, recorded: bool) -> Call:
    """Call the front end."""
    a, b = np.random.uniform(size=10), np.random.uniform(size=10)
    if not recorded:
        return lambda: repeat(OPERATIONS[operation], a, b)
    a.attach_grad()

    def inside() -> None:
        with autograd.record():
            repeat(OPERATIONS[operation], a, b)

    return inside


def repeat(operation: Callable[[Any, Any], Any], a: Any, b: Any) -> None:
    """Do it often, so that the loop around it counts little."""
    for _ in range(REPEATS):
        operation(a, b)


def job(operation: str, recorded: bool) -> Job:
    """Set the two beside each other."""
    settings = {"operation": operation, "recorded": recorded}
    arrays = Contender("mx arrays", on_arrays, settings)
    tensors = Contender("torch tensors", on_tensors, settings)
    return Job(
        f"mx {operation}" + (", recorded" if recorded else ""),
        f"{REPEATS} calls on ten numbers",
        (arrays, tensors),
        (Ratio(arrays.name, tensors.name, at_most=3),),
        rounds=20,
    )


JOBS = (*(job(name, recorded=False) for name in OPERATIONS), job("a + b", recorded=True))
