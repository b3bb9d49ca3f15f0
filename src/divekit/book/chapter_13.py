"""Chapter 13: Computer Vision."""

from divekit.book.rows import Chapter, Section

CHAPTER = Chapter(
    13,
    "Computer Vision",
    folder="13_computer_vision",
    sections=(
        Section("13.1", "Image Augmentation"),
        Section("13.2", "Fine-Tuning"),
        Section("13.3", "Object Detection and Bounding Boxes"),
        Section("13.4", "Anchor Boxes"),
        Section("13.5", "Multiscale Object Detection"),
        Section("13.6", "The Object Detection Dataset"),
        Section("13.7", "Single Shot Multibox Detection"),
        Section("13.8", "Region-based CNNs (R-CNNs)"),
        Section("13.9", "Semantic Segmentation and the Dataset"),
        Section("13.10", "Transposed Convolution"),
        Section("13.11", "Fully Convolutional Networks"),
        Section("13.12", "Neural Style Transfer"),
        Section("13.13", "Image Classification (CIFAR-10) on Kaggle"),
        Section("13.14", "Dog Breed Identification (ImageNet Dogs) on Kaggle"),
    ),
)
