"""House prices in Ames, Iowa: 79 facts about each house, numbers and words, with many gaps.

Book: 4.10 Predicting House Prices on Kaggle
Source: De Cock, 2011, https://doi.org/10.1080/10691898.2011.11889627
Shapes: N examples, B examples in a batch, D numbers that stand for a row
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch

from divekit.data.batches import Batches
from divekit.data.columns import TableForm, learn_columns
from divekit.data.dataset import Card, DataSet, Facts, Opened, samples_wanted
from divekit.data.folds import folds
from divekit.data.hub import Form, Remote, fetch
from divekit.data.sheet import Sheet, read_sheet
from divekit.errors import UsageError

ID, LABEL = "Id", "SalePrice"
# Kinds of houses by a number: 120 is not twice 60.
CATEGORIES = ("MSSubClass",)
NUM_INPUTS = 314  # with the default settings; what the training rows hold decides


def _remote(part: str, size: int, sha256: str) -> Remote:
    file = f"kaggle_house_pred_{part}.csv"
    return Remote(
        f"House prices, {part}",
        urls=(f"http://d2l-data.s3-accelerate.amazonaws.com/{file}",),
        licence="Kaggle competition rules",
        forms=(Form(f"kaggle_house/{file}", size, sha256),),
    )


PRICED = _remote(
    "train", 460676, "1e18addf81e5e4d347cc17ee6075bbe4a42b7fa26b9e5b063e8f692a5f929d41"
)
UNPRICED = _remote(
    "test", 451405, "8fdd3d829d4d986b58f845c9553b225e67dd8383624d90fb6ca1d4bed5798c1e"
)


@dataclass(frozen=True)
class HousePrices(DataSet):
    """Batches of (rows, targets): (B, D) and (B, 1), float32.

    The rows with prices are cut into parts, and one is held out to test on. Everything that is
    learned of the columns (means, spreads, words) is learned on the others. Numbers are
    standardised, words are one-hot, gaps are marked by a column of their own.
    """

    name: ClassVar[str] = "house_prices"
    card: ClassVar[Card] = Card(
        title="House prices in Ames, Iowa (Kaggle)",
        about="79 facts about each of 2,919 houses sold in 2006-2010, half of them with the price",
        shapes="rows of some 314 numbers, 1,460 with a price (a fifth is held out), 1,459 without",
        size="0.9 MB",
        licence="Kaggle competition rules: to be used for the competition and for learning",
        source="https://www.kaggle.com/c/house-prices-advanced-regression-techniques",
    )
    files: ClassVar[tuple[Remote, ...]] = (PRICED, UNPRICED)

    fold: int | None = 0
    """Which part of the rows is held out to test on; none to train on all."""
    num_folds: int = 5
    """How many parts there are."""
    split_seed: int = 0
    """Seed of the draw of the parts."""
    target: Literal["log_price", "price"] = "log_price"
    """What a model is trained to predict: the logarithm, from its mean, or dollars as they are."""
    batch_size: int = 64

    @property
    def facts(self) -> Facts:
        """What models need to know, before anything is read; opened data know their own width."""
        return Facts(self.name, input_shape=(NUM_INPUTS,))

    def sample(self) -> "HousePrices":
        """Give invented houses in the same columns, in batches fit for 400 of them."""
        # Above this module, since it is a kind of it.
        from divekit.data.made_houses import MadeHouses

        return MadeHouses(
            fold=self.fold,
            num_folds=self.num_folds,
            split_seed=self.split_seed,
            target=self.target,
            batch_size=min(self.batch_size, 32),
        )

    def priced(self) -> Sheet:
        """Give the rows with their prices; of the sample, inside ``use_samples()``."""
        return (self.sample() if samples_wanted() else self).read(PRICED)

    def unpriced(self) -> Sheet:
        """Give the rows to predict for Kaggle; of the sample, inside ``use_samples()``."""
        return (self.sample() if samples_wanted() else self).read(UNPRICED)

    def read(self, remote: Remote) -> Sheet:
        """Read one of the two files, from this machine or the network."""
        return read_sheet(fetch(remote).path)

    def load(self, seed: int) -> Opened:
        """Read the rows with prices, and learn what takes them to numbers on those to train on."""
        sheet = self.read(PRICED)
        train, held_out = self.split(len(sheet))
        form = self.learn(sheet, train)

        def batches(rows: Sequence[int], batch_size: int, shuffle: bool) -> Batches:
            part = sheet.take(rows)
            # Words that only held-out rows have are zeros here, and no news: they may be there.
            tensors = form.encode(part)[0], form.targets(part)
            return Batches(*tensors, batch_size=batch_size, shuffle=shuffle, seed=seed)

        return Opened(
            Facts(self.name, input_shape=(form.width,), table=form),
            batches(train, self.batch_size, shuffle=True),
            batches(held_out, len(held_out), shuffle=False) if held_out else None,
        )

    def split(self, num_rows: int) -> tuple[list[int], list[int]]:
        """Give the indices of the rows to train on, and of those held out."""
        if self.fold is None:
            return list(range(num_rows)), []
        if not 0 <= self.fold < self.num_folds:
            raise UsageError(
                f"fold is {self.fold}; of {self.num_folds} parts it must lie in "
                f"0 ... {self.num_folds - 1}, or be none"
            )
        generator = torch.Generator().manual_seed(self.split_seed)
        train, held_out = list(folds(num_rows, self.num_folds, generator))[self.fold]
        return sorted(train.tolist()), sorted(held_out.tolist())

    def learn(self, sheet: Sheet, train: Sequence[int]) -> TableForm:
        """Learn on some of the rows how all become numbers, and the price a target."""
        columns = learn_columns(
            sheet, train, LABEL, categories=CATEGORIES, left_out=(ID,), mark_gaps=True
        )
        form = TableForm(columns, LABEL)
        if self.target == "price":
            return form  # a mean of 0 and a spread of 1: dollars
        # The spread of the logarithm stays in: an error of 0.1 is one of a tenth of the price.
        return replace(form.learn_label(sheet, train, log=True), label_spread=1.0)
