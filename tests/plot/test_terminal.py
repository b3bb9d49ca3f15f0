import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from divekit import plot

BRAILLE = {chr(letter) for letter in range(0x2801, 0x2900)}


def history_of(**values):
    length = len(next(iter(values.values())))
    return [
        {"epoch": index + 1, **{name: column[index] for name, column in values.items()}}
        for index in range(length)
    ]


def words(lines):
    return ["".join(text for text, _ in line) for line in lines]


def test_a_falling_line_is_drawn_dot_by_dot():
    """By hand: four dots on the diagonal of two letters, which are 4 by 4 dots."""
    lines = plot.text_curves(history_of(train_loss=[3, 2, 1, 0]), width=13, height=1)
    assert words(lines) == [
        "train loss 0 ",  # cut to the width
        "       3 │⠑⢄ ",
        "          14 ",
    ]


def test_losses_over_decades_are_drawn_logarithmically():
    steady = plot.text_curves(history_of(train_loss=[3, 2, 1, 0]), width=40)
    decades = plot.text_curves(history_of(train_loss=[1e3, 1e2, 1e1, 1e0]), width=40)
    assert [line[9:] for line in words(steady)[1:]] == [line[9:] for line in words(decades)[1:]]
    assert words(decades)[1].startswith("   1e+03 │")


def test_panels_stand_side_by_side_where_there_is_room():
    history = history_of(train_loss=[2, 1], test_loss=[2.5, 1], train_accuracy=[0.5, 0.75])
    wide, narrow = (words(plot.text_curves(history, width=width)) for width in (80, 50))
    assert "train accuracy 0.75" in wide[0]
    assert "    0.75 │" in wide[1]
    assert wide[1].startswith("     2.5 │")
    assert not any("accuracy" in line for line in narrow)


def test_a_legend_takes_the_lines_it_needs_and_has_the_colours_of_its_lines():
    history = history_of(train_perplexity=[12345.5, 321.123], test_perplexity=[1e4, 400.25])
    lines = plot.text_curves(history, width=34)
    assert words(lines)[0].strip() == "train perplexity 321.1"
    assert words(lines)[1].strip() == "test perplexity 400.2"
    colours = [line[0][1] for line in lines[:2]]
    assert colours == list(plot.COLOURS[:2])
    drawn = {colour for line in lines for text, colour in line if set(text) & BRAILLE}
    assert drawn == set(colours)


def test_the_legend_has_the_newest_value_there_is():
    history = history_of(train_loss=[3, 2, 1])
    history[1]["test_loss"] = 2.5
    assert words(plot.text_curves(history, width=50))[0].strip() == "train loss 1  test loss 2.5"


def test_room_is_left_for_epochs_to_come():
    early = words(plot.text_curves(history_of(train_loss=[3, 2]), width=31, epochs=11))
    rightmost = max(len(line.rstrip()) for line in early[1:-1])
    # A tenth of the way from dot 0 to dot 39 is dot 4, which is in the third letter.
    assert rightmost == len("         │") + 3
    assert early[-1].endswith("11 ")


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=50),
    st.integers(13, 200),
    st.integers(1, 9),
)
@example(values=[-1.4e296, 1.7e308], width=13, height=1)
def test_any_history_fills_the_same_rectangle(values, width, height):
    lines = plot.text_curves(history_of(train_loss=values), width=width, height=height)
    assert len(lines) == height + 2
    assert {len(line) for line in words(lines)} == {min(width, 52)}


def test_values_that_are_not_finite_leave_a_gap():
    lines = words(plot.text_curves(history_of(train_loss=[2, math.nan, 2, math.inf]), width=40))
    assert "⠁" in lines[1] or "⠈" in lines[1]
    with pytest.raises(ValueError, match="history is empty"):
        plot.text_curves([], width=80)
