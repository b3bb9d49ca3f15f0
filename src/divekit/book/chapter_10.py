"""Chapter 10: Attention Mechanisms."""

from divekit.book.rows import Chapter, Section

CHAPTER = Chapter(
    10,
    "Attention Mechanisms",
    folder="10_attention",
    sections=(
        Section("10.1", "Attention Cues"),
        Section("10.2", "Attention Pooling: Nadaraya-Watson Kernel Regression"),
        Section("10.3", "Attention Scoring Functions"),
        Section("10.4", "Bahdanau Attention"),
        Section("10.5", "Multi-Head Attention"),
        Section("10.6", "Self-Attention and Positional Encoding"),
        Section("10.7", "Transformer"),
    ),
)
