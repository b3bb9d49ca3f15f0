"""What a model is made of, layer by layer: shapes, parameters, floating-point operations.

Shapes: B examples, and whatever a layer makes of them
"""

import copy
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

HEAD = ("layer", "kind", "output", "parameters", "FLOPs")


@dataclass(frozen=True)
class Layer:
    """One layer, at one of its calls."""

    name: str
    """Where it stands in the model: ``features.0``; empty for the model itself."""
    kind: str
    """Its class: ``Conv2d``."""
    output_shape: tuple[int, ...]
    """Of the first tensor that it gives, with the batch axis."""
    parameters: int
    """Numbers that it learns; none at the second call of a layer that is used twice."""
    flops: int
    """Floating-point operations of this call."""


@dataclass(frozen=True)
class Summary:
    """The layers of a model in the order of their calls, and what they come to."""

    layers: tuple[Layer, ...]
    parameters: int
    """Numbers that the model learns; those that two layers share count once."""
    flops: int
    """Of the whole forward pass, also between the layers."""

    def to_json(self) -> list[dict[str, Any]]:
        """Give one plain dict for each layer."""
        return [
            {**asdict(layer), "output_shape": list(layer.output_shape)} for layer in self.layers
        ]

    def __str__(self) -> str:
        return "\n".join(layer_table(self.to_json()))


@torch.no_grad()
def summarise(model: nn.Module, *inputs: Tensor) -> Summary:
    """Follow inputs through a model, layer by layer, without computing anything.

    Takes the model's inputs, of which only shapes and types count; one example is
    ``torch.empty(1, 1, 28, 28)``. The model is left as it is. A layer is a module without
    modules inside, or with parameters of its own. FLOPs are those of matrix products and
    convolutions, as if the model predicted: a multiplication and an addition are two. All else is
    little beside them and not counted.
    """
    # The meta device knows shapes only: a forward pass there takes no time, whatever the size.
    model = copy.deepcopy(model).to("meta").eval()
    counter = FlopCounterMode(display=False)
    layers: list[Layer] = []
    known: set[int] = set()
    before: list[int] = []  # for each layer that is at work: all FLOPs but its own, so far

    def begin(module: nn.Module, _: Any) -> None:
        before.append(counter.get_total_flops())

    def end(name: str, module: nn.Module, output: Any) -> None:
        flops = counter.get_total_flops() - before.pop()
        before[:] = [count + flops for count in before]  # not those of the layers around it
        own = [item for item in module.parameters() if id(item) not in known]
        known.update(id(item) for item in own)
        parameters = sum(item.numel() for item in own if item.requires_grad)
        shape = _first_tensor(output).shape
        layers.append(Layer(name, type(module).__name__, tuple(shape), parameters, flops))

    for name, module in model.named_modules():
        leaf = next(module.children(), None) is None
        if leaf or next(module.parameters(recurse=False), None) is not None:
            module.register_forward_pre_hook(begin)
            module.register_forward_hook(
                lambda module, _, output, name=name: end(name, module, output)
            )
    with counter, _InputsForOutputs():
        model(*(item.to("meta") for item in inputs))
    parameters = sum(item.numel() for item in model.parameters() if item.requires_grad)
    return Summary(tuple(layers), parameters, counter.get_total_flops())


class _InputsForOutputs(TorchDispatchMode):
    """Give what normalises a batch, and ReLU, without going through them: the shape is known.

    On the meta device torch takes both apart, in Python. That was most of the time that the
    networks with many of them took. The sizes have been checked when calls arrive here.
    """

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is torch.ops.aten.relu.default:
            return torch.empty_like(args[0])
        if func is torch.ops.aten.native_batch_norm.default:
            inputs = args[0]  # with it go the mean and the spread, which are kept for the way back
            return torch.empty_like(inputs), inputs.new_empty(0), inputs.new_empty(0)
        return func(*args, **(kwargs or {}))


def layer_table(layers: Sequence[dict[str, Any]]) -> list[str]:
    """Write layers, as ``Summary.to_json`` gives them, as the lines of a table."""
    rows = [
        HEAD,
        *(
            (
                layer["name"] or "(itself)",
                layer["kind"],
                " x ".join(str(size) for size in layer["output_shape"][1:]),
                f"{layer['parameters']:,}" if layer["parameters"] else "",
                f"{layer['flops']:,}" if layer["flops"] else "",
            )
            for layer in layers
        ),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return [
        "  ".join(
            text.rjust(width) if number in HEAD[3:] else text.ljust(width)
            for text, width, number in zip(row, widths, HEAD, strict=True)
        ).rstrip()
        for row in rows
    ]


def _first_tensor(output: Any) -> Tensor:
    """Find the first tensor in what a layer gives, which may be a tuple or a dict."""
    if isinstance(output, Tensor):
        return output
    parts: Iterable[Any] = output.values() if isinstance(output, dict) else output
    return _first_tensor(next(iter(parts)))
