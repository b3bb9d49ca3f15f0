"""Tensors and models as safetensors files: saved in one line, loaded without running anything.

Book: 5.5 File I/O
"""

import json
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from divekit.errors import BadDataError, UsageError
from divekit.train.disk import DISK, write_file
from divekit.train.plain import flatten, unflatten
from divekit.train.weights import read_metadata, read_tensors, weights_of

# The file's own place for text; what other programs know nothing of they leave alone.
STRUCTURE = "divekit"


def save_tensors(value: Any, path: str | Path) -> Path:
    """Save a tensor, or lists, tuples and dicts of tensors and plain values; give the path.

    An ordinary safetensors file, in which any program finds the tensors by where they stood:
    ``layers.0`` for ``{"layers": [...]}``. How they were put together is written beside them,
    for ``load_tensors``. The file is written whole or not at all, over an old one if there is one.
    Parameters become tensors. Tensors that share memory are saved each for itself.

    Raises UsageError for a value of another kind, and names its place.
    """
    path = Path(path)
    structure, tensors = flatten(value, "value" if isinstance(value, Tensor) else "")
    metadata = {STRUCTURE: json.dumps(structure)}
    for name, tensor in tensors.items():
        if is_lazy(tensor) or tensor.is_meta or tensor.is_quantized or tensor.is_sparse:
            raise UsageError(f"{name} cannot be saved: only dense tensors that hold numbers can")
    # Cloned: two entries that share memory would be refused.
    whole = {name: part.detach().cpu().contiguous().clone() for name, part in tensors.items()}
    write_file(path, partial(DISK.write_tensors, tensors=whole, metadata=metadata))
    return path


def load_tensors(path: str | Path) -> Any:
    """Load what ``save_tensors`` saved, on the CPU; of any other safetensors file, a dict by name.

    Nothing in the file is executed. Raises BadDataError for a file that is missing, damaged or of
    another kind; pickles, as ``torch.save`` writes them, are refused.
    """
    path = Path(path)
    tensors = read_tensors(path)
    text = read_metadata(path).get(STRUCTURE)
    if text is None:
        return tensors
    try:
        return unflatten(json.loads(text), tensors)
    except (ValueError, RecursionError) as error:
        raise BadDataError(f"{path}: not as it was saved ({error})") from error
    except BadDataError as error:
        raise BadDataError(f"{path}: {error}") from None


def save_weights(model: nn.Module, path: str | Path) -> Path:
    """Save a model's parameters and buffers as a safetensors file; give the path.

    What is shared is saved once. ``load_weights`` puts them into a model of the same shapes.
    """
    path = Path(path)
    write_file(path, partial(DISK.write_tensors, tensors=weights_of(model)))
    return path
