import pytest
from matplotlib.colors import to_hex

from divekit import plot

NODES = {"x": (0, 1), "times": (1, 1), "w": (1, 0), "y": (2, 1)}
ARROWS = [("x", "times"), ("w", "times"), ("times", "y")]


def drawn(**settings):
    (axes,) = plot.graph(NODES, ARROWS, **settings).axes
    return axes


def arrows_of(axes):
    """Give colour, tail and head of each arrow, in the order of drawing."""
    return [
        (to_hex(text.arrow_patch.get_edgecolor()), text.xyann, text.xy)
        for text in axes.texts
        if getattr(text, "arrow_patch", None) is not None
    ]


def words_of(axes):
    return {text.get_text(): text for text in axes.texts if text.get_text()}


def test_arrows_go_from_the_first_node_towards_the_second():
    first, second, third = arrows_of(drawn())
    assert {colour for colour, _, _ in (first, second, third)} == {plot.COLOURS[0]}
    (_, (x0, y0), (x1, y1)) = first
    assert 0 < x0 < x1 < 1
    assert y0 == y1 == 1
    (_, (x0, y0), (x1, y1)) = second
    assert x0 == x1 == 1
    assert 0 < y0 < y1 < 1


def test_a_gradient_goes_back_beside_its_arrow_in_another_colour():
    axes = drawn(back={("times", "y"): "one", ("w", "times"): "two"})
    there = arrows_of(axes)[2]
    back, up = arrows_of(axes)[3:]
    assert back[0] == up[0] == plot.COLOURS[1] != there[0]
    assert there[1][0] < there[2][0]
    assert back[1][0] > back[2][0]
    # Two lanes: to the right above, to the left below; the text is below both. Rows grow downwards.
    assert there[1][1] < 1 < back[1][1] < words_of(axes)["one"].get_position()[1]
    assert up[1][1] > up[2][1]  # upwards, on the left
    assert words_of(axes)["two"].get_position()[0] < up[1][0] < 1


def test_arrows_without_a_gradient_run_in_the_middle():
    axes = drawn(back={("times", "y"): "one"})
    assert arrows_of(axes)[0][1][1] == 1
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["forward", "gradients"]
    assert [text.get_text() for text in drawn().get_legend().get_texts()] == ["forward"]
    assert [text.get_text() for text in drawn(meaning="holds").get_legend().get_texts()] == [
        "holds"
    ]


def test_operations_have_a_circle_and_texts_take_the_place_of_names():
    words = words_of(drawn(operations=["times"], texts={"times": r"$\times$"}))
    assert set(words) == {"x", r"$\times$", "w", "y"}
    ringed = {text for text, word in words.items() if word.get_bbox_patch() is not None}
    assert ringed == {r"$\times$"}


@pytest.mark.parametrize(
    ("arrows", "settings", "message"),
    [
        ([("x", "z")], {}, "no node is called 'z'"),
        (ARROWS, {"operations": ["plus"]}, "no node is called 'plus'"),
        (ARROWS, {"texts": {"a": "b"}}, "no node is called 'a'"),
        (ARROWS, {"back": {("y", "times"): ""}}, "which is no arrow"),
        ([("x", "x")], {}, "x stands where x does"),
    ],
)
def test_graphs_that_cannot_be_drawn_are_refused(arrows, settings, message):
    with pytest.raises(ValueError, match=message):
        plot.graph(NODES, arrows, **settings)


def test_a_graph_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no nodes"):
        plot.graph({}, [])
