"""Measures of how good a model is."""

from divekit.evaluate.classification import accuracy

__all__ = ["accuracy"]
