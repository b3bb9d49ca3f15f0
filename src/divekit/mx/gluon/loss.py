"""``gluon.loss``: one loss for each example, the mean over everything else of it.

``weight`` scales the whole loss; ``sample_weight`` is multiplied in before the mean and must
broadcast against it. ``batch_axis`` is the axis of the examples.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from divekit.mx.errors import ShapeError, no_attribute
from divekit.mx.gluon.hybrid import Layer


class Loss(Layer):
    """The base of all losses; subclasses write ``forward(self, pred, label, ...)``."""

    def __init__(
        self, weight: float | None, batch_axis: int, prefix: str | None = None, params: Any = None
    ) -> None:
        super().__init__(prefix, params)
        self._weight, self._batch_axis = weight, batch_axis

    def __repr__(self) -> str:
        return f"{type(self).__name__}(batch_axis={self._batch_axis}, w={self._weight})"

    def _each(self, loss: Tensor, sample_weight: Any, scale: float = 1.0) -> Tensor:
        """Weight a loss and give its mean for each example."""
        loss = self._weighted(loss, sample_weight, scale)
        others = [axis for axis in range(loss.ndim) if axis != self._batch_axis % loss.ndim]
        return loss.mean(others) if others else loss

    def _weighted(self, loss: Tensor, sample_weight: Any, scale: float = 1.0) -> Tensor:
        if sample_weight is not None:
            loss = loss * sample_weight
        weight = scale if self._weight is None else scale * self._weight
        return loss if weight == 1 else loss * weight


class _LabelLoss(Loss):
    """A loss of predictions and labels; subclasses write ``_loss``, on tensors."""

    def forward(self, pred: Any, label: Any, sample_weight: Any = None) -> Any:
        """Give the loss of each example."""
        return self.compute(self._loss, pred, label, sample_weight)

    def _loss(self, pred: Tensor, label: Tensor, sample_weight: Any) -> Tensor:
        raise NotImplementedError


def _like(label: Tensor, pred: Tensor) -> Tensor:
    """Arrange labels in the predictions' shape."""
    if label.shape == pred.shape:
        return label
    if label.numel() != pred.numel():
        raise ShapeError(f"labels of shape {tuple(label.shape)} for {tuple(pred.shape)}")
    return label.reshape(pred.shape)


class L2Loss(_LabelLoss):
    """Half the squared difference."""

    def __init__(
        self,
        weight: float = 1.0,
        batch_axis: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(weight, batch_axis, prefix, params)

    def _loss(self, pred: Tensor, label: Tensor, sample_weight: Any) -> Tensor:
        return self._each(torch.square(_like(label, pred) - pred), sample_weight, 0.5)


class L1Loss(_LabelLoss):
    """The absolute difference."""

    def __init__(
        self,
        weight: float | None = None,
        batch_axis: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(weight, batch_axis, prefix, params)

    def _loss(self, pred: Tensor, label: Tensor, sample_weight: Any) -> Tensor:
        return self._each((_like(label, pred) - pred).abs(), sample_weight)


class SigmoidBinaryCrossEntropyLoss(Loss):
    """Cross-entropy of scores, or with ``from_sigmoid`` of probabilities, and labels in [0, 1].

    ``pos_weight`` scales the loss of positive labels.
    """

    def __init__(
        self,
        from_sigmoid: bool = False,
        weight: float | None = None,
        batch_axis: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(weight, batch_axis, prefix, params)
        self._from_sigmoid = from_sigmoid

    def forward(
        self, pred: Any, label: Any, sample_weight: Any = None, pos_weight: Any = None
    ) -> Any:
        """Give the loss of each example."""
        return self.compute(self._loss, pred, label, sample_weight, pos_weight)

    def _loss(self, pred: Tensor, label: Tensor, sample_weight: Any, pos_weight: Any) -> Tensor:
        label = _like(label, pred).to(pred.dtype)
        positive = 1 if pos_weight is None else pos_weight
        if self._from_sigmoid:
            tiny = 1e-12
            right = torch.log(pred + tiny) * label * positive
            loss = -(right + torch.log(1 - pred + tiny) * (1 - label))
        else:
            weight = 1 if pos_weight is None else 1 + (positive - 1) * label
            loss = pred - pred * label - weight * F.logsigmoid(pred)
        return self._each(loss, sample_weight)


SigmoidBCELoss = SigmoidBinaryCrossEntropyLoss


class SoftmaxCrossEntropyLoss(_LabelLoss):
    """Cross-entropy of scores along ``axis`` and classes, or distributions if not ``sparse_label``.

    ``from_logits`` says that the predictions are logarithms of probabilities already.
    """

    def __init__(
        self,
        axis: int = -1,
        sparse_label: bool = True,
        from_logits: bool = False,
        weight: float | None = None,
        batch_axis: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(weight, batch_axis, prefix, params)
        self._axis, self._sparse_label, self._from_logits = axis, sparse_label, from_logits

    def _loss(self, pred: Tensor, label: Tensor, sample_weight: Any) -> Tensor:
        logs = pred if self._from_logits else torch.log_softmax(pred, self._axis)
        if not self._sparse_label:
            label = _like(label, pred).to(pred.dtype)
            return self._each(-(logs * label).sum(self._axis, keepdim=True), sample_weight)
        axis = self._axis % pred.ndim
        places = label.long()
        if places.ndim < pred.ndim:
            places = places.unsqueeze(axis)
        expected = tuple(1 if place == axis else size for place, size in enumerate(pred.shape))
        if tuple(places.shape) != expected:
            raise ShapeError(
                f"labels of shape {tuple(label.shape)} for predictions {tuple(pred.shape)} with "
                f"classes on axis {axis}; one label for each, or sparse_label=False"
            )
        # Labels beyond the classes count as the first or last, as in MXNet.
        places = places.clamp(0, pred.shape[axis] - 1)
        return self._each(-logs.gather(axis, places), sample_weight)


SoftmaxCELoss = SoftmaxCrossEntropyLoss


class KLDivLoss(_LabelLoss):
    """How much the label's distribution differs from the predicted one, along ``axis``.

    Predictions are logarithms of probabilities, or scores if not ``from_logits``. The mean is
    over the classes too, as in MXNet.
    """

    def __init__(
        self,
        from_logits: bool = True,
        axis: int = -1,
        weight: float | None = None,
        batch_axis: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(weight, batch_axis, prefix, params)
        self._from_logits, self._axis = from_logits, axis

    def _loss(self, pred: Tensor, label: Tensor, sample_weight: Any) -> Tensor:
        logs = pred if self._from_logits else torch.log_softmax(pred, self._axis)
        return self._each(label * (torch.log(label + 1e-12) - logs), sample_weight)


class HuberLoss(_LabelLoss):
    """Squared where the difference is below ``rho``, absolute beyond."""

    def __init__(
        self,
        rho: float = 1.0,
        weight: float | None = None,
        batch_axis: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(weight, batch_axis, prefix, params)
        self._rho = rho

    def _loss(self, pred: Tensor, label: Tensor, sample_weight: Any) -> Tensor:
        far, rho = (_like(label, pred) - pred).abs(), self._rho
        loss = torch.where(far > rho, far - 0.5 * rho, 0.5 / rho * far.square())
        return self._each(loss, sample_weight)


class HingeLoss(_LabelLoss):
    """How far ``pred * label`` stays below ``margin``; labels are -1 and 1."""

    _power = 1

    def __init__(
        self,
        margin: float = 1.0,
        weight: float | None = None,
        batch_axis: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(weight, batch_axis, prefix, params)
        self._margin = margin

    def _loss(self, pred: Tensor, label: Tensor, sample_weight: Any) -> Tensor:
        below = torch.relu(self._margin - pred * _like(label, pred))
        return self._each(below**self._power, sample_weight)


class SquaredHingeLoss(HingeLoss):
    """The square of ``HingeLoss``."""

    _power = 2


class LogisticLoss(_LabelLoss):
    """Cross-entropy of scores and labels that are -1 and 1, or 0 and 1 (``binary``)."""

    def __init__(
        self,
        weight: float | None = None,
        batch_axis: int = 0,
        label_format: str = "signed",
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(weight, batch_axis, prefix, params)
        if label_format not in ("signed", "binary"):
            raise ValueError(f"label_format is signed or binary, not {label_format!r}")
        self._signed = label_format == "signed"

    def _loss(self, pred: Tensor, label: Tensor, sample_weight: Any) -> Tensor:
        label = _like(label, pred).to(pred.dtype)
        label = (label + 1) / 2 if self._signed else label
        return self._each(pred - pred * label - F.logsigmoid(pred), sample_weight)


class TripletLoss(Loss):
    """How much nearer ``negative`` is to ``pred`` than ``positive``, by squares, plus ``margin``.

    The squares of an example are summed.
    """

    def __init__(
        self,
        margin: float = 1.0,
        weight: float | None = None,
        batch_axis: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(weight, batch_axis, prefix, params)
        self._margin = margin

    def forward(self, pred: Any, positive: Any, negative: Any, sample_weight: Any = None) -> Any:
        """Give the loss of each example."""
        return self.compute(self._loss, pred, positive, negative, sample_weight)

    def _loss(self, pred: Tensor, positive: Tensor, negative: Tensor, sample_weight: Any) -> Tensor:
        apart = (_like(positive, pred) - pred).square() - (_like(negative, pred) - pred).square()
        others = [axis for axis in range(pred.ndim) if axis != self._batch_axis % pred.ndim]
        summed = apart.sum(others) if others else apart
        return self._weighted(torch.relu(summed + self._margin), sample_weight)


class PoissonNLLLoss(Loss):
    """The negative log likelihood of counts; one number, the mean over everything, as in MXNet.

    Predictions are logarithms of rates, or rates if not ``from_logits``; ``compute_full`` adds
    Stirling's approximation of the label's own term.
    """

    def __init__(
        self,
        weight: float | None = None,
        from_logits: bool = True,
        batch_axis: int = 0,
        compute_full: bool = False,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(weight, batch_axis, prefix, params)
        self._from_logits, self._full = from_logits, compute_full

    def forward(
        self, pred: Any, target: Any, sample_weight: Any = None, epsilon: float = 1e-8
    ) -> Any:
        """Give the mean loss."""
        return self.compute(self._loss, pred, target, sample_weight, epsilon)

    def _loss(self, pred: Tensor, target: Tensor, sample_weight: Any, epsilon: float) -> Tensor:
        loss: Tensor = F.poisson_nll_loss(
            pred,
            _like(target, pred),
            log_input=self._from_logits,
            full=self._full,
            eps=epsilon,
            reduction="none",
        )
        return self._weighted(loss, sample_weight).mean()


class CosineEmbeddingLoss(Loss):
    """For label 1 one minus the cosine, for label -1 what it exceeds ``margin`` by."""

    def __init__(
        self,
        weight: float | None = None,
        batch_axis: int = 0,
        margin: float = 0.0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(weight, batch_axis, prefix, params)
        self._margin = margin

    def forward(self, input1: Any, input2: Any, label: Any, sample_weight: Any = None) -> Any:
        """Give the loss of each example."""
        return self.compute(self._loss, input1, input2, label, sample_weight)

    def _loss(self, first: Tensor, second: Tensor, label: Tensor, sample_weight: Any) -> Tensor:
        cosine = F.cosine_similarity(_like(first, second), second, dim=-1, eps=1e-12)
        label = _like(label, cosine)
        beyond = torch.relu(cosine - self._margin)
        loss = (1 - cosine) * (label == 1) + beyond * (label == -1)
        return self._weighted(loss, sample_weight)


class CTCLoss(Loss):
    """The negative log probability of a sequence of labels, over all ways to align it.

    ``pred`` holds scores, (N, T, C) or (T, N, C) by ``layout``, of which the last class is the
    blank. Labels, (N, L) or (L, N), end where ``label_lengths`` says, else at the first -1.
    """

    def __init__(
        self,
        layout: str = "NTC",
        label_layout: str = "NT",
        weight: float | None = None,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        if layout not in ("NTC", "TNC") or label_layout not in ("NT", "TN"):
            raise ValueError(f"layouts are NTC or TNC and NT or TN, not {layout}, {label_layout}")
        super().__init__(weight, label_layout.find("N"), prefix, params)
        self._time_first, self._labels_first = layout == "TNC", label_layout == "TN"

    def forward(
        self,
        pred: Any,
        label: Any,
        pred_lengths: Any = None,
        label_lengths: Any = None,
        sample_weight: Any = None,
    ) -> Any:
        """Give the loss of each example."""
        return self.compute(self._loss, pred, label, pred_lengths, label_lengths, sample_weight)

    def _loss(
        self, pred: Tensor, label: Tensor, pred_lengths: Any, label_lengths: Any, sample_weight: Any
    ) -> Tensor:
        logs = torch.log_softmax(pred if self._time_first else pred.transpose(0, 1), -1)
        labels = (label.T if self._labels_first else label).long()
        steps, examples, classes = logs.shape
        if pred_lengths is None:
            pred_lengths = torch.full((examples,), steps)
        if label_lengths is None:
            label_lengths = (labels >= 0).long().cumprod(1).sum(1)
        loss = F.ctc_loss(
            logs,
            labels.clamp(min=0),
            torch.as_tensor(pred_lengths).long(),
            torch.as_tensor(label_lengths).long(),
            blank=classes - 1,
            reduction="none",
        )
        return self._weighted(loss, sample_weight)


def __getattr__(name: str) -> Any:
    instead = "a Loss of your own over the distances" if name == "SDMLLoss" else None
    raise no_attribute("mxnet.gluon.loss", name, instead)
