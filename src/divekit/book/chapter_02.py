"""Chapter 2: Preliminaries."""

from divekit.book.rows import Chapter, Section

CHAPTER = Chapter(
    2,
    "Preliminaries",
    folder="02_preliminaries",
    sections=(
        Section("2.1", "Data Manipulation"),
        Section("2.2", "Data Preprocessing"),
        Section("2.3", "Linear Algebra"),
        Section(
            "2.4",
            "Calculus",
            script="04_calculus.py",
            sabotage=(
                ("return 3 * x**2 - 4 * x", "return 2 * x**2 - 4 * x"),
                ("return (f(x + h) - f(x)) / h", "return (f(x + h) - f(x)) / (2 * h)"),
                ("x[..., 1] + x[..., 1] ** 3", "x[..., 1] + x[..., 1] ** 2"),
                ("by_formula = (A + A.T) @ v", "by_formula = 2 * A @ v"),
                ("return torch.stack([2 * t, t**2]", "return torch.stack([3 * t, t**2]"),
            ),
        ),
        Section("2.5", "Automatic Differentiation"),
        Section("2.6", "Probability"),
        Section("2.7", "Documentation"),
    ),
)
