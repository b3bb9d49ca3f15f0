"""Measures of how good a model is, and of how long it takes."""

from divekit.evaluate.classification import accuracy, confusion
from divekit.evaluate.timing import Timer

__all__ = ["Timer", "accuracy", "confusion"]
