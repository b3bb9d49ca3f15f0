"""Invented houses in the columns of the real ones, whose rows may not be passed on.

Book: 4.10 Predicting House Prices on Kaggle

Each house has a year, a quality, a size and a neighbourhood. Its price is a product of what these
are worth, and noise; the other columns follow from them or say nothing. As in the real file some
words are rare, some columns are mostly gaps, and the rows to predict hold a word that no priced
row has.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np
import torch

from divekit.data.dataset import Card, Facts
from divekit.data.draws import draw_generator
from divekit.data.house_prices import ID, LABEL, PRICED, HousePrices
from divekit.data.hub import Remote
from divekit.data.sheet import Sheet

NUM_PRICED, NUM_UNPRICED = 400, 100
DRAW = 410
NOISE = 0.07
NEW_WORD = ("MSSubClass", "150")

# The columns in the order of the real file. Words stand with how often they come up, in per cent;
# where nothing stands, ``_house_columns`` makes the column.
COLUMNS: dict[str, str] = {
    ID: "",
    "MSSubClass": "20:36 60:21 50:10 120:6 30:5 160:4 70:4 80:4 90:4 190:2 85:1 75:1 45:1 180:1",
    "MSZoning": "RL:79 RM:15 FV:4 RH:1 C (all):1",
    "LotFrontage": "",
    "LotArea": "",
    "Street": "Pave:99.5 Grvl:0.5",
    "Alley": "NA:94 Grvl:3 Pave:3",
    "LotShape": "Reg:63 IR1:33 IR2:3 IR3:1",
    "LandContour": "Lvl:90 Bnk:4 HLS:4 Low:2",
    "Utilities": "AllPub:100",
    "LotConfig": "Inside:72 Corner:18 CulDSac:7 FR2:3",
    "LandSlope": "Gtl:95 Mod:4 Sev:1",
    "Neighborhood": "",
    "Condition1": "Norm:86 Feedr:6 Artery:3 RRAn:2 PosN:1 RRAe:1 PosA:1",
    "Condition2": "Norm:99 Feedr:1",
    "BldgType": "1Fam:83 TwnhsE:8 Duplex:4 Twnhs:3 2fmCon:2",
    "HouseStyle": "",
    "OverallQual": "",
    "OverallCond": "5:57 6:17 7:14 8:5 4:4 3:2 9:1",
    "YearBuilt": "",
    "YearRemodAdd": "",
    "RoofStyle": "Gable:78 Hip:20 Flat:1 Gambrel:1",
    "RoofMatl": "CompShg:98 Tar&Grv:1 WdShngl:1",
    "Exterior1st": "VinylSd:35 HdBoard:15 MetalSd:15 Wd Sdng:14 Plywood:8 CemntBd:5 BrkFace:8",
    "Exterior2nd": "VinylSd:35 MetalSd:15 HdBoard:14 Wd Sdng:14 Plywood:10 CmentBd:5 Wd Shng:7",
    "MasVnrType": "None:59 BrkFace:31 Stone:9 NA:1",
    "MasVnrArea": "",
    "ExterQual": "grade",
    "ExterCond": "TA:88 Gd:10 Fa:2",
    "Foundation": "PConc:45 CBlock:43 BrkTil:10 Slab:2",
    "BsmtQual": "grade",
    "BsmtCond": "TA:90 Gd:4 Fa:3 NA:3",
    "BsmtExposure": "No:65 Av:15 Gd:9 Mn:8 NA:3",
    "BsmtFinType1": "Unf:30 GLQ:28 ALQ:15 BLQ:10 Rec:9 LwQ:5 NA:3",
    "BsmtFinSF1": "",
    "BsmtFinType2": "Unf:86 Rec:4 LwQ:3 BLQ:2 ALQ:1 GLQ:1 NA:3",
    "BsmtFinSF2": "0:88 120:5 290:4 600:3",
    "BsmtUnfSF": "",
    "TotalBsmtSF": "",
    "Heating": "GasA:98 GasW:1 Grav:1",
    "HeatingQC": "grade",
    "CentralAir": "Y:93 N:7",
    "Electrical": "SBrkr:91 FuseA:6 FuseF:2 NA:1",
    "1stFlrSF": "",
    "2ndFlrSF": "",
    "LowQualFinSF": "0:98 360:1 528:1",
    "GrLivArea": "",
    "BsmtFullBath": "0:58 1:40 2:2",
    "BsmtHalfBath": "0:94 1:6",
    "FullBath": "",
    "HalfBath": "0:62 1:37 2:1",
    "BedroomAbvGr": "",
    "KitchenAbvGr": "1:95 2:5",
    "KitchenQual": "grade",
    "TotRmsAbvGrd": "",
    "Functional": "Typ:93 Min2:3 Min1:2 Mod:1 Maj1:1",
    "Fireplaces": "",
    "FireplaceQu": "",
    "GarageType": "",
    "GarageYrBlt": "",
    "GarageFinish": "Unf:41 RFn:29 Fin:24 NA:6",
    "GarageCars": "",
    "GarageArea": "",
    "GarageQual": "TA:90 Fa:3 Gd:1 NA:6",
    "GarageCond": "TA:91 Fa:2 Gd:1 NA:6",
    "PavedDrive": "Y:92 N:6 P:2",
    "WoodDeckSF": "0:52 100:14 144:12 192:12 240:6 320:4",
    "OpenPorchSF": "0:45 30:15 48:15 72:12 120:8 200:5",
    "EnclosedPorch": "0:86 112:8 180:6",
    "3SsnPorch": "0:98 168:2",
    "ScreenPorch": "0:92 160:5 220:3",
    "PoolArea": "0:99 512:1",
    "PoolQC": "NA:99 Gd:1",
    "Fence": "NA:81 MnPrv:11 GdPrv:4 GdWo:4",
    "MiscFeature": "NA:96 Shed:4",
    "MiscVal": "0:96 400:2 500:2",
    "MoSold": "6:17 7:16 5:14 4:10 8:8 3:7 10:6 11:5 9:5 12:4 1:4 2:4",
    "YrSold": "2009:23 2007:23 2006:21 2008:21 2010:12",
    "SaleType": "WD:87 New:8 COD:3 ConLD:1 CWD:1",
    "SaleCondition": "Normal:82 Partial:9 Abnorml:7 Family:2",
}
# Neighbourhoods with how often they come up, and what they add to the logarithm of the price.
NEIGHBOURHOODS = {
    "NAmes": (22, -0.05), "CollgCr": (15, 0.05), "OldTown": (11, -0.2), "Edwards": (10, -0.15),
    "Somerst": (9, 0.1), "Gilbert": (8, 0.05), "NridgHt": (8, 0.3), "Sawyer": (7, -0.05),
    "BrkSide": (6, -0.1), "NoRidge": (3.5, 0.35), "Blueste": (0.5, -0.1),
}  # fmt: skip


@dataclass(frozen=True)
class MadeHouses(HousePrices):
    """Invented houses in the columns of the real ones: 400 with a price, 100 without."""

    name: ClassVar[str] = "made_houses"
    card: ClassVar[Card] = Card(
        title="Invented houses",
        about="houses that nobody built, in the columns of the Kaggle data; made on the spot",
        shapes="rows of some 250 numbers, 400 with a price (a fifth is held out), 100 without",
        size="nothing to download",
        licence="made here",
        source="divekit.data.MadeHouses",
    )
    files: ClassVar[tuple[Remote, ...]] = ()

    batch_size: int = 32

    @property
    def facts(self) -> Facts:
        """What models need to know; the houses are made for it."""
        return self.load(0).facts

    def sample(self) -> "MadeHouses":
        """Give itself."""
        return self

    def read(self, remote: Remote) -> Sheet:
        """Make the houses that stand for one of the two files."""
        columns = _house_columns(NUM_PRICED + NUM_UNPRICED)
        sheet = Sheet("invented houses", columns, list(range(2, 2 + NUM_PRICED + NUM_UNPRICED)))
        if remote is PRICED:
            return sheet.take(range(NUM_PRICED))
        unpriced = sheet.take(range(NUM_PRICED, NUM_PRICED + NUM_UNPRICED))
        del unpriced.columns[LABEL]
        column, word = NEW_WORD
        unpriced.columns[column][-1] = word
        return unpriced


@cache
def _house_columns(number: int) -> dict[str, list[str]]:
    """Make the cells of every column, as many as there are houses. To be read only."""
    generator = draw_generator(DRAW)

    def normal(mean: float = 0.0, spread: float = 1.0) -> np.ndarray:
        return mean + spread * torch.randn(number, generator=generator).double().numpy()

    def drawn(words: Sequence[str], shares: Sequence[float]) -> np.ndarray:
        chances = torch.tensor(shares, dtype=torch.float64)
        places = torch.multinomial(chances, number, replacement=True, generator=generator)
        return np.array(words)[places.numpy()]

    year = np.clip(normal(1972, 28), 1880, 2009).round()
    quality = np.clip((year - 1972) / 28 + normal(6.1, 1.1), 1, 10).round()
    rooms_area = np.exp(normal(7.25, 0.28) + 0.06 * (quality - 6))  # above the ground
    two_floors = normal() + (year > 1990) > 0.4
    second = np.where(two_floors, 0.45 * rooms_area, 0).round()
    first = rooms_area.round() - second
    basement = np.where(normal() > -2, 0.95 * first, 0).round()
    cars = np.clip((quality / 3 + normal(0, 0.6)).round(), 0, 4)
    lot = np.exp(normal(9.1, 0.4)).round()
    fires = np.clip((0.3 * (quality - 5) + normal(0.4, 0.6)).round(), 0, 3)
    area = drawn(list(NEIGHBOURHOODS), [share for share, _ in NEIGHBOURHOODS.values()])
    worth = np.array([NEIGHBOURHOODS[name][1] for name in area.tolist()])
    renewed = np.maximum(year, np.where(normal() > 0.8, 2003, 1950))

    log_price = 7.1 + worth + 0.55 * np.log(rooms_area) + 0.1 * np.minimum(quality, 9)
    log_price += 0.04 * cars + 0.03 * fires + 0.08 * np.log(lot / 9000) + basement / 10_000
    # Size is worth more where the quality is high, and the last years before the sale count most.
    log_price += 0.05 * (quality - 6) * np.log(rooms_area / 1400)
    log_price += 0.15 * np.exp((renewed - 2009) / 8) + normal(0, NOISE)

    garage, veneer = cars > 0, normal() > 0.3
    frontage = (np.sqrt(lot) * 0.7 + normal(0, 8)).round()
    numbers = {
        ID: np.arange(1, number + 1),
        "LotFrontage": np.where(normal() > 1, np.nan, frontage),
        "LotArea": lot,
        "OverallQual": quality,
        "YearBuilt": year,
        "YearRemodAdd": renewed,
        "MasVnrArea": np.where(veneer, np.abs(normal(180, 90)), 0).round(),
        "BsmtFinSF1": (basement * 0.4).round(),
        "BsmtUnfSF": basement - (basement * 0.4).round(),
        "TotalBsmtSF": basement,
        "1stFlrSF": first,
        "2ndFlrSF": second,
        "GrLivArea": first + second,
        "FullBath": 1 + (quality > 6),
        "BedroomAbvGr": np.clip((rooms_area / 550 + normal(0, 0.5)).round(), 1, 6),
        "TotRmsAbvGrd": np.clip((rooms_area / 240 + normal(0, 0.8)).round(), 3, 12),
        "Fireplaces": fires,
        "GarageYrBlt": np.where(garage, year, np.nan),
        "GarageCars": cars,
        "GarageArea": (250 * cars + garage * normal(0, 40)).round(),
        LABEL: (np.exp(log_price) / 100).round() * 100,
    }
    words = {
        "Neighborhood": area,
        "HouseStyle": np.where(two_floors, "2Story", "1Story"),
        "FireplaceQu": np.where(fires > 0, drawn(["Gd", "TA", "Fa"], [50, 41, 9]), "NA"),
        "GarageType": np.where(garage, drawn(["Attchd", "Detchd"], [70, 30]), "NA"),
    }
    columns: dict[str, list[str]] = {}
    for name, shares in {**COLUMNS, LABEL: ""}.items():
        if name in numbers:
            cells = ["NA" if np.isnan(value) else f"{value:g}" for value in numbers[name]]
        elif name in words:
            cells = words[name].tolist()
        elif shares == "grade":
            place = np.clip((quality + normal(0, 0.8) - 3) / 2, 0, 3).astype(int)
            cells = np.array(["Fa", "TA", "Gd", "Ex"])[place].tolist()
        else:
            pairs = [share.rsplit(":", 1) for share in re.findall(r"\S.*?:[\d.]+", shares)]
            chosen = drawn([word for word, _ in pairs], [float(share) for _, share in pairs])
            cells = chosen.tolist()
        columns[name] = cells
    return columns
