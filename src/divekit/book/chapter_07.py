"""Chapter 7: Modern Convolutional Neural Networks."""

from divekit.book.rows import Chapter, Section

CHAPTER = Chapter(
    7,
    "Modern Convolutional Neural Networks",
    folder="07_modern_convolutional_networks",
    sections=(
        Section(
            "7.1",
            "Deep Convolutional Neural Networks (AlexNet)",
            script="01_alexnet.py",
            data=("fashion_mnist",),
            sabotage=(
                ('"sigmoid": gradient_sizes(nn.Sigmoid)', '"sigmoid": gradient_sizes(nn.Tanh)'),
                ("roughness(after - before)", "roughness(after)"),
            ),
        ),
        Section(
            "7.2",
            "Networks Using Blocks (VGG)",
            script="02_vgg.py",
            data=("fashion_mnist",),
            sabotage=(
                (
                    "block = vgg_block(number, channels, channels)",
                    "block = vgg_block(2, channels, channels)",
                ),
                (
                    "convolutions = vgg_block(number, 1, 8)[:-1]",
                    "convolutions = vgg_block(1, 1, 8)[:-1]",
                ),
                ("torch.zeros(9, 9, dtype=torch.float64)", "torch.ones(9, 9).double() * 1e6"),
                ("summarise(VGG(width=0.25)", "summarise(VGG(width=0.5)"),
                ('("VGG-19", VGG19)', '("VGG-19", VGG16)'),
                (
                    '"Xavier": signal_sizes(nn.init.xavier_uniform_)',
                    '"Xavier": signal_sizes(nn.init.kaiming_uniform_)',
                ),
                ("std=0.01", "std=0.02"),
            ),
        ),
        Section("7.3", "Network in Network (NiN)"),
        Section("7.4", "Networks with Parallel Concatenations (GoogLeNet)"),
        Section("7.5", "Batch Normalization"),
        Section("7.6", "Residual Networks (ResNet)"),
        Section("7.7", "Densely Connected Networks (DenseNet)"),
    ),
)
