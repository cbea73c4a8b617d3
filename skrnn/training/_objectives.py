"""What a network is trained for: a loss for each sequence, and the best constant output to start from."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor
from torch.nn import functional as F


class Objective(ABC):
    """A loss for each sequence."""

    @abstractmethod
    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Losses (n_sequences,) of outputs (n_sequences, n_outputs)."""

    @abstractmethod
    def best_constant(self, target: Tensor, weight: Tensor) -> Tensor:
        """The output (n_outputs,) with the least weighted loss."""

    def mean(self, outputs: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
        """Mean of the losses times weights; weights have mean 1 over the training set."""
        losses = self.losses(outputs, target)
        return losses.mean() if weight is None else (losses * weight).mean()


class CrossEntropy(Objective):
    """Softmax cross entropy; targets are class indices."""

    def __init__(self, n_classes: int) -> None:
        self.n_classes = n_classes

    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(outputs, target, reduction="none")

    def mean(self, outputs: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
        return F.cross_entropy(outputs, target) if weight is None else super().mean(outputs, target, weight)

    def best_constant(self, target: Tensor, weight: Tensor) -> Tensor:
        share = weight.new_zeros(self.n_classes).index_add(0, target, weight) / weight.sum()
        return share.clamp_min(1e-3 / self.n_classes).log()


class BinaryCrossEntropy(Objective):
    """Logistic loss, summed over the outputs; targets are 0 or 1 for each output."""

    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(outputs, target, reduction="none").sum(-1)

    def best_constant(self, target: Tensor, weight: Tensor) -> Tensor:
        share = weight @ target / weight.sum()
        return torch.logit(share.clamp(1e-3, 1 - 1e-3))


class SquaredError(Objective):
    """Squared error, mean over the outputs."""

    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(outputs, target, reduction="none").mean(-1)

    def best_constant(self, target: Tensor, weight: Tensor) -> Tensor:
        return weight @ target / weight.sum()
