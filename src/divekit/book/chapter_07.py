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
