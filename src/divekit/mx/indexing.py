"""Reading and writing parts of a tensor by NumPy's rules, where torch's are others.

Torch has no negative steps, takes integers out before it looks at index arrays, and reads a
zero-dimensional array as an integer. So a key is resolved in two parts: a view made of integers,
slices and new axes; then index arrays on axes of that view. Reading and writing share both.
"""

import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy
import torch
from torch import Tensor

from divekit.mx.errors import ShapeError

_FULL = slice(None)


class _Plan(NamedTuple):
    """A key resolved against a shape."""

    view: tuple[Any, ...]  # integers, slices with positive steps, None: torch's own
    flipped: tuple[int, ...]  # axes of the view that a negative step runs backwards
    arrays: tuple[tuple[int, Tensor], ...]  # axes of the view, and the index array of each
    to_front: bool  # the index arrays are apart in the key, so their axes come first


def read(tensor: Tensor, key: Any) -> Tensor:
    """Give ``tensor[key]``: a view where the key is made of integers and slices, else a copy.

    A negative step gives a copy as well: torch's tensors cannot run backwards.
    """
    if _is_torchs(key):
        return tensor[key]
    plan = _plan(tensor, key)
    view = tensor[plan.view]
    if plan.flipped:
        view = view.flip(plan.flipped)
    if not plan.arrays:
        return view
    result = view[_torch_key(plan)]
    return _front(result, plan) if _must_move(plan) else result


def write(tensor: Tensor, key: Any, value: Any) -> None:
    """Do ``tensor[key] = value``; the value is cast to the tensor's type and broadcast."""
    if _is_torchs(key):
        _fill(tensor[key], value)
        return
    plan = _plan(tensor, key)
    view = tensor[plan.view]
    if not plan.arrays:
        if plan.flipped and isinstance(_prepared(value, view), Tensor):
            value = _broadcast(_prepared(value, view), view.shape).flip(plan.flipped)
        _fill(view, value)
        return
    indices = [index for _, index in plan.arrays]
    for place, (axis, index) in enumerate(plan.arrays):
        if axis in plan.flipped:
            indices[place] = view.shape[axis] - 1 - index
    others = tuple(axis for axis in plan.flipped if axis not in dict(plan.arrays))
    target = _torch_key(plan, indices)
    new = _prepared(value, view)
    if not isinstance(new, Tensor) or (new.numel() == 1 and new.ndim == 0):
        view[target] = new
        return
    shape = _result_shape(view.shape, plan)
    moved = _broadcast(new, shape)
    if others:
        moved = moved.flip([_place_in_result(axis, plan) for axis in others])
    view[target] = _back(moved, plan) if _must_move(plan) else moved


def _is_torchs(key: Any) -> bool:
    """Tell whether torch reads the key as NumPy does: the common cases."""
    kind = type(key)
    if kind is int:
        return True
    if kind is slice:
        return _is_plain_slice(key)
    if kind is tuple:
        return all(
            type(item) is int or item is None or (type(item) is slice and _is_plain_slice(item))
            for item in key
        )
    return key is Ellipsis


def _is_plain_slice(given: slice) -> bool:
    return (
        (given.start is None or type(given.start) is int)
        and (given.stop is None or type(given.stop) is int)
        and (given.step is None or (type(given.step) is int and given.step > 0))
    )


def _plan(tensor: Tensor, key: Any) -> _Plan:
    items = _expanded(tensor, key)
    fancy = any(isinstance(item, Tensor | _Flag) and item.ndim for item in items)
    view: list[Any] = []
    flipped: list[int] = []
    arrays: list[tuple[int, Tensor]] = []
    places: list[int] = []  # where in the key index arrays and, beside them, integers stand
    axis = out = 0  # an axis of the tensor, an axis of the view
    for place, item in enumerate(items):
        if item is Ellipsis:
            continue  # only a mark between index arrays: its slices follow
        if item is None:
            view.append(None)
            out += 1
        elif isinstance(item, slice):
            forwards, backwards = _forwards(item, tensor.shape[axis])
            view.append(forwards)
            if backwards:
                flipped.append(out)
            axis, out = axis + 1, out + 1
        elif isinstance(item, _Flag):
            view.append(None)
            arrays.append((out, item.index(tensor.device)))
            places.append(place)
            out += 1
        elif fancy:
            index = item if isinstance(item, Tensor) else torch.tensor(item)
            view.append(_FULL)
            arrays.append((out, _checked(index, tensor.shape[axis], axis).to(tensor.device)))
            places.append(place)
            axis, out = axis + 1, out + 1
        else:
            view.append(int(item))
            axis += 1
    to_front = bool(places) and places[-1] - places[0] + 1 != len(places)
    return _Plan(tuple(view), tuple(flipped), tuple(arrays), to_front)


class _Flag:
    """A single True or False in a key: a new axis that is kept or empty."""

    ndim = 1

    def __init__(self, keep: bool) -> None:
        self.keep = keep

    def index(self, device: torch.device) -> Tensor:
        return torch.zeros(1 if self.keep else 0, dtype=torch.long, device=device)


def _expanded(tensor: Tensor, key: Any) -> list[Any]:
    """Give the key's items: one per axis, with None, a mark for the Ellipsis, and _Flag."""
    items: list[Any] = []
    for given in key if isinstance(key, tuple) else (key,):
        items.extend(_items_of(given))
    used = sum(
        0 if item is None or item is Ellipsis or isinstance(item, _Flag) else 1 for item in items
    )
    # A boolean array stands for as many index arrays as it has axes: check its shape in place.
    if used > tensor.ndim:
        raise IndexError(f"too many indices: an array of shape {tuple(tensor.shape)} got {used}")
    rest = [_FULL] * (tensor.ndim - used)
    marks = [place for place, item in enumerate(items) if item is Ellipsis]
    if len(marks) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    if marks:
        items[marks[0] + 1 : marks[0] + 1] = rest
    else:
        items += rest
    return _masks_resolved(tensor, items)


def _items_of(given: Any) -> list[Any]:
    if given is None or given is Ellipsis or isinstance(given, slice):
        return [given]
    if isinstance(given, bool | numpy.bool_):
        return [_Flag(bool(given))]
    if isinstance(given, int | numpy.integer):
        return [int(given)]
    index = _index_array(given)
    if index.dtype is torch.bool:
        if index.ndim == 0:
            return [_Flag(bool(index))]
        return [_Mask(index, axis) for axis in range(index.ndim)]
    return [index]


class _Mask(NamedTuple):
    """One axis of a boolean index array."""

    mask: Tensor
    axis: int


def _masks_resolved(tensor: Tensor, items: list[Any]) -> list[Any]:
    axis = 0
    resolved: list[Any] = []
    places: tuple[Tensor, ...] = ()
    for item in items:
        if isinstance(item, _Mask):
            if item.axis == 0:
                part = tuple(tensor.shape[axis : axis + item.mask.ndim])
                if part != tuple(item.mask.shape):
                    raise IndexError(
                        f"the boolean index has shape {tuple(item.mask.shape)}, "
                        f"the axes it stands for have {part}"
                    )
                places = item.mask.nonzero(as_tuple=True)
            resolved.append(places[item.axis])
        else:
            resolved.append(item)
        if item is not None and item is not Ellipsis and not isinstance(item, _Flag):
            axis += 1
    return resolved


def _index_array(given: Any) -> Tensor:
    tensor = getattr(given, "tensor", given)
    if not isinstance(tensor, Tensor):
        if not isinstance(given, list | tuple | range | numpy.ndarray):
            raise IndexError(
                f"an index is made of integers, slices, None, '...' and arrays, not of {given!r}"
            )
        array = numpy.array(_plain_lists(given))
        if array.size == 0 and not isinstance(given, numpy.ndarray):
            array = array.astype(numpy.int64)
        if array.dtype.kind not in "biuf":
            raise IndexError(f"arrays used as indices hold integers or booleans, not {array.dtype}")
        tensor = torch.from_numpy(array)
    if tensor.dtype is torch.bool:
        return tensor.detach()
    # MXNet takes arrays of floats as well, which its own arange gives, and cuts them off.
    return tensor.detach().long()


def _plain_lists(given: Any) -> Any:
    if isinstance(given, list | tuple):
        return [_plain_lists(item) for item in given]
    tensor = getattr(given, "tensor", None)
    return given if tensor is None else tensor.detach().cpu().numpy()


def _checked(index: Tensor, size: int, axis: int) -> Tensor:
    # Torch's own check would, on a GPU, end the process's use of CUDA.
    if index.numel() and (int(index.max()) >= size or int(index.min()) < -size):
        wrong = int(index.max()) if int(index.max()) >= size else int(index.min())
        raise IndexError(f"index {wrong} is out of bounds for axis {axis} with size {size}")
    return index


def _forwards(given: slice, size: int) -> tuple[slice, bool]:
    """Give a slice with a positive step over the same elements, and whether it runs backwards."""
    start, stop, step = slice(
        *(
            None if part is None else operator.index(part)
            for part in (given.start, given.stop, given.step)
        )
    ).indices(size)
    if step > 0:
        return slice(start, max(start, stop), step), False
    count = max(0, (stop - start + step + 1) // step)
    if count == 0:
        return slice(0, 0, 1), False
    return slice(start + (count - 1) * step, start + 1, -step), True


def _torch_key(plan: _Plan, indices: Sequence[Tensor] | None = None) -> tuple[Any, ...]:
    chosen = [index for _, index in plan.arrays] if indices is None else indices
    try:
        spread = torch.broadcast_tensors(*chosen)
    except RuntimeError:
        shapes = " and ".join(str(tuple(index.shape)) for index in chosen)
        raise IndexError(f"the index arrays have shapes {shapes}, which do not broadcast") from None
    key: list[Any] = [_FULL] * (plan.arrays[-1][0] + 1)
    for (axis, _), index in zip(plan.arrays, spread, strict=True):
        key[axis] = index
    return tuple(key)


def _must_move(plan: _Plan) -> bool:
    """Tell whether NumPy puts the axes of the index arrays first and torch does not."""
    return plan.to_front and not _torch_moves(plan)


def _torch_moves(plan: _Plan) -> bool:
    axes = [axis for axis, _ in plan.arrays]
    return axes[-1] - axes[0] + 1 != len(axes)


def _index_ndim(plan: _Plan) -> int:
    return max(index.ndim for _, index in plan.arrays)


def _front(result: Tensor, plan: _Plan) -> Tensor:
    count, first = _index_ndim(plan), plan.arrays[0][0]
    return result.movedim(tuple(range(first, first + count)), tuple(range(count)))


def _back(value: Tensor, plan: _Plan) -> Tensor:
    count, first = _index_ndim(plan), plan.arrays[0][0]
    return value.movedim(tuple(range(count)), tuple(range(first, first + count)))


def _first_in_result(plan: _Plan) -> int:
    return 0 if plan.to_front else plan.arrays[0][0]


def _result_shape(view_shape: Sequence[int], plan: _Plan) -> tuple[int, ...]:
    taken = {axis for axis, _ in plan.arrays}
    kept = [size for axis, size in enumerate(view_shape) if axis not in taken]
    spread = torch.broadcast_shapes(*(index.shape for _, index in plan.arrays))
    first = _first_in_result(plan)
    return (*kept[:first], *spread, *kept[first:])


def _place_in_result(axis: int, plan: _Plan) -> int:
    taken = [other for other, _ in plan.arrays]
    place = axis - sum(1 for other in taken if other < axis)
    return place + _index_ndim(plan) if place >= _first_in_result(plan) else place


def _prepared(value: Any, target: Tensor) -> Any:
    """Give a number as it is, anything else as a tensor of the target's type and device."""
    if isinstance(value, int | float | bool):
        return value
    if not isinstance(value, Tensor):
        if not isinstance(value, list | tuple | range):
            raise TypeError(f"an array holds numbers, not {value!r}")
        value = torch.from_numpy(numpy.asarray(_plain_lists(value)))
    return value.to(device=target.device, dtype=target.dtype)


def _broadcast(value: Tensor, shape: Sequence[int]) -> Tensor:
    while value.ndim > len(shape) and value.shape[0] == 1:
        value = value[0]  # NumPy lets a value have more axes than its place, if they are 1
    try:
        return value.expand(tuple(shape))
    except RuntimeError:
        raise ShapeError(
            f"a value of shape {tuple(value.shape)} does not fit a place of shape {tuple(shape)}"
        ) from None


def _fill(view: Tensor, value: Any) -> None:
    if isinstance(value, Tensor):  # copy_ casts and moves by itself
        view.copy_(value if value.shape == view.shape else _broadcast(value, view.shape))
        return
    new = _prepared(value, view)
    if isinstance(new, Tensor):
        view.copy_(_broadcast(new, view.shape))
    else:
        view.fill_(new)
