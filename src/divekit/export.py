"""Trained models as files that run without divekit: ONNX, or torch's own export.

Shapes: B examples, of any number
"""

import copy
import importlib.util
import json
import logging
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from divekit import __version__
from divekit.errors import DivekitError, MissingExtraError, UsageError
from divekit.train import Trained
from divekit.train.recipe import FactsLike

SUFFIXES = (".onnx", ".pt2")
ABOUT = "about.json"
"""The file inside a ``.pt2`` that holds what ``describe`` gave."""
PACKAGES = ("onnx", "onnxscript", "onnxruntime")


def export_model(trained: Trained, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a trained model to ``model.onnx`` or ``model.pt2``; give the path.

    The file holds the computation, the weights and what ``describe`` says of them, as the
    metadata of ``.onnx`` and as ``about.json`` in ``.pt2``. Batches have any size. The file is
    read back and run on random inputs before it gets its name: it is there and gives the
    model's outputs, or it is not there.

    Raises UsageError for another suffix and for a file that exists, unless ``overwrite`` is
    set; MissingExtraError where ``.onnx`` needs packages that are not installed; DivekitError
    for a model that torch cannot export, or whose outputs depend on chance.
    """
    path = Path(path)
    check_target(path, overwrite=overwrite)
    write, run = (_write_onnx, _run_onnx) if path.suffix == ".onnx" else (_write_pt2, _run_pt2)
    # A copy on the CPU: the caller's model stays where and as it is.
    model = copy.deepcopy(trained.model).cpu().eval()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".exporting-") as temporary:
        file = Path(temporary) / path.name
        # Two examples: of a batch of one, torch would take the size for a constant.
        with _quiet():
            try:
                write(model, _random_inputs(trained.facts, 2), describe(trained.facts), file)
            except Exception as error:  # torch documents no type for what it cannot trace
                brief = next(iter(str(error).splitlines()), type(error).__name__)
                raise DivekitError(
                    f"torch cannot export {type(model).__name__}: {brief}"
                ) from error
            _compare(model, lambda inputs: run(file, inputs), _random_inputs(trained.facts, 3))
        os.replace(file, path)
    return path


def check_target(path: Path, *, overwrite: bool = False) -> None:
    """Raise UsageError or MissingExtraError where ``export_model`` could not write a file."""
    if path.suffix not in SUFFIXES:
        raise UsageError(f"{path}: the name must end in {' or '.join(SUFFIXES)}")
    if path.exists() and not overwrite:
        raise UsageError(f"{path} is there already; --force writes it anew")
    if path.suffix == ".onnx" and not all(map(importlib.util.find_spec, PACKAGES)):
        raise MissingExtraError("writing ONNX files", "export")


def describe(facts: FactsLike) -> dict[str, str]:
    """Say in text how to call a model that was trained on data with these facts."""
    example = _random_inputs(facts, 1)
    sizes = ", ".join(str(size) for size in facts.input_shape)
    inputs = f"{str(example.dtype).removeprefix('torch.')} (batch, {sizes})"
    if len(facts.input_shape) == 3:
        inputs += ": pixels in 0-1, that is bytes divided by 255"
    outputs = f"numbers (batch, {facts.num_outputs})"
    if facts.class_names:
        outputs = f"scores (batch, {facts.num_classes}); their softmax is the probabilities"
    return {
        "made_by": f"divekit {__version__}",
        "data": facts.name,
        "inputs": inputs,
        "outputs": outputs,
        "class_names": json.dumps(list(facts.class_names)),
    }


def _random_inputs(facts: FactsLike, size: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return facts.prepare(torch.rand((size, *facts.input_shape), generator=generator))


def _write_onnx(model: nn.Module, example: Tensor, about: dict[str, str], file: Path) -> None:
    program = torch.onnx.export(
        model,
        (example,),
        dynamo=True,
        input_names=["inputs"],
        output_names=["outputs"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        verbose=False,
    )
    assert program is not None
    program.model.metadata_props.update(about)
    program.save(file, external_data=False)  # one file, or an error above ONNX's 2 GB


def _run_onnx(file: Path, inputs: Tensor) -> Tensor:
    import onnxruntime

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(["outputs"], {"inputs": inputs.numpy()})[0])


def _write_pt2(model: nn.Module, example: Tensor, about: dict[str, str], file: Path) -> None:
    program = torch.export.export(
        model, (example,), dynamic_shapes=({0: torch.export.Dim("batch")},)
    )
    torch.export.save(program, file, extra_files={ABOUT: json.dumps(about)})


def _run_pt2(file: Path, inputs: Tensor) -> Tensor:
    return torch.export.load(file).module()(inputs)


@torch.no_grad()
def _compare(model: nn.Module, exported: Callable[[Tensor], Tensor], inputs: Tensor) -> None:
    expected, found = model(inputs), exported(inputs)
    if found.shape != expected.shape or not torch.allclose(found, expected, rtol=1e-3, atol=1e-4):
        raise DivekitError(
            "the export is not written: it gave other outputs than the model, which may depend on "
            "chance or on the batch"
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep torch's notes to its own developers away from the user, while it exports."""
    log = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = log.level
    log.setLevel(logging.ERROR)  # torchvision is not installed, it says, and is not needed
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*LeafSpec", category=FutureWarning)
            yield
    finally:
        log.setLevel(level)
