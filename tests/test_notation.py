"""The table of notation: every expression gives what the table says."""

import json
import math
from collections import Counter

import pytest
import torch
from torch.testing import assert_close

from divekit import notation

SYMBOLS = [symbol for symbols in notation.GROUPS.values() for symbol in symbols]

# The numbers in the table that are rounded, out of a calculator.
ROUNDED = {
    "torch.log(x)": [math.log(3), 2 * math.log(2)],
    "torch.exp(y)": [math.e, math.e**2],
    "torch.trapezoid(f(t), t)": 1 / 3,
    "torch.cumulative_trapezoid(f(t), t)[499]": 0.5**3 / 3,
    "torch.distributions.Normal(0, 1).log_prob(a).exp()": math.exp(-2) / math.sqrt(2 * math.pi),
    "torch.special.entr(P).sum()": 1.5 * math.log(2),
    'F.kl_div(Q.log(), P, reduction="sum")': 0.25 * math.log(2),
}


@pytest.mark.parametrize("symbol", SYMBOLS, ids=lambda symbol: symbol.plain)
def test_its_expression_gives_its_value(symbol):
    names = {"torch": torch}
    exec("\n".join(notation.given(symbol.torch)), names)
    found = eval(symbol.torch, names)
    if isinstance(symbol.value, tuple | bool):
        assert found == symbol.value
    else:
        expected = torch.tensor(symbol.value, dtype=torch.float64)
        assert_close(torch.as_tensor(found).double(), expected, rtol=0, atol=6e-5)


def test_rounded_numbers_are_those_of_a_calculator():
    table = {symbol.torch: symbol.value for symbol in SYMBOLS}
    for expression, exact in ROUNDED.items():
        assert table[expression] == pytest.approx(exact, abs=5e-5), expression
    fractions = [
        name
        for name, value in table.items()
        for number in (value if isinstance(value, list) else [value])
        if isinstance(number, float) and not (number * 20).is_integer()
    ]
    assert set(fractions) == set(ROUNDED), "a number with many digits is checked above"


def test_the_books_symbols_are_all_there():
    assert {group: len(symbols) for group, symbols in notation.GROUPS.items()} == {
        "Numbers and arrays": 7,
        "Set theory": 10,
        "Functions and operators": 14,  # the book has cardinality here too
        "Calculus": 5,
        "Probability and information theory": 13,
        "Complexity": 1,
    }
    assert set(Counter(symbol.latex for symbol in SYMBOLS).values()) == {1}


@pytest.mark.parametrize("symbol", SYMBOLS, ids=lambda symbol: symbol.plain)
def test_its_latex_can_be_set(symbol):
    mathtext = pytest.importorskip("matplotlib.mathtext")
    # What matplotlib's small TeX does not know, spelled in what it knows.
    known = symbol.latex.replace(r"\lvert", "|").replace(r"\rvert", "|").replace(r"\top", "T")
    known = known.replace(r"\lVert", r"\|").replace(r"\rVert", r"\|")
    known = known.replace(r"\stackrel{\mathrm{def}}", r"\overset{def}")
    mathtext.MathTextParser("path").parse(f"${known}$")


def test_the_text_fits_80_columns_and_is_aligned():
    for plain in (False, True):
        lines = notation.text(notation.rows(), plain=plain).splitlines()
        assert max(map(len, lines)) <= 80
        for line in lines[1 : lines.index("The names in the expressions")]:
            if line.startswith("  "):
                # A meaning or an expression begins in its column.
                assert line[notation.INDENT - 1] == " ", line
                assert line[notation.INDENT] != " ", line
    assert notation.text(notation.rows(), plain=True).isascii()


def test_a_printed_row_can_be_pasted(divekit):
    """What stands below the symbols defines every name that stands in the expressions."""
    text = divekit("notation", "covariance").stdout
    code = text[text.index("  import torch") :].replace("\n  ", "\n").strip()
    names = {}
    exec(code, names)
    assert eval("torch.cov(torch.stack((u, v)))[0, 1]", names) == 1.0
    assert "torch.cov(torch.stack((u, v)))[0, 1]  # 1.0" in text
    assert "flops" not in text


def test_the_command_filters(divekit):
    assert [
        row["plain"] for row in json.loads(divekit("notation", "GRADIENT", "--json").stdout)
    ] == ["grad_x y"]
    (row,) = json.loads(divekit("notation", "entropy", "--json").stdout)
    assert row["latex"] == "H(X)"
    assert row["value"] == 1.0397
    assert row["given"] == [notation.GIVEN["P"]]
    assert len(json.loads(divekit("notation", "--json").stdout)) == len(SYMBOLS)
    wrong = divekit("notation", "gradeint")
    assert wrong.exit_code == 2
    assert "did you mean gradient" in wrong.stderr


def test_plain_letters_on_request_and_where_others_cannot_be_shown(divekit):
    assert "𝐱" in divekit("notation", "vector").stdout
    assert divekit("notation", "--ascii").stdout.isascii()
    for encoding, terminal, shown in (
        ("utf-8", "xterm-256color", True),
        ("utf-8", "", True),
        ("utf-8", "linux", False),
        ("ascii", "xterm", False),
        ("cp1252", "", False),
        ("no such encoding", "", False),
    ):
        assert notation.letters_are_shown(encoding, terminal) is shown, (encoding, terminal)
