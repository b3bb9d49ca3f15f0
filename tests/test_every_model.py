"""What holds for every model: pinned shapes, training, gradients, saving, compiling, exporting."""

import io

import pytest
import torch
from safetensors.torch import load, save
from torch import nn
from torch.testing import assert_close

from divekit import models

# Deep and narrow networks of ReLU: with Xavier's weights the outputs would hardly differ.
DEEP = {"initial": nn.init.kaiming_normal_}
SMALL_RESNET = (3, 7, 9, (1, 1), 1 / 16)
# Every model class, with arguments, an input shape and the output shape, and perhaps keyword
# arguments that make it small. A new model is added here. After a comma stands what a further form
# of a class is called.
CASES = {
    "AlexNet": ((3, 7, (65, 70)), (4, 3, 65, 70), (4, 7), {"width": 0.06, "hidden": 16} | DEEP),
    "BatchNormLeNet": ((3, 7, (16, 21)), (4, 3, 16, 21), (4, 7)),
    "BatchNormLeNetScratch": ((3, 7, (16, 21)), (4, 3, 16, 21), (4, 7)),
    "DenseLayer": ((12, 60), (4, 12, 1, 1), (4, 72, 1, 1)),
    "DenseNet": ((3, 7, 17, (2, 1), 4), (4, 3, 17, 18), (4, 7)),
    "DenseNet, book": (
        (3, 7, 17, (2, 1), 4),
        (4, 3, 17, 18),
        (4, 7),
        {"bottleneck": 0, "biases": True},
    ),
    "DropoutMLP": ((6, 3, (8, 8), (0.2, 0.5), 0.5), (4, 2, 3), (4, 3)),
    "DropoutMLPScratch": ((6, 3, (8, 8), (0.2, 0.5), 0.5), (4, 2, 3), (4, 3)),
    "GoogLeNet": ((3, 7), (4, 3, 9, 12), (4, 7), {"width": 0.12} | DEEP),
    "Inception": ((3, 4, (2, 5), (2, 6), 3), (4, 3, 2, 1), (4, 18, 2, 1)),
    "LeNet": ((3, 7, (15, 20)), (4, 3, 15, 20), (4, 7)),
    "LinearRegression": ((6, 2), (4, 2, 3), (4, 2)),
    "LinearRegressionScratch": ((6, 2), (4, 2, 3), (4, 2)),
    "MLP": ((6, 8, 3), (4, 2, 3), (4, 3)),
    "MLPEnsemble": ((6, 3, 8, 2, 0.1), (4, 2, 3), (4, 3)),
    "MLPScratch": ((6, 8, 3, torch.relu, 0.5), (4, 2, 3), (4, 3)),
    "NiN": ((3, 7, (67, 70)), (4, 3, 67, 70), (4, 7), {"width": 0.1, "last_relu": False} | DEEP),
    "ResNet": (SMALL_RESNET, (4, 3, 9, 10), (4, 7)),
    "ResNet, book": (SMALL_RESNET, (4, 3, 9, 10), (4, 7), {"book": True}),
    "ResNet, bottleneck, small stem": (
        SMALL_RESNET,
        (4, 3, 9, 10),
        (4, 7),
        {"bottleneck": True, "small_stem": True},
    ),
    "ResNet, pre-activation": (SMALL_RESNET, (4, 3, 9, 10), (4, 7), {"preactivation": True}),
    "Residual": ((3, 4, 2), (4, 3, 5, 6), (4, 4, 3, 3)),
    "SoftmaxRegression": ((12, 3), (5, 1, 3, 4), (5, 3)),
    "SoftmaxRegressionScratch": ((12, 3), (5, 1, 3, 4), (5, 3)),
    "VGG": ((3, 7, (32, 40)), (4, 3, 32, 40), (4, 7), {"width": 0.06, "hidden": 16} | DEEP),
}
CLASSES = {
    name
    for name in models.__all__
    if isinstance(getattr(models, name), type) and issubclass(getattr(models, name), nn.Module)
}


@pytest.fixture(params=sorted(CASES))
def case(request):
    arguments, input_shape, output_shape, *rest = CASES[request.param]
    settings = rest[0] if rest else {}
    model = getattr(models, class_name(request.param))(*arguments, **settings)
    return model, torch.randn(input_shape), output_shape


def class_name(case):
    return case.split(",")[0]


def test_no_model_is_forgotten():
    assert {class_name(case) for case in CASES} == CLASSES


def test_shapes(case):
    model, inputs, output_shape = case
    assert model(inputs).shape == output_shape
    model.eval()  # a batch of one has nothing to be normalised by
    assert model(inputs[:1]).shape == (1, *output_shape[1:])


def test_gradients_reach_every_parameter(case):
    model, inputs, _ = case
    model(inputs).square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_the_loss_falls_on_eight_examples(case):
    model, inputs, output_shape = case
    inputs = torch.randn(8, *inputs.shape[1:])
    targets = torch.randn(8, *output_shape[1:])
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)

    def loss_of(outputs):
        return (outputs - targets).square().mean()

    def measured():  # without dropout, which would measure another network each time
        loss = loss_of(model.eval()(inputs)).item()
        model.train()
        return loss

    first = measured()
    for _ in range(60):
        optimizer.zero_grad()
        loss_of(model(inputs)).backward()
        optimizer.step()
    assert measured() < 0.8 * first


def test_a_saved_state_gives_the_same_outputs(case):
    model, inputs, _ = case
    model(inputs)  # what is measured in training is part of the state
    model.eval()
    expected = model(inputs)
    state = load(save({name: tensor.contiguous() for name, tensor in model.state_dict().items()}))
    for tensor in model.state_dict().values():
        nn.init.constant_(tensor, 7)
    model.load_state_dict(state)
    assert torch.equal(model(inputs), expected)


def test_it_compiles_without_graph_breaks(case):
    model, inputs, _ = case
    for training in (True, False):
        torch.compiler.reset()
        compiled = torch.compile(model.train(training), backend="eager", fullgraph=True)
        outputs = compiled(inputs)
    assert_close(outputs, model(inputs))  # of a model in use, where nothing is drawn


def test_it_exports_and_the_export_survives_a_file(case):
    model, inputs, _ = case
    model.eval()
    file = io.BytesIO()
    torch.export.save(torch.export.export(model, (inputs,)), file)
    file.seek(0)
    assert_close(torch.export.load(file).module()(inputs), model(inputs))
