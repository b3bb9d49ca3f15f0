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
            proven="training loss 6.3e-05, median of five seeds, 2026-11-20",
            data=("synthetic_regression",),
        ),
        Section(
            "3.3",
            "Concise Implementation of Linear Regression",
            script="03_linear_regression_concise.py",
            proven="training loss 6.3e-05, median of five seeds, 2026-11-20",
            data=("synthetic_regression",),
            errata=(
                "The library's squared loss has no half, so the edition's concise loss is twice "
                "the one from scratch. Here the half stands in both.",
            ),
        ),
        Section(
            "3.4",
            "Softmax Regression",
            script="04_softmax_regression.py",
            sabotage=(("by_hand = believed - target", "by_hand = believed"),),
        ),
        Section(
            "3.5",
            "The Image Classification Dataset",
            script="05_image_classification_data.py",
            proven="ran on the real 70,000 images, 2026-11-20",
            data=("fashion_mnist",),
            sabotage=(("pixels[all_labels == k]", "pixels[all_labels != k]"),),
        ),
        Section(
            "3.6",
            "Implementation of Softmax Regression from Scratch",
            script="06_softmax_regression_scratch.py",
            proven="test accuracy 0.833, median of five seeds, 2026-11-20",
            data=("fashion_mnist",),
        ),
        Section(
            "3.7",
            "Concise Implementation of Softmax Regression",
            script="07_softmax_regression_concise.py",
            proven="test accuracy 0.832, median of five seeds, 2026-11-20",
            data=("fashion_mnist",),
        ),
    ),
)
