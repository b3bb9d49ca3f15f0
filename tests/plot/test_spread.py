import math

import numpy as np
import pytest

from divekit import plot

X = [1, 2, 3]
TITLE = "a title\nline: mean of 2 seeds; band: from the least to the greatest"


def draw(lines, **settings):
    picture = plot.bands(lines, of="seeds", x_label="epoch", y_label="loss", **settings)
    picture.canvas.draw()
    return picture, picture.axes[0]


def test_the_line_is_the_mean_and_the_band_goes_from_the_least_to_the_greatest():
    rows = np.array([[1, 2, 9], [3, 2, 5], [5, 8, 1]])
    _, axes = draw({"a": (X, rows)})
    assert axes.lines[0].get_ydata().tolist() == [3, 4, 5]
    corners = axes.collections[0].get_paths()[0].vertices
    for x, low, high in zip(X, (1, 2, 1), (5, 8, 9), strict=True):
        at_x = corners[corners[:, 0] == x][:, 1]
        assert (at_x.min(), at_x.max()) == (low, high)
    assert axes.get_title("left") == "line: mean of 3 seeds; band: from the least to the greatest"


def test_one_run_has_no_band_and_no_words_for_one():
    _, axes = draw({"a": (X, [[1, 2, 3]])})
    assert not axes.collections
    assert axes.get_title("left") == ""
    assert "2 to 3 seeds" in draw({"a": (X, [[1] * 3] * 2), "b": (X, [[1] * 3] * 3)})[1].get_title(
        "left"
    )


def test_lines_of_different_lengths_share_the_axes():
    _, axes = draw({"a": ([1, 2], [[1, 2]]), "b": (range(1, 30), np.ones((1, 29)))})
    assert [len(line.get_xdata()) for line in axes.lines] == [2, 29]
    assert axes.get_xlim()[1] > 29


def test_what_is_not_finite_is_not_drawn_and_does_not_set_the_scale():
    wild = [[0.5, 1e9, math.nan], [0.4, 1e8, math.inf]]
    _, axes = draw({"good": (X, [[3, 2, 1.0]]), "wild": (X, wild)}, scale_by=["good"])
    values = axes.lines[1].get_ydata()
    assert values[:2].tolist() == [0.45, 5.5e8]
    assert math.isnan(values[2])
    low, high = axes.get_ylim()
    assert 0.5 < low < 1
    assert 3 < high < 4
    assert axes.get_yscale() == "linear"


def test_the_scale_is_logarithmic_over_two_decades_or_on_demand():
    assert draw({"a": (X, [[1, 10, 1000]])})[1].get_yscale() == "log"
    assert draw({"a": (X, [[1, 10, 1000]])}, log=False)[1].get_yscale() == "linear"
    limits = draw({"a": (X, [[1, 10, 1000]])}, scale_by=["a"])[1].get_ylim()
    assert 0 < limits[0] < 1
    assert limits[1] > 1000


def test_the_legend_stands_beside_the_axes():
    rows = [[1, 2, 3]] * 2
    picture, axes = draw({f"lr={k}, batch_size=256": (X, rows) for k in range(8)}, title="a title")
    (legend,) = picture.legends
    assert [text.get_text() for text in legend.get_texts()][7] == "lr=7, batch_size=256"
    assert legend.get_window_extent().x0 >= axes.get_window_extent().x1
    assert legend.get_window_extent().x1 <= picture.bbox.x1
    (words,) = (text for text in axes.get_children() if getattr(text, "get_text", str)() == TITLE)
    assert words.get_window_extent().x1 <= legend.get_window_extent().x0
    markers = {line.get_marker() for line in axes.lines}
    assert len(markers) == 8  # told apart without colours


@pytest.mark.parametrize("count", [0, 9])
def test_more_lines_than_colours_or_none_are_refused(count):
    with pytest.raises(ValueError, match="1 to 8 colours"):
        plot.bands({str(number): (X, [[1, 2, 3]]) for number in range(count)})
