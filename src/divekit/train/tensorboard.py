"""The history of a run for TensorBoard. Needs the extra ``tensorboard``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from divekit.errors import MissingExtraError
from divekit.train.callbacks import Callback
from divekit.train.recipe import Record

if TYPE_CHECKING:
    from divekit.train.run import Run


class TensorBoard(Callback):
    """Write each epoch's record into a folder that ``tensorboard --logdir`` reads.

    ``train_loss`` becomes ``loss/train`` and ``test_loss`` becomes ``loss/test``: TensorBoard then
    shows them together. Values are kept in single precision; the step is the epoch.

    Args:
        folder: where the event file goes. Every run needs a folder of its own.
    """

    def __init__(self, folder: str | Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise MissingExtraError("writing for TensorBoard", "tensorboard") from error
        self.folder = Path(folder)
        self._make_writer = SummaryWriter
        self._writer: Any = None

    def started(self, run: "Run") -> None:
        """Open an event file. A run that is continued takes the place of what it does again."""
        self._writer = self._make_writer(str(self.folder), purge_step=len(run.history) + 1)

    def epoch_ended(self, run: "Run", record: Record) -> None:
        """Write the record, so that a running TensorBoard shows it at once."""
        for name, value in record.items():
            if name != "epoch":
                self._writer.add_scalar(tag(name), value, record["epoch"])
        self._writer.flush()

    def ended(self, run: "Run") -> None:
        """Close the event file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def tag(name: str) -> str:
    """Give the tag of a name in the history: ``loss/test`` for ``test_loss``."""
    part, _, metric = name.partition("_")
    return f"{metric}/{part}" if part in ("train", "validation", "test") and metric else name
