"""Settings given as text (``lr=0.5``, ``data.batch_size=128``), parsed by their declared types.

The text is never evaluated. A value that does not fit its type, or a name that does not
exist, is one error that names the setting and what it takes.
"""

import inspect
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from divekit.errors import UsageError, unknown_name

TRUE, FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def split_pairs(words: Iterable[str]) -> dict[str, str]:
    """Split command-line words ``name=value`` into a dict; a repeated name is an error."""
    pairs: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise UsageError(f"{word!r} is not of the form name=value")
        if name in pairs:
            raise UsageError(f"{name} is given twice")
        pairs[name] = value
    return pairs


def parse_settings(
    target: Callable[..., Any], texts: Mapping[str, str], prefix: str = ""
) -> dict[str, Any]:
    """Parse ``texts`` by the annotations of the keyword arguments of ``target``.

    ``target`` is a function or a dataclass; ``prefix`` is put before names in errors.
    """
    hints = get_type_hints(target.__init__ if inspect.isclass(target) else target)
    names = list(inspect.signature(target).parameters)
    values = {}
    for name, text in texts.items():
        if name not in names:
            raise unknown_name("setting", prefix + name, [prefix + known for known in names])
        values[name] = parse_value(text, hints.get(name, str), prefix + name)
    return values


def parse_value(text: str, annotation: Any, name: str) -> Any:
    """Turn ``text`` into a value of the annotated type.

    Takes int, float, bool, str, ``X | None``, ``Literal[...]`` and ``tuple[X, ...]``
    (values separated by commas).
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        if text.lower() == "none" and type(None) in arguments:
            return None
        # The first alternative that fits wins, in the order in which they are declared.
        for alternative in arguments:
            if alternative is type(None):
                continue
            try:
                return parse_value(text, alternative, name)
            except UsageError:
                continue
        raise _misfit(name, text, annotation)
    if origin is Literal:
        for choice in arguments:
            if text == str(choice):
                return choice
        raise _misfit(name, text, annotation)
    if origin is tuple:
        # A single bracket belongs to a value: the column "size (m2)".
        inner = text[1:-1] if text.startswith("(") and text.endswith(")") else text
        parts = [part.strip() for part in inner.split(",") if part.strip()]
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(parse_value(part, arguments[0], name) for part in parts)
        if len(parts) != len(arguments):
            raise _misfit(name, text, annotation)
        return tuple(
            parse_value(part, kind, name) for part, kind in zip(parts, arguments, strict=True)
        )
    if annotation is bool:
        if text.lower() in TRUE + FALSE:
            return text.lower() in TRUE
        raise _misfit(name, text, annotation)
    if annotation in (int, float):
        try:
            number = annotation(text)
        except ValueError:
            raise _misfit(name, text, annotation) from None
        if annotation is int and not -(2**63) <= number < 2**63:
            raise UsageError(f"{name}={text}: no computer counts so far; 64 bits do")
        return number
    if annotation is str:
        return text
    raise UsageError(f"{name} cannot be set from the command line; set it from Python")


def fits(value: Any, annotation: Any) -> bool:
    """Tell whether a value is one that ``parse_value`` could give; a list passes for a tuple."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return any(fits(value, kind) for kind in arguments)
    if origin is Literal:
        return any(value == choice and type(value) is type(choice) for choice in arguments)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            return False
        repeated = len(arguments) == 2 and arguments[1] is Ellipsis
        kinds = arguments[:1] * len(value) if repeated else arguments
        return len(kinds) == len(value) and all(map(fits, value, kinds))
    if annotation in (int, float):
        allowed = int if annotation is int else int | float
        return isinstance(value, allowed) and not isinstance(value, bool)
    return isinstance(annotation, type) and isinstance(value, annotation)


def describe_type(annotation: Any) -> str:
    """Name a type as a user would: ``int``, ``'a' or 'b'``, ``numbers separated by commas``."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return " or ".join(
            "none" if kind is type(None) else describe_type(kind) for kind in arguments
        )
    if origin is Literal:
        return " or ".join(str(choice) for choice in arguments)
    if origin is tuple:
        return f"values separated by commas, each {describe_type(arguments[0])}"
    return {int: "a whole number", float: "a number", bool: "true or false", str: "text"}.get(
        annotation, getattr(annotation, "__name__", str(annotation))
    )


def _misfit(name: str, text: str, annotation: Any) -> UsageError:
    return UsageError(f"{name}={text}: {name} takes {describe_type(annotation)}")
