"""Labels in order without their places, each told from those before it: the loss of all ways through the lattice of frames and labels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from .. import kernels
from ._objectives import Objective
from ._temporal_classification import Transcripts, counts_of


class Transduction(Objective):
    """The loss of transducers (Graves, 2012): −log of the probability of the labels, summed over all ways to write them beside the frames.

    Outputs are logarithms of the probabilities (n_nodes, 2) that a frame is left, and that the next label is written, of the lattice of each
    sequence, one behind the other, u fastest; targets are rows of :class:`Transcripts`.
    """

    def __init__(self, n_classes: int) -> None:
        self.n_classes = n_classes

    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        _, n_frames, n_labels, _ = Transcripts.from_table(target)
        return _LatticeLosses.apply(outputs, n_frames, n_labels.numpy())

    def of_constant(self, output: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """In closed form: all ways are equally likely, and the last step of each leaves the last frame."""
        log_p = torch.log_softmax(output, -1)
        n_frames, n_labels = target[:, 1].to(output.dtype), target[:, 2].to(output.dtype)
        n_ways = torch.lgamma(n_frames + n_labels) - torch.lgamma(n_frames) - torch.lgamma(n_labels + 1)
        said = torch.where(target[:, 3:] > 0, log_p[target[:, 3:]], 0.0).sum(1)
        return -(weight * (n_ways + n_frames * log_p[0] + said)).mean()

    def best_constant(self, target: Tensor, weight: Tensor) -> Tensor:
        """Each label as often as it is said, and the blank once for each frame."""
        said = counts_of(target, weight, self.n_classes)
        said[0] = weight @ target[:, 1].to(weight.dtype)
        return (said / said.sum()).clamp_min(1e-3 / len(said)).log()


class _LatticeLosses(Function):
    @staticmethod
    def forward(ctx: Any, outputs: Tensor, n_frames: Any, n_labels: Any) -> Tensor:
        losses, gradient = kernels.lattice_losses(outputs.detach().double().cpu().numpy(), n_frames, n_labels)
        ctx.save_for_backward(torch.from_numpy(gradient).to(outputs))
        ctx.n_nodes = torch.from_numpy(n_frames * (n_labels + 1))
        return torch.from_numpy(losses).to(outputs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dlosses: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * dlosses.repeat_interleave(ctx.n_nodes.to(dlosses.device))[:, None], None, None
