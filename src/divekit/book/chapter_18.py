"""Chapter 18: Appendix: Mathematics for Deep Learning."""

from divekit.book.rows import Chapter, Section

CHAPTER = Chapter(
    18,
    "Appendix: Mathematics for Deep Learning",
    folder="18_mathematics",
    sections=(
        Section("18.1", "Geometry and Linear Algebraic Operations"),
        Section("18.2", "Eigendecompositions"),
        Section("18.3", "Single Variable Calculus"),
        Section("18.4", "Multivariable Calculus"),
        Section("18.5", "Integral Calculus"),
        Section("18.6", "Random Variables"),
        Section("18.7", "Maximum Likelihood"),
        Section("18.8", "Distributions"),
        Section("18.9", "Naive Bayes"),
        Section("18.10", "Statistics"),
        Section("18.11", "Information Theory"),
    ),
)
