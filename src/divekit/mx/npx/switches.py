"""The switches of MXNet's two kinds of arrays, of which only NumPy's is here."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from divekit.mx import context
from divekit.mx.errors import not_here

_OLD = "tensors without NumPy's rules: torch.Tensor"


def set_np(shape: bool = True, array: bool = True, dtype: bool = False) -> None:
    """Do nothing: NumPy's rules always hold. Asking for others is an error."""
    if not (shape and array):
        raise not_here("npx.set_np(shape=False) or (array=False)", _OLD)
    if dtype:
        raise not_here("npx.set_np(dtype=True)", "dtype=np.float64 where an array is made")


def reset_np() -> None:
    """Refuse: there is nothing to go back to."""
    raise not_here("npx.reset_np", _OLD)


def is_np_array() -> bool:
    """Tell that arrays are NumPy's kind."""
    return True


def is_np_shape() -> bool:
    """Tell that shapes are NumPy's kind: with no axes, and with axes of size 0."""
    return True


def use_np(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a function or class as it is: NumPy's rules always hold."""
    return function


use_np_array = use_np_shape = use_np


def np_array(active: bool = True) -> Any:
    """Give a ``with`` block in which NumPy's arrays are used, as everywhere."""
    if not active:
        raise not_here("npx.np_array(False)", _OLD)
    return nullcontext()


np_shape = np_array


def waitall() -> None:
    """Wait until every GPU has done what it was asked."""
    context.synchronize()
