"""What ``train.fit`` costs over the loop that a reader would write by hand.

Both do all that a run of one epoch takes: set the seed, open the data (they are in memory),
make the model and the optimizer, train, and find the mean loss and accuracy on the training
and on the test examples. They go through the same ``Batches`` and come to the same numbers.
"""

from dataclasses import replace

import torch
import torch.nn.functional as F

from benchmarks.harness import Call, Job, Ratio, both_allocators
from benchmarks.random_pictures import RandomPictures
from divekit import recipes
from divekit.train import fit

# Section 3.7's run, for one epoch.
RECIPE = replace(recipes.softmax_regression(epochs=1), data=RandomPictures())


def by_fit() -> Call:
    """Train with the library."""
    return lambda: fit(RECIPE, device="cpu", callbacks=[]).metrics["test_loss"]


def by_hand() -> Call:
    """Train with a loop that does what is needed and nothing else."""
    return lambda: train_by_hand()["test_loss"]


def train_by_hand() -> dict[str, float]:
    """Train for an epoch; give what ``fit`` would have as ``run.metrics``."""
    torch.manual_seed(RECIPE.seed)
    data = RECIPE.data.open(RECIPE.seed)
    model = RECIPE.model(data.facts)
    optimizer = RECIPE.optimizer(model)

    train_loss, train_correct = torch.zeros(()), torch.zeros(())
    model.train()
    for images, labels in data.train:
        scores = model(images)
        loss = F.cross_entropy(scores, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        train_loss += loss.detach() * len(labels)
        train_correct += (scores.argmax(dim=1) == labels).sum()

    test_loss, test_correct = torch.zeros(()), torch.zeros(())
    model.eval()
    with torch.no_grad():
        for images, labels in data.test:
            scores = model(images)
            test_loss += F.cross_entropy(scores, labels) * len(labels)
            test_correct += (scores.argmax(dim=1) == labels).sum()

    return {
        "train_loss": train_loss.item() / data.train.num_examples,
        "train_accuracy": train_correct.item() / data.train.num_examples,
        "test_loss": test_loss.item() / data.test.num_examples,
        "test_accuracy": test_correct.item() / data.test.num_examples,
    }


# Each beside the other, in one allocator mode and then in the other.
PAIRS = tuple(
    zip(both_allocators("fit", by_fit), both_allocators("loop by hand", by_hand), strict=True)
)

JOBS = (
    Job(
        "fit overhead",
        "a run of one epoch of softmax regression: 60,000 images to train on, 10,000 to test on, "
        "batches of 256",
        tuple(contender for pair in PAIRS for contender in pair),
        tuple(Ratio(ours.name, loop.name, at_most=1.05) for ours, loop in PAIRS),
        rounds=20,
    ),
)
