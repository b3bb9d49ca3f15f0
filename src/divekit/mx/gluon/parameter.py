"""Parameters: numbers that are trained, on one device or copied to several.

Each copy is a ``torch.nn.Parameter``; ``data(ctx)`` is an array over it. A parameter whose shape
is not known yet (0 or -1 for an unknown size) waits for the first forward pass.
"""

import itertools
import warnings
from collections.abc import Sequence
from typing import Any

import numpy
import torch
from torch import Tensor

from divekit.mx import autograd, initializer
from divekit.mx import context as contexts
from divekit.mx.array import as_plain, ndarray, virtual, wrap, write
from divekit.mx.context import Context
from divekit.mx.dtypes import torch_dtype
from divekit.mx.errors import MXNetError, NotHereError, ShapeError, not_here
from divekit.mx.state import watch

_numbers = itertools.count()


class DeferredInitializationError(MXNetError):
    """The parameter's shape is not known before the first forward pass."""


class ParameterContextError(MXNetError):
    """The parameter has no copy on the device that was asked for."""


class _Copy:
    """One device's copy: the array, and whether a backward has reached it since the last step."""

    __slots__ = ("_buffer", "_hook", "_request", "array", "fresh")

    def __init__(self, array: ndarray) -> None:
        self.array = array
        self.fresh = False
        self._hook: Any = None

    def watch(self, grad_req: str, buffer: Tensor | None = None) -> None:
        """Collect gradients as ``grad_req`` says."""
        if self._hook is not None:
            self._hook.remove()
        leaf = self.array.tensor
        self._hook = watch(leaf, grad_req, buffer)
        self._buffer, self._request, self.fresh = leaf.grad, grad_req, False

    def __call__(self, leaf: Tensor) -> None:
        """Note, called by torch, that a gradient has arrived."""
        if leaf.grad is not self._buffer:  # torch's zero_grad had taken the buffer away
            self.watch(self._request, leaf.grad)
        self.fresh = True


class Parameter:
    """A named array that is trained.

    ``shape`` may hold 0 or -1 for sizes that are found out later, if ``allow_deferred_init``.
    ``grad_req`` is ``write``, ``add`` or ``null``; ``lr_mult`` and ``wd_mult`` scale the
    learning rate and the weight decay; ``init`` is this parameter's own initializer.
    """

    def __init__(
        self,
        name: str | None = None,
        grad_req: str = "write",
        shape: Any = None,
        dtype: Any = None,
        lr_mult: float = 1.0,
        wd_mult: float = 1.0,
        init: Any = None,
        allow_deferred_init: bool = False,
        differentiable: bool = True,
        stype: str = "default",
        grad_stype: str = "default",
    ) -> None:
        for kind in (stype, grad_stype):
            if kind not in ("default", "row_sparse"):
                raise NotHereError(f"parameters are dense; stype is 'default', not {kind!r}")
        if stype == "row_sparse":
            raise NotHereError(
                "parameters are dense; in PyTorch: torch.nn.Embedding(..., sparse=True)"
            )
        # Without a name it gets the name of the attribute that it becomes.
        self.name = name or ""
        self.dtype = numpy.float32 if dtype is None else dtype
        self.lr_mult, self.wd_mult = lr_mult, wd_mult
        self.init = init
        self.allow_deferred_init = allow_deferred_init
        self.differentiable = differentiable
        self.number = next(_numbers)
        self._shape = None if shape is None else _sizes(shape)
        self._grad_req = "null"
        self._copies: dict[Context, _Copy] | None = None
        # How to initialise once the shape is known: initializer, devices, default, numbers.
        self._deferred: tuple[Any, list[Context], Any, Any] | None = None
        self.grad_req = grad_req

    def __repr__(self) -> str:
        return f"{self._kind} {self.name} (shape={self.shape}, dtype={self.dtype})"

    _kind = "Parameter"

    # What it is

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The length of each axis; -1 for those that are not known yet."""
        return None if self._shape is None else tuple(size or -1 for size in self._shape)

    @shape.setter
    def shape(self, new: Any) -> None:
        sizes = _sizes(new)
        if self._shape is not None and not _fits(self._shape, sizes):
            raise ShapeError(f"parameter {self.name!r} has shape {self.shape}, not {tuple(sizes)}")
        self._shape = sizes

    @property
    def shape_is_known(self) -> bool:
        """Whether no size is left to be found out."""
        return self._shape is not None and all(self._shape)

    @property
    def grad_req(self) -> str:
        """What a backward does with the gradient: ``write``, ``add`` or ``null``."""
        return self._grad_req

    @grad_req.setter
    def grad_req(self, request: str) -> None:
        if request not in ("write", "add", "null"):
            raise ValueError(f"grad_req is 'write', 'add' or 'null', not {request!r}")
        if not self.differentiable:
            request = "null"
        if request == self._grad_req:
            return
        self._grad_req = request
        for copy in (self._copies or {}).values():
            copy.watch(request, copy.array.tensor.grad)

    @property
    def stype(self) -> str:
        """Always dense."""
        return "default"

    # Initial numbers

    def initialize(
        self,
        init: Any = None,
        ctx: Any = None,
        default_init: Any = None,
        force_reinit: bool = False,
        *,
        device: Any = None,
    ) -> None:
        """Draw the initial numbers, on each device of ``ctx``, or note how for later.

        ``init`` goes before the parameter's own, ``default_init`` after it.
        """
        if self._copies is not None and not force_reinit:
            warnings.warn(
                f"parameter {self.name!r} is initialised already and stays as it is; "
                "force_reinit=True draws it anew",
                stacklevel=2,
            )
            return
        devices = _devices(ctx if device is None else device)
        default = initializer.Uniform() if default_init is None else default_init
        chosen = (default if self.init is None else self.init) if init is None else init
        if not self.shape_is_known and not self.allow_deferred_init:
            raise ValueError(
                f"parameter {self.name!r} has shape {self.shape}: say all sizes, such as in_units "
                "or in_channels, or allow_deferred_init=True"
            )
        self._copies = None
        self._deferred = (chosen, devices, default, None)
        if self.shape_is_known:
            self.finish()

    def finish(self) -> None:
        """Carry out an initialisation that waited for the shape."""
        if self._deferred is None:
            return
        if not self.shape_is_known:
            raise ValueError(f"the shape of parameter {self.name!r} is not known: {self.shape}")
        chosen, devices, default, numbers = self._deferred
        with autograd.pause(train_mode=autograd.is_training()), contexts.cpu():
            if numbers is None:
                numbers = wrap(torch.zeros(self._shape or (), dtype=torch_dtype(self.dtype)))
                described = initializer.InitDesc(self.name, {"__init__": chosen})
                initializer.create(default)(described, numbers)
            self._place(numbers.tensor, devices)
        self._deferred = None

    def _place(self, numbers: Tensor, devices: list[Context]) -> None:
        self._copies = {}
        for device in devices:
            leaf = torch.nn.Parameter(
                numbers.detach().to(device.place(), copy=True), requires_grad=False
            )
            copy = self._copies[device] = _Copy(wrap(leaf, virtual(device)))
            copy.watch(self._grad_req)
            if leaf.is_floating_point():
                leaf.requires_grad_(True)
                leaf.register_post_accumulate_grad_hook(copy)
                leaf.requires_grad_(self._grad_req != "null")

    def set_data(self, data: Any) -> None:
        """Replace the numbers on every device; before initialisation, the ones to begin with."""
        numbers = data if isinstance(data, ndarray) else wrap(torch.as_tensor(as_plain(data)))
        self.shape = numbers.shape
        if self._copies is None:
            if self._deferred is None:
                raise self._not_initialised()
            self._deferred = (*self._deferred[:3], wrap(self._as_own(numbers)))
            self.finish()
            return
        for copy in self._copies.values():
            write(copy.array, lambda tensor, new: tensor.copy_(new), wrap_like(numbers, copy.array))

    def _as_own(self, numbers: ndarray) -> Tensor:
        return numbers.tensor.detach().cpu().to(torch_dtype(self.dtype))

    def load(self, data: ndarray, ctx: Any = None, cast: bool = False, own: bool = True) -> None:
        """Take numbers from a file, initialising the parameter if need be.

        ``cast`` allows another type: the numbers get the parameter's, if ``own``, else it theirs.
        """
        if self._shape is not None and not _fits(self._shape, data.shape):
            raise ShapeError(f"parameter {self.name!r} has shape {self.shape}, not {data.shape}")
        if data.tensor.dtype != torch_dtype(self.dtype):
            if not cast:
                raise MXNetError(
                    f"parameter {self.name!r} is {torch_dtype(self.dtype)}, the file's is "
                    f"{data.tensor.dtype}; cast_dtype=True converts"
                )
            if not own:
                self.cast(data.dtype)
        self._shape = data.shape
        if ctx is None and self._copies is None and self._deferred is not None:
            ctx = self._deferred[1]
        if self._copies is not None and ctx is not None and _devices(ctx) != self.list_ctx():
            self.reset_ctx(ctx)
        if self._copies is None:
            self._place(self._as_own(data), _devices(ctx))
            self._deferred = None
        else:
            self.set_data(data)

    def reset_ctx(self, ctx: Any) -> None:
        """Move the numbers to other devices."""
        devices = _devices(ctx)
        if self._copies is not None:
            self._place(self.reduced().tensor, devices)
        elif self._deferred is not None:
            self._deferred = (self._deferred[0], devices, *self._deferred[2:])
        else:
            raise self._not_initialised()

    reset_device = reset_ctx

    def reduced(self) -> ndarray:
        """Give the mean over the devices, in main memory."""
        copies = [array.tensor.detach().cpu() for array in self.list_data()]
        mean = copies[0].clone() if len(copies) == 1 else torch.stack(copies).mean(0)
        return wrap(mean.to(copies[0].dtype))

    def cast(self, dtype: Any) -> None:
        """Change the type of the numbers."""
        self.dtype = dtype
        if self._copies is not None:
            self._place(self.reduced().tensor.to(torch_dtype(dtype)), self.list_ctx())

    # The numbers and their gradients

    def data(self, ctx: Any = None) -> ndarray:
        """Give the numbers on a device, which may be left out where there is one copy."""
        copies = self._copies
        if copies is None:
            raise self._not_initialised()
        copy = copies.get(ctx) if ctx is not None else None
        return copy.array if copy is not None else self._find(ctx).array

    def _find(self, ctx: Any) -> _Copy:
        if self._copies is None:
            raise self._not_initialised()
        if ctx is None and len(self._copies) == 1:
            return next(iter(self._copies.values()))
        wanted = _normal(contexts.as_context(ctx))
        if wanted not in self._copies:
            raise ParameterContextError(
                f"parameter {self.name!r} was not initialised on {wanted}, only on "
                f"{list(self._copies)}"
            )
        return self._copies[wanted]

    def _not_initialised(self) -> MXNetError:
        if self._deferred is not None:
            return DeferredInitializationError(
                f"parameter {self.name!r} has not been initialized yet because initialization was "
                f"deferred: its shape is {self.shape}. Pass one batch of data through the network, "
                "or say the number of inputs (in_units, in_channels) where the layer is made"
            )
        return MXNetError(
            f"parameter {self.name!r} has not been initialized: call initialize() on the block or "
            "on its collect_params() first, which also reaches the blocks inside"
        )

    def list_data(self) -> list[ndarray]:
        """Give the numbers on each device."""
        if self._copies is None:
            raise self._not_initialised()
        return [copy.array for copy in self._copies.values()]

    def grad(self, ctx: Any = None) -> ndarray:
        """Give the gradient on a device: the buffer that a backward writes to."""
        return self._grad_of(self._find(ctx))

    def list_grad(self) -> list[ndarray]:
        """Give the gradient on each device."""
        self.list_data()
        return [self._grad_of(copy) for copy in (self._copies or {}).values()]

    def _grad_of(self, copy: _Copy) -> ndarray:
        if self._grad_req == "null":
            raise MXNetError(f"parameter {self.name!r} has no gradient: its grad_req is 'null'")
        leaf = copy.array.tensor
        if leaf.grad is None:  # torch's zero_grad took the buffer away
            copy.watch(self._grad_req)
        return wrap(leaf.grad, copy.array._context)  # type: ignore[arg-type]

    def zero_grad(self) -> None:
        """Set the gradient to 0 on every device."""
        if self._grad_req != "null" and self._copies is not None:
            for gradient in self.list_grad():
                gradient.tensor.zero_()

    def list_ctx(self) -> list[Context]:
        """Give the devices of the numbers, or those that they will go to."""
        if self._copies is not None:
            return list(self._copies)
        if self._deferred is not None:
            return self._deferred[1]
        raise self._not_initialised()

    list_device = list_ctx

    def stale(self) -> list[Context]:
        """Give the devices whose gradient no backward has reached since ``used``."""
        return [device for device, copy in (self._copies or {}).items() if not copy.fresh]

    def used(self) -> None:
        """Note that the gradients have gone into a step."""
        for copy in (self._copies or {}).values():
            copy.fresh = False

    def __deepcopy__(self, memo: dict[int, Any]) -> "Parameter":
        made = memo[id(self)] = object.__new__(type(self))
        vars(made).update(vars(self))
        made.number, made._copies = next(_numbers), None
        if self._copies is not None:
            made._place(self.reduced().tensor, self.list_ctx())
        return made

    def var(self) -> Any:
        """Refuse: there are no symbols."""
        raise not_here("Parameter.var", "the parameter's tensor, parameter.data().tensor")

    def row_sparse_data(self, row_id: Any) -> Any:
        """Refuse: parameters are dense."""
        raise not_here("Parameter.row_sparse_data", "parameter.data()[rows]")


def wrap_like(data: ndarray, other: ndarray) -> ndarray:
    """Give the numbers of an array as one on another array's device, without its past."""
    return wrap(data.tensor.detach().to(other.tensor.device), other._context)


def _sizes(shape: Any) -> tuple[int, ...]:
    given = (shape,) if isinstance(shape, int) else shape
    return tuple(0 if size in (None, -1) else int(size) for size in given)


def _fits(known: Sequence[int], new: Sequence[int]) -> bool:
    return len(known) == len(new) and all(
        old in (0, size) for old, size in zip(known, new, strict=True)
    )


def _normal(context: Context) -> Context:
    """Give the name under which arrays know a device: all main memory is one."""
    return context if context.device_type == "gpu" else contexts.cpu()


def _devices(given: Any) -> list[Context]:
    several = given if isinstance(given, list | tuple) else [given]
    devices = [_normal(contexts.as_context(one)) for one in several]
    if not devices or len(set(devices)) != len(devices):
        raise MXNetError(
            f"parameters go to different devices, not to {list(several)}: all CPUs are one; "
            "`divekit run --virtual-gpus 2` pretends two GPUs"
        )
    return devices


# Notebooks print `type(net[1].bias)` by this.
Parameter.__module__ = "mxnet.gluon.parameter"
