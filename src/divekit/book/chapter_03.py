"""Chapter 3: Linear Neural Networks."""

from divekit.book.rows import Chapter, Section

CHAPTER = Chapter(
    3,
    "Linear Neural Networks",
    folder="03_linear_networks",
    sections=(
        Section("3.1", "Linear Regression"),
        Section("3.2", "Linear Regression Implementation from Scratch"),
        Section("3.3", "Concise Implementation of Linear Regression"),
        Section("3.4", "Softmax Regression"),
        Section("3.5", "The Image Classification Dataset"),
        Section("3.6", "Implementation of Softmax Regression from Scratch"),
        Section("3.7", "Concise Implementation of Softmax Regression"),
    ),
)
