"""The book's symbols as a table: what each means, its LaTeX, and torch's expression for it.

Every expression can be evaluated with the names in ``GIVEN``; ``value`` is what comes out,
worked by hand. Nothing here imports torch.

Book: Notation
"""

import ast
import sys
from dataclasses import asdict, dataclass
from typing import Any

from divekit.errors import unknown_name

INDENT = 18


@dataclass(frozen=True)
class Symbol:
    """One symbol of the book."""

    symbol: str
    """As a terminal shows it, in mathematical letters."""
    plain: str
    """The same in ASCII, for terminals and fonts without such letters."""
    latex: str
    meaning: str
    torch: str
    """One expression over the names in ``GIVEN``."""
    value: Any
    """What the expression gives: numbers, to four decimals; a truth value; a shape."""


# Definitions of the names in the expressions, in the order in which they are printed.
GIVEN = {
    "a": "a = torch.tensor(2.0)",
    "b": "b = torch.tensor(3.0)",
    "x": "x = torch.tensor([3.0, 4.0])",
    "y": "y = torch.tensor([1.0, 2.0])",
    "X": "X = torch.tensor([[1.0, 2.0], [3.0, 4.0]])",
    "A": "A = torch.tensor([1, 2, 3])",
    "B": "B = torch.tensor([3, 4])",
    "u": "u = torch.tensor([1.0, 2.0, 3.0])",
    "v": "v = torch.tensor([2.0, 6.0, 4.0])",
    "t": "t = torch.linspace(0, 1, 1001)",
    "f": "def f(t): return t**2",
    "g": "def g(a, b): return a * b**2",
    "h": "def h(x): return (x**2).sum()",
    "P": "P = torch.tensor([0.5, 0.25, 0.25])  # probabilities of u",
    "Q": "Q = torch.tensor([0.25, 0.25, 0.5])",
    "J": "J = torch.tensor([[0.3, 0.1], [0.2, 0.4]])  # P(X, Y): X by row",
    "C": (
        "C = torch.tensor([  # P(X, Y | Z): first by Z, then by X\n"
        "    [[0.1, 0.1], [0.4, 0.4]], [[0.06, 0.54], [0.04, 0.36]]\n"
        "])"
    ),
    "F": "import torch.nn.functional as F",
    "flops": (
        "def flops(n):\n"
        "    from torch.utils.flop_counter import FlopCounterMode\n"
        "    with FlopCounterMode(display=False) as counter:\n"
        "        torch.zeros(n, n) @ torch.zeros(n, n)\n"
        "    return counter.get_total_flops()"
    ),
}

GROUPS: dict[str, tuple[Symbol, ...]] = {
    "Numbers and arrays": (
        Symbol("𝑥", "x", r"x", "a scalar: one number", "torch.tensor(2.0)", 2.0),
        Symbol(
            "𝐱", "x", r"\mathbf{x}", "a vector: numbers along one axis",
            "torch.tensor([3.0, 4.0])", [3.0, 4.0],
        ),
        Symbol(
            "𝐗", "X", r"\mathbf{X}", "a matrix: rows and columns",
            "torch.tensor([[1, 2], [3, 4]])", [[1, 2], [3, 4]],
        ),
        Symbol(
            "𝖷", "X", r"\mathsf{X}", "a tensor: any number of axes",
            "torch.arange(24).reshape(2, 3, 4).ndim", 3,
        ),
        Symbol(
            "𝐈", "I", r"\mathbf{I}", "the identity matrix: ones on its diagonal",
            "torch.eye(2)", [[1.0, 0.0], [0.0, 1.0]],
        ),
        Symbol(
            "𝑥ᵢ, [𝐱]ᵢ", "x_i, [x]_i", r"x_i, [\mathbf{x}]_i",
            "element i of a vector; code counts from 0, formulas from 1",
            "x[0]", 3.0,
        ),
        Symbol(
            "𝑥ᵢⱼ, [𝐗]ᵢⱼ", "x_ij, [X]_ij", r"x_{ij}, [\mathbf{X}]_{ij}",
            "the element in row i and column j of a matrix",
            "X[0, 1]", 2.0,
        ),
    ),
    "Set theory": (
        Symbol(
            "𝒳", "X", r"\mathcal{X}", "a set: each element counts once",
            "torch.tensor([2, 1, 2, 3]).unique()", [1, 2, 3],
        ),
        Symbol("ℤ", "Z", r"\mathbb{Z}", "the integers", "A.dtype == torch.int64", True),
        Symbol(
            "ℤ⁺", "Z^+", r"\mathbb{Z}^+", "the integers above zero", "bool((A > 0).all())", True
        ),
        Symbol(
            "ℝ", "R", r"\mathbb{R}", "the real numbers; code rounds them to 24 bits",
            "x.dtype == torch.float32", True,
        ),
        Symbol(
            "ℝⁿ", "R^n", r"\mathbb{R}^n", "vectors of n real numbers", "x.shape", (2,)
        ),
        Symbol(
            "ℝᵃˣᵇ", "R^(a x b)", r"\mathbb{R}^{a \times b}",
            "real matrices of a rows and b columns", "torch.zeros(2, 3).shape", (2, 3),
        ),
        Symbol(
            "|𝒳|", "|X|", r"\lvert\mathcal{X}\rvert", "how many elements a set has (cardinality)",
            "len(A.unique())", 3,
        ),
        Symbol(
            "𝒜 ∪ ℬ", "A u B", r"\mathcal{A} \cup \mathcal{B}", "union: what is in either set",
            "torch.cat((A, B)).unique()", [1, 2, 3, 4],
        ),
        Symbol(
            "𝒜 ∩ ℬ", "A n B", r"\mathcal{A} \cap \mathcal{B}",
            "intersection: what is in both sets", "A[torch.isin(A, B)]", [3],
        ),
        Symbol(
            "𝒜 ∖ ℬ", "A \\ B", r"\mathcal{A} \setminus \mathcal{B}",
            "difference: what is in the first set and not in the second",
            "A[~torch.isin(A, B)]", [1, 2],
        ),
    ),
    "Functions and operators": (
        Symbol("𝑓(·)", "f(.)", r"f(\cdot)", "a function", "f(x)", [9.0, 16.0]),
        Symbol(
            "log(·)", "log(.)", r"\log(\cdot)", "the natural logarithm, of each element",
            "torch.log(x)", [1.0986, 1.3863],
        ),
        Symbol(
            "exp(·)", "exp(.)", r"\exp(\cdot)", "e to the power of each element",
            "torch.exp(y)", [2.7183, 7.3891],
        ),
        Symbol(
            "𝟏_𝒳(·)", "1_X(.)", r"\mathbf{1}_{\mathcal{X}}",
            "indicator: 1 for what is in the set, 0 for the rest",
            "torch.isin(B, A).int()", [1, 0],
        ),
        Symbol(
            "(·)ᵀ", "(.)^T", r"(\cdot)^\top", "transpose: rows become columns",
            "X.T", [[1.0, 3.0], [2.0, 4.0]],
        ),
        Symbol(
            "𝐗⁻¹", "X^-1", r"\mathbf{X}^{-1}",
            "inverse: the matrix that makes the identity of X",
            "torch.linalg.inv(X)", [[-2.0, 1.0], [1.5, -0.5]],
        ),
        Symbol(
            "⊙", "(.)", r"\odot", "elementwise (Hadamard) product", "x * y", [3.0, 8.0]
        ),
        Symbol(
            "[·, ·]", "[., .]", r"[\cdot, \cdot]", "concatenation: one after the other",
            "torch.cat((x, y))", [3.0, 4.0, 1.0, 2.0],
        ),
        Symbol(
            "‖·‖ₚ", "||.||_p", r"\lVert\cdot\rVert_p",
            "p-norm: the p-th root of the sum of |x_i|^p; here p = 1",
            "torch.linalg.vector_norm(x, ord=1)", 7.0,
        ),
        Symbol(
            "‖·‖, ‖·‖₂", "||.||, ||.||_2", r"\lVert\cdot\rVert, \lVert\cdot\rVert_2",
            "2-norm: the length of a vector",
            "torch.linalg.vector_norm(x)", 5.0,
        ),
        Symbol(
            "⟨𝐱, 𝐲⟩, 𝐱ᵀ𝐲", "<x, y>, x^T y",
            r"\langle\mathbf{x}, \mathbf{y}\rangle, \mathbf{x}^\top\mathbf{y}",
            "dot product: the sum of the elementwise product",
            "torch.dot(x, y)", 11.0,
        ),
        Symbol("∑", "sum", r"\sum", "sum over an index", "x.sum()", 7.0),
        Symbol("∏", "prod", r"\prod", "product over an index", "x.prod()", 12.0),
        Symbol(
            "≝", ":=", r"\stackrel{\mathrm{def}}{=}", "definition: a name for what follows",
            "(mean := u.sum() / len(u))", 2.0,
        ),
    ),
    "Calculus": (
        Symbol(
            "d𝑦/d𝑥", "dy/dx", r"\frac{dy}{dx}",
            "derivative: how fast y grows with x; here of x^2 at 2",
            "torch.func.grad(f)(a)", 4.0,
        ),
        Symbol(
            "∂𝑦/∂𝑥", "partial dy/dx", r"\frac{\partial y}{\partial x}",
            "partial derivative: all other inputs are held still",
            "torch.func.grad(g, argnums=1)(a, b)", 12.0,
        ),
        Symbol(
            "∇_𝐱 𝑦", "grad_x y", r"\nabla_{\mathbf{x}} y",
            "gradient: every partial derivative; y.backward() in training",
            "torch.func.grad(h)(x)", [6.0, 8.0],
        ),
        Symbol(
            "∫ₐᵇ 𝑓(𝑥) d𝑥", "int_a^b f(x) dx", r"\int_a^b f(x)\,dx",
            "definite integral: the area below f from a to b",
            "torch.trapezoid(f(t), t)", 0.3333,
        ),
        Symbol(
            "∫ 𝑓(𝑥) d𝑥", "int f(x) dx", r"\int f(x)\,dx",
            "indefinite integral: the function with slope f; here at 1/2",
            "torch.cumulative_trapezoid(f(t), t)[499]", 0.0417,
        ),
    ),
    "Probability and information theory": (
        Symbol(
            "𝑃(·)", "P(.)", r"P(\cdot)",
            "probability distribution: of all outcomes together it is 1", "P.sum()", 1.0,
        ),
        Symbol(
            "𝑧 ∼ 𝑃", "z ~ P", r"z \sim P", "z is drawn from P; here four times",
            "torch.multinomial(P, 4, replacement=True).shape", (4,),
        ),
        Symbol(
            "𝑃(𝑋 | 𝑌)", "P(X | Y)", r"P(X \mid Y)",
            "conditional probability: of X where Y is known",
            "J / J.sum(0)", [[0.6, 0.2], [0.4, 0.8]],
        ),
        Symbol(
            "𝑝(𝑥)", "p(x)", r"p(x)", "probability density, here of the normal distribution",
            "torch.distributions.Normal(0, 1).log_prob(a).exp()", 0.054,
        ),
        Symbol(
            "𝐸ₓ[𝑓(𝑥)]", "E_x[f(x)]", r"E_x[f(x)]",
            "expectation: the mean of f(x), by the probability of x",
            "(P * f(u)).sum()", 3.75,
        ),
        Symbol(
            "𝑋 ⊥ 𝑌", "X _|_ Y", r"X \perp Y", "independent: P(X, Y) is P(X) P(Y)",
            "torch.allclose(J, torch.outer(J.sum(1), J.sum(0)))", False,
        ),
        Symbol(
            "𝑋 ⊥ 𝑌 | 𝑍", "X _|_ Y | Z", r"X \perp Y \mid Z",
            "independent wherever Z is known",
            "torch.allclose(C, C.sum(2, True) * C.sum(1, True))", True,
        ),
        Symbol(
            "Var(𝑋)", "Var(X)", r"\mathrm{Var}(X)",
            "variance; of a sample, torch divides by n - 1", "v.var()", 4.0,
        ),
        Symbol(
            "σ_𝑋", "sigma_X", r"\sigma_X", "standard deviation: the root of the variance",
            "v.std()", 2.0,
        ),
        Symbol(
            "Cov(𝑋, 𝑌)", "Cov(X, Y)", r"\mathrm{Cov}(X, Y)",
            "covariance: how far X and Y move together",
            "torch.cov(torch.stack((u, v)))[0, 1]", 1.0,
        ),
        Symbol(
            "ρ(𝑋, 𝑌)", "rho(X, Y)", r"\rho(X, Y)",
            "correlation: the covariance in units of both deviations",
            "torch.corrcoef(torch.stack((u, v)))[0, 1]", 0.5,
        ),
        Symbol(
            "𝐻(𝑋)", "H(X)", r"H(X)", "entropy: the mean surprise, in nats",
            "torch.special.entr(P).sum()", 1.0397,
        ),
        Symbol(
            "𝐷_KL(𝑃 ‖ 𝑄)", "D_KL(P || Q)", r"D_{\mathrm{KL}}(P \parallel Q)",
            "divergence: cost of Q in place of P; torch takes log Q first",
            'F.kl_div(Q.log(), P, reduction="sum")', 0.1733,
        ),
    ),
    "Complexity": (
        Symbol(
            "𝒪(·)", "O(.)", r"\mathcal{O}(\cdot)",
            "order of growth; of X @ X: n^3, so twice n is 8 times the work",
            "flops(200) / flops(100)", 8.0,
        ),
    ),
}  # fmt: skip


def rows(word: str | None = None) -> list[dict[str, Any]]:
    """Give the table as plain rows: all of it, or those that mention a word anywhere.

    ``given`` are the definitions that a row's expression needs. A word that is nowhere is an
    error that names the nearest ones.
    """
    found = [
        {"group": group, **asdict(symbol), "given": given(symbol.torch)}
        for group, symbols in GROUPS.items()
        for symbol in symbols
    ]
    if word is None:
        return found
    fields = ("group", "symbol", "plain", "latex", "meaning", "torch")
    matching = [row for row in found if any(word.lower() in row[key].lower() for key in fields)]
    if not matching:
        words = {part.strip("(),.:;").lower() for row in found for part in row["meaning"].split()}
        raise unknown_name("symbol", word, words)
    return matching


def given(expression: str) -> list[str]:
    """Give the definitions of the names in an expression, in the order of ``GIVEN``."""
    used = {node.id for node in ast.walk(ast.parse(expression)) if isinstance(node, ast.Name)}
    return [definition for name, definition in GIVEN.items() if name in used]


def text(chosen: list[dict[str, Any]], *, plain: bool = False) -> str:
    """Write rows for a terminal of 80 columns, with the names that their expressions use."""
    lines: list[str] = []
    group = None
    for row in chosen:
        if row["group"] != group:
            group = row["group"]
            lines += ["", group]
        lines.append(f"  {row['plain' if plain else 'symbol']:<{INDENT - 2}}{row['meaning']}")
        lines.append(f"{'':<{INDENT}}{row['torch']}  # {row['value']}")
    needed = {definition for row in chosen for definition in row["given"]}
    if needed:
        lines += ["", "The names in the expressions", "  import torch"]
        for definition in GIVEN.values():
            if definition in needed:
                lines += [f"  {line}" for line in definition.splitlines()]
    return "\n".join(lines[1:])


def letters_are_shown(encoding: str | None, terminal: str) -> bool:
    """Tell whether a stream takes mathematical letters: by its encoding, and ``TERM``.

    Linux's text console (``linux``) takes every letter, and shows most of these as boxes.
    """
    symbols = "".join(symbol.symbol for group in GROUPS.values() for symbol in group)
    try:
        symbols.encode(encoding or sys.getdefaultencoding())
    except (UnicodeEncodeError, LookupError):
        return False
    return terminal not in ("linux", "dumb")
