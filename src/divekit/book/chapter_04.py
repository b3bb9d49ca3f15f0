"""Chapter 4: Multilayer Perceptrons."""

from divekit.book.rows import Chapter, Section

CHAPTER = Chapter(
    4,
    "Multilayer Perceptrons",
    folder="04_multilayer_perceptrons",
    sections=(
        Section(
            "4.1",
            "Multilayer Perceptrons",
            script="01_multilayer_perceptrons.py",
            data=("xor",),
        ),
        Section("4.2", "Implementation of Multilayer Perceptrons from Scratch"),
        Section("4.3", "Concise Implementation of Multilayer Perceptrons"),
        Section("4.4", "Model Selection, Underfitting, and Overfitting"),
        Section("4.5", "Weight Decay"),
        Section("4.6", "Dropout"),
        Section("4.7", "Forward Propagation, Backward Propagation, and Computational Graphs"),
        Section("4.8", "Numerical Stability and Initialization"),
        Section("4.9", "Environment and Distribution Shift"),
        Section("4.10", "Predicting House Prices on Kaggle"),
    ),
)
