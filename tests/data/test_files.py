import numpy as np
import pytest
from PIL import Image
from torch.testing import assert_close

from divekit.data import Facts, read_inputs
from divekit.errors import BadDataError

GREY = Facts("grey", (1, 4, 6), class_names=("a", "b"))
TABLE = Facts("table", (2,))


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1", "CMYK"])
def test_an_image_of_any_mode_and_size_becomes_an_input(tmp_path, mode):
    path = tmp_path / ("x.tiff" if mode == "CMYK" else "x.png")
    Image.new(mode, (30, 20)).save(path)
    inputs = read_inputs(path, GREY)
    assert inputs.shape == (1, 1, 4, 6)
    assert 0 <= inputs.min() <= inputs.max() <= 1


def test_pixels_arrive_where_they_were(tmp_path):
    pixels = np.arange(24, dtype=np.uint8).reshape(4, 6)
    Image.fromarray(pixels).save(tmp_path / "x.png")
    assert_close(
        read_inputs(tmp_path / "x.png", GREY)[0, 0].mul(255).round().byte().numpy(), pixels
    )


def test_a_table_is_read_with_or_without_a_header(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n\n3,-4.5\n")
    assert read_inputs(tmp_path / "x.csv", TABLE).tolist() == [[1, 2], [3, -4.5]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2\n3,x\n", "row 2"),
        ("1,2,3\n", "row 1: 3 columns"),
        ("a,b\n", "no rows of numbers"),
        ("", "no rows of numbers"),
    ],
)
def test_a_bad_table_is_named_with_its_row(tmp_path, text, message):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(BadDataError, match=message):
        read_inputs(tmp_path / "x.csv", TABLE)


def test_a_file_that_is_no_image_or_not_there_is_named(tmp_path):
    (tmp_path / "x.png").write_text("not an image")
    with pytest.raises(BadDataError, match=r"x\.png: not an image"):
        read_inputs(tmp_path / "x.png", GREY)
    with pytest.raises(BadDataError, match="no such file"):
        read_inputs(tmp_path / "y.png", GREY)


@pytest.mark.parametrize("cell", ["1e39", "-1e300", "nan", "inf"])
def test_numbers_beyond_single_precision_are_named(tmp_path, cell):
    (tmp_path / "x.csv").write_text(f"a,b\n1,2\n3,{cell}\n")
    with pytest.raises(BadDataError, match=r"x\.csv, row 3: every cell must be a finite number"):
        read_inputs(tmp_path / "x.csv", Facts("numbers", (2,)))
