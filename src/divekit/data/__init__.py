"""Data sets, batches and the files they come from."""

from divekit.data.augmentation import Moved
from divekit.data.batches import Batches
from divekit.data.dataset import Card, DataSet, Facts, Opened, samples_wanted, use_samples
from divekit.data.digits import Digits
from divekit.data.fashion_mnist import FashionMNIST
from divekit.data.files import read_inputs
from divekit.data.folders import Archive, fetch_folder, locate_folder
from divekit.data.folds import folds
from divekit.data.house_prices import HousePrices
from divekit.data.hub import Form, Found, Remote, fetch, locate
from divekit.data.image_folder import ImageFolder
from divekit.data.images import Resize, scale_pixels
from divekit.data.made_houses import MadeHouses
from divekit.data.polynomial import Polynomial, polynomial_data, polynomial_features
from divekit.data.synthetic_regression import SyntheticRegression
from divekit.data.table import Table
from divekit.data.wide_regression import WideRegression
from divekit.data.xor import XOR, xor_data

__all__ = [
    "DATA_SETS",
    "OWN_DATA",
    "XOR",
    "Archive",
    "Batches",
    "Card",
    "DataSet",
    "Digits",
    "Facts",
    "FashionMNIST",
    "Form",
    "Found",
    "HousePrices",
    "ImageFolder",
    "MadeHouses",
    "Moved",
    "Opened",
    "Polynomial",
    "Remote",
    "Resize",
    "SyntheticRegression",
    "Table",
    "WideRegression",
    "fetch",
    "fetch_folder",
    "folds",
    "locate",
    "locate_folder",
    "polynomial_data",
    "polynomial_features",
    "read_inputs",
    "samples_wanted",
    "scale_pixels",
    "use_samples",
    "xor_data",
]

OWN_DATA: dict[str, type[Table] | type[ImageFolder]] = {"csv": Table, "images": ImageFolder}
"""The user's own data by what stands before the path: ``csv:houses.csv``."""

DATA_SETS: dict[str, type[DataSet]] = {
    kind.name: kind
    for kind in list(globals().values())
    if isinstance(kind, type)
    and issubclass(kind, DataSet)
    and kind is not DataSet
    and kind not in OWN_DATA.values()
}
"""Every data set by its name."""
