"""Well-known networks: their numbers of parameters, names, and weights from a file."""

import math

import pytest

from divekit.errors import DataNotFoundError
from divekit.mx import init, np
from divekit.mx.gluon import model_zoo, nn
from divekit.mx.gluon.model_zoo import vision

# Trained parameters: the first and third as published. Version 2 has no normalisation in its three
# shortcuts (1,792), normalises before three convolutions what has half the channels (896), and
# once more at the end (1,024).
COUNTS = {
    "resnet18_v1": 11_689_512,
    "resnet18_v2": 11_689_512 - 1_792 - 896 + 1_024,
    "alexnet": 61_100_840,
}


def trained(net, side):
    net.setattr("grad_req", "null")  # saves the memory of the gradients
    net.initialize(init.Zero())
    net(np.zeros((1, 3, side, side)))
    return sum(math.prod(p.shape) for p in net.collect_params().values() if p.differentiable)


@pytest.mark.parametrize("name", list(COUNTS))
def test_numbers_of_parameters(name):
    assert trained(vision.get_model(name), 224) == COUNTS[name]


@pytest.mark.parametrize(
    ("name", "count"), [("vgg11", 9_220_480), ("vgg19", 20_024_384), ("vgg11_bn", 9_225_984)]
)
def test_convolutions_of_vgg(name, count):
    features = vision.get_model(name).features
    dense = next(place for place, layer in enumerate(features) if type(layer) is nn.Dense)
    assert trained(features[:dense], 32) == count
    assert [layer._units for layer in features if type(layer) is nn.Dense] == [4096, 4096]


def test_bottlenecks_quarter_their_channels():
    for version in (1, 2):
        net = vision.get_resnet(version, 50, classes=7)
        net.initialize()
        assert net(np.zeros((1, 3, 64, 64))).shape == (1, 7)
        assert net.features[-1 if version == 1 else -2].__class__ is nn.GlobalAvgPool2D


def test_names_as_in_mxnets_files():
    net = vision.resnet18_v2(prefix="resnetv20_")
    names = list(net.collect_params())
    assert names[0] == "resnetv20_batchnorm0_gamma"
    assert "resnetv20_conv0_weight" in names
    assert "resnetv20_stage1_batchnorm0_gamma" in names
    assert "resnetv20_stage2_conv2_weight" in names
    assert "resnetv20_dense0_weight" in names
    assert list(net._structural())[:2] == ["features.0.gamma", "features.0.beta"]
    assert "features.5.0.conv1.weight" in net._structural()


def test_fine_tuning_takes_features_and_a_new_output(tmp_path):
    net = vision.resnet18_v2(classes=10, thumbnail=True)
    net.initialize(init.Xavier())
    x = np.random.normal(size=(2, 3, 16, 16))
    expected = net(x).tolist()
    net.save_parameters(str(tmp_path / "resnet18_v2-0123abcd.params"))
    again = vision.resnet18_v2(pretrained=True, classes=10, thumbnail=True, root=tmp_path)
    assert again(x).tolist() == expected
    tuned = vision.resnet18_v2(classes=2, thumbnail=True)
    tuned.features = again.features
    tuned.output.initialize(init.Xavier())
    tuned.output.collect_params().setattr("lr_mult", 10)
    assert tuned.features(x).tolist() == again.features(x).tolist()
    assert tuned(x).shape == (2, 2)


def test_without_a_file_the_error_says_what_to_do(tmp_path):
    with pytest.raises(DataNotFoundError, match=r"resnet18_v2\.params.*root="):
        vision.resnet18_v2(pretrained=True, root=tmp_path)
    (tmp_path / "vgg11_bn.params").write_bytes(b"")
    with pytest.raises(DataNotFoundError, match="vgg11 "):
        vision.vgg11(pretrained=True, root=tmp_path)
    with pytest.raises(ValueError, match="'resnet19_v1'"):
        vision.get_model("resnet19_v1")
    with pytest.raises(ValueError, match="VGG 12"):
        vision.get_vgg(12)
    with pytest.raises(ValueError, match="ResNet 19"):
        vision.get_resnet(1, 19)
    with pytest.raises(NotImplementedError, match="torchvision"):
        model_zoo.vision.mobilenet1_0  # noqa: B018
