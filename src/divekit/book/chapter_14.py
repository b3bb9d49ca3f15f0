"""Chapter 14: Natural Language Processing: Pretraining."""

from divekit.book.rows import Chapter, Section

CHAPTER = Chapter(
    14,
    "Natural Language Processing: Pretraining",
    folder="14_language_pretraining",
    sections=(
        Section("14.1", "Word Embedding (word2vec)"),
        Section("14.2", "Approximate Training"),
        Section("14.3", "The Dataset for Pretraining Word Embedding"),
        Section("14.4", "Pretraining word2vec"),
        Section("14.5", "Word Embedding with Global Vectors (GloVe)"),
        Section("14.6", "Subword Embedding"),
        Section("14.7", "Finding Synonyms and Analogies"),
        Section("14.8", "Bidirectional Encoder Representations from Transformers (BERT)"),
        Section("14.9", "The Dataset for Pretraining BERT"),
        Section("14.10", "Pretraining BERT"),
    ),
)
