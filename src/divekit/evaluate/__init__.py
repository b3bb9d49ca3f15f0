"""Measures of how good a model is, how large, how long it takes, and in how much memory."""

from divekit.evaluate.classification import accuracy, confident_mistakes, confusion
from divekit.evaluate.memory import kept_for_backward, peak_memory
from divekit.evaluate.regression import squared_log_error
from divekit.evaluate.summary import Layer, Summary, layer_table, summarise
from divekit.evaluate.timing import Timer, device_clock

__all__ = [
    "Layer",
    "Summary",
    "Timer",
    "accuracy",
    "confident_mistakes",
    "confusion",
    "device_clock",
    "kept_for_backward",
    "layer_table",
    "peak_memory",
    "squared_log_error",
    "summarise",
]
