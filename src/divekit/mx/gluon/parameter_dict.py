"""``ParameterDict``: parameters by name, made where they are asked for."""

import os
import textwrap
from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from typing import Any

import numpy

from divekit.errors import BadDataError
from divekit.mx import files, initializer
from divekit.mx.context import Context
from divekit.mx.errors import MXNetError
from divekit.mx.gluon.constant import Constant
from divekit.mx.gluon.parameter import Parameter, _fits, _sizes


class ParameterDict:
    """Parameters by full name; ``get`` makes those that are not there.

    ``shared`` is a dict whose parameters are used before new ones are made.
    """

    def __init__(self, prefix: str = "", shared: "ParameterDict | None" = None) -> None:
        self._prefix = prefix
        self._params: dict[str, Parameter] = {}
        self._shared = shared

    def __repr__(self) -> str:
        name = f"{self._prefix} " if self._prefix else ""
        content = "\n".join(textwrap.indent(repr(p), "  ") for p in self.values())
        return f"{name}(\n{content}\n)"

    # As a dict

    def __getitem__(self, key: str) -> Parameter:
        return self._params[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._params)

    def __len__(self) -> int:
        return len(self._params)

    def __contains__(self, key: object) -> bool:
        return key in self._params

    def items(self) -> ItemsView[str, Parameter]:
        """Give names and parameters."""
        return self._params.items()

    def keys(self) -> KeysView[str]:
        """Give the names."""
        return self._params.keys()

    def values(self) -> ValuesView[Parameter]:
        """Give the parameters."""
        return self._params.values()

    @property
    def prefix(self) -> str:
        """What the names of new parameters begin with."""
        return self._prefix

    # Making

    def get(self, name: str, **kwargs: Any) -> Parameter:
        """Give the parameter ``prefix + name``, made with ``kwargs`` if it is not there.

        A shape of the one that is there is completed; anything else must agree.
        """
        full = self._prefix + name
        found = self._known(full)
        if found is None:
            found = self._params[full] = Parameter(full, **kwargs)
            return found
        for key, wanted in kwargs.items():
            if wanted is not None:
                _agree(found, key, wanted)
        return found

    def _known(self, full: str) -> Parameter | None:
        if full not in self._params and self._shared is not None:
            found = self._shared._known(full)
            if found is not None:
                self._params[full] = found
        return self._params.get(full)

    def get_constant(self, name: str, value: Any = None) -> Parameter:
        """Give the constant ``prefix + name``, made of ``value`` if it is not there."""
        full = self._prefix + name
        found = self._known(full)
        if found is None:
            if value is None:
                raise KeyError(f"there is no constant {full!r}, and no value to make it of")
            found = self._params[full] = Constant(full, value)
        elif not isinstance(found, Constant):
            raise MXNetError(f"parameter {full!r} is no constant")
        return found

    def update(self, other: Any, select: Any = None) -> None:
        """Take in another dict's parameters; the same name must mean the same parameter."""
        for name, parameter in other.items():
            if select is not None and not select.match(name):
                continue
            if self._params.setdefault(name, parameter) is not parameter:
                raise MXNetError(f"there are two parameters with the name {name!r}")

    # All at once

    def initialize(
        self,
        init: Any = None,
        ctx: Any = None,
        verbose: bool = False,
        force_reinit: bool = False,
        *,
        device: Any = None,
    ) -> None:
        """Draw the initial numbers of all parameters; ``init`` is for those without their own."""
        chosen = initializer.Uniform() if init is None else initializer.create(init)
        for parameter in self.values():
            parameter.initialize(None, ctx, chosen, force_reinit, device=device)

    def zero_grad(self) -> None:
        """Set all gradients to 0."""
        for parameter in self.values():
            parameter.zero_grad()

    def reset_ctx(self, ctx: Any) -> None:
        """Move all parameters to other devices."""
        for parameter in self.values():
            parameter.reset_ctx(ctx)

    def list_ctx(self) -> list[Context]:
        """Give every device that holds a parameter."""
        return list(dict.fromkeys(device for p in self.values() for device in p.list_ctx()))

    list_device = list_ctx

    def setattr(self, name: str, value: Any) -> None:
        """Set an attribute of all parameters, such as ``grad_req`` or ``wd_mult``."""
        for parameter in self.values():
            if not hasattr(parameter, name):
                raise AttributeError(f"parameters have no attribute {name!r}")
            setattr(parameter, name, value)

    # Files

    def save(self, filename: str | os.PathLike[str], strip_prefix: str = "") -> None:
        """Write all parameters by name, of which ``strip_prefix`` is left out."""
        strangers = [name for name in self if not name.startswith(strip_prefix)]
        if strangers:
            raise ValueError(f"{strangers[0]!r} does not begin with {strip_prefix!r}")
        files.save(filename, {name[len(strip_prefix) :]: p.reduced() for name, p in self.items()})

    def load(
        self,
        filename: str | os.PathLike[str],
        ctx: Any = None,
        allow_missing: bool = False,
        ignore_extra: bool = False,
        restore_prefix: str = "",
        cast_dtype: bool = False,
        dtype_source: str = "current",
    ) -> None:
        """Read parameters by name, before which ``restore_prefix`` is put.

        Files of ``export`` and of the older ``Module`` are read as well.
        """
        found = named_arrays(filename)
        load_into(
            dict(self.items()),
            {restore_prefix + name: array for name, array in found.items()},
            str(filename),
            ctx,
            allow_missing,
            ignore_extra,
            cast_dtype,
            dtype_source,
        )


def named_arrays(filename: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a file of arrays by name; ``arg:`` and ``aux:`` of exported files are left out."""
    found = files.load(filename)
    if not isinstance(found, dict):
        if found:
            raise BadDataError(f"{filename}: the arrays in it have no names")
        return {}
    return {name.removeprefix("arg:").removeprefix("aux:"): array for name, array in found.items()}


def load_into(
    parameters: dict[str, Parameter],
    found: dict[str, Any],
    filename: str,
    ctx: Any,
    allow_missing: bool,
    ignore_extra: bool,
    cast_dtype: bool,
    dtype_source: str,
) -> None:
    """Load arrays into parameters by name; nothing is changed where a name is wrong."""
    if dtype_source not in ("current", "saved"):
        raise ValueError(f"dtype_source is 'current' or 'saved', not {dtype_source!r}")
    missing = [name for name in parameters if name not in found]
    extra = [name for name in found if name not in parameters]
    if missing and not allow_missing:
        raise BadDataError(
            f"{filename} has no {missing[0]!r}, but {_some(found)}; allow_missing=True leaves the "
            "parameter as it is"
        )
    if extra and not ignore_extra:
        raise BadDataError(
            f"{filename} has {extra[0]!r}, which is not among {_some(parameters)}; "
            "ignore_extra=True passes over it"
        )
    chosen = {name: p for name, p in parameters.items() if name in found}
    for name, parameter in chosen.items():
        if parameter._shape is not None and not _fits(parameter._shape, found[name].shape):
            raise BadDataError(
                f"{filename}: {name!r} has shape {found[name].shape}, the parameter "
                f"{parameter.shape}"
            )
    for name, parameter in chosen.items():
        parameter.load(found[name], ctx, cast_dtype, dtype_source == "current")


def _some(names: Any) -> str:
    listed = list(names)
    return ", ".join(map(repr, listed[:5])) + (", ..." if len(listed) > 5 else "") or "nothing"


def _agree(parameter: Parameter, key: str, wanted: Any) -> None:
    if key == "shape":
        new = _sizes(wanted)
        known = parameter._shape
        if known is None:
            parameter.shape = new
            return
        if len(known) == len(new):
            filled = tuple(ours or theirs for ours, theirs in zip(known, new, strict=True))
            if _fits(new, filled):
                parameter.shape = filled
                return
    elif key == "init":
        if parameter.init is None:
            parameter.init = wanted
            return
        if initializer.create(parameter.init) == initializer.create(wanted):
            return
    elif key == "dtype":
        if numpy.dtype(parameter.dtype) == numpy.dtype(wanted):
            return
    elif getattr(parameter, key) == wanted:
        return
    raise MXNetError(
        f"parameter {parameter.name!r} is there with {key}={getattr(parameter, key)!r}, "
        f"not {wanted!r}"
    )
