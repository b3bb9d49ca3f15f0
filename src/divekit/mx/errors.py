"""What goes wrong in the front end, under MXNet's name for it."""

from divekit.errors import DivekitError


class MXNetError(DivekitError, RuntimeError):
    """An operation that cannot be done; ``mxnet.base.MXNetError`` is this class."""


class ShapeError(MXNetError, ValueError):
    """Shapes that do not fit together; the message names all of them."""


class AxisError(MXNetError, ValueError, IndexError):
    """An axis that the array does not have."""


class DtypeError(MXNetError, TypeError):
    """A data type that MXNet's arrays do not have, or that an operator does not take."""


class NotHereError(DivekitError, NotImplementedError):
    """Something that MXNet had and this front end lacks; the message names PyTorch's way."""


def not_here(name: str, instead: str) -> NotHereError:
    """Build the error for a call of MXNet's that is missing, with what PyTorch has for it."""
    return NotHereError(f"{name} is not part of divekit.mx; in PyTorch: {instead}")


class MissingNameError(NotHereError, AttributeError):
    """A name that MXNet's module had and this one lacks."""


def no_attribute(module: str, name: str, instead: str | None = None) -> AttributeError:
    """Build the error for ``module.name``; a name that MXNet had comes with what to use instead."""
    if instead is None:
        return AttributeError(f"module {module!r} has no attribute {name!r}")
    return MissingNameError(f"{module}.{name} is not part of divekit.mx; instead: {instead}")
