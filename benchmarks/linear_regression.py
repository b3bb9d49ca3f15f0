"""Section 3.2's run: 1,000 examples of two features, batches of 10, three epochs.

Batches this small take microseconds of arithmetic: what is timed is everything around them.
Each contender draws the data, makes the model and trains it; ours also keeps the mean loss of
every epoch, and so does the loop by hand. Lightning is spared that, since its logging is off.
"""

import logging
import warnings

import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.harness import Call, Contender, Job, Ratio, both_allocators
from divekit import recipes
from divekit.nn import squared_loss
from divekit.train import fit

RECIPE = recipes.linear_regression()


def by_fit() -> Call:
    """Train with the library."""
    return lambda: fit(RECIPE, device="cpu", callbacks=[]).model.linear.bias.item()


def by_hand() -> Call:
    """Train with a loop over torch's ``DataLoader``."""

    def train() -> float:
        loader, model = prepare()
        optimizer = RECIPE.optimizer(model)
        history = []
        for _ in range(RECIPE.epochs):
            total_loss = 0.0
            for features, targets in loader:
                loss = squared_loss(model(features), targets)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total_loss += loss.item() * len(targets)
            history.append(total_loss / len(loader.dataset))
        return model.linear.bias.item()

    return train


def by_lightning() -> Call:
    """Train with PyTorch Lightning, without its logs, checkpoints, progress bar and summary."""
    from lightning import LightningModule, Trainer

    # It recommends worker processes and tells of the devices it found.
    warnings.filterwarnings("ignore", module="lightning")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

    class Regression(LightningModule):
        def __init__(self, model: torch.nn.Module) -> None:
            super().__init__()
            self.model = model

        def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
            features, targets = batch
            return squared_loss(self.model(features), targets)

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return RECIPE.optimizer(self.model)

    def train() -> float:
        loader, model = prepare()
        trainer = Trainer(
            max_epochs=RECIPE.epochs,
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(Regression(model), loader)
        return model.linear.bias.item()

    return train


def prepare() -> tuple[DataLoader, torch.nn.Module]:
    """Set the seed; give the recipe's data as a ``DataLoader``, and its model."""
    torch.manual_seed(RECIPE.seed)
    data = RECIPE.data.open(RECIPE.seed)
    dataset = TensorDataset(*data.train.tensors)
    loader = DataLoader(dataset, data.train.batch_size, shuffle=True)
    return loader, RECIPE.model(data.facts)


OURS, DEFAULT = both_allocators("fit", by_fit)
LOOP = Contender("loop over DataLoader", by_hand)
LIGHTNING = Contender("Lightning", by_lightning, package="lightning")

JOBS = (
    Job(
        "linear regression",
        "1,000 examples of 2 features, batches of 10, 3 epochs",
        (OURS, DEFAULT, LOOP, LIGHTNING),
        (
            Ratio(LOOP.name, OURS.name, at_least=1.3),
            Ratio(LOOP.name, DEFAULT.name),
            Ratio(LIGHTNING.name, OURS.name, at_least=3),
            Ratio(LIGHTNING.name, DEFAULT.name),
        ),
        rounds=20,
    ),
)
