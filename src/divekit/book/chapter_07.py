"""Chapter 7: Modern Convolutional Neural Networks."""

from divekit.book.rows import Chapter, Section

CHAPTER = Chapter(
    7,
    "Modern Convolutional Neural Networks",
    folder="07_modern_convolutional_networks",
    sections=(
        Section("7.1", "Deep Convolutional Neural Networks (AlexNet)"),
        Section("7.2", "Networks Using Blocks (VGG)"),
        Section("7.3", "Network in Network (NiN)"),
        Section("7.4", "Networks with Parallel Concatenations (GoogLeNet)"),
        Section(
            "7.5",
            "Batch Normalization",
            script="05_batch_normalization.py",
            data=("fashion_mnist",),
        ),
        Section(
            "7.6",
            "Residual Networks (ResNet)",
            script="06_residual_networks.py",
            data=("fashion_mnist",),
        ),
        Section(
            "7.7",
            "Densely Connected Networks (DenseNet)",
            script="07_dense_networks.py",
            data=("fashion_mnist",),
        ),
    ),
)
