"""Networks as torchvision and timm name and compute them, written down from their state dicts.

Independent of ``divekit.models``: one function for each computation, on a plain dict of tensors.
"""

import torch
import torch.nn.functional as F

STAGES = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}


class State(dict):
    """A state that is drawn as it is written down."""

    def conv(self, name, wide, narrow, size):
        self[f"{name}.weight"] = torch.randn(wide, narrow, size, size) * (narrow * size**2) ** -0.5

    def norm(self, name, channels, counted=True):
        for part in ("weight", "bias", "running_mean", "running_var"):
            self[f"{name}.{part}"] = torch.rand(channels) + 0.5
        if counted:
            self[f"{name}.num_batches_tracked"] = torch.tensor(7)

    def linear(self, name, outputs, inputs):
        self[f"{name}.weight"] = torch.randn(outputs, inputs)
        self[f"{name}.bias"] = torch.randn(outputs)

    def run_conv(self, name, x, stride=1):
        weight = self[f"{name}.weight"]
        return F.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)

    def run_norm(self, name, x):
        weight, bias, mean, var = (
            self[f"{name}.{part}"][:, None, None]
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        return (x - mean) / (var + 1e-5).sqrt() * weight + bias


def resnet_state(depth, num_classes=11):
    """Draw the state of torchvision's ``resnet18`` and so on; timm names it alike."""
    state, narrow = State(), 64
    state.conv("conv1", 64, 3, 7)
    state.norm("bn1", 64)
    for stage, count in enumerate(STAGES[depth]):
        for number in range(count):
            block, base = f"layer{stage + 1}.{number}", 64 * 2**stage
            if depth < 50:
                wide, shapes = base, ((base, narrow, 3), (base, base, 3))
            else:
                wide = 4 * base
                shapes = ((base, narrow, 1), (base, base, 3), (wide, base, 1))
            for part, shape in enumerate(shapes, start=1):
                state.conv(f"{block}.conv{part}", *shape)
                state.norm(f"{block}.bn{part}", shape[0])
            if number == 0 and (stage > 0 or depth >= 50):
                state.conv(f"{block}.downsample.0", wide, narrow, 1)
                state.norm(f"{block}.downsample.1", wide)
            narrow = wide
    state.linear("fc", num_classes, narrow)
    return state


def resnet_scores(state, x, depth):
    x = F.relu(state.run_norm("bn1", state.run_conv("conv1", x, 2)))
    x = F.max_pool2d(x, 3, 2, 1)
    for stage, count in enumerate(STAGES[depth]):
        for number in range(count):
            block, stride = f"layer{stage + 1}.{number}", 2 if stage and not number else 1
            parts = 2 if depth < 50 else 3
            y = x
            for part in range(1, parts + 1):
                step = stride if part == parts - 1 else 1
                y = state.run_norm(
                    f"{block}.bn{part}", state.run_conv(f"{block}.conv{part}", y, step)
                )
                y = F.relu(y) if part < parts else y
            if f"{block}.downsample.0.weight" in state:
                x = state.run_norm(
                    f"{block}.downsample.1", state.run_conv(f"{block}.downsample.0", x, stride)
                )
            x = F.relu(x + y)
    return x.mean((2, 3)) @ state["fc.weight"].T + state["fc.bias"]


def preactivated_state(num_classes=11):
    """Draw the state of timm's ``resnetv2_18``."""
    state, narrow = State(), 64
    state.conv("stem.conv", 64, 3, 7)
    for stage in range(4):
        for number in range(2):
            block, wide = f"stages.{stage}.blocks.{number}", 64 * 2**stage
            if wide != narrow:
                state.conv(f"{block}.downsample.conv", wide, narrow, 1)
            state.norm(f"{block}.norm1", narrow)
            state.conv(f"{block}.conv1", wide, narrow, 3)
            state.norm(f"{block}.norm2", wide)
            state.conv(f"{block}.conv2", wide, wide, 3)
            narrow = wide
    state.norm("norm", 512)
    state.conv("head.fc", num_classes, 512, 1)
    state["head.fc.bias"] = torch.randn(num_classes)
    return state


def preactivated_scores(state, x):
    x = F.max_pool2d(state.run_conv("stem.conv", x, 2), 3, 2, 1)
    for stage in range(4):
        for number in range(2):
            block, stride = f"stages.{stage}.blocks.{number}", 2 if stage and not number else 1
            y = F.relu(state.run_norm(f"{block}.norm1", x))
            if f"{block}.downsample.conv.weight" in state:
                x = state.run_conv(f"{block}.downsample.conv", y, stride)
            y = state.run_conv(f"{block}.conv1", y, stride)
            x = x + state.run_conv(f"{block}.conv2", F.relu(state.run_norm(f"{block}.norm2", y)))
    x = F.relu(state.run_norm("norm", x)).mean((2, 3), keepdim=True)
    return (state.run_conv("head.fc", x)).flatten(1) + state["head.fc.bias"]


def densenet_state(num_classes=11, dot="", counted=True):
    """Draw the state of torchvision's ``densenet121``; ``dot`` as its first files have it."""
    state, channels = State(), 64
    state.conv("features.conv0", 64, 3, 7)
    state.norm("features.norm0", 64, counted)
    for block, layers in enumerate((6, 12, 24, 16), start=1):
        for number in range(1, layers + 1):
            layer = f"features.denseblock{block}.denselayer{number}"
            state.norm(f"{layer}.norm{dot}1", channels, counted)
            state.conv(f"{layer}.conv{dot}1", 128, channels, 1)
            state.norm(f"{layer}.norm{dot}2", 128, counted)
            state.conv(f"{layer}.conv{dot}2", 32, 128, 3)
            channels += 32
        if block < 4:
            state.norm(f"features.transition{block}.norm", channels, counted)
            state.conv(f"features.transition{block}.conv", channels // 2, channels, 1)
            channels //= 2
    state.norm("features.norm5", channels, counted)
    state.linear("classifier", num_classes, channels)
    return state


def densenet_scores(state, x, dot=""):
    x = F.relu(state.run_norm("features.norm0", state.run_conv("features.conv0", x, 2)))
    x = F.max_pool2d(x, 3, 2, 1)
    for block, layers in enumerate((6, 12, 24, 16), start=1):
        for number in range(1, layers + 1):
            layer, y = f"features.denseblock{block}.denselayer{number}", x
            for part in (1, 2):
                y = F.relu(state.run_norm(f"{layer}.norm{dot}{part}", y))
                y = state.run_conv(f"{layer}.conv{dot}{part}", y)
            x = torch.cat([x, y], 1)
        if block < 4:
            x = F.relu(state.run_norm(f"features.transition{block}.norm", x))
            x = F.avg_pool2d(state.run_conv(f"features.transition{block}.conv", x), 2)
    x = F.relu(state.run_norm("features.norm5", x)).mean((2, 3))
    return x @ state["classifier.weight"].T + state["classifier.bias"]
