"""``mx.np.ndarray``: a torch tensor with MXNet's manners.

The array holds its tensor, it is not one: ``.tensor`` gives it without a copy. The operators are
attached by ``arithmetic`` (``+``, ``==``, ...) and ``methods`` (``.sum()``, ``.reshape()``, ...).
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy
import torch
from torch import Tensor

from divekit.mx import context as contexts
from divekit.mx import indexing
from divekit.mx.context import Context
from divekit.mx.dtypes import numpy_dtype, torch_dtype
from divekit.mx.errors import MXNetError, NotHereError, ShapeError
from divekit.mx.printing import as_repr, as_str
from divekit.mx.state import STATE, Tape, set_grad_enabled, unrecorded, watch


class ndarray:  # noqa: N801  (its name in MXNet)
    """An array of numbers; made by ``np.array``, ``np.zeros`` and their kind.

    ``ndarray(tensor)`` wraps a tensor without a copy.
    """

    # _context: a virtual GPU's name, else None and the tensor's device says it.
    # _tape: what the array was recorded with, or None.
    __slots__ = ("__weakref__", "_context", "_tape", "tensor")

    # NumPy's arrays leave `numpy_array + array` to this class.
    __array_priority__ = 1000.0

    def __init__(self, tensor: Tensor, context: Context | None = None) -> None:
        self.tensor = tensor
        self._context = context
        self._tape: Tape | None = None

    if TYPE_CHECKING:
        # Attached by arithmetic and methods.
        def __getattr__(self, name: str) -> Any: ...
        def __add__(self, other: Any) -> "ndarray": ...
        def __sub__(self, other: Any) -> "ndarray": ...
        def __mul__(self, other: Any) -> "ndarray": ...
        def __truediv__(self, other: Any) -> "ndarray": ...

    # What it is

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return tuple(self.tensor.shape)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.tensor.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.tensor.numel()

    @property
    def dtype(self) -> Any:
        """NumPy's class for the elements' type."""
        return numpy_dtype(self.tensor.dtype)

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self.tensor.element_size()

    @property
    def T(self) -> "ndarray":  # noqa: N802
        """The array with its axes reversed, a view."""
        return forward(
            type(self), lambda tensor: tensor.permute(tuple(range(tensor.ndim))[::-1]), self
        )

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.tensor.numel() * self.tensor.element_size()

    @property
    def stype(self) -> str:
        """Always dense."""
        return "default"

    @property
    def ctx(self) -> Context:
        """The device that holds the numbers."""
        tensor = self.tensor
        return self._context or (
            contexts.CPU if tensor.is_cpu else contexts.context_of(tensor.device)
        )

    context = ctx
    device = ctx

    def __len__(self) -> int:
        if self.tensor.ndim == 0:
            raise TypeError("len() of an array without axes")
        return self.tensor.shape[0]

    def __repr__(self) -> str:
        return as_repr(self.asnumpy(), self.ctx)

    def __str__(self) -> str:
        return as_str(self.asnumpy(), self.ctx)

    def __format__(self, how: str) -> str:
        if how and self.size != 1:
            raise TypeError(f"{how!r} formats one number, this array has shape {self.shape}")
        return format(self.item(), how) if how else str(self)

    # As other kinds of values

    def asnumpy(self) -> numpy.ndarray:
        """Copy the numbers into an array of NumPy's."""
        tensor = self.tensor.detach()
        if tensor.dtype is torch.bfloat16:  # NumPy has no such type
            tensor = tensor.float()
        return numpy.array(tensor.cpu().numpy())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> numpy.ndarray:
        if copy is False:
            raise ValueError(
                "an array's numbers are always copied into NumPy's; leave out copy=False"
            )
        return self.asnumpy() if dtype is None else self.asnumpy().astype(dtype)

    def item(self, *args: int) -> Any:
        """Give the only element as Python's number, or the one at the given place."""
        if args:
            return self.asnumpy().item(*args)
        if self.tensor.numel() != 1:
            raise ShapeError(
                f"only an array with one element is a number; this one has {self.shape}"
            )
        return self.tensor.item()

    asscalar = item

    def tolist(self) -> Any:
        """Give the elements as nested lists of Python's numbers."""
        return self.tensor.tolist()

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __bool__(self) -> bool:
        if self.tensor.numel() > 1:
            raise ValueError(
                f"an array of shape {self.shape} is neither true nor false; use .any() or .all()"
            )
        return self.tensor.numel() == 1 and bool(self.tensor.item())

    def __index__(self) -> int:
        if self.tensor.ndim or self.tensor.is_floating_point() or self.tensor.dtype is torch.bool:
            raise TypeError("only an integer array without axes can be an index of Python's")
        return int(self.tensor.item())

    # Elements

    def __getitem__(self, key: Any) -> "ndarray":
        tensor = self.tensor
        if tensor.requires_grad:
            if STATE.recording:
                return forward(type(self), lambda tensor: indexing.read(tensor, key), self)
            tensor = tensor.detach()
        return wrap(indexing.read(tensor, key), self._context, type(self))

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(value, ndarray):
            value = value.as_in_ctx(self.ctx)  # writing is the one operation that moves arrays
        if STATE.recording:
            write(self, lambda tensor, new: indexing.write(tensor, key, new), value)
            return
        if isinstance(value, ndarray):
            value = value.tensor.detach()
        indexing.write(self.tensor.detach(), key, as_plain(value))

    def __iter__(self) -> Iterator["ndarray"]:
        # Refused here and not at the first item: matplotlib asks by calling iter().
        return map(self.__getitem__, range(len(self)))

    def __contains__(self, value: Any) -> bool:
        return bool((self.tensor == as_plain(value)).any())

    __hash__ = object.__hash__  # equality is elementwise, so an array is its own key

    # Copies and devices

    def copy(self, order: str = "C") -> "ndarray":
        """Copy; inside ``record()`` the copy is recorded."""
        if order != "C":
            raise NotHereError("arrays are stored in C order")
        return forward(type(self), torch.clone, self)

    def __copy__(self) -> "ndarray":
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> "ndarray":
        return self.copy()

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.asnumpy(), self.ctx)

    def copyto(self, other: Any) -> "ndarray":
        """Copy into another array of this shape, or onto a device."""
        if isinstance(other, Context):
            return forward(type(self), lambda tensor: _move(tensor, other, copy=True), self, other)
        if other is self:
            raise ValueError("an array cannot be copied onto itself")
        other[...] = self.as_in_ctx(other.ctx)
        return other

    def as_in_ctx(self, ctx: Any) -> "ndarray":
        """Give the array on that device: itself if it is there already, else a copy."""
        wanted = contexts.as_context(ctx)
        if wanted == self.ctx:
            return self
        return forward(type(self), lambda tensor: _move(tensor, wanted, copy=True), self, wanted)

    as_in_context = as_in_ctx
    to_device = as_in_ctx

    def astype(
        self,
        dtype: Any,
        order: str = "K",
        casting: str = "unsafe",
        subok: bool = True,
        copy: bool = True,
    ) -> "ndarray":
        """Give the elements as another type."""
        if casting != "unsafe" or order not in ("K", "C") or not subok:
            raise NotHereError("astype takes dtype and copy; casting is 'unsafe'")
        wanted = torch_dtype(dtype)
        if wanted is self.tensor.dtype and not copy:
            return self
        return forward(type(self), lambda tensor: tensor.to(wanted, copy=True), self)

    def as_np_ndarray(self) -> "ndarray":
        """Give the array itself; it is one of ``mx.np``."""
        return forward(ndarray, lambda tensor: tensor.view_as(tensor), self)

    def as_nd_ndarray(self) -> "ndarray":
        """Give the same numbers as an array of ``mx.nd``."""
        from divekit.mx.nd import NDArray

        return forward(NDArray, lambda tensor: tensor.view_as(tensor), self)

    def wait_to_read(self) -> None:
        """Wait until the numbers are there."""
        if self.tensor.is_cuda:
            torch.cuda.synchronize(self.tensor.device)

    wait_to_write = wait_to_read

    # Gradients

    def attach_grad(self, grad_req: str = "write", stype: str | None = None) -> None:
        """Make this a variable: its past is cut off and ``backward`` leaves gradients in ``grad``.

        ``grad_req`` is ``write`` (each backward replaces), ``add`` (they sum up) or ``null``.
        """
        if stype not in (None, "default"):
            raise NotHereError(f"gradients of storage type {stype!r}; there is only 'default'")
        if not self.tensor.is_floating_point() and grad_req != "null":
            raise MXNetError(f"an array of {self.dtype.__name__} has no gradient; use floats")
        leaf = self.tensor.detach()
        watch(leaf, grad_req)
        self.tensor, self._tape = leaf, None

    @property
    def grad(self) -> "ndarray | None":
        """The gradient's buffer, or None without ``attach_grad``."""
        buffer = self.tensor.grad if self.tensor.is_leaf else None
        return None if buffer is None else wrap(buffer, self._context, type(self))

    def detach(self) -> "ndarray":
        """Give the same numbers, in the same memory, without their past."""
        return wrap(self.tensor.detach(), self._context, type(self))

    def backward(
        self, out_grad: "ndarray | None" = None, retain_graph: bool = False, train_mode: bool = True
    ) -> None:
        """Differentiate this array, or its sum, with respect to every variable it came from."""
        from divekit.mx import autograd

        autograd.backward(self, out_grad, retain_graph, train_mode)

    # Torch

    @classmethod
    def __torch_function__(
        cls, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        from divekit.mx.calls import apply

        return apply(function, *args, **(kwargs or {}))


# Notebooks print `type(x)` by these.
ndarray.__module__ = "mxnet.numpy"

_new = object.__new__


def wrap(tensor: Tensor, context: Context | None = None, kind: type[ndarray] = ndarray) -> ndarray:
    """Make an array of a tensor, without a copy; ``context`` only for virtual GPUs."""
    array = _new(kind)
    array.tensor = tensor
    array._context = context
    array._tape = None
    return array


def virtual(context: Context) -> Context | None:
    """Give what an array on this device notes: the device itself if it is pretended."""
    return context if context.is_virtual else None


def as_plain(value: Any) -> Any:
    """Give the tensor of an array, a tensor of NumPy's; anything else as it is."""
    if isinstance(value, ndarray):
        return value.tensor
    if isinstance(value, numpy.generic):
        return value.item()
    if isinstance(value, numpy.ndarray):
        return torch.from_numpy(value if value.flags.writeable else value.copy())
    return value


def without_grad(function: Callable[..., Any], *args: Any) -> Any:
    """Call with torch's grad mode off. A view of a leaf still says that it needs a gradient."""
    if not torch.is_grad_enabled():
        return function(*args)
    set_grad_enabled(False)
    try:
        return function(*args)
    finally:
        set_grad_enabled(True)


def uncleared(array: ndarray) -> Tensor:
    """Give an array's tensor for recording: as a constant if a backward freed its past."""
    tape = array._tape
    if tape is not None and tape.cleared:
        array.tensor, array._tape = array.tensor.detach(), None
    return array.tensor


def forward(
    kind: type[ndarray],
    function: Callable[[Tensor], Tensor],
    array: ndarray,
    context: Context | None = None,
) -> ndarray:
    """Call a function of one tensor on one array; ``context`` where the result lives elsewhere."""
    name = array._context if context is None else virtual(context)
    tensor = array.tensor
    if not tensor.requires_grad:
        return wrap(function(tensor), name, kind)
    if not STATE.recording:
        return wrap(without_grad(function, tensor).detach(), name, kind)
    result = wrap(function(uncleared(array)), name, kind)
    if result.tensor.requires_grad:
        result._tape = array._tape or Tape()
    return result


def write(array: ndarray, function: Callable[[Tensor, Any], Any], value: Any) -> None:
    """Change an array's numbers in place; refuse inside ``record()`` if it is recorded.

    Outside a scope the change is never recorded. Inside, an array that is not yet part of the
    graph may be written once, as in MXNet.
    """
    if isinstance(value, ndarray):
        check_same_place(array, value)
    if not STATE.recording:
        without_grad(function, array.tensor, as_plain(value))
        return
    if uncleared(array).requires_grad:
        raise MXNetError(
            "x[...] = y, x += y and out=x are not allowed inside autograd.record() when x is "
            "part of the graph: the gradient would be wrong. Make a new array (x = x + y), or "
            "write outside the scope"
        )
    plain = uncleared(value) if isinstance(value, ndarray) else as_plain(value)
    function(array.tensor, plain)
    if array.tensor.requires_grad:
        array._tape = value._tape or Tape()


def check_same_place(first: ndarray, second: ndarray) -> None:
    """Refuse to mix devices."""
    if first._context is not second._context and first.ctx != second.ctx:
        raise MXNetError(
            f"arrays live on {first.ctx} and {second.ctx}; move one with as_in_ctx(...)"
        )


def _move(tensor: Tensor, context: Context, copy: bool) -> Tensor:
    return tensor.to(context.place(), copy=copy)


def _rebuild(numbers: numpy.ndarray, context: Context) -> ndarray:
    # A GPU that this machine does not have is no reason to lose the numbers.
    if context.device_type == "gpu" and context.device_id >= contexts.num_gpus():
        context = contexts.cpu()
    with unrecorded():
        return wrap(torch.from_numpy(numbers).to(context.place()), virtual(context))
