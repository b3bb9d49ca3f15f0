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
        Section(
            "7.3",
            "Network in Network (NiN)",
            script="03_nin.py",
            data=("fashion_mnist",),
            sabotage=(
                ("pixels = maps.permute(0, 2, 3, 1)", "pixels = maps.permute(0, 3, 2, 1)"),
                ("summarise(NiN(), torch", "summarise(NiN(num_classes=9), torch"),
                ("model.classifier[:-2](model.features(images))", "model.features(images)[:, :10]"),
                ("last_relu=last_relu)", "last_relu=True)"),
            ),
        ),
        Section(
            "7.4",
            "Networks with Parallel Concatenations (GoogLeNet)",
            script="04_googlenet.py",
            data=("fashion_mnist",),
            sabotage=(
                ('"then 3 x 3": block.path2', '"then 3 x 3": block.path3'),
                (
                    "Inception(192, 64, (96, 128), (16, 32), 32)",
                    "Inception(192, 64, (96, 128), (32, 32), 32)",
                ),
                ("path = int(names[-2][-1]) - 1", "path = 4 - int(names[-2][-1])"),
                ('layer.name.startswith("stem")', 'layer.name.startswith("stem.3")'),
                ("GoogLeNet(1, 10)):", "GoogLeNet(1, 11)):"),
                ("torch.zeros_like(output)", "output"),
                ("    for hook in hooks:\n        hook.remove()", "    right += 1"),
            ),
        ),
        Section("7.5", "Batch Normalization"),
        Section("7.6", "Residual Networks (ResNet)"),
        Section("7.7", "Densely Connected Networks (DenseNet)"),
    ),
)
