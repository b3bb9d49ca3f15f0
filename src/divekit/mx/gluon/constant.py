"""``Constant``: numbers that a block keeps but does not train."""

from typing import Any

from divekit.mx import initializer, np
from divekit.mx.array import ndarray
from divekit.mx.errors import ShapeError
from divekit.mx.gluon.parameter import Parameter


class Constant(Parameter):
    """Numbers that a block keeps but does not train; they are saved with its parameters."""

    _kind = "Constant"

    def __init__(self, name: str | None = None, value: Any = None) -> None:
        if value is None:  # MXNet 2: Constant(value)
            name, value = None, name
        self.value = value if isinstance(value, ndarray) else np.array(value)
        super().__init__(
            name,
            grad_req="null",
            shape=self.value.shape,
            dtype=self.value.dtype,
            init=initializer.Constant(self.value),
            differentiable=False,
        )

    def initialize(
        self,
        init: Any = None,
        ctx: Any = None,
        default_init: Any = None,
        force_reinit: bool = False,
        *,
        device: Any = None,
    ) -> None:
        """Copy the value to each device of ``ctx``; there is nothing to draw."""
        super().initialize(None, ctx, None, force_reinit, device=device)

    @property
    def shape_is_known(self) -> bool:
        """Always: the value has its shape, of which a size may be 0."""
        return True

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The length of each axis."""
        return self._shape

    @shape.setter
    def shape(self, new: Any) -> None:
        if tuple(new) != self._shape:
            raise ShapeError(f"constant {self.name!r} has shape {self._shape}, not {tuple(new)}")
