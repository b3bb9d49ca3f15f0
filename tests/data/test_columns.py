import json
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from divekit.data.columns import Column, TableForm, describe, learn_columns
from divekit.data.sheet import sheet_of
from divekit.errors import BadDataError, UsageError

# Section 2.2's four houses, and its three new ones.
HOUSES = {"rooms": [None, 2, 4, None], "alley": ["Pave", None, None, None]}
NEW = {"rooms": [None, 5.0, 6.0], "alley": ["Grvl", None, "Pave"]}


def learn(rows, train=None, **settings):
    sheet = sheet_of(rows)
    return TableForm(learn_columns(sheet, train or range(len(sheet)), **settings), "")


@st.composite
def tables(draw):
    rows = draw(st.integers(6, 30))
    number = st.one_of(st.none(), st.floats(-1e6, 1e6).map(lambda value: round(value, 3)))
    word = st.sampled_from([None, "red", "green", "blue"])
    columns = lambda cells: st.lists(cells, min_size=rows, max_size=rows)  # noqa: E731
    return pd.DataFrame(
        {
            **{f"n{i}": pd.array(draw(columns(number)), dtype="Float64") for i in range(2)},
            **{f"c{i}": draw(columns(word)) for i in range(2)},
        }
    )


@settings(deadline=None, max_examples=30)
@given(frame=tables(), data=st.data())
def test_statistics_and_encoding_agree_with_scikit_learn(frame, data):
    train = sorted(data.draw(st.sets(st.integers(0, len(frame) - 1), min_size=4)))
    form = learn(frame, train)
    inputs, _ = form.encode(sheet_of(frame))
    plain = frame.astype({name: "float64" for name in frame if name[0] == "n"})
    numbers = [column.name for column in form.columns if column.kind == "number"]
    words = [column.name for column in form.columns if column.kind == "category"]
    if not numbers + words:
        return
    theirs = make_column_transformer(
        (make_pipeline(StandardScaler(), SimpleImputer()), numbers),
        (
            make_pipeline(
                SimpleImputer(strategy="constant", fill_value="~missing", missing_values=None),
                OneHotEncoder(handle_unknown="ignore", sparse_output=False),
            ),
            words,
        ),
    )
    plain = plain.astype(dict.fromkeys(words, object)).where(plain.notna(), None)
    plain = plain.astype(dict.fromkeys(numbers, "float64"))
    expected = theirs.fit(plain.iloc[train]).transform(plain)
    np.testing.assert_allclose(inputs.numpy(), expected, rtol=2e-5, atol=2e-5)


def test_the_houses_of_section_2_2_by_hand():
    form = learn(HOUSES, categories=["alley"])
    inputs, unknown = form.encode(sheet_of(HOUSES))
    # Rooms 2 and 4: mean 3, spread 1; a gap is the mean. Then Pave, then missing.
    assert inputs.tolist() == [[0, 1, 0], [-1, 0, 1], [1, 0, 1], [0, 0, 1]]
    assert unknown == []
    inputs, unknown = form.encode(sheet_of(NEW))
    assert inputs.tolist() == [[0, 0, 0], [2, 0, 1], [3, 1, 0]]
    assert unknown == ["alley: Grvl (row 1)"]


def test_a_row_does_not_depend_on_the_company_it_comes_in():
    form = learn(HOUSES)
    alone, _ = form.encode(sheet_of({"rooms": [5], "alley": ["Pave"]}))
    with_others, _ = form.encode(sheet_of({"alley": ["x", "Pave", "y"], "rooms": [90, 5, None]}))
    assert torch.equal(alone[0], with_others[1])


N = 20


@pytest.mark.parametrize(
    ("cells", "settings", "expected"),
    [
        (list(range(0, 40, 2)), {}, "x: number (mean 19, spread 11.53)"),
        ([1, 2] * 10, {"categories": ["x"]}, "x: category (2 values)"),
        (["a", "b"] * 10, {}, "x: category (2 values)"),
        (["a", "a", "b", ""] * 5, {}, "x: category (2 values and missing)"),
        (["a", ""] * 10, {}, "x: category (1 value and missing)"),
        (["?", "2"] * 10, {"missing": ("?",)}, "x: left out (constant: 2)"),
        (["1,5", "2"] * 10, {"decimal": ","}, "x: number (mean 1.75, spread 0.25)"),
        ([7] * N, {}, "x: left out (constant: 7)"),
        (["a"] * N, {}, "x: left out (constant: a)"),
        ([None] * N, {}, "x: left out (no values in the training rows)"),
        (list(range(100, 100 + N)), {}, "x: left out (it counts the rows)"),
        (list(range(100, 100 + N)), {"numbers": ["x"]}, "x: number (mean 109.5, spread 5.766)"),
        (
            [f"id{i}" for i in range(N)],
            {},
            "x: left out (text like a name: 20 different ones in 20 rows)",
        ),
        ([f"id{i}" for i in range(N)], {"categories": ["x"]}, "x: category (20 values)"),
        ([1, 2] * 10, {"left_out": ["x"]}, "x: left out (as you said)"),
        (["1", "1a", "2b", "2c"] * 5, {}, "x: category (4 values)"),
        ([1e300, -1e300] * 10, {}, "x: number (mean 0, spread 1e+300)"),
    ],
)
def test_the_kind_of_a_column_is_read_off_its_cells(cells, settings, expected):
    (column,) = learn({"x": cells}, **settings).columns
    assert str(column) == expected


def test_nothing_is_learned_from_rows_that_are_not_trained_on():
    train = [0, 1, 3, 4, 6, 7]
    rows = {"n": [1, 2, 99, 4, 5, None, 9, 8], "c": ["a", "b", "z", "a", "b", "q", "b", None]}
    others = {"n": [1, 2, -5e6, 4, 5, 3, 9, 8], "c": ["a", "b", "b", "a", "b", None, "b", None]}
    assert learn(rows, train) == learn(others, train)
    others["n"][0] = 3  # and the comparison can fail
    assert learn(rows, train) != learn(others, train)


def test_spellings_of_one_value_are_one_category():
    form = learn({"x": ["20", "30"] * 5, "y": ["True", "False"] * 5}, categories=["x", "y"])
    frame = pd.DataFrame({"x": [20.0, 30.0], "y": ["TRUE", "false"]})
    inputs, unknown = form.encode(sheet_of(frame))
    assert inputs.tolist() == [[1, 0, 0, 1], [0, 1, 1, 0]]
    assert unknown == []


@pytest.mark.parametrize(
    ("cells", "parts"),
    [
        (["1", "2", "3", "x"], ["row 4, column x", "'x' is not a number", "data.missing=x"]),
        (["1", "2", "inf"], ["row 3, column x", "'inf' is not a number"]),
        (["1,5", "2,5", "3"], ["row 1, column x", "data.decimal=,"]),
        (["$1,200", "$900", "$1"], ["row 1", "'$1,200' looks like a number"]),
        (["12 %", "9 %"], ["row 1", "looks like a number"]),
    ],
)  # fmt: skip
def test_a_column_that_is_nearly_numbers_is_asked_about(cells, parts):
    with pytest.raises(BadDataError) as caught:
        learn({"x": cells})
    assert all(part in str(caught.value) for part in parts), caught.value


def test_new_rows_that_do_not_fit_are_named():
    form = learn({"rooms": [1, 2, 4, 8], "alley": ["a", "b", "a", "b"]})
    for rows, parts in [
        ({"Rooms": [1], "alley": ["a"]}, ["no column is called 'rooms'", "did you mean 'Rooms'"]),
        ({"z": [1]}, ["'rooms'", "(rooms, alley are missing)"]),
        ({"rooms": [1, "x", "y"], "alley": "abc"[:3]}, []),
        ({"rooms": [1, "x", "y"], "alley": list("abc")}, ["row 2, column rooms", "and 1 more"]),
        ({"rooms": ["1e308"], "alley": ["a"]}, ["row 1, column rooms", "too far"]),
    ]:
        with pytest.raises((BadDataError, UsageError)) as caught:
            form.encode(sheet_of(rows))
        assert all(part in str(caught.value) for part in parts), caught.value


def test_settings_that_name_no_column_suggest_the_nearest():
    with pytest.raises(
        UsageError, match=r"data\.leave_out: .* no column 'room'; did you mean 'rooms'"
    ):
        learn(HOUSES, left_out=["room"])


def test_many_columns_are_summed_up():
    lines = describe(
        [Column(f"n{i}", "number") for i in range(20)]
        + [Column("c", "category", values=("a", "b"), gaps=True), Column("id", "left out", why="x")]
    )
    assert lines == [
        "numbers: 20 columns (n0, n1, n2, n3, n4 and 15 more)",
        "categories: 1 columns, 3 values with those for gaps (c)",
        "id: left out (x)",
    ]


def test_gaps_of_numbers_are_marked_where_training_rows_had_some():
    rows = {"rooms": [2, None, 4, 6], "area": [1.0, 3.0, 5.0, None], "alley": ["a", "b", "a", ""]}
    form = learn(rows, [0, 1, 2], categories=["alley"], mark_gaps=True)
    inputs, _ = form.encode(sheet_of(rows))
    # Rooms 2 and 4: mean 3, spread 1, and where a gap was. Area 1, 3, 5: a gap is the mean, 3.
    spread = (8 / 3) ** 0.5
    expected = [
        [-1, 0, -2 / spread, 1, 0],
        [0, 1, 0, 0, 1],
        [1, 0, 2 / spread, 1, 0],
        [3, 0, 0, 0, 0],
    ]
    np.testing.assert_allclose(inputs.numpy(), expected, rtol=1e-6)
    assert str(form.columns[0]) == "rooms: number and missing (mean 3, spread 1)"
    assert form.width == 5


def test_a_label_on_a_logarithmic_scale_by_hand():
    sheet = sheet_of({"price": [1, np.e**2, np.e**4, 7.0]})
    form = TableForm((), "price").learn_label(sheet, [0, 1, 2], log=True)
    assert form.label_mean == pytest.approx(2)
    assert form.label_spread == pytest.approx((8 / 3) ** 0.5)
    targets = form.targets(sheet)
    expected = (np.log([1, np.e**2, np.e**4, 7.0]) - 2) / (8 / 3) ** 0.5
    np.testing.assert_allclose(targets[:, 0].numpy(), expected, rtol=1e-6, atol=1e-6)
    restored = form.in_units(targets.double())[:, 0]
    np.testing.assert_allclose(restored.numpy(), [1, np.e**2, np.e**4, 7.0], rtol=1e-6)


def test_a_form_survives_json_and_one_of_an_earlier_version_is_read():
    form = learn({"rooms": [2, None, 4]}, mark_gaps=True)
    form = replace(form, label="price", label_log=True)
    fields = json.loads(json.dumps(asdict(form)))
    assert TableForm.from_json(fields) == form
    del fields["label_log"]
    assert TableForm.from_json(fields) == replace(form, label_log=False)
