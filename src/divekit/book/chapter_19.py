"""Chapter 19: Appendix: Tools for Deep Learning."""

from divekit.book.rows import Chapter, Section

CHAPTER = Chapter(
    19,
    "Appendix: Tools for Deep Learning",
    folder="19_tools",
    sections=(
        Section("19.1", "Using Jupyter"),
        Section("19.2", "Using Amazon SageMaker"),
        Section("19.3", "Using AWS EC2 Instances"),
        Section("19.4", "Using Google Colab"),
        Section("19.5", "Selecting Servers and GPUs"),
        Section("19.6", "Contributing to This Book"),
        Section("19.7", "d2l API Document"),
    ),
)
