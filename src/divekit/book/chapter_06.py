"""Chapter 6: Convolutional Neural Networks."""

from divekit.book.rows import Chapter, Section

CHAPTER = Chapter(
    6,
    "Convolutional Neural Networks",
    folder="06_convolutional_networks",
    sections=(
        Section("6.1", "From Fully-Connected Layers to Convolutions"),
        Section("6.2", "Convolutions for Images"),
        Section("6.3", "Padding and Stride"),
        Section("6.4", "Multiple Input and Multiple Output Channels"),
        Section("6.5", "Pooling"),
        Section("6.6", "Convolutional Neural Networks (LeNet)"),
    ),
)
