"""Bad files of the user's own: each ends in one line with file, row and column."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.test_image_folder import shapes
from tests.test_own_data import HEADER, HOUSES


def rows(*changed, count=12):
    """Give a good table with some rows in place of its own, by row number."""
    lines = HOUSES.splitlines()[:count]
    for number, line in changed:
        lines[number - 2] = line
    return HEADER + "\n".join(lines) + "\n"


def train(divekit, settings):
    """Train on x.csv; a failure is one line, and leaves no folder."""
    words = [f"data.{setting}" for setting in settings.split()]
    result = divekit("train", "linear_regression", "data=csv:x.csv", *words)
    assert "Traceback" not in result.output
    assert result.stderr.strip().splitlines()[-1].startswith("divekit: ")
    assert not Path("runs").exists()
    return result


NEW = "rooms,alley,area\n"
PRICE = "label=price"


@pytest.mark.parametrize(
    ("text", "settings", "parts"),
    [
        ("", PRICE, "the file is empty"),
        ("\n  \n", PRICE, "the file is empty"),
        (HEADER, PRICE, "a header, and no rows"),
        (HEADER + "1,Pave,2,3\n", PRICE, "one row is too little"),
        (HOUSES.replace("Pave", "1").replace("Grvl", "2"), PRICE, "row 1: numbers where the names"),
        ("rooms,alley,rooms,price\n1,a,2,3\n", PRICE, "row 1: columns 1 and 3 … 'rooms'"),
        (rows((4, "1,Pave,2")), PRICE, "row 4: 3 cells, the header has 4"),
        (rows((5, "1,Pave,2,3,4")), PRICE, "row 5: 5 cells, the header has 4"),
        (rows((5, '1,"Pave,2,3')), PRICE, "row 5: … is a quote not closed"),
        (rows((5, '1,"Pa"ve,2,3')), PRICE, "row 5: … quote"),
        (rows(), "label=prise", "no column is called 'prise' … did you mean 'price'"),
        (rows(), "label=PRICE", "did you mean 'price'"),
        ("a b c\n1 2 3\n2 3 4\n", "label=c", "the only column is 'a b c'"),
        (rows((6, "1,Pave,2,")), PRICE, "row 6, column price: the label is missing"),
        (rows((6, "1,Pave,2,NaN"), (8, "1,a,2,NA")), PRICE, "row 6, column price … in 1 more rows"),
        (rows((7, "1,Pave,big,3")), PRICE, "row 7, column area: 'big' is not … data.missing=big"),
        (rows((7, "1,Pave,inf,3")), PRICE, "row 7, column area: 'inf' is not a number"),
        (rows((7, "1,Pave,2,cheap")), PRICE, "row 7, column price: 'cheap' is not a number"),
        (rows((7, "1,Pave,2,NAN")), PRICE, "row 7, column price: 'NAN' is not a number"),
        (rows((7, "1,Pave,2,1e300")), f"{PRICE} validation=0.5", "row 7 … 1e300 is too far"),
        ('"a\nb",price\n1,2\n1,3\nx,4\n2,5\n', PRICE, "row 5, column a\\nb: 'x' is not a number"),
        ("a\x1b[31m;b\n1;2\n", PRICE, "the columns are a\\x1b[31m, b"),
        ("n" * 100_000 + ",b\n1,2\n", PRICE, "x.csv: no column is called 'price'; … nnn ... nnn"),
        (rows((7, "1,Pave,2,1e999")), PRICE, "row 7, column price: '1e999' is not a number"),
        (rows(), "label=alley task=regression", "row 2, column alley: 'Grvl' is not a number"),
        (rows((7, "1,Mud,2,3")), "label=alley", "row 7, column alley: 'Mud' is the only row of"),
        (rows().replace("Pave", "Grvl"), "label=alley", "column alley: every row says 'Grvl'"),
        ("x,price\n" + "1,5\n2,5\n" * 9, f"{PRICE} task=regression", "every training row says 5"),
        ("x,price\n" + "5,1\n5,2.5\n" * 9, PRICE, "no column to learn … x: left out (constant: 5)"),
        ("price\n1\n2\n3.5\n", PRICE, "no column to learn from"),
        (rows().replace(",", ";").replace(";Pave;", ";Pave;1,"), PRICE, "area … data.decimal=,"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", PRICE, "row 3: not a text file"),
        (b"PK\x03\x04rest", PRICE, "not a CSV file but … spreadsheet"),
        (gzip.compress(rows().encode()), PRICE, "not a CSV file but gzipped"),
        (rows().encode("utf-16"), PRICE, "not a CSV file but UTF-16 … save it as UTF-8"),
        (rows((9, "1,café,2,3")).encode("latin-1"), PRICE, "row 9: not UTF-8 (byte 0xe9)"),
        (None, PRICE, "no such file"),
        (rows(), "label=price number=alley", "row 2, column alley: 'Grvl' is not a number"),
    ],
    ids=lambda part: part if isinstance(part, str) and part.isprintable() else "file",
)  # fmt: skip
def test_a_bad_table_is_one_line_with_file_row_and_column(divekit, text, settings, parts):
    if text is not None:
        Path("x.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    result = train(divekit, settings)
    assert result.exit_code == 3, result.output
    assert "x.csv" in result.stderr
    assert all(part in result.stderr for part in parts.split(" … ")), result.stderr


@pytest.mark.parametrize(
    ("text", "settings", "parts"),
    [
        (rows(), "", "data=csv:x.csv needs data.label=COLUMN … rooms, alley, area, price"),
        (rows(), "label=price validation=1", "data.validation is 1"),
        (rows(), "label=price validation=lots", "data.validation takes a number"),
        (rows(), "label=price leave_out=aera", "data.leave_out … did you mean 'area'"),
        (rows(), "label=price task=clustering", "data.task takes … classification"),
        (rows(), "label=price labels=price", "did you mean data.label"),
        (rows(), "label=price memory=0", "12 rows of 4 numbers … over data.memory=0"),
        (rows(), "label=price batch_size=0", "batch_size is 0"),
    ],
)
def test_a_setting_that_does_not_fit_is_one_line(divekit, text, settings, parts):
    Path("x.csv").write_text(text)
    result = train(divekit, settings)
    assert result.exit_code == 2, result.output
    assert all(part in result.stderr for part in parts.split(" … ")), result.stderr


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("rooms,alley\n1,Pave\n", ["new.csv: no column is called 'area'"]),
        (
            NEW + "1,Pave,2\n1,Pave,wide\n2,a,tall\n",
            ["new.csv, row 3, column area: 'wide'", "1 more"],
        ),
        (NEW + "1,Pave\n", ["new.csv, row 2: 2 cells"]),
        (NEW, ["new.csv: a header, and no rows"]),
        ("", ["new.csv: the file is empty"]),
        ("1,Pave,2\n", ["new.csv: a header, and no rows"]),
        (NEW + "1,Pave,1e200\n", ["new.csv, row 2, column area: 1e200 is too far"]),
        (None, ["new.csv: no such file"]),
    ],
)
def test_bad_rows_to_predict_on_are_named(divekit, text, parts):
    Path("houses.csv").write_text(HEADER + HOUSES)
    words = ("data=csv:houses.csv", "data.label=price", "--out", "run")
    assert divekit("train", "linear_regression", *words).exit_code == 0
    if text is not None:
        Path("new.csv").write_text(text)
    result = divekit("predict", "run", "new.csv", "--json")
    assert (result.exit_code, result.stdout) == (3, "")
    assert all(part in result.stderr for part in parts), result.stderr


def test_a_bad_image_to_predict_on_is_named(divekit):
    shapes("photos", 4)
    divekit("train", "softmax_regression", "data=images:photos", "data.resize=8", "--out", "run")
    noise = np.random.default_rng(0).integers(0, 256, (40, 40), dtype=np.uint8)
    Image.fromarray(noise).save("good.png")
    Path("bad.png").write_bytes(Path("good.png").read_bytes()[:500])
    result = divekit("predict", "run", "good.png", "bad.png")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "bad.png: not an image that can be read" in result.stderr
