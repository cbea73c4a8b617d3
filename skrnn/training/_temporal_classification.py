"""Labels in order without their places: the loss of all alignments with the frames of a sequence."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from ..engine import longest_first
from ..kernels import Layout
from ._objectives import Objective

Ints = NDArray[np.int64]

_TOGETHER = 512  # sequences for which the loss of a constant output is computed at once
_LEAST = 1e-3  # of an even share, for labels that are rarer


class Transcripts(NamedTuple):
    """What the loss knows of sequences: how long each is, how many frames the network answers for it, and its labels 1, 2, …, filled up with 0."""

    n_steps: Ints
    n_frames: Ints
    n_labels: Ints
    labels: Ints

    @classmethod
    def of(cls, n_steps: Ints, n_frames: Ints, rows: list[list[int]]) -> Self:
        """From the labels of each sequence."""
        n_labels = np.array([len(row) for row in rows])
        labels = np.zeros((len(rows), max(1, n_labels.max())), np.int64)
        labels[np.arange(labels.shape[1]) < n_labels[:, None]] = [label for row in rows for label in row]
        return cls(n_steps, n_frames, n_labels, labels)

    @classmethod
    def from_table(cls, table: Tensor) -> tuple[Ints, Ints, Tensor, Tensor]:
        """What :meth:`as_table` made, or some of its rows; labels stay where they are."""
        n_steps, n_frames, n_labels = table[:, :3].T.cpu().numpy()
        return n_steps, n_frames, torch.from_numpy(n_labels), table[:, 3:]

    @classmethod
    def rows_of(cls, table: Ints) -> list[Ints]:
        """The labels of each sequence in what :meth:`as_table` made."""
        return [row[3 : 3 + row[2]] for row in table]

    def as_table(self) -> Ints:
        """All of it in rows (n_sequences, 3 + most labels), which are taken sequence by sequence."""
        return np.column_stack(self)

    def too_short(self) -> Ints:
        """Frames that are missing for each: there must be one for each label, and a blank between two that are the same."""
        again = (self.labels[:, 1:] == self.labels[:, :-1]) & (self.labels[:, 1:] > 0)
        return np.maximum(self.n_labels + again.sum(1) - self.n_frames, 0)


class TemporalClassification(Objective):
    """Connectionist temporal classification (Graves et al., 2006): −log of the probability of the labels, summed over all alignments.

    Outputs are frames in packed order, of which the first is the blank; targets are rows of :class:`Transcripts`.
    """

    def __init__(self, n_classes: int) -> None:
        self.n_classes = n_classes

    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        n_steps, n_frames, n_labels, labels = Transcripts.from_table(target)
        order = longest_first(n_steps)  # as the sequences were packed, before a frontend made frames of their steps
        lengths = n_frames[order]
        sizes = torch.from_numpy(Layout.of_lengths(lengths).sizes)
        frames, _ = pad_packed_sequence(PackedSequence(torch.log_softmax(outputs, -1), sizes))
        place = torch.from_numpy(order).to(labels.device)
        of_packed = F.ctc_loss(
            frames, labels[place], torch.from_numpy(lengths), n_labels[torch.from_numpy(order)], reduction="none", zero_infinity=True
        )
        return torch.empty_like(of_packed).index_copy(0, place, of_packed)

    def of_constant(self, output: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        parts = zip(target.split(_TOGETHER), weight.split(_TOGETHER), strict=True)
        losses = [self.losses(output.expand(int(rows[:, 1].sum()), -1), rows) @ counts for rows, counts in parts]
        return torch.stack(losses).sum() / len(target)

    def best_constant(self, target: Tensor, weight: Tensor) -> Tensor:
        """About: each label as often as it is said, and the blank in all other frames."""
        said = counts_of(target, weight, self.n_classes)
        n_frames = weight @ target[:, 1].to(weight.dtype)
        said[0] = n_frames - said[1:].sum()
        share = said / n_frames
        return share.clamp_min(_LEAST / (1 + self.n_classes)).log()


def counts_of(table: Tensor, weight: Tensor, n_classes: int) -> Tensor:
    """How often each label is said (1 + n_classes,) in what :meth:`Transcripts.as_table` made; of what fills it up, which is 0, nobody asks."""
    counts = weight[:, None].expand(-1, table.shape[1] - 3)
    return weight.new_zeros(1 + n_classes).index_add(0, table[:, 3:].flatten(), counts.flatten())
