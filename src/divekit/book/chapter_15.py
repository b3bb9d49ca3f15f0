"""Chapter 15: Natural Language Processing: Applications."""

from divekit.book.rows import Chapter, Section

CHAPTER = Chapter(
    15,
    "Natural Language Processing: Applications",
    folder="15_language_applications",
    sections=(
        Section("15.1", "Sentiment Analysis and the Dataset"),
        Section("15.2", "Sentiment Analysis: Using Recurrent Neural Networks"),
        Section("15.3", "Sentiment Analysis: Using Convolutional Neural Networks"),
        Section("15.4", "Natural Language Inference and the Dataset"),
        Section("15.5", "Natural Language Inference: Using Attention"),
        Section("15.6", "Fine-Tuning BERT for Sequence-Level and Token-Level Applications"),
        Section("15.7", "Natural Language Inference: Fine-Tuning BERT"),
    ),
)
