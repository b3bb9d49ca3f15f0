"""What a data set is: settings until it is opened, then batches and facts.

Shapes: N examples, B examples in a batch, C channels, H height, W width
"""

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from divekit.data.batches import Augment, Batches
from divekit.data.columns import TableForm
from divekit.data.hub import Remote
from divekit.errors import BadDataError, UsageError

_wanted: list[bool] = []
# Of one example: what the largest photo that is read has.
MOST_FEATURES = 3 * 80_000_000


@dataclass(frozen=True)
class Card:
    """What to know about a data set before fetching it."""

    title: str
    about: str
    shapes: str
    size: str
    licence: str
    source: str


@dataclass(frozen=True)
class Facts:
    """What a model needs to know about its data. Stored with every trained model."""

    name: str
    """The data set's name: ``fashion_mnist``."""
    input_shape: tuple[int, ...]
    """One example, without the batch axis: (C, H, W) or (features,)."""
    class_names: tuple[str, ...] = ()
    """Empty for regression."""
    num_targets: int = 1
    """Numbers to predict for one example, in regression."""
    table: TableForm | None = None
    """How rows of a table become numbers; None for all other data."""
    fingerprint: str = ""
    """SHA-256 of the user's own data, by which a change is noticed; else empty."""

    @property
    def num_features(self) -> int:
        """Give the numbers in one flattened example."""
        return math.prod(self.input_shape)

    @property
    def num_classes(self) -> int:
        """Give the number of classes; data without classes are an error."""
        if not self.class_names:
            raise UsageError(f"{self.name} has no classes; it is data for regression")
        return len(self.class_names)

    @property
    def num_outputs(self) -> int:
        """Give the number of scores, or of predicted numbers, for one example."""
        return len(self.class_names) or self.num_targets

    def prepare(self, inputs: Any) -> Tensor:
        """Bring inputs of one or more examples into the form (B, *input_shape) of a batch.

        Takes a batch or a single example, as a tensor or an array; images as uint8 in 0-255 or
        as floats in 0-1, a single channel may be left out. Any other shape is an error that
        names both. The path of a file is read: an image, or a CSV. For a table it takes rows
        with named columns (a data frame, a dict of lists), and of tensors only those that a
        batch holds, which are encoded already.
        """
        if isinstance(inputs, str | Path):
            # Reading files stands on top of facts.
            from divekit.data.files import read_inputs

            return read_inputs(Path(inputs), self)
        if self.table is not None and not isinstance(inputs, Tensor):
            from divekit.data.files import prepare_rows

            return prepare_rows(inputs, self.table)
        inputs = torch.as_tensor(inputs)
        shape = self.input_shape
        images = len(shape) == 3
        if images and inputs.shape[-2:] == shape[1:] and shape[0] == 1 and inputs.ndim < 4:
            inputs = inputs.reshape(-1, *shape)  # (B, H, W) or (H, W) or (1, H, W) -> (B, 1, H, W)
        elif inputs.shape == shape:
            inputs = inputs[None]  # one example -> (1, *input_shape)
        if inputs.shape[1:] != shape:
            raise UsageError(
                f"inputs have shape {tuple(inputs.shape)}; {self.name} needs (batch, "
                + ", ".join(str(size) for size in shape)
                + ")"
            )
        if images and not inputs.is_floating_point():
            return inputs / 255
        return inputs.float()

    def in_units(self, outputs: Tensor) -> Tensor:
        """Turn a model's outputs (B, O) into the units of the data, on the CPU.

        Only the label of a table in regression is trained on in other units than its own.
        """
        if self.table is None or self.class_names:
            return outputs
        # In double precision: float32 counts prices in millions to the tenth only.
        return self.table.in_units(outputs.double())

    def to_json(self) -> dict[str, Any]:
        """Give the facts as plain lists, text and numbers."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "Facts":
        """Read what ``to_json`` wrote."""
        try:
            table = fields.get("table")
            facts = cls(
                name=str(fields["name"]),
                input_shape=tuple(int(size) for size in fields["input_shape"]),
                class_names=tuple(str(name) for name in fields["class_names"]),
                num_targets=int(fields["num_targets"]),
                table=None if table is None else TableForm.from_json(table),
                fingerprint=str(fields.get("fingerprint", "")),
            )
            sizes = (*facts.input_shape, facts.num_targets)
            if min(sizes) < 1 or facts.num_features > MOST_FEATURES:
                raise ValueError(f"sizes of {sizes}")
            if facts.table is not None and facts.input_shape != (facts.table.width,):
                raise ValueError(f"{facts.table.width} columns for {facts.input_shape}")
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise BadDataError(f"the facts of the saved data are damaged: {error!r}") from error
        return facts


@dataclass
class Opened:
    """An opened data set: its facts, and batches to train and to test on."""

    facts: Facts
    train: Batches
    test: Batches | None = None

    @classmethod
    def from_tensors(
        cls,
        facts: Facts,
        train: tuple[Tensor, ...],
        test: tuple[Tensor, ...] | None = None,
        *,
        batch_size: int,
        seed: int,
        transform: Callable[[Tensor], Tensor] | None = None,
        augment: Augment | None = None,
    ) -> "Opened":
        """Make batches of tensors (inputs, targets): shuffled to train on, in order to test on.

        Only what is trained on is augmented.
        """
        return cls(
            facts,
            Batches(
                *train,
                batch_size=batch_size,
                shuffle=True,
                seed=seed,
                transform=transform,
                augment=augment,
            ),
            None if test is None else Batches(*test, batch_size=batch_size, transform=transform),
        )


@dataclass(frozen=True)
class DataSet:
    """Settings of a data set. Subclasses are frozen dataclasses whose fields are the settings.

    A subclass sets ``name`` and ``card`` and writes ``load``; one that stands for a
    download also writes ``sample``.
    """

    name: ClassVar[str]
    card: ClassVar[Card]
    files: ClassVar[tuple[Remote, ...]] = ()
    """What it is read from; empty where nothing is downloaded."""

    def open(self, seed: int = 0) -> Opened:
        """Read the data; ``seed`` is that of the order of the training batches.

        Raises DataNotFoundError when the data are nowhere, BadDataError when they cannot
        be read. Inside ``use_samples()`` the sample is opened in place of the real data.
        """
        chosen = self.sample() if samples_wanted() else self
        return chosen.load(seed)

    def load(self, seed: int) -> Opened:
        """Read what the settings describe."""
        raise NotImplementedError(f"{type(self).__name__} must define load")

    def sample(self) -> "DataSet":
        """Give small data of the same kind that need no download: itself, unless overridden."""
        return self


@contextmanager
def use_samples(wanted: bool = True) -> Iterator[None]:
    """Open samples in place of real data inside this context; not wanted, the real data."""
    _wanted.append(wanted)
    try:
        yield
    finally:
        _wanted.pop()


def samples_wanted() -> bool:
    """Tell whether samples stand in: inside ``use_samples()``, or with ``DIVEKIT_SAMPLE=1``."""
    return _wanted[-1] if _wanted else os.environ.get("DIVEKIT_SAMPLE", "0") not in ("", "0")
