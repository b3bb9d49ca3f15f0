"""Chapter 3: Linear Neural Networks."""

from divekit.book.rows import Chapter, Section

CHAPTER = Chapter(
    3,
    "Linear Neural Networks",
    folder="03_linear_networks",
    sections=(
        Section(
            "3.1",
            "Linear Regression",
            script="01_linear_regression.py",
            sabotage=(
                ("-((y - mean) ** 2) / (2 * std**2)", "-(y - mean).abs() / std"),
                (
                    "torch.linalg.solve(X.T @ X, X.T @ y)",
                    "torch.linalg.solve(X.T @ X, X.T @ y / 2)",
                ),
                ("whole = left + right", "whole = left - right"),
                ("pulls = errors * X", "pulls = errors + X"),
            ),
        ),
        Section(
            "3.2",
            "Linear Regression Implementation from Scratch",
            script="02_linear_regression_scratch.py",
            data=("synthetic_regression",),
        ),
        Section(
            "3.3",
            "Concise Implementation of Linear Regression",
            script="03_linear_regression_concise.py",
            data=("synthetic_regression",),
            errata=(
                "The library's squared loss has no half, so the edition's concise loss is twice "
                "the one from scratch. Here the half stands in both.",
            ),
        ),
        Section("3.4", "Softmax Regression"),
        Section("3.5", "The Image Classification Dataset"),
        Section(
            "3.6",
            "Implementation of Softmax Regression from Scratch",
            script="06_softmax_regression_scratch.py",
            data=("fashion_mnist",),
        ),
        Section(
            "3.7",
            "Concise Implementation of Softmax Regression",
            script="07_softmax_regression_concise.py",
            data=("fashion_mnist",),
        ),
    ),
)
