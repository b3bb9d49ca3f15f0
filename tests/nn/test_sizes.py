import pytest

from divekit.errors import UsageError
from divekit.nn.sizes import image_sides, scaled

SETTINGS = {"at_least": 10, "model": "ThisNet", "usual": 32}


def test_a_side_stands_for_both():
    assert image_sides(10, **SETTINGS) == (10, 10)
    assert image_sides((12, 10), **SETTINGS) == (12, 10)


@pytest.mark.parametrize("size", [9, (9, 12), (12, 9)])
def test_small_images_are_refused_in_words(size):
    height, width = (9, 9) if size == 9 else size
    expected = (
        f"images of {height} x {width} pixels are too small for ThisNet, which needs 10 x 10; "
        "data.resize=32 enlarges them"
    )
    with pytest.raises(UsageError) as caught:
        image_sides(size, **SETTINGS)
    assert str(caught.value) == expected


def test_channels_are_scaled_and_none_is_lost():
    assert scaled((64, 96, 10), 0.25) == [16, 24, 2]
    assert scaled((3, 100), 0.1) == [1, 10]
    assert scaled((3, 5), 2) == [6, 10]


@pytest.mark.parametrize("width", [0, -0.5, float("nan")])
def test_a_width_of_nothing_is_refused(width):
    with pytest.raises(UsageError, match=r"width is .* more than 0"):
        scaled((3,), width)
