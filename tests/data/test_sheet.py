import csv
import io

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from divekit.data.sheet import number_text, read_sheet, sheet_of, to_numbers
from divekit.errors import BadDataError, UsageError

WORDS = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\x85\u2028\u2029"),
    max_size=8,
)


def write(path, text, **how):
    path.write_bytes(text.encode("utf-8", **how) if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_any_of_three_delimiters_is_found_with_or_without_a_byte_order_mark(
    tmp_path, delimiter, mark, newline
):
    rows = [["rooms", "a,b;c", " price "], ["2", "x, y", "1.5"], ["3", 'say "hi"', ""]]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=newline).writerows(rows)
    sheet = read_sheet(write(tmp_path / "x.csv", mark + text.getvalue()))
    assert sheet.columns == {
        "rooms": ["2", "3"], "a,b;c": ["x, y", 'say "hi"'], "price": ["1.5", ""]
    }  # fmt: skip
    assert sheet.delimiter == delimiter
    assert sheet.lines == [2, 3]


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(st.tuples(WORDS, WORDS, st.integers(0, 9)), min_size=1, max_size=6),
    delimiter=st.sampled_from(",;\t"),
)
def test_what_pandas_writes_is_read_back(tmp_path_factory, rows, delimiter):
    frame = pd.DataFrame(rows, columns=["first", "second", "third"])
    path = tmp_path_factory.mktemp("sheet") / "x.csv"
    frame.to_csv(path, index=False, sep=delimiter, quoting=csv.QUOTE_ALL)
    sheet = read_sheet(path, delimiter)
    for name in frame:
        assert sheet.columns[name] == [str(cell).strip() for cell in frame[name]]


def test_rows_are_counted_as_an_editor_counts_lines(tmp_path):
    text = 'a,b\n1,"two\nlines"\n\n,\n3,4\n'
    sheet = read_sheet(write(tmp_path / "x.csv", text))
    assert sheet.lines == [2, 6]
    assert sheet.columns["b"] == ["two\nlines", "4"]
    assert sheet.cell(1, "b").endswith("x.csv, row 6, column b")
    assert sheet.take([1]).lines == [6]


def test_a_column_without_a_name_gets_its_number(tmp_path):
    path = tmp_path / "x.csv"
    pd.DataFrame({"a": [5, 6]}).to_csv(path)  # pandas writes its index below no name
    assert list(read_sheet(path).columns) == ["column 1", "a"]


ROWS = {"rooms": ["2", "", "4"], "alley": ["Pave", "None", "x"], "new": ["True", "False", "True"]}


@pytest.mark.parametrize(
    "rows",  # numbers and gaps as Python, pandas and NumPy have them
    [
        pd.DataFrame(
            {"rooms": [2, None, 4], "alley": ["Pave", None, "x"], "new": [True, False, True]}
        ),
        {"rooms": [2.0, "", 4], "alley": ("Pave", None, "x"), "new": np.array([True, False, True])},
        [
            {"rooms": 2, "alley": "Pave", "new": True},
            {"rooms": float("nan"), "alley": None, "new": False},
            {"new": True, "alley": "x", "rooms": np.float32(4)},
        ],
    ],
    ids=["frame", "dict", "dicts"],
)  # fmt: skip
def test_rows_in_python_are_read_like_a_file(rows):
    sheet = sheet_of(rows)
    assert list(sheet.columns) == list(ROWS)
    for name, cells in ROWS.items():
        read = ["" if cell in ("nan", "None", "") else cell for cell in sheet.columns[name]]
        assert read == ["" if cell == "None" else cell for cell in cells]


def test_one_row_is_a_dict_of_cells_and_tensors_are_columns():
    assert sheet_of({"a": 1, "b": "x"}).columns == {"a": ["1"], "b": ["x"]}
    assert sheet_of({"a": torch.tensor([1.0, 2.5])}).columns == {"a": ["1", "2.5"]}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"a": [1], "b": [1, 2]}, "different lengths"),
        ({"a": [1], "b": 2}, "either all columns are lists"),
        ([[1, 2]], "rows with named columns"),
        (np.zeros((2, 2)), "not ndarray"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "both called 'a'"),
    ],
)
def test_other_things_are_no_rows(rows, message):
    with pytest.raises((UsageError, BadDataError), match=message):
        sheet_of(rows)


@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=8))
def test_numbers_survive_being_text(values):
    back, texts = to_numbers([number_text(value) for value in values])
    assert (back.tolist(), texts) == (values, [])


def test_gaps_texts_and_decimal_commas_are_told_apart():
    values, texts = to_numbers(["1", "NA", "2a", " ", "?", "1_0"], missing=["?"])
    assert np.isnan(values).tolist() == [False, True, True, True, True, True]
    assert texts == [2, 3, 5]
    values, texts = to_numbers(["1,5", "", "1.500"], decimal=",")
    assert values[0] == 1.5
    assert texts == [2]  # 1.500 would be 1500 or 1.5


def test_a_hundred_thousand_columns_are_read(tmp_path):
    names = [f"c{number}" for number in range(100_000)]
    (tmp_path / "x.csv").write_text(",".join(names) + "\n" + ",".join(["1"] * len(names)) + "\n")
    assert len(read_sheet(tmp_path / "x.csv").columns) == 100_000


@pytest.mark.parametrize("cell", ["NAN", "+nan", "nAn"])
@pytest.mark.parametrize("others", [["1"], ["1", "word"], ["1_0", "1"]])
def test_other_spellings_of_nan_are_no_numbers(cell, others):
    values, texts = to_numbers([*others, cell])
    assert np.isnan(values[-1])
    assert len(others) in texts
