"""``Block``: a network or a part of one, with its parameters and the blocks inside it."""

import os
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor

from divekit.errors import BadDataError
from divekit.mx import files, initializer
from divekit.mx.errors import MXNetError
from divekit.mx.gluon import names
from divekit.mx.gluon.parameter import Parameter
from divekit.mx.gluon.parameter_dict import ParameterDict, load_into, named_arrays


class HookHandle:
    """Takes a hook away again with ``detach()`` or at the end of a ``with`` block."""

    def __init__(self, hooks: dict[int, Any], hook: Any) -> None:
        self._hooks, self._key = hooks, id(self)
        hooks[self._key] = hook

    def detach(self) -> None:
        """Take the hook away."""
        self._hooks.pop(self._key, None)

    def __enter__(self) -> "HookHandle":
        return self

    def __exit__(self, *unused: Any) -> None:
        self.detach()


class Block:
    """The base of all layers and networks; subclasses write ``forward``.

    Blocks and parameters that become attributes are found by ``collect_params``, saved and
    printed. ``prefix`` begins the names of the parameters; ``params`` is another block's
    ``params``, whose parameters are then shared.
    """

    def __init__(self, prefix: str | None = None, params: ParameterDict | None = None) -> None:
        self._prefixless = prefix == ""
        self._prefix, self._params = names.named(self._alias(), prefix, params)
        self._scope = names.Scope(self)
        self._children: dict[str, Block] = {}
        self._reg_params: dict[str, Parameter] = {}
        self._forward_pre_hooks: dict[int, Any] = {}
        self._forward_hooks: dict[int, Any] = {}

    def _alias(self) -> str:
        return type(self).__name__.lower()

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Block | Parameter):
            if "_reg_params" not in self.__dict__:
                raise MXNetError(
                    f"call super().__init__() in {type(self).__name__}.__init__ before setting "
                    f"self.{name}"
                )
            if isinstance(value, Block):
                self.register_child(value, name)
            else:
                self._register_parameter(name, value)
        elif isinstance(before := self.__dict__.get(name), Block | Parameter):
            if value is not None:
                raise TypeError(
                    f"self.{name} is a {type(before).__name__} and cannot become a "
                    f"{type(value).__name__}; None takes it away"
                )
            self._children.pop(name, None)
            self._drop_parameter(name)
        super().__setattr__(name, value)

    def _register_parameter(self, name: str, parameter: Parameter) -> None:
        if not parameter.name:
            parameter.name = self._prefix + name
        if self._reg_params.get(name) is not parameter:
            self._drop_parameter(name)
        self._params.update({parameter.name: parameter})
        self._reg_params[name] = parameter

    def _drop_parameter(self, name: str) -> None:
        before = self._reg_params.pop(name, None)
        if before is not None:
            self._params._params.pop(before.name, None)

    def register_child(self, block: "Block", name: str | None = None) -> None:
        """Take a block in; one in an attribute is taken in by itself."""
        self._children[str(len(self._children)) if name is None else name] = block

    def __repr__(self) -> str:
        return _printed(
            type(self).__name__,
            {key: value for key, value in self.__dict__.items() if isinstance(value, Block)},
        )

    # Names

    @property
    def prefix(self) -> str:
        """What the names of this block's parameters begin with."""
        return self._prefix

    @property
    def name(self) -> str:
        """The prefix without its underscore."""
        return self._prefix.removesuffix("_")

    def name_scope(self) -> names.Scope:
        """Name the blocks made in the ``with`` block after this one: ``net0_dense0_``."""
        return self._scope

    # Parameters

    @property
    def params(self) -> ParameterDict:
        """Give this block's own parameters, without those of the blocks inside."""
        return self._params

    def collect_params(self, select: str | None = None) -> ParameterDict:
        """Give the parameters of this block and of all inside, or those whose names fit ``select``.

        ``select`` is a regular expression for the beginning of the name.
        """
        found = ParameterDict(self._params.prefix)
        pattern = None if select is None else re.compile(select)
        for block in self._blocks():
            found.update(block.params, pattern)
        return found

    def _blocks(self) -> Iterator["Block"]:
        yield self
        for child in self._children.values():
            yield from child._blocks()

    def _structural(self, prefix: str = "") -> dict[str, Parameter]:
        """Give all parameters by where they are: ``features.0.weight``."""
        found = {prefix + name: parameter for name, parameter in self._reg_params.items()}
        attached = set(map(id, found.values()))
        for name, parameter in self._params.items():
            if id(parameter) not in attached:
                found[prefix + name.removeprefix(self._prefix)] = parameter
        for name, child in self._children.items():
            found.update(child._structural(f"{prefix}{name}."))
        return found

    def initialize(
        self,
        init: Any = None,
        ctx: Any = None,
        verbose: bool = False,
        force_reinit: bool = False,
        *,
        device: Any = None,
    ) -> None:
        """Draw the initial numbers of all parameters, on ``ctx`` or a list of devices.

        ``init`` is for parameters without their own: ``Uniform(0.07)`` unless given. Parameters
        whose shapes are not known yet wait for the first forward pass.
        """
        chosen = initializer.Uniform() if init is None else init
        self.collect_params().initialize(chosen, ctx, verbose, force_reinit, device=device)

    def setattr(self, name: str, value: Any) -> None:
        """Set an attribute of all parameters, such as ``grad_req``."""
        self.collect_params().setattr(name, value)

    def zero_grad(self) -> None:
        """Set all gradients to 0."""
        self.collect_params().zero_grad()

    def reset_ctx(self, ctx: Any) -> None:
        """Move all parameters to other devices."""
        self.collect_params().reset_ctx(ctx)

    reset_device = reset_ctx

    def cast(self, dtype: Any) -> None:
        """Change the type of all parameters."""
        for child in self._children.values():
            child.cast(dtype)
        for parameter in self.params.values():
            parameter.cast(dtype)

    def apply(self, fn: Callable[["Block"], Any]) -> "Block":
        """Call a function on every block inside, then on this one."""
        for child in self._children.values():
            child.apply(fn)
        fn(self)
        return self

    def hybridize(self, active: bool = True, **kwargs: Any) -> None:
        """Tell all hybrid blocks inside that they may be compiled."""
        for child in self._children.values():
            child.hybridize(active, **kwargs)

    # Files

    def save_parameters(self, filename: str | os.PathLike[str], deduplicate: bool = False) -> None:
        """Write all parameters by where they are in the network, in MXNet's format.

        ``deduplicate`` writes a shared parameter once.
        """
        found = self._structural()
        if deduplicate:
            once = {id(parameter): name for name, parameter in reversed(list(found.items()))}
            found = {name: p for name, p in found.items() if once[id(p)] == name}
        files.save(filename, {name: parameter.reduced() for name, parameter in found.items()})

    def load_parameters(
        self,
        filename: str | os.PathLike[str],
        ctx: Any = None,
        allow_missing: bool = False,
        ignore_extra: bool = False,
        cast_dtype: bool = False,
        dtype_source: str = "current",
        *,
        device: Any = None,
    ) -> None:
        """Read what ``save_parameters`` wrote, here or in MXNet, or a file with full names.

        Raises BadDataError for names that are missing or too many, unless these are allowed, and
        for shapes that do not fit.
        """
        ctx = ctx if device is None else device
        found, ours = named_arrays(filename), self._structural()
        if not found and not ours:
            return
        own_names = self.collect_params()
        if not any("." in name for name in found) and not set(found) & set(ours):
            # Written by ParameterDict.save, or of an exported network.
            ours = dict(own_names.items())
            if not set(found) & set(ours):
                ours = {name.removeprefix(self.prefix): p for name, p in ours.items()}
        elif not allow_missing:
            _fill_shared(found, ours)
        load_into(
            ours, found, str(filename), ctx, allow_missing, ignore_extra, cast_dtype, dtype_source
        )

    save_params, load_params = save_parameters, load_parameters

    # Calling

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._forward_pre_hooks:
            for hook in list(self._forward_pre_hooks.values()):
                hook(self, args)
        result = self.forward(*args, **kwargs)
        if self._forward_hooks:
            for hook in list(self._forward_hooks.values()):
                hook(self, args, result)
        return result

    def forward(self, *args: Any) -> Any:
        """Compute the block's result; subclasses write it."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(self, ...)")

    def register_forward_pre_hook(self, hook: Callable[..., Any]) -> HookHandle:
        """Call ``hook(block, inputs)`` before each forward pass."""
        return HookHandle(self._forward_pre_hooks, hook)

    def register_forward_hook(self, hook: Callable[..., Any]) -> HookHandle:
        """Call ``hook(block, inputs, result)`` after each forward pass."""
        return HookHandle(self._forward_hooks, hook)

    def summary(self, *inputs: Any) -> None:
        """Print every layer with the shape of its result and its number of parameters."""
        from divekit.mx.gluon.summary import print_summary

        print_summary(self, inputs)

    # Torch

    @property
    def module(self) -> Any:
        """Give this block as a ``torch.nn.Module`` over the same parameters, anew at each call."""
        from divekit.mx.gluon.module import BlockModule

        return BlockModule(self)

    def state_dict(self) -> dict[str, Tensor]:
        """Give the parameters' tensors by where they are, as torch's modules do."""
        return {name: p.list_data()[0].tensor.detach() for name, p in self._structural().items()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take in what ``state_dict`` gave."""
        ours = self._structural()
        if set(ours) != set(state):
            wrong = sorted(set(ours) ^ set(state))[0]
            raise BadDataError(f"{wrong!r} is in one of state and block, and not in the other")
        for name, parameter in ours.items():
            parameter.set_data(state[name])


def _fill_shared(found: dict[str, Any], ours: dict[str, Parameter]) -> None:
    """Give a shared parameter that was written once each of its names."""
    given = {id(parameter): found[name] for name, parameter in ours.items() if name in found}
    for name, parameter in ours.items():
        if name not in found and id(parameter) in given:
            found[name] = given[id(parameter)]


def _printed(name: str, blocks: dict[str, Block]) -> str:
    inside = "\n".join(
        textwrap.indent(f"({key}): {block!r}", "  ") for key, block in blocks.items()
    )
    return f"{name}(\n{inside}\n)"
