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
            gpu=True,
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
            gpu=True,
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
            gpu=True,
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
            gpu=True,
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
        Section(
            "7.5",
            "Batch Normalization",
            script="05_batch_normalization.py",
            proven="test accuracy 0.848, median of three seeds, 2026-11-21",
            sabotage=(
                ("ours.load_state_dict(theirs.state_dict())", "ours.train()"),
                ("hidden = BatchNormScratch(wide)(hidden)", "hidden = hidden - hidden.mean(0)"),
                ("after = norm(before)", "after = before"),
                ("    model.train()\n", "    model.eval()\n"),
                ("= model(images[:10])[0]", "= model(images[1:11])[0]"),
                (
                    "BatchNormScratch(3)(torch.randn(1, 3))",
                    "BatchNormScratch(3)(torch.randn(2, 3))",
                ),
            ),
            data=("fashion_mnist",),
            errata=(
                "The layer from scratch takes a forward pass without gradients for use, and its "
                "running statistics are no part of the saved state; here the mode is torch's own, "
                "and they are.",
                "One of the book's frameworks adds 1e-12 to the variance; here it is 1e-5.",
            ),
        ),
        Section(
            "7.6",
            "Residual Networks (ResNet)",
            script="06_residual_networks.py",
            gpu=True,
            sabotage=(
                (
                    "torch.cos(torch.pi * k * x) for k in range(size)]",
                    "torch.cos(torch.pi * k * x) for k in range(9 - size)]",
                ),
                ("nn.init.zeros_(block.bn2.weight)", "nn.init.ones_(block.bn2.weight)"),
                (
                    "nn.init.zeros_(before_inputs.conv2.weight)",
                    "nn.init.ones_(before_inputs.conv2.weight)",
                ),
                (
                    "return F.relu(self.bn2(self.conv2(outputs)))",
                    "return F.relu(inputs + self.bn2(self.conv2(outputs)))",
                ),
                ("ResNet(1, 10, 96, book=True), torch", "ResNet(1, 10, 96), torch"),
                ("blocks[number] = nn.Identity()", "blocks[number] = nn.Dropout(1.0).train()"),
            ),
            data=("fashion_mnist",),
        ),
        Section(
            "7.7",
            "Densely Connected Networks (DenseNet)",
            script="07_dense_networks.py",
            gpu=True,
            sabotage=(
                (
                    "torch.cat([reader.weight, reader.weight], dim=1)",
                    "torch.cat([reader.weight, -reader.weight], dim=1)",
                ),
                ("torch.equal(outputs[:, :3], inputs)", "torch.equal(outputs[:, -3:], inputs)"),
                ('"bottleneck": 0, "biases": True}', '"bottleneck": 4, "biases": True}'),
                (
                    "beginning = run.recipe.model(run.facts).features",
                    "beginning = run.model.cpu().features",
                ),
            ),
            data=("fashion_mnist",),
            errata=(
                "In PyTorch's edition the network ends with the largest number of each channel; "
                "here with the mean, as in the paper and the other editions.",
            ),
        ),
    ),
)
