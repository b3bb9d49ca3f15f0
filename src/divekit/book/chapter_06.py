"""Chapter 6: Convolutional Neural Networks."""

from divekit.book.rows import Chapter, Section

CHAPTER = Chapter(
    6,
    "Convolutional Neural Networks",
    folder="06_convolutional_networks",
    sections=(
        Section(
            "6.1",
            "From Fully-Connected Layers to Convolutions",
            script="01_from_dense_to_convolution.py",
            sabotage=(
                (".roll((down, right), dims=(2, 3))", ".roll((down, right), dims=(3, 2))"),
                (
                    "joined = torch.cat([torch.cat([image, image], dim=2)] * 2, dim=3)",
                    "joined = torch.cat([torch.cat([image, image.mT], dim=2)] * 2, dim=3)",
                ),
                ("near = offset.abs() <= reach", "near = offset.abs() <= reach + 1"),
                ("apply(matrix, shift(spot, 2, 3))", "apply(matrix, shift(spot, 3, 2))"),
                ("column : column + 5] += pattern", "column : column + 5] -= pattern"),
            ),
        ),
        Section(
            "6.2",
            "Convolutions for Images",
            script="02_convolutions_for_images.py",
            sabotage=(
                ("convolve(wide_other, one)", "cross_correlate(wide_other, one)"),
                (
                    "difference = torch.tensor([[1.0, -1.0]])",
                    "difference = torch.tensor([[1.0, 1.0]])",
                ),
                ("kernel[None, None])[0, 0]", "kernel.flip(0, 1)[None, None])[0, 0]"),
                (
                    "layer.weight -= 0.03 * layer.weight.grad",
                    "layer.weight += 0.03 * layer.weight.grad",
                ),
                ("across.double().view(-1, 1)", "along.double().view(-1, 1)"),
            ),
        ),
        Section(
            "6.3",
            "Padding and Stride",
            script="03_padding_and_stride.py",
            sabotage=(
                ("torch.ones(1, 1, 3, 3), **settings", "torch.ones(1, 1, 3, 2), **settings"),
                ('"two pixels": coverage(padding=2)', '"two pixels": coverage(padding=1)'),
                ("stride=layer.stride)", "stride=1)"),
                ("mode=mode)", 'mode="constant")'),
                ("dilation=gap) for gap in (1, 2, 4)", "dilation=gap) for gap in (1, 2, 5)"),
                (
                    "place = network(picture_in[None]).shape[2] // 2",
                    "place = network(picture_in[None]).shape[2] // 2 - 1",
                ),
            ),
        ),
        Section(
            "6.4",
            "Multiple Input and Multiple Output Channels",
            script="04_channels.py",
            sabotage=(
                (
                    "kernel = torch.stack([small, small + 1])",
                    "kernel = torch.stack([small, small])",
                ),
                (
                    "theirs = F.conv2d(batch, weight, bias, **settings)",
                    "theirs = F.conv2d(batch, weight, -bias, **settings)",
                ),
                ("weight.view(2, 3) @ batch", "weight.view(2, 3) @ -batch"),
                ('"red less green": (1.0, -1.0, 0.0)', '"red less green": (1.0, 0.0, -1.0)'),
                (
                    "Conv2dScratch(64, 64, 3, padding=1, groups=groups)",
                    "Conv2dScratch(64, 64, 3, groups=groups)",
                ),
            ),
        ),
        Section(
            "6.5",
            "Pooling",
            script="05_pooling.py",
            sabotage=(
                (
                    "largest = max_pool2d_scratch(nine, 2, stride=1)",
                    "largest = max_pool2d_scratch(nine, 2, stride=1, padding=1)",
                ),
                ("pool(pixels, 2).sum().backward()", "pool(-pixels, 2).sum().backward()"),
                (
                    "(max_pool2d_scratch, F.max_pool2d), (avg",
                    "(max_pool2d_scratch, F.avg_pool2d), (avg",
                ),
                (
                    "before, after = pool(here, size), pool(there, size)",
                    "before, after = pool(here, size), pool(there.flip(-1), size)",
                ),
                ("image[..., ::size, ::size]", "avg_pool2d_scratch(image, size)"),
                ("pooled = [convolutions[0], MaxPool2dScratch(2),", "pooled = [convolutions[0],"),
            ),
        ),
        Section(
            "6.6",
            "Convolutional Neural Networks (LeNet)",
            script="06_lenet.py",
            sabotage=(
                ("noise, (middle, middle))", "noise, (middle, middle - 1))"),
                (
                    "moved[..., step:] = inputs[..., : inputs.shape[-1] - step]",
                    "moved[...] = inputs",
                ),
            ),
            data=("fashion_mnist",),
            proven="test accuracy 0.809, median of three seeds, 2026-11-21",
        ),
    ),
)
