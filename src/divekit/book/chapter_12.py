"""Chapter 12: Computational Performance."""

from divekit.book.rows import Chapter, Section

CHAPTER = Chapter(
    12,
    "Computational Performance",
    folder="12_performance",
    sections=(
        Section("12.1", "Compilers and Interpreters"),
        Section("12.2", "Asynchronous Computation"),
        Section("12.3", "Automatic Parallelism"),
        Section("12.4", "Hardware"),
        Section("12.5", "Training on Multiple GPUs"),
        Section("12.6", "Concise Implementation for Multiple GPUs"),
        Section("12.7", "Parameter Servers"),
    ),
)
