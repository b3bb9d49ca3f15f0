"""``gluon.model_zoo``: well-known networks."""

from divekit.mx.gluon.model_zoo import vision

__all__ = ["vision"]
