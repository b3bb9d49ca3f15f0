"""Chapter 9: Modern Recurrent Neural Networks."""

from divekit.book.rows import Chapter, Section

CHAPTER = Chapter(
    9,
    "Modern Recurrent Neural Networks",
    folder="09_modern_recurrent_networks",
    sections=(
        Section("9.1", "Gated Recurrent Units (GRU)"),
        Section("9.2", "Long Short-Term Memory (LSTM)"),
        Section("9.3", "Deep Recurrent Neural Networks"),
        Section("9.4", "Bidirectional Recurrent Neural Networks"),
        Section("9.5", "Machine Translation and the Dataset"),
        Section("9.6", "Encoder-Decoder Architecture"),
        Section("9.7", "Sequence to Sequence Learning"),
        Section("9.8", "Beam Search"),
    ),
)
