"""What all measures are: a sum and a count, by name, alone or together.

``update(labels, preds)`` takes arrays or lists of them, ``get()`` gives a name and a number, nan
before anything was added. What is counted stays in float64 on the CPU.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy

from divekit.mx.errors import ShapeError

_BY_NAME: dict[str, Any] = {}


def register(kind: Any) -> Any:
    """Make a measure's class known by its name in lower case."""
    _BY_NAME[kind.__name__.lower()] = kind
    return kind


def alias(*names: str) -> Callable[[Any], Any]:
    """Make a measure's class known by other names too."""

    def note(kind: Any) -> Any:
        for name in names:
            _BY_NAME[name.lower()] = kind
        return register(kind)

    return note


def create(metric: Any, *args: Any, **kwargs: Any) -> "EvalMetric":
    """Make a measure of a name, a function ``f(label, pred)``, or a list of those."""
    if isinstance(metric, EvalMetric):
        return metric
    if isinstance(metric, list | tuple):
        return CompositeEvalMetric([create(one, *args, **kwargs) for one in metric])
    if callable(metric):
        return CustomMetric(metric, *args, **kwargs)
    found = _BY_NAME.get(str(metric).lower())
    if found is None:
        raise ValueError(f"no metric is called {metric!r}; there is {', '.join(sorted(_BY_NAME))}")
    made: EvalMetric = found(*args, **kwargs)
    return made


def as_numbers(value: Any) -> numpy.ndarray:
    """Give an array of NumPy's."""
    return value.asnumpy() if hasattr(value, "asnumpy") else numpy.asarray(value)


def check_label_shapes(labels: Any, preds: Any, wrap: bool = False, shape: bool = False) -> Any:
    """Give labels and predictions as lists of equal lengths."""
    labels, preds = (list(v) if isinstance(v, list | tuple) else [v] for v in (labels, preds))
    if len(labels) != len(preds):
        raise ShapeError(f"{len(labels)} arrays of labels for {len(preds)} of predictions")
    return labels, preds


class EvalMetric:
    """The base of all measures: subclasses write ``update``, which adds to two numbers.

    ``sum_metric / num_inst`` is the result. ``output_names`` and ``label_names`` choose from dicts.
    """

    def __init__(
        self, name: str, output_names: Any = None, label_names: Any = None, **kwargs: Any
    ) -> None:
        self.name = str(name)
        self.output_names, self.label_names = output_names, label_names
        self._kwargs = kwargs
        self.reset()

    def __str__(self) -> str:
        return f"EvalMetric: {dict(self.get_name_value())}"

    def reset(self) -> None:
        """Forget everything."""
        self.num_inst: float = 0
        self.sum_metric = 0.0

    reset_local = reset

    def update(self, labels: Any, preds: Any) -> None:
        """Add the measure of a batch."""
        raise NotImplementedError("a metric writes update(self, labels, preds)")

    def update_dict(self, label: dict[str, Any], pred: dict[str, Any]) -> None:
        """Add the measure of labels and predictions by name."""
        labels = [label[n] for n in self.label_names or label]
        self.update(labels, [pred[n] for n in self.output_names or pred])

    def add(self, total: float, count: float) -> None:
        """Add to both numbers."""
        self.sum_metric += float(total)
        self.num_inst += count

    def get(self) -> tuple[Any, Any]:
        """Give the name and the number."""
        return self.name, self.sum_metric / self.num_inst if self.num_inst else math.nan

    def get_name_value(self) -> list[tuple[str, float]]:
        """Give pairs of names and numbers."""
        names, values = self.get()
        if not isinstance(names, list):
            names, values = [names], [values]
        return list(zip(names, values, strict=True))

    def get_config(self) -> dict[str, Any]:
        """Give what the measure was made with."""
        return {"metric": type(self).__name__, "name": self.name, **self._kwargs}


class Each(EvalMetric):
    """A measure of each pair of arrays: subclasses write ``measured``."""

    def update(self, labels: Any, preds: Any) -> None:
        """Add the measure of a batch."""
        for label, pred in zip(*check_label_shapes(labels, preds), strict=True):
            self.add(*self.measured(as_numbers(label), as_numbers(pred)))

    def measured(self, label: numpy.ndarray, pred: numpy.ndarray) -> tuple[float, float]:
        """Give what to add to the sum and to the count."""
        raise NotImplementedError


@alias("composite")
class CompositeEvalMetric(EvalMetric):
    """Several measures at once; ``get`` gives lists."""

    def __init__(
        self, metrics: Any = None, name: str = "composite", output_names: Any = None,
        label_names: Any = None,
    ) -> None:  # fmt: skip
        self.metrics = [create(one) for one in metrics or []]
        super().__init__(name, output_names, label_names)

    def add(self, metric: Any, *unused: Any) -> None:
        """Take in one more measure."""
        self.metrics.append(create(metric))

    def get_metric(self, index: int) -> EvalMetric:
        """Give one of the measures."""
        return self.metrics[index]

    def reset(self) -> None:
        """Forget everything."""
        for one in self.metrics:
            one.reset()

    def update(self, labels: Any, preds: Any) -> None:
        """Add the batch to each."""
        for one in self.metrics:
            one.update(labels, preds)

    def update_dict(self, label: dict[str, Any], pred: dict[str, Any]) -> None:
        """Add the batch to each."""
        for one in self.metrics:
            one.update_dict(label, pred)

    def get(self) -> tuple[Any, Any]:
        """Give all names and all numbers."""
        pairs = [pair for one in self.metrics for pair in one.get_name_value()]
        return [name for name, _ in pairs], [value for _, value in pairs]


@register
class Loss(EvalMetric):
    """The mean of losses; labels are not looked at."""

    def __init__(
        self, name: str = "loss", output_names: Any = None, label_names: Any = None
    ) -> None:
        super().__init__(name, output_names, label_names)

    def update(self, labels: Any, preds: Any) -> None:
        """Add the losses of a batch."""
        for pred in preds if isinstance(preds, list | tuple) else [preds]:
            numbers = as_numbers(pred)
            self.add(numbers.sum(dtype="float64"), numbers.size)


class CustomMetric(Each):
    """The mean over batches of a function of NumPy's arrays, ``feval(label, pred)``.

    The function gives a number, or a sum and a count.
    """

    def __init__(
        self, feval: Callable[..., Any], name: str | None = None,
        allow_extra_outputs: bool = False, output_names: Any = None, label_names: Any = None,
    ) -> None:  # fmt: skip
        said = getattr(feval, "__name__", type(feval).__name__)
        super().__init__(name or (f"custom({said})" if "<" in said else said), output_names,
                         label_names)  # fmt: skip
        self._feval, self._allow_extra = feval, allow_extra_outputs

    def update(self, labels: Any, preds: Any) -> None:
        """Add the measure of a batch."""
        if self._allow_extra and isinstance(preds, list | tuple):
            preds = preds[: len(labels) if isinstance(labels, list | tuple) else 1]
        super().update(labels, preds)

    def measured(self, label: numpy.ndarray, pred: numpy.ndarray) -> tuple[float, float]:
        """Call the function."""
        found = self._feval(label, pred)
        return found if isinstance(found, tuple) else (found, 1)


def np(
    numpy_feval: Callable[..., Any], name: str | None = None, allow_extra_outputs: bool = False
) -> CustomMetric:
    """Make a measure of a function of NumPy's arrays."""
    return CustomMetric(numpy_feval, name, allow_extra_outputs)
