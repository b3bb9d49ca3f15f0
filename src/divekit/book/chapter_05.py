"""Chapter 5: Deep Learning Computation."""

from divekit.book.rows import Chapter, Section

CHAPTER = Chapter(
    5,
    "Deep Learning Computation",
    folder="05_deep_learning_computation",
    sections=(
        Section(
            "5.1",
            "Layers and Blocks",
            script="01_layers_and_blocks.py",
            errata=(
                "The edition holds its constant matrix as a plain attribute: it is not saved, and "
                "stays behind when the block moves to a GPU. Here it is a buffer.",
            ),
            sabotage=(
                ("ours.load_state_dict(torchs.state_dict())", "pass"),
                ("nn.Parameter | Noticing):", "nn.Parameter):"),
                (
                    "registered = Listed(nn.ModuleList(three_layers()))",
                    "registered = Listed(three_layers())",
                ),
                (
                    'register_buffer("fixed", torch.rand(20, 20))',
                    'register_parameter("fixed", nn.Parameter(torch.rand(20, 20)))',
                ),
                ("hidden = hidden / 2", "hidden = hidden / 3"),
                (
                    "nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU()",
                    "nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 32, bias=False), nn.ReLU()",
                ),
                ("in module.named_children():", "in list(module.named_children())[:3]:"),
            ),
        ),
        Section(
            "5.2",
            "Parameter Management",
            script="02_parameter_management.py",
            sabotage=(
                (
                    "copied = net.state_dict(), copy.deepcopy(net.state_dict())",
                    "copied = net.state_dict(), dict(net.state_dict())",
                ),
                ("for number in range(4):", "for number in range(3):"),
                ('"weight_decay": 0.5', '"weight_decay": 0.05'),
                ("std=0.01)", "std=0.011)"),
                ("block.weight.abs() >= 5", "block.weight.abs() >= 4"),
                ("shared, nn.ReLU(), shared,", "shared, nn.ReLU(), copy.deepcopy(shared),"),
                ("grad - (one + two)", "grad - (one + two) / 2"),
                ("*(copy.deepcopy(layer) for layer in tied)", "*copy.deepcopy(tied)"),
            ),
        ),
        Section(
            "5.3",
            "Deferred Initialization",
            script="03_deferred_initialization.py",
            errata=(
                "The edition has no PyTorch code here. In torch, layers that find out their sizes "
                "say so by their name: the lazy ones.",
            ),
            sabotage=(
                (
                    "net = nn.Sequential(nn.LazyLinear(256)",
                    "net = nn.Sequential(nn.LazyLinear(255)",
                ),
                (
                    "self.outputs, self.weight = outputs, None",
                    "self.weight = nn.Parameter(torch.zeros(outputs, 20))",
                ),
                ("padding=2", "padding=1"),
                ("torch.zeros(1, 1, 28, 28), init=xavier)", "torch.zeros(1, 1, 28, 28))"),
                ("lambda: torch.rand(1, 20))", "lambda: torch.zeros(1, 20))"),
                ("torch.manual_seed(3)\nwritten_out", "torch.manual_seed(4)\nwritten_out"),
                (
                    "attempt(lambda: materialize(Fork(), torch.ones(1, 4)))",
                    "attempt(lambda: Fork()(torch.ones(1, 4)))",
                ),
                ("loaded.load_state_dict(net.state_dict())", "loaded(torch.rand(2, 20))"),
            ),
        ),
        Section(
            "5.4",
            "Custom Layers",
            script="04_custom_layers.py",
            errata=(
                "The edition's centring layer subtracts the mean of the whole batch, so what an "
                "example becomes depends on the others. Here each example has its own mean.",
            ),
            sabotage=(
                ("inputs.mean(dim=-1, keepdim=True)", "inputs.mean()"),
                ("    torch.manual_seed(0)\n    chain =", "    chain ="),
                ("self.weight * self.weight.detach()", "self.weight * self.weight"),
                ('"buffer", torch.zeros(3))', '"buffer", torch.zeros(3), persistent=False)'),
                (".insert(0, Standardised(2).learn(features))", ".insert(0, Standardised(2))"),
                (
                    "copied.load_state_dict(state)",
                    "copied[1].load_state_dict(models['standardised'][1].state_dict())",
                ),
            ),
        ),
        Section(
            "5.5",
            "File I/O",
            script="05_file_io.py",
            errata=(
                "The edition loads pickles as if they were data. Reading one runs what it says; "
                "here they are refused, and files hold numbers only.",
            ),
            sabotage=(
                ("torch.load(path, weights_only=True)", "torch.load(path, weights_only=False)"),
                ("lambda path: read_tensors(path)", "lambda path: torch.load(path)"),
                ("content[start:end]", "content[start - 4 : end - 4]"),
                ("load_weights(path, clone)", "pass"),
                ("self.hidden = nn.Linear(20, 128)", "self.hidden = nn.Linear(20, 256)"),
                ('f"model.{name}": tensor', "name: tensor"),
                ('saved["optimizer"])', "optimizer.state_dict())"),
            ),
        ),
        Section(
            "5.6",
            "GPUs",
            script="06_gpus.py",
            errata=(
                "The edition's way of asking for a GPU gives the CPU where there is none, and says "
                "nothing. Here a device that is named and missing is an error.",
            ),
            sabotage=(
                ('pick_device("cuda:99")', 'pick_device("cpu")'),
                ('here.to("cpu", copy=True)', 'here.to("cpu")'),
                ("here + there)", "here + here)"),
                (
                    "self.scale = torch.full((3,), 2.0)",
                    'self.register_buffer("scale", torch.full((3,), 2.0))',
                ),
                (
                    'where = "cpu" if self.way == "made in forward" else inputs.device',
                    "where = inputs.device",
                ),
                ('given_back = model.to("meta")', 'given_back = nn.Linear(3, 1).to("meta")'),
                ("    step.step()\n", ""),
                (
                    "returned_early = not order.done()\ngate.set()\n",
                    "gate.set()\nreturned_early = not order.result()\n",
                ),
                ("        if read_each:\n", "        if not read_each:\n"),
            ),
        ),
    ),
)
