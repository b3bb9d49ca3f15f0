import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.testing import assert_close

from divekit import models
from divekit.errors import BadDataError, UsageError
from divekit.models import ResNet, resnet18
from divekit.models.resnet import Residual
from divekit.train import load_state
from tests.models.torchvision_names import (
    preactivated_scores,
    preactivated_state,
    resnet_scores,
    resnet_state,
)

# In ImageNet form, as the papers' and torchvision's.
PARAMETERS = {
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
}


def count(model):
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_depth_has_the_known_number_of_parameters(name):
    with torch.device("meta"):
        assert count(getattr(models, name)()) == PARAMETERS[name]


def test_the_books_form_has_the_books_number_of_parameters():
    with torch.device("meta"):
        assert count(ResNet(1, 10, 96, book=True)) == 11_178_378


def test_the_books_network_composed_of_functions():
    """Two stages of one block, each step written out."""
    model = ResNet(1, 3, 24, (1, 1), 1 / 16, book=True)
    images = torch.randn(5, 1, 24, 24)
    state = model.state_dict()

    def conv(name, x, **settings):
        return torch.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], **settings)

    def norm(name, x):  # with the batch's own statistics
        return F.batch_norm(x, None, None, state[f"{name}.weight"], state[f"{name}.bias"], True)

    x = F.relu(norm("bn1", conv("conv1", images, stride=2, padding=3)))
    x = F.max_pool2d(x, 3, 2, 1)
    y = F.relu(norm("layer1.0.bn1", conv("layer1.0.conv1", x, padding=1)))
    x = F.relu(x + norm("layer1.0.bn2", conv("layer1.0.conv2", y, padding=1)))
    y = F.relu(norm("layer2.0.bn1", conv("layer2.0.conv1", x, stride=2, padding=1)))
    y = norm("layer2.0.bn2", conv("layer2.0.conv2", y, padding=1))
    x = F.relu(conv("layer2.0.downsample.0", x, stride=2) + y)
    assert x.shape == (5, 8, 3, 3)
    scores = x.mean((2, 3)) @ state["fc.weight"].T + state["fc.bias"]
    assert_close(model(images), scores)


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
def test_a_state_of_torchvision_gives_torchvisions_scores(depth):
    state = resnet_state(depth)
    model = getattr(models, f"resnet{depth}")(num_classes=11, image_size=(40, 33)).eval()
    load_state(model, state)
    images = torch.randn(2, 3, 40, 33)
    with torch.no_grad():
        assert_close(model(images), resnet_scores(state, images, depth), rtol=1e-4, atol=1e-4)
    assert model.bn1.num_batches_tracked == 7
    model.load_state_dict(state)  # plain torch takes it too, and torchvision takes ours
    assert set(model.state_dict()) == set(state)


def test_a_state_of_timms_preactivated_network_gives_its_scores():
    state = preactivated_state()
    model = resnet18(num_classes=11, preactivation=True).eval()
    load_state(model, state)
    images = torch.randn(2, 3, 40, 33)
    with torch.no_grad():
        assert_close(model(images), preactivated_scores(state, images), rtol=1e-4, atol=1e-4)


def test_a_state_that_does_not_fit_is_told_apart_name_by_name():
    state = resnet_state(18, num_classes=12)
    del state["layer1.0.conv1.weight"]
    state["fc.more"] = torch.zeros(2)
    model = resnet18(num_classes=11)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(BadDataError) as caught:
        load_state(model, state)
    assert str(caught.value) == (
        "the state: the weights do not fit the model: layer1.0.conv1.weight is missing; "
        "fc.weight is 12 x 512 in the file, 11 x 512 here; fc.bias is 12 in the file, 11 here; "
        "fc.more has no place"
    )
    assert_close(model.state_dict(), before, rtol=0, atol=0)


@pytest.mark.parametrize("preactivation", [False, True])
@pytest.mark.parametrize("bottleneck", [False, True])
def test_a_block_that_adds_nothing_hands_on_what_it_was_given(preactivation, bottleneck):
    model = ResNet(
        2, 3, 9, (3, 2), 1 / 16, small_stem=True, bottleneck=bottleneck,
        preactivation=preactivation, start_as_identity=True,
    )  # fmt: skip
    inputs = torch.randn(4, 16 if bottleneck else 4, 9, 9).relu()
    for block in list(model.layer1)[1:]:
        assert torch.equal(block(inputs), inputs)


@pytest.mark.parametrize("bottleneck", [False, True])
def test_preactivated_blocks_in_a_row_only_ever_add(bottleneck):
    """So the gradient of the last output with respect to the first contains a one."""
    blocks = [
        Residual(8, 8, bottleneck=bottleneck, preactivation=True).double().eval() for _ in range(3)
    ]
    inputs = torch.randn(2, 8, 5, 5, dtype=torch.float64, requires_grad=True)
    outputs, added = inputs, []
    for block in blocks:
        added.append(block(outputs) - outputs)
        outputs = block(outputs)
    assert_close(outputs, inputs + sum(added))
    pull = torch.randn_like(outputs)
    whole, of_added = (
        torch.autograd.grad(what, inputs, pull, retain_graph=True)[0]
        for what in (outputs, sum(added))
    )
    assert_close(whole, pull + of_added)


def test_a_stride_halves_the_sides_in_both_ways_round_the_block():
    for settings in ({}, {"bottleneck": True}, {"preactivation": True}, {"book": True}):
        block = Residual(8, 16, 2, **settings)
        assert block(torch.randn(2, 8, 7, 10)).shape == (2, 16, 4, 5)


def test_a_bottlenecks_stride_stands_in_its_middle():
    block = Residual(8, 16, 2, bottleneck=True)
    layers = [layer for layer in block.modules() if isinstance(layer, nn.Conv2d)]
    assert [(layer.kernel_size[0], layer.stride[0]) for layer in layers] == [
        (1, 1), (3, 2), (1, 1), (1, 2),
    ]  # fmt: skip


@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize(
    ("image_size", "settings"),
    [
        (17, {}),
        ((18, 40), {"preactivation": True}),
        (5, {"small_stem": True}),
        ((5, 28), {"small_stem": True, "bottleneck": True}),
    ],
)
def test_any_channels_classes_and_sizes(channels, image_size, settings):
    height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
    model = ResNet(channels, 7, image_size, (1, 1, 1, 1), 1 / 16, **settings)
    assert model(torch.randn(2, channels, height, width)).shape == (2, 7)


@pytest.mark.parametrize(
    ("size", "settings", "says"),
    [
        (16, {}, "16 x 16 pixels .* needs 17 x 17; data.resize=32 "),
        ((40, 16), {}, "40 x 16 pixels"),
        (4, {"small_stem": True}, "needs 5 x 5; data.resize=8 "),
        (3, {"blocks": (1, 1)}, "needs 5 x 5"),
    ],
)
def test_images_that_are_too_small_are_refused(size, settings, says):
    with pytest.raises(UsageError, match=says):
        ResNet(1, 10, size, **settings)


def test_weights_begin_so_that_gradients_keep_their_size():
    model = resnet18()
    for name, parameter in model.named_parameters():
        if parameter.ndim == 4:
            expected = (2 / (parameter.shape[0] * parameter.shape[2] ** 2)) ** 0.5
            assert parameter.std().item() == pytest.approx(expected, rel=0.1), name
