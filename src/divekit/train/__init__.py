"""Training: recipes, the loop, callbacks, and what is kept of a run."""

from divekit.train.callbacks import Callback, Log, Progress
from divekit.train.checkpoint import Checkpoint, read_checkpoint
from divekit.train.keeping import Checkpoints, Interrupted
from divekit.train.loop import evaluate, fit, pick_device, supervised_step
from divekit.train.memory import keep_memory
from divekit.train.parallel import workers
from divekit.train.recipe import Batch, Goal, Metrics, Recipe, Record, Step, recipe
from divekit.train.run import Predictions, Run, Trained, load_weights, numbered, read_description
from divekit.train.state import State
from divekit.train.tensorboard import TensorBoard
from divekit.train.weights import load_state

__all__ = [
    "Batch",
    "Callback",
    "Checkpoint",
    "Checkpoints",
    "Goal",
    "Interrupted",
    "Log",
    "Metrics",
    "Predictions",
    "Progress",
    "Recipe",
    "Record",
    "Run",
    "State",
    "Step",
    "TensorBoard",
    "Trained",
    "evaluate",
    "fit",
    "keep_memory",
    "load_state",
    "load_weights",
    "numbered",
    "pick_device",
    "read_checkpoint",
    "read_description",
    "recipe",
    "supervised_step",
    "workers",
]
