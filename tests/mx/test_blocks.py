"""Blocks: what they hold, how they are named, printed, shared, saved and called."""

import copy
import io
from contextlib import redirect_stdout

import numpy
import pytest
import torch

from divekit.errors import BadDataError
from divekit.mx import MXNetError, autograd, context, gluon, gpu, init, nd, np, npx
from divekit.mx.gluon import names, nn


@pytest.fixture(autouse=True)
def _fresh_names():
    names.COUNTER.reset()


def mlp(*args):
    net = nn.Sequential()
    net.add(nn.Dense(4, activation="relu"), nn.Dense(2))
    net.initialize(*args)
    return net


class Centred(nn.Block):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.hidden = nn.Dense(units)
        self.rate = 0.5

    def forward(self, x):
        y = self.hidden(x)
        return y - y.mean()


class Scaled(nn.HybridBlock):
    """The older manner: parameters arrive by name."""

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.scale = self.params.get("scale", shape=(size,), init="ones")
        self.shift = self.params.get_constant("shift", np.arange(size))

    def hybrid_forward(self, F, x, scale, shift):
        assert F is nd
        return F.npx.relu(x * scale + shift)


class Affine(nn.HybridBlock):
    """The newer manner: a parameter without a name, and a shape that is found out."""

    def __init__(self, units):
        super().__init__()
        self.weight = gluon.Parameter(shape=(units, -1), allow_deferred_init=True)

    def infer_shape(self, x):
        self.weight.shape = (self.weight.shape[0], x.shape[1])

    def forward(self, x):
        return np.dot(x, self.weight.data(x.ctx).T)


def test_names_count_up_outside_of_scopes():
    first, second = mlp(), mlp()
    assert (first.name, second.prefix) == ("sequential0", "sequential1_")
    assert list(second.collect_params()) == [
        "dense2_weight",
        "dense2_bias",
        "dense3_weight",
        "dense3_bias",
    ]


def test_scopes_nest_and_prefixes_are_taken_as_given():
    outer = nn.Sequential(prefix="net_")
    with outer.name_scope():
        outer.add(nn.Dense(1), nn.Conv2D(1, 1))
        inner = nn.Sequential()
        with inner.name_scope():
            inner.add(nn.Dense(1), nn.Dense(1, prefix="last_"))
        outer.add(inner)
        bare = nn.HybridSequential(prefix="")
        with bare.name_scope():
            bare.add(nn.Dense(1))  # counted by the scope around it
        outer.add(bare)
    assert [p for p in outer.collect_params() if p.endswith("weight")] == [
        "net_dense0_weight",
        "net_conv0_weight",
        "net_sequential0_dense0_weight",
        "net_sequential0_last_weight",
        "net_dense1_weight",
    ]


def test_a_custom_block_finds_its_parts():
    net = Centred(3)
    net.initialize()
    assert net(np.ones((2, 4))).sum().item() == pytest.approx(0, abs=1e-6)
    assert list(net.collect_params()) == ["dense0_weight", "dense0_bias"]
    assert repr(net) == "Centred(\n  (hidden): Dense(4 -> 3, linear)\n)"


def test_the_older_hybrid_manner():
    net = Scaled(3)
    net.initialize()
    assert net(np.array([-1, -1, -1])).tolist() == [0, 0, 1]
    assert list(net.params) == ["scaled0_scale", "scaled0_shift"]
    with pytest.raises(TypeError, match="arrays"):
        net([1, 2, 3])


def test_the_newer_manner_with_a_shape_found_out():
    net = Affine(2)
    net.initialize(init.One())
    assert net.weight.name == "affine0_weight"
    assert net(np.ones((1, 3))).tolist() == [[3, 3]]
    assert net.weight.shape == (2, 3)


def test_a_shape_that_nobody_finds_out():
    class Unknown(nn.HybridBlock):
        def __init__(self):
            super().__init__()
            self.w = self.params.get("w", shape=(0, 2), allow_deferred_init=True)

        def hybrid_forward(self, F, x, w):
            return F.np.dot(x, w)

    net = Unknown()
    net.initialize()
    with pytest.raises(MXNetError, match=r"unknown0_w.*infer_shape"):
        net(np.ones((1, 3)))


def test_attributes_replace_remove_and_refuse():
    net = Centred(3)
    net.hidden = nn.Dense(5, in_units=2)
    net.initialize()
    assert list(net.collect_params()) == ["dense1_weight", "dense1_bias"]
    with pytest.raises(TypeError, match=r"self\.hidden is a Dense"):
        net.hidden = 3
    net.hidden = None
    assert not net._children
    net.w = gluon.Parameter("mine", shape=(1,))
    net.w = gluon.Parameter("other", shape=(1,))
    assert list(net.params) == ["other"]
    net.w = None
    assert not net.collect_params()

    class Forgot(nn.Block):
        def __init__(self):
            self.layer = nn.Dense(1)

    with pytest.raises(MXNetError, match=r"super\(\).__init__\(\)"):
        Forgot()


def test_children_put_in_by_hand_and_lists_of_them():
    class Chain(nn.Block):
        def add(self, block):
            self._children[block.name] = block

        def forward(self, x):
            for block in self._children.values():
                x = block(x)
            return x

    net = Chain()
    net.add(nn.Dense(2, in_units=1))
    net.add(nn.Dense(1, in_units=2))
    net.initialize(init.One())
    assert net(np.ones((1, 1))).item() == 2
    plain = nn.Block()
    plain.register_child(nn.Dense(1))
    assert list(plain._children) == ["0"]
    with pytest.raises(ValueError, match="HybridBlock"):
        nn.HybridSequential().add(nn.Lambda("relu"))
    with pytest.raises(NotImplementedError, match="forward"):
        plain(1)
    with pytest.raises(NotImplementedError, match="forward"):
        nn.HybridBlock()(np.ones(1))


def test_a_sequence_by_index_slice_and_length():
    net = nn.Sequential()
    net.add(nn.Dense(3), nn.Dropout(0.5), nn.Dense(2))
    assert (len(net), net[-1]._units, [type(b) for b in net][1]) == (3, 2, nn.Dropout)
    part = net[:2]
    assert type(part) is nn.Sequential
    assert part[0] is net[0]
    assert list(part.collect_params()) == ["dense0_weight", "dense0_bias"]
    with pytest.raises(IndexError):
        net[3]


def test_a_sequence_hands_tuples_on():
    class Pair(nn.Block):
        def forward(self, x, y=None):
            return x + 1, x if y is None else y

    net = nn.Sequential()
    net.add(Pair(), Pair())
    assert [part.item() for part in net(np.array(0))] == [2, 0]


def test_blocks_side_by_side():
    for kind in (nn.Concatenate, nn.HybridConcatenate):
        net = kind(axis=1)
        net.add(nn.Dense(2), nn.Dense(3), nn.Identity())
        net.initialize(init.One())
        assert net(np.ones((1, 2))).tolist() == [[2] * 5 + [1, 1]]
        assert net[:1].axis == 1


def test_collecting_by_pattern():
    net = mlp()
    assert list(net.collect_params(".*bias|dense1_weight")) == [
        "dense0_bias",
        "dense1_weight",
        "dense1_bias",
    ]
    net.collect_params(".*weight").setattr("grad_req", "null")
    assert net[0].weight.grad_req == "null"
    assert net[0].bias.grad_req == "write"
    net.setattr("grad_req", "write")
    assert net[0].weight.grad_req == "write"


def test_one_layer_in_two_places_shares_its_numbers():
    net = nn.Sequential()
    shared = nn.Dense(3, in_units=3)
    net.add(shared, nn.Dense(3, in_units=3, params=shared.params))
    net.initialize()
    first, second = net[0].weight, net[1].weight
    assert first is second
    assert len(net.collect_params()) == 2
    x = np.ones((1, 3))
    with autograd.record():
        loss = net(x).sum()
    loss.backward()
    weight = first.data().tensor.detach().requires_grad_()
    bias = net[0].bias.data().tensor.detach()
    twice = torch.nn.functional.linear(torch.nn.functional.linear(x.tensor, weight, bias), weight)
    twice.sum().backward()
    numpy.testing.assert_allclose(first.grad().asnumpy(), weight.grad.numpy(), rtol=1e-6)


def test_sharing_with_another_size_is_an_error():
    with pytest.raises(MXNetError, match=r"dense0_weight.*shape"):
        nn.Dense(4, in_units=3, params=nn.Dense(3, in_units=3).params)


def test_apply_reaches_every_block_the_inside_first():
    seen = []
    net = mlp()
    assert net.apply(lambda block: seen.append(block.name)) is net
    assert seen[-1] == "sequential0"
    assert set(seen) == {"sequential0", "dense0", "dense1", "relu"}

    def init_dense(block):
        if type(block) is nn.Dense:
            block.initialize(init.Constant(2), force_reinit=True)

    net(np.ones((1, 3)))
    net.apply(init_dense)
    assert net[1].weight.data().tolist() == [[2] * 4] * 2


def test_cast_and_the_types_that_do_not_fit():
    net = mlp()
    net.cast("float64")
    x = np.random.normal(size=(2, 3), dtype="float64")
    assert net(x).dtype is numpy.float64
    with pytest.raises(MXNetError, match="dense0"):
        net(x.astype("float32"))
    with pytest.raises(ValueError, match=r"dense0: .*\(2, 5\)"):
        net(np.zeros((2, 5), dtype="float64"))


def test_hooks_come_and_go():
    seen = []
    net = mlp()
    with net.register_forward_pre_hook(lambda block, inputs: seen.append(inputs[0].shape)):
        handle = net.register_forward_hook(lambda block, inputs, out: seen.append(out.shape))
        net(np.ones((1, 3)))
    net(np.ones((5, 3)))
    handle.detach()
    net(np.ones((7, 3)))
    assert seen == [(1, 3), (1, 2), (5, 2)]


def test_on_two_devices():
    context.set_virtual_gpus(2)
    try:
        net = mlp(init.One(), [gpu(0), gpu(1)])
        for device in (gpu(0), gpu(1)):
            result = net(np.ones((1, 3), ctx=device))
            assert (result.ctx, result.tolist()) == (device, [[12, 12]])
        with pytest.raises(RuntimeError, match=r"cpu\(0\)"):
            net(np.ones((1, 3)))
        net.reset_ctx(gpu(1))
        assert net.collect_params().list_ctx() == [gpu(1)]
    finally:
        context.set_virtual_gpus(0)


def test_parameters_come_back_from_a_file(tmp_path):
    file = str(tmp_path / "mlp.params")
    net = mlp()
    x = np.random.normal(size=(2, 3))
    expected = net(x).tolist()
    net.save_parameters(file)
    assert set(npx.load(file)) == {"0.weight", "0.bias", "1.weight", "1.bias"}
    fresh = nn.Sequential()
    fresh.add(nn.Dense(4, activation="relu"), nn.Dense(2))
    fresh.load_parameters(file)  # neither initialised nor shaped
    assert fresh(x).tolist() == expected
    again = mlp()
    again.load_parameters(file, ctx=npx.cpu())
    assert again(x).tolist() == expected


def test_a_file_that_does_not_fit_changes_nothing(tmp_path):
    file = str(tmp_path / "mlp.params")
    net = mlp()
    net(np.ones((1, 3)))
    net.save_parameters(file)
    short = nn.Sequential()
    short.add(nn.Dense(4))
    with pytest.raises(BadDataError, match=r"'1\.weight'.*ignore_extra"):
        short.load_parameters(file)
    short.load_parameters(file, ignore_extra=True)
    long = mlp()
    long.add(nn.Dense(1))
    with pytest.raises(BadDataError, match=r"no '2\.weight'.*allow_missing"):
        long.load_parameters(file)
    long.load_parameters(file, allow_missing=True)
    assert long[0].weight.data().tolist() == net[0].weight.data().tolist()
    wide = mlp()
    before = wide(np.ones((1, 3))).tolist()
    npx.save(file, {**npx.load(file), "1.bias": np.zeros(5)})
    with pytest.raises(BadDataError, match=r"'1.bias' has shape \(5,\)"):
        wide.load_parameters(file)
    assert wide(np.ones((1, 3))).tolist() == before


def test_a_file_of_another_type(tmp_path):
    file = str(tmp_path / "dense.params")
    net = nn.Dense(1, in_units=1)
    net.initialize(init.One())
    net.cast("float64")
    net.save_parameters(file)
    with pytest.raises(MXNetError, match="cast_dtype"):
        nn.Dense(1, in_units=1).load_parameters(file)
    for source, kind in (("current", numpy.float32), ("saved", numpy.float64)):
        other = nn.Dense(1, in_units=1)
        other.load_parameters(file, cast_dtype=True, dtype_source=source)
        assert other.weight.data().dtype is kind


def test_files_with_full_names_as_mxnet_exported_them(tmp_path):
    file = str(tmp_path / "net-0000.params")
    numbers = {"arg:dense7_weight": np.ones((1, 2)), "arg:dense7_bias": np.zeros(1)}
    npx.save(file, numbers)
    net = nn.Dense(1, prefix="dense7_")
    net.load_parameters(file)
    assert net(np.ones((1, 2))).item() == 2
    npx.save(file, {"weight": np.ones((1, 2)), "bias": np.ones(1)})
    net.load_parameters(file)
    assert net(np.ones((1, 2))).item() == 3
    npx.save(file, [np.ones(1)])
    with pytest.raises(BadDataError, match="no names"):
        net.load_parameters(file)


def test_a_shared_parameter_is_written_once_if_told_so(tmp_path):
    file = str(tmp_path / "shared.params")

    def tied():
        net = nn.Sequential()
        net.add(nn.Dense(2, in_units=2, use_bias=False))
        net.add(nn.Dense(2, in_units=2, use_bias=False, params=net[0].params))
        return net

    net = tied()
    net.initialize()
    net.save_parameters(file, deduplicate=True)
    assert list(npx.load(file)) == ["0.weight"]
    other = tied()
    other.load_parameters(file)
    assert other[1].weight.data().tolist() == net[0].weight.data().tolist()


def test_what_is_no_attribute_is_saved_too(tmp_path):
    class Hidden(nn.Block):
        def __init__(self):
            super().__init__()
            self.params.get("w", shape=(2,))

        def forward(self, x):
            return x * self.params.get("w").data()

    net, other = Hidden(), Hidden()
    net.initialize()
    net.save_parameters(str(tmp_path / "h.params"))
    other.load_parameters(str(tmp_path / "h.params"))
    assert other(np.ones(2)).tolist() == net(np.ones(2)).tolist()


def test_export_writes_a_program_for_torch_and_mxnets_parameters(tmp_path):
    net = nn.HybridSequential()
    net.add(nn.Conv2D(2, 3, activation="relu"), nn.BatchNorm(), nn.Flatten(), nn.Dense(3))
    net.initialize()
    with pytest.raises(RuntimeError, match="hybridize"):
        net.export(str(tmp_path / "net"))
    net.hybridize()
    x = np.random.normal(size=(2, 1, 6, 6))
    expected = net(x)
    network, weights = net.export(str(tmp_path / "net"))
    assert weights.endswith("net-0000.params")
    saved = npx.load(weights)
    assert "arg:conv0_weight" in saved
    assert "aux:batchnorm0_running_mean" in saved
    program = torch.export.load(network).module()
    many = np.random.normal(size=(5, 1, 6, 6))
    numpy.testing.assert_allclose(program(x.tensor).detach(), expected.asnumpy(), atol=1e-6)
    numpy.testing.assert_allclose(program(many.tensor).detach(), net(many).asnumpy(), atol=1e-6)


def test_a_program_exported_after_one_example_takes_many(tmp_path, capfd):
    net = nn.HybridSequential()
    net.add(nn.Dense(4, activation="relu"), nn.Dense(2))
    net.initialize()
    net.hybridize()
    net(np.ones((1, 3)))
    program = torch.export.load(net.export(str(tmp_path / "net"))[0]).module()
    for count in (1, 5):
        x = np.random.normal(size=(count, 3))
        numpy.testing.assert_allclose(program(x.tensor).detach(), net(x).asnumpy(), atol=1e-6)
    assert "specialized" not in capfd.readouterr().err


def test_hybridized_gives_the_same():
    net = mlp()
    x = np.ones((2, 3))
    before = net(x).tolist()
    net.hybridize()
    assert net(x).tolist() == before


@pytest.mark.parametrize(
    "call",
    [lambda: gluon.SymbolBlock.imports("net.json"), lambda: nn.Dense(1).optimize_for(1)],
)
def test_symbols_are_refused_with_torchs_way(call):
    with pytest.raises(NotImplementedError, match=r"torch\."):
        call()


def test_a_block_is_a_module_of_torchs():
    net = mlp()
    net.add(nn.Dropout(0.5))
    x = np.random.normal(size=(8, 3))
    expected = net(x)
    module = net.module.eval()
    assert list(module.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    numpy.testing.assert_array_equal(module(x.tensor).detach(), expected.asnumpy())
    assert (module.train()(x.tensor) == 0).any()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    before = net[0].weight.data().asnumpy()
    for _ in range(2):
        optimizer.zero_grad()
        (module(x.tensor) ** 2).sum().backward()
        optimizer.step()
    assert numpy.abs(net[0].weight.data().asnumpy() - before).max() > 1e-4
    with torch.no_grad():
        assert not module(x.tensor).requires_grad


def test_state_goes_from_block_to_block():
    net, other = mlp(), mlp()
    x = np.ones((1, 3))
    expected = net(x).tolist()
    other(x)
    other.load_state_dict(net.state_dict())
    assert other(x).tolist() == expected
    with pytest.raises(BadDataError, match=r"2\.weight"):
        other.load_state_dict({**net.state_dict(), "2.weight": torch.zeros(1)})


def test_the_summary_counts_parameters():
    net = nn.Sequential()
    net.add(nn.Dense(4, in_units=3), nn.BatchNorm(), nn.Dense(4, in_units=4))
    net.add(nn.Dense(4, params=net[2].params))
    net.initialize()
    out = io.StringIO()
    with redirect_stdout(out):
        net.summary(np.ones((2, 3)))
    text = out.getvalue()
    assert "(2, 4)" in text
    # 16 + 16 (of which 8 untrained) + 20, the last once more.
    assert "Total params: 52\nTrainable params: 44\nNon-trainable params: 8\n" in text
    assert "forward computation graph: 20" in text
    assert not net._forward_hooks


def test_lambdas():
    assert nn.Lambda("relu")(np.array([-1, 1])).tolist() == [0, 1]
    assert nn.Lambda(lambda x: x + 1)(np.array(1)).item() == 2
    assert nn.HybridLambda(lambda F, x: F.np.exp(x))(np.array(0)).item() == 1
    assert nn.HybridLambda("tanh")(np.array(0)).item() == 0
    with pytest.raises(ValueError, match="'nonsense'"):
        nn.Lambda("nonsense")
    with pytest.raises(ValueError, match="function"):
        nn.Lambda(3)


def test_a_copy_of_a_network_trains_by_itself():
    net = mlp()
    x = np.ones((1, 3))
    net(x)
    other = copy.deepcopy(net)
    assert other(x).tolist() == net(x).tolist()
    trainer = gluon.Trainer(other.collect_params(), "sgd", {"learning_rate": 0.1})
    before = net(x).tolist()
    for _ in range(2):
        with autograd.record():
            loss = (other(x) ** 2).sum()
        loss.backward()
        trainer.step(1)
    assert net(x).tolist() == before
    assert float((other(x) ** 2).sum()) < float((net(x) ** 2).sum())


def test_layers_take_arrays_alone():
    net = mlp()
    for wrong in (numpy.ones((1, 3)), torch.ones(1, 3), [[1, 2, 3]]):
        with pytest.raises(TypeError, match="dense0 takes arrays"):
            net(wrong)
