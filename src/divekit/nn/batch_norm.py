"""Batch normalisation from its definition; torch has its own: ``F.batch_norm``, ``nn.BatchNorm2d``.

Book: 7.5 Batch Normalization
Paper: Ioffe and Szegedy, 2015, https://arxiv.org/abs/1502.03167
Shapes: B examples, C features or channels, L places of a channel (none, a length, height x width),
    N = B L numbers of each channel
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from divekit.errors import UsageError


def batch_norm_scratch(
    inputs: Tensor,
    weight: Tensor,
    bias: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    *,
    training: bool,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Give every channel the mean ``bias`` and the standard deviation ``weight``.

    Args:
        inputs: (B, C) or (B, C, L...), of two or more numbers for each channel while training.
        weight: (C,), the book's gamma.
        bias: (C,), the book's beta.
        running_mean: (C,), what stands for the batch's mean when not training. While training it
            moves towards that by the share ``momentum``, in place.
        running_var: (C,), the same of the variance; it takes N - 1 for N, as one who estimates the
            variance of data from a part of them does.
        training: whether the channels are measured in this batch.
        momentum: what the new batch weighs in the running statistics.
        eps: added to the variance, so that a constant channel is not divided by zero.
    """
    # A mean over a million numbers of eight bits each would be off by more than it says.
    wide = inputs.to(torch.promote_types(inputs.dtype, torch.float32))
    if training:
        numbers = inputs.numel() // inputs.shape[1]
        if numbers < 2:
            raise UsageError(
                "batch normalisation cannot train on a single number for each channel: it is its "
                "own mean, and nothing is left of it; take larger batches"
            )
        outputs, mean, var = _Normalise.apply(wide, weight, bias, eps)
        # Neither is part of the graph: the function below gives both as numbers.
        unbiased = var * (numbers / (numbers - 1))
        running_mean.lerp_(mean.to(running_mean.dtype), momentum)
        running_var.lerp_(unbiased.to(running_var.dtype), momentum)
    else:
        scale = weight * (running_var + eps).rsqrt()
        shift = bias - running_mean * scale
        outputs = torch.addcmul(_along(shift, wide), wide, _along(scale, wide))  # shift + x * scale
    return outputs.to(inputs.dtype)


class _Normalise(torch.autograd.Function):
    """Normalise with the batch's own mean and variance; the gradient is worked out by hand.

    Autograd would find the same gradient from the four lines of the forward pass, and go over the
    batch twice as often: for memory that is the whole cost.
    """

    @staticmethod
    def forward(
        ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        over = _all_but_channels(inputs)
        mean = inputs.mean(over)  # (B, C, L) -> (C,)
        centred = inputs - _along(mean, inputs)
        var = (centred * centred).mean(over)  # (B, C, L) -> (C,)
        inverse = (var + eps).rsqrt()
        ctx.save_for_backward(centred, inverse, weight)
        ctx.mark_non_differentiable(mean, var)
        scale = _along(weight * inverse, inputs)
        return torch.addcmul(_along(bias, inputs), centred, scale), mean, var

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, *_: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        """Take the gradient g of the outputs y = weight * n + bias, n = centred * inverse.

        Every input moves the mean and the variance, and they move all outputs of the channel. With
        sums and means over its N numbers, that comes to

            d weight = sum(g n)    d bias = sum(g)
            d input = weight * inverse * (g - mean(g) - n mean(g n))

        so the gradient, too, is freed of its mean, and of what in it is proportional to n.
        """
        centred, inverse, weight = ctx.saved_tensors
        over = _all_but_channels(centred)
        numbers = centred.numel() // centred.shape[1]
        bias_gradient = gradient.sum(over)  # (B, C, L) -> (C,)
        weight_gradient = (gradient * centred).sum(over) * inverse  # (B, C, L) -> (C,)
        scale = weight * inverse
        share = scale * (-1 / numbers)
        constant, slope = share * bias_gradient, share * inverse * weight_gradient
        input_gradient = torch.addcmul(_along(constant, centred), centred, _along(slope, centred))
        input_gradient.addcmul_(gradient, _along(scale, centred))
        return input_gradient, weight_gradient, bias_gradient, None


class BatchNormScratch(nn.Module):
    """Normalise each channel of (B, C) or (B, C, L...), as ``nn.BatchNorm1d`` and ``2d`` do.

    In training by the batch at hand, otherwise by the running statistics. These are part of the
    state, under torch's names, so a trained state goes from here to torch's layers and back.

    Args:
        num_features: C.
        eps: added to the variance.
        momentum: what the new batch weighs in the running statistics, 1 less the book's momentum.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        # Buffers: learned, but not by gradients. They are saved and moved with the parameters.
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, inputs: Tensor) -> Tensor:
        if inputs.ndim < 2 or inputs.shape[1] != self.num_features:
            raise ValueError(
                f"inputs {tuple(inputs.shape)} must be (B, {self.num_features}) "
                f"or (B, {self.num_features}, L...)"
            )
        if self.training:
            self.num_batches_tracked += 1
        return batch_norm_scratch(
            inputs,
            self.weight,
            self.bias,
            self.running_mean,
            self.running_var,
            training=self.training,
            momentum=self.momentum,
            eps=self.eps,
        )

    def extra_repr(self) -> str:
        """Name the settings where a model is printed."""
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"


def _all_but_channels(inputs: Tensor) -> list[int]:
    """Name the axes over which a channel is measured: of the batch, and of its places."""
    return [0, *range(2, inputs.ndim)]


def _along(values: Tensor, inputs: Tensor) -> Tensor:
    """Shape numbers of channels (C,) so that they meet inputs (B, C, L...): (C, 1...)."""
    return values if inputs.ndim == 2 else values.view(-1, *(1 for _ in inputs.shape[2:]))
