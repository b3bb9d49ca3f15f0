"""Chapter 8: Recurrent Neural Networks."""

from divekit.book.rows import Chapter, Section

CHAPTER = Chapter(
    8,
    "Recurrent Neural Networks",
    folder="08_recurrent_networks",
    sections=(
        Section("8.1", "Sequence Models"),
        Section("8.2", "Text Preprocessing"),
        Section("8.3", "Language Models and the Dataset"),
        Section("8.4", "Recurrent Neural Networks"),
        Section("8.5", "Implementation of Recurrent Neural Networks from Scratch"),
        Section("8.6", "Concise Implementation of Recurrent Neural Networks"),
        Section("8.7", "Backpropagation Through Time"),
    ),
)
