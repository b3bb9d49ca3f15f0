import builtins
import io
import math
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from PIL import Image

from divekit import plot
from divekit.errors import MissingExtraError

HISTORY = [
    {
        "epoch": epoch,
        "train_loss": 1 / epoch,
        "test_loss": 1.2 / epoch,
        "test_accuracy": 1 - 0.5 / epoch,
    }
    for epoch in range(1, 6)
]


def test_curves_draw_losses_and_metrics_apart_with_the_right_numbers():
    left, right = plot.curves(HISTORY).axes
    assert [line.get_label() for line in left.lines] == ["train loss", "test loss"]
    assert left.lines[1].get_ydata().tolist() == [1.2 / epoch for epoch in range(1, 6)]
    assert [line.get_label() for line in right.lines] == ["test accuracy"]
    assert left.lines[0].get_linestyle() != left.lines[1].get_linestyle()
    assert left.get_legend() is not None
    assert right.get_legend() is None  # one line needs none


def history_of(*losses):
    return [{"epoch": epoch, "train_loss": loss} for epoch, loss in enumerate(losses, start=1)]


@pytest.mark.parametrize(
    ("losses", "scale"),
    [
        ((3, 0.04), "linear"),
        ((3, 0.02), "log"),  # a factor of 150
        ((3, 0), "linear"),  # zero has no logarithm
        ((3, 0.02, math.nan, math.inf), "log"),
        ((math.nan,), "linear"),
    ],
)
def test_losses_that_span_two_decades_have_a_logarithmic_axis(losses, scale):
    assert plot.curves(history_of(*losses)).axes[0].get_yscale() == scale


def test_a_logarithmic_loss_can_be_asked_for_or_declined():
    assert plot.curves(HISTORY, log_loss=True).axes[0].get_yscale() == "log"
    declined = plot.curves(history_of(1000, 1), log_loss=False)
    assert declined.axes[0].get_yscale() == "linear"
    with pytest.raises(ValueError, match="history is empty"):
        plot.curves([])


def test_each_metric_has_a_panel_of_its_own():
    record = {"epoch": 1, "train_loss": 1, "d_loss": 2, "train_bleu": 3, "test_bleu": 4, "lr": 5}
    panels = plot.curves([record]).axes
    drawn = [(axes.get_ylabel(), [line.get_label() for line in axes.lines]) for axes in panels]
    assert drawn == [
        ("loss", ["train loss", "d loss"]),
        ("bleu", ["train bleu", "test bleu"]),
        ("lr", ["lr"]),
    ]


def test_a_metric_that_is_not_measured_after_every_epoch_is_drawn_where_it_is():
    history = [{"epoch": epoch, "train_loss": 1.0} for epoch in range(1, 6)]
    for epoch in (2, 4):
        history[epoch - 1] |= {"test_loss": 0.5, "test_accuracy": 0.9}
    left, right = plot.curves(history).axes
    assert left.lines[1].get_xydata().tolist() == [[2, 0.5], [4, 0.5]]
    assert right.lines[0].get_xydata().tolist() == [[2, 0.9], [4, 0.9]]
    assert right.get_xlim() == left.get_xlim()


def ticks_of(axis):
    low, high = axis.get_view_interval()
    ticks = zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True)
    return [label.get_text() for place, label in ticks if low <= place <= high]


def test_axes_show_whole_epochs_also_those_to_come_and_those_without_a_finite_value():
    picture = plot.curves(history_of(1))
    picture.canvas.draw()
    assert ticks_of(picture.axes[0].xaxis) == ["1"]
    for drawn in (
        plot.curves(history_of(1, 2), epochs=9),
        plot.curves(history_of(*[math.nan] * 9)),
    ):
        low, high = drawn.axes[0].get_xlim()
        assert low < 1
        assert high > 9


def test_numbers_on_axes_are_written_in_full():
    picture = plot.curves(history_of(2.302581, 2.302585))
    picture.canvas.draw()
    assert all(text.startswith("2.3025") for text in ticks_of(picture.axes[0].yaxis))


@pytest.mark.parametrize("count", [2, 7])
def test_a_legend_stands_above_the_axes_and_within_the_picture(count):
    lines = {f"the line of number {number}": [number, number] for number in range(count)}
    picture = plot.lines([0, 1], lines)
    picture.canvas.draw()
    legend = picture.axes[0].get_legend().get_window_extent()
    assert legend.y0 >= picture.axes[0].get_window_extent().y1
    assert legend.x1 <= picture.bbox.x1
    assert legend.y1 <= picture.bbox.y1


def test_an_svg_keeps_its_text_follows_the_scheme_and_is_the_same_twice(tmp_path):
    for name in ("a.svg", "b.svg"):
        plot.curves(HISTORY).savefig(tmp_path / name)
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert text == (tmp_path / "b.svg").read_text(encoding="utf-8")
    space = "{http://www.w3.org/2000/svg}"
    root = ElementTree.fromstring(text)
    assert "train loss" in {item.text for item in root.iter(f"{space}text")}
    style = next(root.iter(f"{space}style")).text
    assert "prefers-color-scheme:dark" in style
    # What the rules select is there: words and axes in ink.
    for what in ("fill", "stroke"):
        assert f'[style*="{what}: {plot.INK}"]' in style
        assert [item for item in root.iter() if f"{what}: {plot.INK}" in item.get("style", "")]
    buffer = io.BytesIO()
    plot.curves(HISTORY).savefig(buffer, format="svg")
    assert buffer.getvalue().decode() == text


def pixels(picture):
    buffer = io.BytesIO()
    picture.savefig(buffer, format="png")
    return np.array(Image.open(buffer))


def drawings():
    yield plot.curves(HISTORY)
    yield plot.lines([1, 10, 100], {"a line": [1, 20, 400], "another": [3, 3, 3]}, log="xy")
    yield plot.images(
        torch.arange(72.0).view(3, 4, 6), ["a", "b", "c"], truth=["a", "b", "b"], columns=2
    )
    yield plot.side_by_side({"one": HISTORY, "two": HISTORY[:3]})


def test_both_files_of_a_picture_show_what_each_alone_would(tmp_path):
    for number, (one, other) in enumerate(zip(drawings(), drawings(), strict=True)):
        png, svg = plot.save(one, tmp_path / f"{number}.5")
        assert [path.name for path in (png, svg)] == [f"{number}.5.png", f"{number}.5.svg"]
        assert np.array_equal(np.array(Image.open(png)), pixels(other))
        other.set_layout_engine(None)  # letters are a little wider at another resolution
        other.savefig(tmp_path / "other.svg")
        assert svg.read_text() == (tmp_path / "other.svg").read_text()
        one.set_size_inches(9, 7)  # a picture that was saved is laid out anew all the same
        assert not np.array_equal(pixels(one), np.array(Image.open(png)))
        assert type(one.get_layout_engine()).__name__ == "ConstrainedLayoutEngine"


def test_hidden_axes_look_like_those_that_matplotlib_leaves_undrawn():
    def drawn(hide):
        picture = plot.new_picture()
        for axes in picture.subplots(2, 2).flat:
            axes.imshow(torch.eye(3), cmap="gray")
            axes.set_title("a title")
            hide(axes)
        return pixels(picture)

    assert np.array_equal(drawn(plot.hide_axes), drawn(lambda axes: axes.axis("off")))
    assert not np.array_equal(drawn(plot.hide_axes), drawn(lambda axes: None))


@pytest.mark.parametrize(
    "images", [torch.rand(7, 1, 4, 5), torch.rand(7, 3, 4, 5), np.zeros((7, 4, 5), np.uint8)]
)
def test_images_are_laid_out_in_rows(images):
    picture = plot.images(images, list("abcdefg"), columns=3)
    assert len(picture.axes) == 9
    assert sum(bool(axes.images) for axes in picture.axes) == 7


def test_wrong_captions_are_marked_with_the_truth():
    axes = plot.images(torch.rand(2, 4, 4), ["cat", "dog"], truth=["cat", "cat"]).axes
    assert axes[0].get_title() == "cat"
    assert axes[1].get_title() == "dog\n(is cat)"
    assert axes[0].title.get_color() != axes[1].title.get_color()


def test_greys_have_the_limits_of_their_kind_or_those_given():
    dim, bright = torch.tensor([[[0.1, 0.2]], [[0.8, 0.9]]])
    for limits, expected in ((None, (0, 1)), ((0.1, 0.2), (0.1, 0.2))):
        axes = plot.images(torch.stack([dim, bright]), limits=limits).axes
        assert axes[0].images[0].get_clim() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("images", "captions", "message"),
    [
        (torch.rand(0, 1, 4, 4), [], "no images"),
        (torch.rand(2, 1, 4, 4), ["a"], "2 images and 1 captions"),
        (torch.rand(1, 2, 4, 4), [], "must be"),
    ],
)
def test_what_cannot_be_drawn_is_refused(images, captions, message):
    with pytest.raises(ValueError, match=message):
        plot.images(images, captions)


def test_a_picture_shows_itself_in_notebooks_and_leaves_pyplot_alone():
    from matplotlib import pyplot

    picture = plot.lines([1, 2], {"a": [1, 2], "b": [2, 1]}, x_label="time")
    png, size = picture._repr_png_()
    assert png.startswith(b"\x89PNG")
    # 5 by 3.2 inches of 96 to the inch, in pixels of 144 to the inch.
    assert size == {"width": 480, "height": 308}
    assert Image.open(io.BytesIO(png)).size == (720, 460)
    assert pyplot.get_fignums() == []
    assert plot.is_picture(picture)
    assert not plot.is_picture("picture")


def test_without_matplotlib_the_error_names_the_extra(monkeypatch):
    real_import = builtins.__import__

    def no_matplotlib(name, *args):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real_import(name, *args)

    monkeypatch.setattr(builtins, "__import__", no_matplotlib)
    monkeypatch.setattr("divekit.plot.picture._figure_class", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'divekit\[plot\]'"):
        plot.points([1], [2])


def test_lines_take_scales_limits_and_marks():
    (axes,) = plot.lines(
        torch.arange(1, 4), {"y": torch.ones(3)}, log="xy", y_limits=(0.1, 10), marks=[(2, 1)]
    ).axes
    assert (axes.get_xscale(), axes.get_yscale(), axes.get_ylim()) == ("log", "log", (0.1, 10))
    assert axes.lines[1].get_xydata().tolist() == [[2, 1]]
    assert axes.get_legend() is None


def test_signed_images_share_one_scale_around_zero():
    axes = plot.images(torch.tensor([[[-1.0, 0.0]], [[0.0, 3.0]]]), signed=True).axes
    assert [panel.images[0].get_clim() for panel in axes] == [(-3, 3), (-3, 3)]


def words_of(axes):
    return {text.get_text(): text for text in axes.texts}


def test_tables_show_every_entry_and_begin_a_new_line_when_one_is_full():
    (axes,) = plot.tables(
        {"a": torch.arange(3.0)[None], "b": [["x", 0.5]], "c": np.array([[7]])}, line=5
    ).axes
    words = words_of(axes)
    assert list(words) == ["a", "0", "1", "2", "b", "x", "0.5", "c", "7"]
    (left_a, top_a), (left_b, top_b), (left_c, top_c) = (words[k].get_position() for k in "abc")
    assert left_a == left_b == 0 < left_c  # c still fits beside b
    assert top_a < top_b == top_c  # downwards


def test_coloured_cells_of_a_table_carry_white_words():
    (axes,) = plot.tables({"t": [[1, 2]], "other": [[3]]}, {"t": [[4, -1]]}).axes
    faces = [to_hex(patch.get_facecolor(), keep_alpha=True) for patch in axes.patches]
    assert faces[0] == plot.COLOURS[4] + "ff"
    assert [face[-2:] for face in faces[1:]] == ["00", "00"]
    words = words_of(axes)
    assert [words[key].get_color() == "white" for key in "123"] == [True, False, False]


@pytest.mark.parametrize(
    ("entries", "colours", "message"),
    [
        ({"t": [[1, 2]]}, {"t": [[1]]}, "the colours of 't'"),
        ({"t": [[1, 2]]}, {"u": [[1, 2]]}, "no table is called 'u'"),
        ({"t": torch.arange(3)}, {}, "rows and columns"),
        ({"t": []}, {}, "rows and columns"),
        ({}, {}, "no tables"),
    ],
)
def test_tables_that_cannot_be_drawn_are_refused(entries, colours, message):
    with pytest.raises(ValueError, match=message):
        plot.tables(entries, colours)
