"""A model's weights as a file of tensors, and back into a model that they fit.

Files are safetensors: tensors and nothing else. No pickle is ever loaded, since loading one can
run any code.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from divekit.errors import BadDataError, UsageError

# What torch.save writes today (a zip file) and wrote before 1.6 (a pickle).
PICKLES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
SHOWN_DIFFERENCES = 6


def weights_of(model: nn.Module) -> dict[str, Tensor]:
    """Give a model's parameters and buffers by name, contiguous on the CPU, to be saved.

    A tensor that has several names (tied weights) is given once, under its first.
    """
    kept: dict[str, Tensor] = {}
    firsts = _first_names(model.state_dict())
    for name, tensor in model.state_dict().items():
        if firsts[name] == name:
            kept[name] = tensor.detach().cpu().contiguous()
    return kept


def fill(model: nn.Module, weights: Mapping[str, Tensor], source: str | Path) -> None:
    """Copy saved weights into a model; its layout in memory and its ties stay.

    Raises BadDataError, which names ``source`` and what differs, and then changes nothing.
    """
    own = model.state_dict()
    completed = dict(weights)
    for name, first in _first_names(own).items():
        if first not in weights:
            continue
        if name not in weights:
            completed[name] = weights[first]
        elif not torch.equal(weights[name], weights[first]) and name != first:
            raise BadDataError(
                f"{source}: {first} and {name} are one tensor in the model and differ in the file"
            )
    if differs := differences(completed, own):
        more = len(differs) - SHOWN_DIFFERENCES
        listed = differs[:SHOWN_DIFFERENCES] + ([f"and {more} more"] if more > 0 else [])
        raise BadDataError(f"{source}: the weights do not fit the model: {'; '.join(listed)}")
    model.load_state_dict(completed)


def load_state(model: nn.Module, state: Mapping[str, Tensor] | str | Path) -> None:
    """Load a state that another program saved into a model that it fits.

    Takes the state itself or the path of a safetensors file. A model that has a method
    ``own_names`` is asked how it names the tensors: so ``ResNet`` and ``DenseNet`` take the states
    of torchvision and timm. Counts of batches, which old states lack, stay as they are.

    Raises BadDataError that lists what differs in names and shapes, and then changes nothing.
    """
    source = str(state) if isinstance(state, str | Path) else "the state"
    tensors = read_tensors(Path(state)) if isinstance(state, str | Path) else state
    rename = getattr(model, "own_names", dict)
    counts = {
        name: tensor
        for name, tensor in model.state_dict().items()
        if name.endswith("num_batches_tracked")
    }
    fill(model, {**counts, **rename(tensors)}, source)


def differences(saved: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> list[str]:
    """Say in words how two sets of tensors differ in names and shapes: nothing if they fit."""
    lines = []
    for name, tensor in wanted.items():
        if name not in saved:
            lines.append(f"{name} is missing")
        elif saved[name].shape != tensor.shape:
            lines.append(f"{name} is {_shape(saved[name])} in the file, {_shape(tensor)} here")
    return lines + [f"{name} has no place" for name in saved if name not in wanted]


def all_finite(model: nn.Module) -> bool:
    """Tell whether every parameter is a number everywhere."""
    return all(bool(parameter.isfinite().all()) for parameter in model.parameters())


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file. Anything else is refused with BadDataError, never executed."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        with path.open("rb") as file:
            if file.read(4).startswith(PICKLES):
                raise BadDataError(
                    f"{path}: this is a pickle, as torch.save writes it; loading one can run "
                    "any code, so it is refused. Weights are kept as safetensors"
                )
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise BadDataError(f"{path}: cannot be read ({error})") from error


def read_metadata(path: Path) -> dict[str, str]:
    """Read the text that a safetensors file carries beside its tensors."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except (OSError, SafetensorError) as error:
        raise BadDataError(f"{path}: cannot be read ({error})") from error


def _first_names(state: Mapping[str, Tensor]) -> dict[str, str]:
    """Map each name to the first name of the same tensor."""
    firsts: dict[tuple[object, ...], str] = {}
    names = {}
    for name, tensor in state.items():
        if not isinstance(tensor, Tensor):
            raise UsageError(f"{name} is a {type(tensor).__name__}; only tensors can be saved")
        place = (
            (tensor.untyped_storage().data_ptr(), tensor.storage_offset(), *tensor.stride())
            if tensor.numel()
            else name
        )
        names[name] = firsts.setdefault((place, tensor.shape, tensor.dtype), name)
    return names


def _shape(tensor: Tensor) -> str:
    return " x ".join(str(size) for size in tensor.shape) or "a single number"
