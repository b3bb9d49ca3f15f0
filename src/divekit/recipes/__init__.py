"""Recipes: one function per run, by name. Their arguments are the overrides."""

from collections.abc import Callable

from divekit.recipes.convolutional_networks import lenet
from divekit.recipes.deep_convolutional_networks import alexnet, googlenet, nin, vgg
from divekit.recipes.dropout import mlp_dropout, mlp_dropout_scratch
from divekit.recipes.linear_networks import (
    linear_regression,
    linear_regression_scratch,
    softmax_regression,
    softmax_regression_scratch,
)
from divekit.recipes.model_selection import (
    polynomial_regression,
    weight_decay,
    weight_decay_scratch,
)
from divekit.recipes.multilayer_perceptrons import mlp, mlp_scratch, mlp_xor
from divekit.recipes.predicting_house_prices import house_prices_linear, house_prices_mlp
from divekit.recipes.residual_networks import (
    batch_norm_lenet,
    batch_norm_lenet_scratch,
    densenet,
    resnet18,
    resnet18_modern,
)
from divekit.train import Recipe
from divekit.train.recipe import is_recipe

__all__ = [
    "RECIPES",
    "alexnet",
    "batch_norm_lenet",
    "batch_norm_lenet_scratch",
    "densenet",
    "googlenet",
    "house_prices_linear",
    "house_prices_mlp",
    "lenet",
    "linear_regression",
    "linear_regression_scratch",
    "mlp",
    "mlp_dropout",
    "mlp_dropout_scratch",
    "mlp_scratch",
    "mlp_xor",
    "nin",
    "polynomial_regression",
    "resnet18",
    "resnet18_modern",
    "softmax_regression",
    "softmax_regression_scratch",
    "vgg",
    "weight_decay",
    "weight_decay_scratch",
]

RECIPES: dict[str, Callable[..., Recipe]] = {
    name: value for name, value in list(globals().items()) if is_recipe(value)
}
"""Every recipe by its name."""
