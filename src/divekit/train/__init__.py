"""Training: recipes, the loop, callbacks, and what is kept of a run."""

from divekit.train.callbacks import Callback, Log, Progress
from divekit.train.checkpoint import Checkpoint, read_checkpoint
from divekit.train.devices import available_devices, pick_device
from divekit.train.keeping import Checkpoints, Interrupted
from divekit.train.loop import evaluate, fit, supervised_step
from divekit.train.memory import keep_memory
from divekit.train.parallel import workers
from divekit.train.recipe import Batch, Goal, Metrics, Recipe, Record, Step, recipe
from divekit.train.run import Predictions, Run, Trained, load_weights, numbered, read_description
from divekit.train.state import State
from divekit.train.tensorboard import TensorBoard
from divekit.train.tensors import load_tensors, save_tensors, save_weights
from divekit.train.weights import differences, load_state

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
    "available_devices",
    "differences",
    "evaluate",
    "fit",
    "keep_memory",
    "load_state",
    "load_tensors",
    "load_weights",
    "numbered",
    "pick_device",
    "read_checkpoint",
    "read_description",
    "recipe",
    "save_tensors",
    "save_weights",
    "supervised_step",
    "workers",
]
