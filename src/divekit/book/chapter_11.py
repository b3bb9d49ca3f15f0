"""Chapter 11: Optimization Algorithms."""

from divekit.book.rows import Chapter, Section

CHAPTER = Chapter(
    11,
    "Optimization Algorithms",
    folder="11_optimization",
    sections=(
        Section("11.1", "Optimization and Deep Learning"),
        Section("11.2", "Convexity"),
        Section("11.3", "Gradient Descent"),
        Section("11.4", "Stochastic Gradient Descent"),
        Section("11.5", "Minibatch Stochastic Gradient Descent"),
        Section("11.6", "Momentum"),
        Section("11.7", "Adagrad"),
        Section("11.8", "RMSProp"),
        Section("11.9", "Adadelta"),
        Section("11.10", "Adam"),
        Section("11.11", "Learning Rate Scheduling"),
    ),
)
