"""What to say about an error that old programs often end in."""

import re

# Names that listings lose when they are copied from pages, and what they stood for.
_MISREAD = {"d21": "d2l (the letter l)", "d2I": "d2l", "nP": "np", "lnit": "init"}

# Names that a chapter defines in a listing of its own and uses in the next.
_DEFINED_EARLIER = {
    "data_iter": "3.2 (reading the data set)",
    "linreg": "3.2",
    "squared_loss": "3.2",
    "sgd": "3.2",
    "net": "the listing that defines the model",
    "features": "the listing that makes the data",
    "labels": "the listing that makes the data",
    "train_iter": "the listing that loads the data",
    "test_iter": "the listing that loads the data",
}

# What PyTorch and its kind say, and what it means for a program of 2021.
_MEANT = {
    r"Weights only load failed": "since PyTorch 2.6 torch.load reads tensors and no whole modules; "
    "for a file that you trust: torch.load(..., weights_only=False)",
    r"Torch not compiled with CUDA|no NVIDIA driver|accelerator device when none is available": (
        "PyTorch finds no GPU here; d2l.try_gpu() gives the CPU then"
    ),
    r"cannot import name '\w+' from 'divekit\.d2l' ": (
        "the editions here are torch and mxnet: from d2l import torch as d2l"
    ),
    r"cannot import name '\w+' from 'divekit\.d2l\.\w+' ": (
        "names of chapters after 7 are in the book's own package: pip install 'divekit[book]'"
    ),
    r"operator torchvision::\w+ does not exist": (
        "this torchvision was built for another torch: install the two together"
    ),
    r"No module named 'torchvision'": (
        "the PyTorch edition reads images with it: pip install torchvision"
    ),
}


def hint_for(error: str, message: str) -> str | None:
    """Give a hint for an error by the name of its class and its message, or nothing."""
    for said, meant in _MEANT.items():
        if re.search(said, message):
            return meant
    found = re.search(r"name '(\w+)' is not defined", message)
    if found is None:
        found = re.search(r"No module named '(\w+)", message)
    if found is None or error not in ("NameError", "UnboundLocalError", "ModuleNotFoundError"):
        return None
    name = found[1]
    if name in _MISREAD:
        return f"meant is {_MISREAD[name]}"
    if error == "NameError" and name in _DEFINED_EARLIER:
        return f"a listing is missing before this one: {name} comes from {_DEFINED_EARLIER[name]}"
    return None
