"""PyTorch's way of saying what MXNet said: the migration guide as a table.

A name maps to an expression, or to an expression and a remark. Names of ``np`` that torch has
under the same name are not listed; ``equivalent`` finds them.
"""

import functools

Entry = str | tuple[str, str]

_NP: dict[str, Entry] = {
    "array": ("torch.tensor(data, device=...)", "lists of integers stay int64; MXNet made float32"),
    "ndarray": "torch.Tensor",
    "arange": ("torch.arange(n)", "int64 for integers; MXNet made float32"),
    "ones": "torch.ones(shape)",
    "zeros": "torch.zeros(shape)",
    "full": "torch.full(shape, value)",
    "concatenate": "torch.cat(tensors, dim=...)",
    "dot": ("a @ b", "torch.dot takes vectors only"),
    "expand_dims": "x.unsqueeze(dim)",
    "sum": "x.sum(dim=..., keepdim=...)",
    "mean": "x.mean(dim=..., keepdim=...)",
    "max": ("x.amax(dim=...)", "x.max(dim) gives values and indices"),
    "min": ("x.amin(dim=...)", "x.min(dim) gives values and indices"),
    "prod": "x.prod(dim=...)",
    "std": ("x.std(correction=0)", "torch divides by n - 1 unless told"),
    "var": ("x.var(correction=0)", "torch divides by n - 1 unless told"),
    "argmax": "x.argmax(dim=...)",
    "power": "x ** y",
    "tile": "x.tile(repeats)",
    "repeat": ("x.repeat_interleave(n)", "torch's x.repeat is NumPy's tile"),
    "transpose": ("x.permute(dims)", "torch.transpose exchanges two dims"),
    "swapaxes": "x.transpose(a, b)",
    "nonzero": "x.nonzero(as_tuple=True)",
    "split": ("torch.chunk(x, n, dim=...)", "torch.split takes sizes, not a count"),
    "sort": ("x.sort(dim=...).values", "torch gives values and indices"),
    "genfromtxt": "torch.from_numpy(numpy.genfromtxt(file))",
    "set_printoptions": "torch.set_printoptions",
    "random.normal": "loc + scale * torch.randn(size)",
    "random.uniform": "torch.empty(size).uniform_(low, high)",
    "random.rand": "torch.rand(*size)",
    "random.randn": "torch.randn(*size)",
    "random.randint": "torch.randint(low, high, size)",
    "random.multinomial": ("torch.distributions.Multinomial(n, p).sample(size)", "counts"),
    "random.shuffle": "x[torch.randperm(len(x))]",
    "random.choice": "x[torch.randint(len(x), size)]",
    "random.permutation": "x[torch.randperm(len(x))]",
    "random.seed": "torch.manual_seed(seed)",
    "linalg.norm": "torch.linalg.norm(x)",
    "pi": "math.pi",
    "inf": "math.inf",
    "nan": "math.nan",
    "e": "math.e",
    "newaxis": "None",
    "around": "torch.round",
    "bool": "torch.bool",
    "bool_": "torch.bool",
    "abs": "torch.abs",
    "asnumpy": "x.numpy()",
}

_NPX: dict[str, Entry] = {
    "set_np": ("(leave it out)", "tensors need no switch"),
    "reset_np": "(leave it out)",
    "is_np_array": "(leave it out)",
    "is_np_shape": "(leave it out)",
    "waitall": ("torch.cuda.synchronize()", "on a CPU nothing is pending"),
    "relu": "torch.relu(x)",
    "sigmoid": "torch.sigmoid(x)",
    "leaky_relu": "F.leaky_relu(x, slope)",
    "softmax": ("torch.softmax(x, dim=-1)", "dim must be said"),
    "log_softmax": ("torch.log_softmax(x, dim=-1)", "dim must be said"),
    "masked_softmax": "torch.softmax(x.masked_fill(~mask, -torch.inf), dim=-1)",
    "batch_dot": "torch.bmm(a, b)",
    "batch_flatten": "x.flatten(1)",
    "one_hot": ("F.one_hot(index.long(), n).float()", "torch gives int64"),
    "pick": "x.gather(-1, index[:, None]).squeeze(-1)",
    "topk": ("x.topk(k)", "values and indices; MXNet gave indices unless told"),
    "sequence_mask": "x.masked_fill(steps >= lengths, value)",
    "cpu": "torch.device('cpu')",
    "gpu": "torch.device('cuda', i)",
    "num_gpus": "torch.cuda.device_count()",
    "save": "torch.save(value, file), or safetensors.torch.save_file",
    "load": "torch.load(file, weights_only=True)",
    "convolution": "F.conv2d(data, weight, bias)",
    "deconvolution": "F.conv_transpose2d(data, weight, bias)",
    "fully_connected": "F.linear(x, weight, bias)",
    "pooling": "F.max_pool2d(data, kernel) or F.avg_pool2d",
    "batch_norm": "F.batch_norm(x, mean, var, gamma, beta)",
    "layer_norm": "F.layer_norm(x, shape, gamma, beta)",
    "embedding": "F.embedding(index, weight)",
    "dropout": "F.dropout(x, p, training=...)",
    "activation": "torch.relu(x), torch.sigmoid(x), torch.tanh(x)",
    "smooth_l1": "F.smooth_l1_loss(x, y, beta=1 / scalar**2, reduction='none')",
    "erf": "torch.erf(x)",
    "gamma": "torch.lgamma(x).exp()",
    "gammaln": "torch.lgamma(x)",
    "reshape_like": "x.reshape_as(y)",
    "arange_like": "torch.arange(x.numel())",
    "multibox_prior": ("(section 13.4 writes it)", "torchvision.models.detection.anchor_utils"),
    "multibox_target": "(section 13.4 writes it)",
    "multibox_detection": ("(section 13.4 writes it)", "with torchvision.ops.nms"),
    "roi_pooling": "torchvision.ops.roi_pool",
    "nonzero": "x.nonzero()",
    "gather_nd": "x[tuple(index)]",
    "rnn": "nn.RNN, nn.LSTM, nn.GRU",
    "current_context": "x.device",
    "random.seed": "torch.manual_seed(seed)",
    "random.bernoulli": "torch.bernoulli(p)",
    "seed": "torch.manual_seed(seed)",
}

_AUTOGRAD: dict[str, Entry] = {
    "record": ("(leave it out)", "torch records wherever requires_grad is set"),
    "pause": "with torch.no_grad():",
    "train_mode": "net.train()",
    "predict_mode": "net.eval()",
    "is_training": "self.training",
    "is_recording": "torch.is_grad_enabled()",
    "set_training": "net.train(mode)",
    "set_recording": "torch.set_grad_enabled(mode)",
    "backward": "torch.autograd.backward(tensors)",
    "grad": "torch.autograd.grad(output, inputs, create_graph=...)",
    "mark_variables": "x.requires_grad_()",
    "Function": "torch.autograd.Function",
}

_LAYERS: dict[str, Entry] = {
    "Block": "nn.Module",
    "HybridBlock": ("nn.Module", "torch.compile(net) in place of hybridize"),
    "Sequential": "nn.Sequential(...)",
    "HybridSequential": "nn.Sequential(...)",
    "Dense": (
        "nn.Linear(in_features, units)",
        "or nn.LazyLinear(units); Dense flattens unless flatten=False, and takes activation=",
    ),
    "Dropout": "nn.Dropout(p)",
    "BatchNorm": (
        "nn.BatchNorm2d(channels)",
        "torch's momentum is the new part, 1 - MXNet's; eps is 1e-5 in both",
    ),
    "LayerNorm": "nn.LayerNorm(size)",
    "GroupNorm": "nn.GroupNorm(groups, channels)",
    "InstanceNorm": "nn.InstanceNorm2d(channels)",
    "Embedding": "nn.Embedding(number, size)",
    "Flatten": "nn.Flatten()",
    "Lambda": "a module whose forward is the function",
    "HybridLambda": "a module whose forward is the function",
    "Activation": "nn.ReLU(), nn.Sigmoid(), nn.Tanh(), nn.Softplus()",
    "Identity": "nn.Identity()",
    "Concurrent": "torch.cat([block(x) for block in blocks], dim=1)",
    "HybridConcurrent": "torch.cat([block(x) for block in blocks], dim=1)",
    "GlobalAvgPool2D": "nn.AdaptiveAvgPool2d(1)",
    "GlobalMaxPool2D": "nn.AdaptiveMaxPool2d(1)",
    "SELU": "nn.SELU()",
    "ELU": "nn.ELU(alpha)",
    "GELU": "nn.GELU()",
    "PReLU": "nn.PReLU()",
    "Swish": "nn.SiLU()",
    "SiLU": "nn.SiLU()",
    "LeakyReLU": "nn.LeakyReLU(slope)",
    "ReflectionPad2D": "nn.ReflectionPad2d(padding)",
    "SymbolBlock": "torch.export.load",
}
for _size in "123":
    _LAYERS |= {
        f"Conv{_size}D": (
            f"nn.Conv{_size}d(in_channels, channels, kernel_size, stride, padding)",
            f"or nn.LazyConv{_size}d(channels, kernel_size)",
        ),
        f"Conv{_size}DTranspose": (
            f"nn.ConvTranspose{_size}d(in_channels, channels, kernel_size, stride, padding)"
        ),
        f"MaxPool{_size}D": f"nn.MaxPool{_size}d(pool_size, stride, padding)",
        f"AvgPool{_size}D": f"nn.AvgPool{_size}d(pool_size, stride, padding)",
    }
    _LAYERS.setdefault(f"GlobalAvgPool{_size}D", f"nn.AdaptiveAvgPool{_size}d(1)")
    _LAYERS.setdefault(f"GlobalMaxPool{_size}D", f"nn.AdaptiveMaxPool{_size}d(1)")

_GLUON: dict[str, Entry] = {
    "Trainer": (
        "torch.optim.SGD(net.parameters(), lr=...)",
        "step(batch_size) divides the gradient by batch_size: take the loss's mean instead",
    ),
    "Parameter": "nn.Parameter(tensor)",
    "Constant": "self.register_buffer(name, tensor)",
    "ParameterDict": "net.named_parameters()",
    "utils.split_and_load": "[part.to(device) for part, device in zip(x.chunk(n), devices)]",
    "utils.split_data": "x.chunk(n)",
    "utils.clip_global_norm": "nn.utils.clip_grad_norm_(parameters, norm)",
    "utils.download": "divekit.data.hub, or torch.hub.download_url_to_file",
    "data.DataLoader": "torch.utils.data.DataLoader",
    "data.Dataset": "torch.utils.data.Dataset",
    "data.ArrayDataset": "torch.utils.data.TensorDataset(*tensors)",
    "data.SimpleDataset": "a list",
    "data.vision.FashionMNIST": "torchvision.datasets.FashionMNIST, divekit.data.FashionMNIST",
    "data.vision.MNIST": "torchvision.datasets.MNIST",
    "data.vision.CIFAR10": "torchvision.datasets.CIFAR10",
    "data.vision.CIFAR100": "torchvision.datasets.CIFAR100",
    "data.vision.ImageFolderDataset": "torchvision.datasets.ImageFolder",
    "loss.Loss": "nn.Module",
    "loss.L2Loss": ("nn.MSELoss(reduction='none')", "MXNet's has the factor 1/2"),
    "loss.L1Loss": "nn.L1Loss(reduction='none')",
    "loss.SoftmaxCrossEntropyLoss": "nn.CrossEntropyLoss(reduction='none')",
    "loss.SoftmaxCELoss": "nn.CrossEntropyLoss(reduction='none')",
    "loss.SigmoidBinaryCrossEntropyLoss": "nn.BCEWithLogitsLoss(reduction='none')",
    "loss.SigmoidBCELoss": "nn.BCEWithLogitsLoss(reduction='none')",
    "loss.KLDivLoss": "nn.KLDivLoss(reduction='none')",
    "loss.HuberLoss": "nn.HuberLoss(reduction='none')",
    "loss.HingeLoss": "torch.relu(margin - prediction * label)",
    "loss.SquaredHingeLoss": "torch.relu(margin - prediction * label) ** 2",
    "loss.LogisticLoss": "nn.SoftMarginLoss(reduction='none')",
    "loss.TripletLoss": "nn.TripletMarginLoss(reduction='none')",
    "loss.CTCLoss": "nn.CTCLoss(reduction='none')",
    "loss.CosineEmbeddingLoss": "nn.CosineEmbeddingLoss(reduction='none')",
    "loss.PoissonNLLLoss": "nn.PoissonNLLLoss(reduction='none')",
    "rnn.RNN": ("nn.RNN(inputs, hidden, layers)", "states are tensors, not lists"),
    "rnn.LSTM": ("nn.LSTM(inputs, hidden, layers)", "states are a pair"),
    "rnn.GRU": ("nn.GRU(inputs, hidden, layers)", "the state is a tensor, not a list"),
    "rnn.RNNCell": "nn.RNNCell",
    "rnn.LSTMCell": "nn.LSTMCell",
    "rnn.GRUCell": "nn.GRUCell",
}

_OTHER: dict[str, Entry] = {
    "init.Xavier": ("nn.init.xavier_uniform_(weight)", "in MXNet set for a whole net"),
    "init.Normal": "nn.init.normal_(weight, std=sigma)",
    "init.Uniform": "nn.init.uniform_(weight, -scale, scale)",
    "init.Constant": "nn.init.constant_(weight, value)",
    "init.Zero": "nn.init.zeros_(weight)",
    "init.One": "nn.init.ones_(weight)",
    "init.MSRAPrelu": "nn.init.kaiming_normal_(weight, a=slope)",
    "init.Orthogonal": "nn.init.orthogonal_(weight)",
    "init.Initializer": "net.apply(function)",
    "lr_scheduler.CosineScheduler": "torch.optim.lr_scheduler.CosineAnnealingLR",
    "lr_scheduler.FactorScheduler": "torch.optim.lr_scheduler.StepLR",
    "lr_scheduler.MultiFactorScheduler": "torch.optim.lr_scheduler.MultiStepLR",
    "lr_scheduler.PolyScheduler": "torch.optim.lr_scheduler.PolynomialLR",
    "lr_scheduler.LRScheduler": "torch.optim.lr_scheduler.LambdaLR",
    "image.imread": "PIL.Image.open(file), torchvision.io.read_image",
    "image.imresize": "image.resize((width, height))",
    "image.imdecode": "PIL.Image.open(io.BytesIO(data))",
    "image.fixed_crop": "image[top : top + height, left : left + width]",
    "image.random_crop": "torchvision.transforms.RandomCrop",
    "nd.array": "torch.tensor(data)",
    "kv.create": "torch.distributed",
    "kvstore.create": "torch.distributed",
}

_METHODS: dict[str, Entry] = {
    "attach_grad": "x.requires_grad_()",
    "asnumpy": "x.detach().cpu().numpy()",
    "asscalar": "x.item()",
    "as_np_ndarray": "(leave it out)",
    "as_nd_ndarray": "(leave it out)",
    "as_in_ctx": "x.to(device)",
    "as_in_context": "x.to(device)",
    "copyto": "target.copy_(x)",
    "astype": "x.to(dtype)",
    "wait_to_read": "(leave it out)",
    "hybridize": "torch.compile(net)",
    "initialize": ("net.apply(function)", "torch's layers have values from the beginning"),
    "collect_params": "net.named_parameters()",
    "save_parameters": "torch.save(net.state_dict(), file)",
    "load_parameters": "net.load_state_dict(torch.load(file, weights_only=True))",
    "reset_ctx": "net.to(device)",
    "list_ctx": "x.device",
    "set_data": "with torch.no_grad(): weight.copy_(value)",
    "set_learning_rate": "optimizer.param_groups[0]['lr'] = rate",
    "transform_first": "torchvision's transform= of the data set",
    "begin_state": "(None: torch starts from zeros)",
    "zero_grad": "optimizer.zero_grad()",
    "allreduce_grads": "torch.nn.parallel.DistributedDataParallel does it",
    "register_child": "self.add_module(name, module)",
    "get_constant": "self.register_buffer(name, tensor)",
}

_RENAMED_TRANSFORMS = {
    "RandomFlipLeftRight": "RandomHorizontalFlip",
    "RandomFlipTopBottom": "RandomVerticalFlip",
    "RandomColorJitter": "ColorJitter",
    "RandomBrightness": "ColorJitter(brightness=...)",
    "RandomContrast": "ColorJitter(contrast=...)",
    "RandomSaturation": "ColorJitter(saturation=...)",
    "RandomHue": "ColorJitter(hue=...)",
    "Cast": "ConvertImageDtype",
}


@functools.cache
def _table() -> dict[str, Entry]:
    groups = {"np": _NP, "npx": _NPX, "autograd": _AUTOGRAD, "gluon": _GLUON, "gluon.nn": _LAYERS}
    table = dict(_OTHER)
    for prefix, entries in groups.items():
        table |= {f"{prefix}.{name}": entry for name, entry in entries.items()}
    table |= {f"gluon.{name}": _LAYERS[name] for name in ("Block", "HybridBlock")}
    return table


def equivalent(name: str) -> tuple[str, str] | None:
    """Give PyTorch's expression for a name of MXNet's, ``gluon.nn.Dense``, and a remark.

    Names are as in ``from mxnet import np, npx, autograd, gluon, init``. None where nothing
    is known.
    """
    entry = _table().get(name)
    if entry is None:
        entry = _by_rule(name)
    if entry is None:
        return None
    return entry if isinstance(entry, tuple) else (entry, "")


def method_equivalent(name: str) -> tuple[str, str] | None:
    """Give PyTorch's expression for a method of MXNet's arrays, blocks and parameters."""
    entry = _METHODS.get(name)
    if entry is None:
        return None
    return entry if isinstance(entry, tuple) else (entry, "")


def _by_rule(name: str) -> Entry | None:
    """Find names that follow a rule: most of ``np`` is in torch under the same name."""
    head, _, rest = name.partition(".")
    if head == "np":
        import torch

        owner: object = torch
        for part in rest.split("."):
            owner = getattr(owner, part, None)
        return f"torch.{rest}" if owner is not None else None
    if name.startswith("gluon.data.vision.transforms."):
        transform = name.rpartition(".")[2]
        return f"torchvision.transforms.{_RENAMED_TRANSFORMS.get(transform, transform)}"
    if name.startswith("gluon.model_zoo.vision."):
        return "torchvision.models." + name.rpartition(".")[2].split("_v")[0]
    if head == "metric":
        return ("a mean kept by hand", "torcheval and torchmetrics have many")
    if head == "nd":
        return equivalent(f"np.{rest}") or equivalent(f"npx.{rest}")
    return None
