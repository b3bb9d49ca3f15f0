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
            sabotage=("3 * x**2", "2 * x**2"),
        ),
        Section("2.5", "Automatic Differentiation"),
        Section("2.6", "Probability"),
        Section("2.7", "Documentation"),
    ),
)
