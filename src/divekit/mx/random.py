"""``mx.random``: the seed."""

from divekit.mx.np.random import seed

__all__ = ["seed"]
