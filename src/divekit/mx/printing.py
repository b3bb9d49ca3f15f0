"""Arrays as MXNet prints them: NumPy's layout, float32 left unsaid, GPUs named."""

import numpy

from divekit.mx.context import Context

# The types that MXNet does not mention.
_UNSAID = ("float32", "bool")


def as_repr(numbers: numpy.ndarray, context: Context) -> str:
    """Write ``array([0., 1.])``, ``array([1], dtype=int64)``, ``array([0.], ctx=gpu(0))``."""
    if numbers.size or numbers.shape == (0,):
        text = numpy.array2string(numbers, separator=", ", prefix="array(", suffix=")")
    else:
        text = f"[], shape={numbers.shape}"
    name = numbers.dtype.name
    if name not in _UNSAID:
        # NumPy breaks the line before a type that would not fit; those that are its own
        # defaults MXNet adds afterwards.
        last = len(text) - (text.rfind("\n") + 1) + ("\n" not in text) * len("array(")
        own = name in ("int64", "float64")
        full = not own and last + len(f"dtype={name})") + 2 > numpy.get_printoptions()["linewidth"]
        text += (",\n      " if full else ", ") + f"dtype={name}"
    if context.device_type != "cpu":
        text += f", ctx={context}"
    return f"array({text})"


def as_str(numbers: numpy.ndarray, context: Context) -> str:
    """Write what ``print`` shows: the numbers, and `` @gpu(0)`` on a GPU."""
    text = str(numbers)
    if context.device_type == "cpu" or numbers.ndim == 0:
        return text
    return f"{text} @{context}"
