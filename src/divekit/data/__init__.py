"""Data sets, batches and the files they come from."""

from divekit.data.batches import Batches
from divekit.data.dataset import Card, DataSet, Facts, Opened, samples_wanted, use_samples
from divekit.data.digits import Digits
from divekit.data.fashion_mnist import FashionMNIST
from divekit.data.files import read_inputs
from divekit.data.hub import Form, Found, Remote, fetch, locate
from divekit.data.images import Resize, scale_pixels
from divekit.data.synthetic_regression import SyntheticRegression
from divekit.data.xor import XOR, xor_data

__all__ = [
    "DATA_SETS",
    "XOR",
    "Batches",
    "Card",
    "DataSet",
    "Digits",
    "Facts",
    "FashionMNIST",
    "Form",
    "Found",
    "Opened",
    "Remote",
    "Resize",
    "SyntheticRegression",
    "fetch",
    "locate",
    "read_inputs",
    "samples_wanted",
    "scale_pixels",
    "use_samples",
    "xor_data",
]

DATA_SETS: dict[str, type[DataSet]] = {
    kind.name: kind
    for kind in list(globals().values())
    if isinstance(kind, type) and issubclass(kind, DataSet) and kind is not DataSet
}
"""Every data set by its name."""
