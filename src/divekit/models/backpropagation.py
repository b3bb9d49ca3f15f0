"""Forward and backward propagation by hand: one hidden layer, cross-entropy, weight decay.

Book: 4.7 Forward Propagation, Backward Propagation, and Computational Graphs
Shapes: B examples, D features, H hidden units, K classes

Nothing here is noted down by autograd, and nothing is asked of it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from divekit.models.multilayer_perceptron import MLP
from divekit.nn.activations import ACTIVATIONS, SLOPES
from divekit.nn.losses import log_softmax_scratch
from divekit.nn.penalties import l2_penalty


@dataclass(frozen=True)
class MLPWeights:
    """The tensors of an ``MLP``; also their gradients, which have the same shapes."""

    hidden_weight: Tensor
    """(H, D)"""
    hidden_bias: Tensor
    """(H,)"""
    output_weight: Tensor
    """(K, H)"""
    output_bias: Tensor
    """(K,)"""

    @classmethod
    def of(cls, model: MLP) -> "MLPWeights":
        """Copy the weights of a model."""
        return cls(
            *(
                tensor.detach().clone()
                for layer in (model.hidden, model.output)
                for tensor in (layer.weight, layer.bias)
            )
        )


@dataclass(frozen=True)
class MLPKept:
    """What forward propagation leaves for the way back."""

    inputs: Tensor
    """(B, D)"""
    hidden: Tensor
    """(B, H), after the activation."""
    log_probabilities: Tensor
    """(B, K)"""


@torch.no_grad()
def mlp_forward(
    weights: MLPWeights, inputs: Tensor, labels: Tensor, activation: str, decay: float
) -> tuple[Tensor, MLPKept]:
    """Give the objective, a number, and what the way back needs.

    Args:
        weights: of the network.
        inputs: (B, ...), flattened to (B, D).
        labels: (B,), whole numbers below K.
        activation: a name in ``ACTIVATIONS``.
        decay: the objective is the mean cross-entropy and ``decay`` times half the squares of both
            weight matrices. Biases are not decayed.
    """
    inputs = inputs.flatten(1)  # (B, D)
    before = inputs @ weights.hidden_weight.T + weights.hidden_bias  # (B, D) @ (D, H) -> (B, H)
    hidden = ACTIVATIONS[activation](before)
    scores = hidden @ weights.output_weight.T + weights.output_bias  # (B, H) @ (H, K) -> (B, K)
    log_probabilities = log_softmax_scratch(scores)
    loss = -log_probabilities.gather(1, labels[:, None]).mean()
    penalty = decay * (l2_penalty(weights.hidden_weight) + l2_penalty(weights.output_weight))
    return loss + penalty, MLPKept(inputs, hidden, log_probabilities)


@torch.no_grad()
def mlp_backward(
    weights: MLPWeights, kept: MLPKept, labels: Tensor, activation: str, decay: float
) -> MLPWeights:
    """Give the gradient of the objective for each tensor of the weights.

    Takes what ``mlp_forward`` kept, and the same weights, labels, activation and decay.
    """
    truth = torch.zeros_like(kept.log_probabilities).scatter(1, labels[:, None], 1.0)  # (B, K)
    d_scores = (kept.log_probabilities.exp() - truth) / len(labels)  # the mean has a 1 / B
    d_output_weight = d_scores.T @ kept.hidden + decay * weights.output_weight  # (K, H)
    d_hidden = d_scores @ weights.output_weight  # (B, K) @ (K, H) -> (B, H)
    d_before = d_hidden * SLOPES[activation](kept.hidden)
    d_hidden_weight = d_before.T @ kept.inputs + decay * weights.hidden_weight  # (H, D)
    # A bias is added to every example, so it gathers the gradients of all of them.
    return MLPWeights(d_hidden_weight, d_before.sum(dim=0), d_output_weight, d_scores.sum(dim=0))
