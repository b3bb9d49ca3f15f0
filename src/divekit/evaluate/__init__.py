"""Measures of how good a model is, how large, and how long it takes."""

from divekit.evaluate.classification import accuracy, confusion
from divekit.evaluate.summary import Layer, Summary, layer_table, summarise
from divekit.evaluate.timing import Timer

__all__ = ["Layer", "Summary", "Timer", "accuracy", "confusion", "layer_table", "summarise"]
