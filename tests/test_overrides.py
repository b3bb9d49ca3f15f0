from dataclasses import dataclass
from typing import Literal

import pytest

from divekit.errors import UsageError
from divekit.overrides import describe_type, fits, parse_settings, parse_value, split_pairs


def recipe(lr: float = 0.1, epochs: int = 3, kind: Literal["a", "b"] = "a", on: bool = True): ...


@dataclass
class Settings:
    weights: tuple[float, ...] = (1.0,)
    pair: tuple[int, int] = (1, 2)
    resize: int | None = None
    title: str = ""


def test_values_take_the_declared_types():
    assert parse_settings(recipe, {"lr": "1e-3", "epochs": "7", "kind": "b", "on": "no"}) == {
        "lr": 1e-3,
        "epochs": 7,
        "kind": "b",
        "on": False,
    }
    given = {"weights": "2,-3.4", "pair": "(3, 4)", "resize": "none", "title": "__import__('os')"}
    assert parse_settings(Settings, given) == {
        "weights": (2.0, -3.4),
        "pair": (3, 4),
        "resize": None,
        "title": "__import__('os')",
    }


def test_a_bracket_may_belong_to_a_value():
    names = tuple[str, ...]
    assert parse_value("size (m2)", names, "x") == ("size (m2)",)
    assert parse_value("(a, b)", names, "x") == ("a", "b")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epochs": "three"}, "epochs=three: epochs takes a whole number"),
        ({"epochs": "2.5"}, "takes a whole number"),
        ({"lr": "fast"}, "takes a number"),
        ({"kind": "c"}, "takes a or b"),
        ({"on": "perhaps"}, "takes true or false"),
        ({"epoch": "3"}, "did you mean epochs"),
    ],
)
def test_what_does_not_fit_is_named(given, message):
    with pytest.raises(UsageError, match=message):
        parse_settings(recipe, given)


def test_a_prefix_is_kept_in_errors():
    with pytest.raises(
        UsageError, match=r"data\.resize=x: data\.resize takes a whole number or none"
    ):
        parse_settings(Settings, {"resize": "x"}, prefix="data.")
    with pytest.raises(UsageError, match=r"'data\.batch'"):
        parse_settings(Settings, {"batch": "1"}, prefix="data.")


def test_a_tuple_of_the_wrong_length_is_an_error():
    with pytest.raises(UsageError, match="pair"):
        parse_settings(Settings, {"pair": "1,2,3"})


def test_types_that_have_no_text_form_are_refused():
    with pytest.raises(UsageError, match="set it from Python"):
        parse_value("x", dict, "thing")
    assert describe_type(tuple[float, ...]) == "values separated by commas, each a number"


def test_words_are_split_once():
    assert split_pairs(["a=1", "b=x=y"]) == {"a": "1", "b": "x=y"}
    with pytest.raises(UsageError, match="not of the form"):
        split_pairs(["a"])
    with pytest.raises(UsageError, match="given twice"):
        split_pairs(["a=1", "a=2"])


@pytest.mark.parametrize("text", ["9" * 30, str(2**63), str(-(2**63) - 1)])
def test_whole_numbers_have_64_bits(text):
    with pytest.raises(UsageError, match="64 bits"):
        parse_value(text, int, "seed")


@pytest.mark.parametrize(
    ("value", "annotation", "right"),
    [
        (1, int, True), (True, int, False), (1.0, int, False), (1, float, True),
        ("1", float, False), (None, int | None, True), ("a", Literal["a", 1], True),
        (True, Literal["a", 1], False), ([1, 2], tuple[int, ...], True),
        ((1, "2"), tuple[int, ...], False), ([1], tuple[int, int], False),
        ((1, 2), tuple[int, int], True), (1, tuple[int, ...], False), ("x", str, True),
    ],
)  # fmt: skip
def test_values_are_held_against_types(value, annotation, right):
    assert fits(value, annotation) is right
