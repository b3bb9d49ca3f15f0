"""Chapter 5: Deep Learning Computation."""

from divekit.book.rows import Chapter, Section

CHAPTER = Chapter(
    5,
    "Deep Learning Computation",
    folder="05_computation",
    sections=(
        Section("5.1", "Layers and Blocks"),
        Section("5.2", "Parameter Management"),
        Section("5.3", "Deferred Initialization"),
        Section("5.4", "Custom Layers"),
        Section("5.5", "File I/O"),
        Section("5.6", "GPUs"),
    ),
)
