"""Chapter 17: Generative Adversarial Networks."""

from divekit.book.rows import Chapter, Section

CHAPTER = Chapter(
    17,
    "Generative Adversarial Networks",
    folder="17_generative_adversarial_networks",
    sections=(
        Section("17.1", "Generative Adversarial Networks"),
        Section("17.2", "Deep Convolutional Generative Adversarial Networks"),
    ),
)
