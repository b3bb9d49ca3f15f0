"""Chapter 16: Recommender Systems."""

from divekit.book.rows import Chapter, Section

CHAPTER = Chapter(
    16,
    "Recommender Systems",
    folder="16_recommender_systems",
    sections=(
        Section("16.1", "Overview of Recommender Systems"),
        Section("16.2", "The MovieLens Dataset"),
        Section("16.3", "Matrix Factorization"),
        Section("16.4", "AutoRec: Rating Prediction with Autoencoders"),
        Section("16.5", "Personalized Ranking for Recommender Systems"),
        Section("16.6", "Neural Collaborative Filtering for Personalized Ranking"),
        Section("16.7", "Sequence-Aware Recommender Systems"),
        Section("16.8", "Feature-Rich Recommender Systems"),
        Section("16.9", "Factorization Machines"),
        Section("16.10", "Deep Factorization Machines"),
    ),
)
