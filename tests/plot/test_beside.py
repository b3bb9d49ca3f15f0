import pytest

from divekit import plot


def history(factor):
    return [
        {"epoch": epoch, "train_loss": factor / epoch, "test_loss": 2 * factor / epoch}
        for epoch in range(1, 6)
    ]


def test_runs_share_one_scale_and_have_their_own_numbers():
    left, right = plot.side_by_side({"good": history(1.0), "bad": history(10.0)}).axes
    assert [axes.get_title() for axes in (left, right)] == ["good", "bad"]
    for axes, factor in ((left, 1.0), (right, 10.0)):
        assert [line.get_label() for line in axes.lines] == ["train loss", "test loss"]
        assert axes.lines[0].get_ydata().tolist() == [factor / epoch for epoch in range(1, 6)]
        assert axes.lines[1].get_ydata().tolist() == [2 * factor / epoch for epoch in range(1, 6)]
        assert axes.lines[0].get_linestyle() != axes.lines[1].get_linestyle()
    assert left.get_ylim() == right.get_ylim()
    assert left.get_ylim()[1] > 20
    assert left.get_ylabel() == "loss"


def test_one_legend_speaks_for_all_panels_and_stands_above_them():
    picture = plot.side_by_side({"good": history(1.0), "bad": history(10.0)})
    picture.canvas.draw()
    (legend,) = picture.legends
    assert [text.get_text() for text in legend.get_texts()] == ["train loss", "test loss"]
    tops = [axes.get_tightbbox().y1 for axes in picture.axes]
    assert legend.get_window_extent().y0 >= max(tops)
    assert all(axes.get_legend() is None for axes in picture.axes)


def test_the_axis_is_logarithmic_where_the_runs_span_two_decades_or_as_asked():
    near, far = {"a": history(1.0)}, {"a": history(1.0), "b": history(50.0)}
    assert plot.side_by_side(near).axes[0].get_yscale() == "linear"
    assert {axes.get_yscale() for axes in plot.side_by_side(far).axes} == {"log"}
    assert plot.side_by_side(near, log=True).axes[0].get_yscale() == "log"
    assert plot.side_by_side(far, log=False).axes[1].get_yscale() == "linear"


def test_a_metric_is_drawn_where_it_was_measured():
    records = history(1.0)
    records[1]["test_accuracy"] = 0.25
    records[3]["test_accuracy"] = 0.75
    picture = plot.side_by_side({"run": records}, metric="accuracy")
    (axes,) = picture.axes
    assert axes.lines[0].get_xydata().tolist() == [[2, 0.25], [4, 0.75]]
    assert axes.get_xlim()[1] > 5
    assert axes.get_ylabel() == "accuracy"
    assert picture.legends == []  # one line needs none


@pytest.mark.parametrize(
    ("histories", "metric", "message"),
    [
        ({}, "loss", "no runs to draw"),
        ({"good": history(1.0), "none": []}, "loss", "history is empty"),
        ({"good": history(1.0)}, "perplexity", "'good' has no 'perplexity'"),
    ],
)
def test_runs_that_cannot_be_drawn_are_refused(histories, metric, message):
    with pytest.raises(ValueError, match=message):
        plot.side_by_side(histories, metric=metric)
