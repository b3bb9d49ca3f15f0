import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from divekit.errors import BadDataError, UsageError
from divekit.models import DenseNet, densenet121
from divekit.models.densenet import DenseLayer, dense_block, transition
from divekit.train import load_state
from tests.models.torchvision_names import densenet_scores, densenet_state

BOOK = {"blocks": (4, 4, 4, 4), "bottleneck": 0, "biases": True}


def count(model):
    return sum(parameter.numel() for parameter in model.parameters())


def test_both_forms_have_the_known_numbers_of_parameters():
    with torch.device("meta"):
        assert count(densenet121()) == 7_978_856
        assert count(DenseNet(1, 10, 96, **BOOK)) == 758_226


def test_the_books_channels_grow_and_are_halved():
    model = DenseNet(1, 10, 96, **BOOK)
    maps, seen = torch.randn(2, 1, 96, 96), []
    for name, part in model.features.named_children():
        maps = part(maps)
        if name.startswith(("pool", "dense", "transition")):
            seen.append(tuple(maps.shape[1:3]))
    channels, sides = zip(*seen, strict=True)
    assert channels == (64, 192, 96, 224, 112, 240, 120, 248)
    assert sides == (24, 24, 12, 12, 6, 6, 3, 3)


def test_a_block_composed_of_functions():
    """Two layers of ten channels on three: 23, the inputs among them unchanged."""
    block = dense_block(2, 3, 10, biases=True)
    inputs = torch.randn(4, 3, 8, 8)
    outputs = block(inputs)
    assert outputs.shape == (4, 23, 8, 8)
    assert torch.equal(outputs[:, :3], inputs)

    def layer(x, state):
        x = F.batch_norm(x, None, None, state["norm1.weight"], state["norm1.bias"], True)
        return torch.conv2d(F.relu(x), state["conv1.weight"], state["conv1.bias"], padding=1)

    first = layer(inputs, block.denselayer1.state_dict())
    second = layer(torch.cat([inputs, first], 1), block.denselayer2.state_dict())
    assert_close(outputs, torch.cat([inputs, first, second], 1))


def test_a_transition_mixes_and_halves():
    part = transition(6, 2).eval()
    inputs = torch.randn(2, 6, 5, 8)
    mixed = torch.einsum("kc,bchw->bkhw", part.conv.weight[:, :, 0, 0], inputs.relu())
    mixed = mixed / (1 + 1e-5) ** 0.5
    halved = mixed[:, :, :4].unflatten(2, (2, 2)).unflatten(4, (4, 2)).mean((3, 5))
    assert_close(part(inputs), halved)


def test_a_gradient_reaches_the_inputs_as_it_is():
    """Concatenation hands on the gradient of each part without a factor."""
    layer = DenseLayer(3, 2, bottleneck=4)
    inputs = torch.randn(2, 3, 4, 4, requires_grad=True)
    layer(inputs)[:, :3].sum().backward()
    assert torch.equal(inputs.grad, torch.ones_like(inputs))


@pytest.mark.parametrize(("dot", "counted"), [("", True), (".", False)])
def test_a_state_of_torchvision_gives_torchvisions_scores(dot, counted):
    state = densenet_state(dot=dot, counted=counted)
    model = densenet121(num_classes=11, image_size=(33, 40)).eval()
    load_state(model, state)
    images = torch.randn(2, 3, 33, 40)
    with torch.no_grad():
        assert_close(model(images), densenet_scores(state, images, dot), rtol=1e-4, atol=1e-4)
    if not dot:
        assert set(model.state_dict()) == set(state)


def test_a_state_that_does_not_fit_is_told_apart_name_by_name():
    model = DenseNet(3, 11, 64, (2, 2), 8)
    with pytest.raises(BadDataError, match=r"features.conv0.weight is 64 x 3 x 7 x 7 in the file"):
        load_state(model, densenet_state())


@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize(
    ("image_size", "settings"),
    [(29, {}), ((30, 61), {"bottleneck": 0}), ((8, 28), {"small_stem": True})],
)
def test_any_channels_classes_and_sizes(channels, image_size, settings):
    height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
    model = DenseNet(channels, 7, image_size, (1, 1, 1, 1), 4, **settings)
    assert model(torch.randn(2, channels, height, width)).shape == (2, 7)


@pytest.mark.parametrize(
    ("size", "settings", "says"),
    [
        (28, {}, "28 x 28 pixels .* needs 29 x 29; data.resize=32 "),
        ((96, 28), {}, "96 x 28 pixels"),
        (7, {"small_stem": True}, "needs 8 x 8; data.resize=8 "),
        (4, {"blocks": (1, 1)}, "needs 5 x 5"),
    ],
)
def test_images_that_are_too_small_are_refused(size, settings, says):
    with pytest.raises(UsageError, match=says):
        DenseNet(1, 10, size, **settings)
