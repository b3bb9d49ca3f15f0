import csv

import numpy as np
import pandas as pd
import pytest
import torch

from divekit.data import HousePrices, MadeHouses, use_samples
from divekit.data.house_prices import LABEL
from divekit.data.sheet import Sheet
from divekit.errors import BadDataError, DataNotFoundError, UsageError


def frame_of(sheet):
    return pd.DataFrame(sheet.columns).replace({"NA": None, "None": None})


def write_csv(sheet, path):
    path.parent.mkdir(parents=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(sheet.columns)
        writer.writerows(zip(*sheet.columns.values(), strict=True))


def changed(sheet, name, row, cell):
    columns = {key: list(cells) for key, cells in sheet.columns.items()}
    columns[name][row] = cell
    return Sheet(sheet.source, columns, sheet.lines)


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """Put a file of the same form, as a user with other rows would have it, in its place."""
    monkeypatch.setenv("DIVEKIT_DATA", str(tmp_path / "mine"))

    def put(sheet):
        write_csv(sheet, tmp_path / "mine/kaggle_house/kaggle_house_pred_train.csv")

    return put


def test_every_row_is_held_out_in_one_fold_and_trained_on_in_the_others():
    seen = []
    for fold in range(4):
        train, held_out = MadeHouses(fold=fold, num_folds=4).split(400)
        assert sorted(train + held_out) == list(range(400))
        seen += held_out
    assert sorted(seen) == list(range(400))
    assert MadeHouses(fold=None).split(400) == (list(range(400)), [])
    opened = MadeHouses(fold=None).open()
    assert (opened.train.num_examples, opened.test) == (400, None)


def test_numbers_words_and_gaps_agree_with_pandas_on_the_training_rows():
    data = MadeHouses(fold=2)
    sheet = data.priced()
    frame = frame_of(sheet)
    train, held_out = data.split(400)
    opened = data.open()
    inputs = torch.cat([opened.train.tensors[0], opened.test.tensors[0]]).double().numpy()
    rows = frame.iloc[train + held_out]
    known = rows.iloc[: len(train)]
    at = 0
    for column in opened.facts.table.columns:
        cells = rows[column.name]
        if column.kind == "number":
            values, seen = cells.astype(float), known[column.name].astype(float)
            expected = ((values - seen.mean()) / seen.std(ddof=0)).fillna(0)
            np.testing.assert_allclose(inputs[:, at], expected, rtol=1e-4, atol=1e-5)
            assert column.gaps == seen.isna().any()
            if column.gaps:
                np.testing.assert_array_equal(inputs[:, at + 1], values.isna())
        elif column.kind == "category":
            words = sorted(known[column.name].dropna().unique())
            assert list(column.values) == words
            expected = np.stack([cells == word for word in words], axis=1)
            np.testing.assert_array_equal(inputs[:, at : at + len(words)], expected)
            if column.gaps:
                np.testing.assert_array_equal(inputs[:, at + len(words)], cells.isna())
        at += column.width
    assert at == inputs.shape[1]
    marked = {column.name for column in opened.facts.table.columns if column.gaps}
    assert {"LotFrontage", "GarageYrBlt", "PoolQC", "Alley"} <= marked


def test_held_out_rows_leave_no_trace_in_what_is_learned(mine):
    data = HousePrices(fold=1)
    sheet = MadeHouses().priced()
    _, held_out = data.split(len(sheet))
    for row in held_out:
        sheet = changed(sheet, "LotArea", row, "999999")
        sheet = changed(sheet, "Neighborhood", row, "Nowhere")
        sheet = changed(sheet, LABEL, row, "1")
    mine(sheet)
    facts = data.open().facts
    clean = MadeHouses(fold=1).open().facts
    assert facts.table == clean.table
    assert facts.input_shape == clean.input_shape


def test_a_word_that_no_training_row_has_becomes_zeros_and_the_rest_of_the_row_stays():
    form = MadeHouses(fold=None).open().facts.table
    unpriced = MadeHouses().unpriced()
    inputs, unknown = form.encode(unpriced)
    assert unknown == ["MSSubClass: 150 (row 501)"]
    start = 0
    for column in form.columns:
        if column.name == "MSSubClass":
            break
        start += column.width
    assert inputs[-1, start : start + column.width].tolist() == [0] * column.width
    assert inputs[:-1, start : start + column.width].sum(dim=1).eq(1).all()


def test_targets_are_dollars_or_logarithms_from_their_mean():
    for target in ("price", "log_price"):
        opened = MadeHouses(target=target, fold=None).open()
        prices = torch.tensor([float(cell) for cell in MadeHouses().priced().columns[LABEL]])
        targets = opened.train.tensors[1]
        assert targets.shape == (400, 1)
        expected = prices if target == "price" else prices.log() - prices.log().mean()
        torch.testing.assert_close(targets[:, 0], expected, rtol=1e-5, atol=1e-5)
        restored = opened.facts.in_units(targets)[:, 0]
        torch.testing.assert_close(restored, prices.double(), rtol=1e-6, atol=0)


def test_the_sample_has_the_columns_of_the_real_file_and_its_troubles():
    priced, unpriced = MadeHouses().priced(), MadeHouses().unpriced()
    assert (len(priced.columns), len(unpriced.columns)) == (81, 80)
    assert (len(priced), len(unpriced)) == (400, 100)
    assert [name for name in priced.columns if name != LABEL] == list(unpriced.columns)
    assert set(priced.columns["PoolQC"]) == {"NA", "Gd"}
    assert "150" in unpriced.columns["MSSubClass"]
    assert "150" not in priced.columns["MSSubClass"]
    assert all(float(price) > 0 for price in priced.columns[LABEL])
    assert priced.columns["Id"] == [str(number) for number in range(1, 401)]
    assert len({tuple(row) for row in zip(*priced.columns.values(), strict=True)}) == 400


def test_rows_without_a_price_are_those_of_the_sample_where_samples_are_wanted():
    with use_samples():
        assert HousePrices().unpriced().source == "invented houses"
        assert HousePrices(fold=3, batch_size=8).open().facts.name == "made_houses"
    with pytest.raises(DataNotFoundError, match="kaggle_house_pred_test"):
        HousePrices().unpriced()
    assert HousePrices(batch_size=8).sample().batch_size == 8


@pytest.mark.parametrize("fold", [-1, 5])
def test_a_fold_that_is_not_there_is_refused(fold):
    with pytest.raises(UsageError, match=rf"fold is {fold}; of 5 parts"):
        MadeHouses(fold=fold).open()


@pytest.mark.parametrize(
    ("name", "cell", "message"),
    [
        (LABEL, "0", "row 9, column SalePrice: 0 has no logarithm"),
        (LABEL, "NA", "row 9, column SalePrice: the label is missing"),
        ("LotArea", "big", "row 9, column LotArea: 'big' is not a number"),
    ],
)
def test_a_file_that_does_not_fit_is_named_with_its_row(mine, name, cell, message):
    mine(changed(MadeHouses().priced(), name, 7, cell))
    with pytest.raises(BadDataError, match=message):
        HousePrices().open()


def test_a_file_without_prices_says_so(mine):
    mine(MadeHouses().unpriced())
    with pytest.raises(BadDataError, match="no column is called 'SalePrice'"):
        HousePrices().open()


@pytest.mark.real
def test_the_real_files_are_whole():
    data = HousePrices()
    priced, unpriced = data.priced(), data.unpriced()
    assert (len(priced), len(priced.columns)) == (1460, 81)
    assert (len(unpriced), len(unpriced.columns)) == (1459, 80)
    assert list(priced.columns) == list(MadeHouses().priced().columns)
    opened = data.open()
    assert opened.facts.input_shape == data.facts.input_shape
    assert (opened.train.num_examples, opened.test.num_examples) == (1168, 292)
    prices = np.array([float(price) for price in priced.columns[LABEL]])
    # Widely quoted: the mean and the median of the 1,460 prices.
    assert prices.mean() == pytest.approx(180921.196, abs=1e-3)
    assert np.median(prices) == 163000
    everything = HousePrices(fold=None).open().facts.table
    inputs, unknown = everything.encode(unpriced)
    assert inputs.isfinite().all()
    assert unknown[0].startswith("MSSubClass: 150")
