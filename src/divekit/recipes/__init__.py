"""Recipes: one function per run, by name. Their arguments are the overrides."""

from divekit.recipes.catalog import RECIPES, build, load
from divekit.recipes.linear_networks import (
    linear_regression,
    linear_regression_scratch,
    softmax_regression,
    softmax_regression_scratch,
)

__all__ = [
    "RECIPES",
    "build",
    "linear_regression",
    "linear_regression_scratch",
    "load",
    "softmax_regression",
    "softmax_regression_scratch",
]
