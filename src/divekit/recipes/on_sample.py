"""Settings of a recipe for the small data that stand in for its own."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, cast

from divekit.data import samples_wanted
from divekit.train import Recipe

Parameters = ParamSpec("Parameters")


def on_sample(
    **settings: Any,
) -> Callable[[Callable[Parameters, Recipe]], Callable[Parameters, Recipe]]:
    """Make a recipe's function take these arguments in place of its defaults for samples.

    What learns 60,000 images in ten epochs may learn nothing from 1,437 in as many. Samples must be
    asked for where the recipe is made, not only where it is trained. Arguments that the caller
    gives come first. The recipe notes the settings with its other arguments, so a saved run is
    rebuilt with them. Stands above ``@recipe``.
    """

    def decorate(function: Callable[Parameters, Recipe]) -> Callable[Parameters, Recipe]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def called(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Recipe:
            given = signature.bind(*args, **kwargs).arguments
            chosen = (settings if samples_wanted() else {}) | given
            return cast(Callable[..., Recipe], function)(**chosen)

        called.on_sample = settings  # type: ignore[attr-defined]
        return called

    return decorate
