"""Labels beside frames, each told from the frame and from the labels before it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor
from torch.nn.utils.rnn import PackedSequence

from ..cells import Cell, Layers, State, map_state
from ..cells._starts import input_weights
from ..engine import Runnable
from ..frontends import Frontend, TokenVectors
from ..kernels import Layout
from ._network import Linear
from ._recurrent import Recurrent
from ._seq2seq import Pair, fed_before
from ._steps import StepNetwork


class Heard(NamedTuple):
    """The frames of a batch of sources (n_frames_total, size): frame t of the source in column c is row ``starts[t] + c``."""

    rows: Tensor
    starts: Tensor


class Writing(NamedTuple):
    """How far transcripts have come: the states and features (n, size) of the labels so far; for each its column among the frames, how many frames
    there are, how many were left, how many labels were written, and how many there may be (n, 5); the labels (n, most), filled up with 0."""

    states: State
    features: Tensor
    places: Tensor
    labels: Tensor


class Transducer(Runnable):
    """An encoder of frames, a network over labels, and what both say together (Graves, 2012).

    Parameters
    ----------
    recurrent : Recurrent
        Of the encoder.
    cell : Cell
        Of the one layer over the labels.
    hidden_size : int
        Units of that layer, numbers that stand for a label, and units in which both meet.
    bias : Tensor of shape (1 + n_classes,)
        Start of the head's bias, the blank first.
    frontend : Frontend or None, default=None
        Built, for the input.
    generator : torch.Generator or None
        Where weights and dropout masks are drawn from.

    Notes
    -----
    ::

        f(1), …, f(T) = encoder(x(1), …, x(T))
        g(u) = layer over 0, l(1), …, l(u)
        y(t, u) = softmax(W tanh(F f(t) + b + G g(u) + a) + d)      of leaving frame t, and of writing each label as l(u + 1)
        P(l) = Σ over all ways from (1, 0) to where frame T is left with all labels written

    References
    ----------
    A. Graves, "Sequence transduction with recurrent neural networks", arXiv:1211.3711, 2012; the sum of both that goes through tanh: A. Graves,
    A. Mohamed, G. Hinton, "Speech recognition with deep recurrent neural networks", ICASSP 2013.
    """

    def __init__(
        self,
        recurrent: Recurrent,
        cell: Cell,
        hidden_size: int,
        bias: Tensor,
        frontend: Frontend | None = None,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.frames = StepNetwork(recurrent, torch.zeros(hidden_size), frontend, shortens=True)
        self.frames.head.W = input_weights(hidden_size, recurrent.output_size, generator)
        self.vectors = TokenVectors(len(bias), hidden_size, generator)
        self.labels = Recurrent(cell, hidden_size, hidden_size, generator=generator)
        self.told = Linear(hidden_size, torch.zeros(hidden_size))
        self.told.W = input_weights(hidden_size, hidden_size, generator)
        self.head = Linear(hidden_size, bias)
        self.draw_from(generator)

    @property
    def frontend(self) -> Frontend | None:
        """That of the encoder."""
        return self.frames.frontend

    @property
    def recurrent(self) -> Layers:
        """All recurrent layers."""
        return Layers([self.frames.recurrent, self.labels])

    def forward(self, pair: Pair, detach_every: int | None = None, grad_path: str = "full") -> Tensor:
        """Logarithms of the probabilities (n_nodes, 2) of the blank and of the next label, of the lattice of each sequence, one behind the other.

        ``teacher`` are the labels of each, and 0 behind the last, of which the second column says nothing.
        """
        seen = self.frames.see(pair.source)
        return self._followed(pair, seen, self.frames.read(self.frames.recurrent(seen, None, grad_path), seen), grad_path)

    def answer(self, pair: Pair) -> Tensor:
        """As :meth:`forward`, without gradient."""
        return self._followed(pair, self.frames.see(pair.source), self.frames.answer(pair.source), "full")

    def answer_at(self, pair: Pair, nodes: Tensor) -> Tensor:
        """Logarithms of the probabilities (n, 1 + n_classes) of the blank and of each label at some of the nodes, without gradient."""
        frame, label, _ = _nodes(self.frames.see(pair.source), pair)
        told = self._said(self.frames.answer(pair.source)[frame[nodes]], self._told_before(pair, "full")[label[nodes]])
        return torch.log_softmax(told.double(), -1)

    def _followed(self, pair: Pair, seen: PackedSequence, frames: Tensor, grad_path: str) -> Tensor:
        frame, label, following = _nodes(seen, pair)
        log_p = torch.log_softmax(self._said(frames[frame], self._told_before(pair, grad_path)[label]), -1)
        return torch.stack([log_p[:, 0], log_p.gather(1, following[:, None])[:, 0]], 1)

    def _said(self, frames: Tensor, features: Tensor) -> Tensor:
        return self.head(torch.tanh(frames + features))

    def _told_before(self, pair: Pair, grad_path: str) -> Tensor:
        """Features of the labels before each step of ``pair``, which must be told."""
        if pair.teacher is None:
            raise ValueError("A transducer is told the labels before; got no teacher")
        rows = PackedSequence(self.vectors(fed_before(pair, pair.teacher)), pair.steps.batch_sizes)
        return self._features(rows, self.labels.start(rows), grad_path)[0]

    def _features(self, rows: PackedSequence, states: State, grad_path: str = "full") -> tuple[Tensor, State]:
        (outputs,), states = self.labels.advance([rows], states, grad_path)
        return self.told(outputs.data), states

    def start(self, packed: PackedSequence, most: Tensor) -> tuple[Heard, Writing]:
        """The frames of a batch of sources, and nothing written yet, in the order before packing; ``most`` (n,) is how many labels there may be."""
        layout = Layout.of(self.frames.see(packed).batch_sizes.numpy())
        n_frames, column = (torch.from_numpy(a).to(most) for a in _in_user_order(packed, layout))
        heard = Heard(self.frames.answer(packed), torch.from_numpy(layout.starts).to(most))
        none = torch.zeros_like(most)
        first = PackedSequence(self.vectors(none[:, None]), torch.tensor([len(none)]))
        features, states = self._features(first, self.labels.start(first))
        places = torch.stack([column, n_frames, none, none, most], 1)
        return heard, Writing(states, features, places, none.new_zeros(len(none), max(1, int(most.max()))))

    def step(self, heard: Heard, tokens: Tensor, writing: Writing) -> tuple[Tensor, Writing]:
        """One step: what was done (n, 1), 0 for a frame that was left, a label, else nothing, to log probabilities, and how far that has come.

        They are (n, 2 + n_classes): of leaving a frame behind which there are others, of each label, and of the end, which is to leave the last.
        """
        n_classes = len(self.head.b) - 1
        done = tokens[:, 0].long()
        wrote = (done > 0) & (done <= n_classes)
        rows = PackedSequence(self.vectors((done * wrote)[:, None]), torch.tensor([len(done)]))
        features, states = self._features(rows, writing.states)
        states = map_state(lambda new, old: torch.where(wrote.view(-1, *[1] * (new.ndim - 1)), new, old), states, writing.states)
        features = torch.where(wrote[:, None], features, writing.features)
        column, n_frames, left, n_labels, most = writing.places.unbind(1)
        place = n_labels.clamp_max(writing.labels.shape[1] - 1)[:, None]
        labels = writing.labels.scatter(1, place, torch.where(wrote[:, None], done[:, None], writing.labels.gather(1, place)))
        left, n_labels = left + (done == 0), torch.minimum(n_labels + wrote, most)
        frames = heard.rows[heard.starts[left.clamp_max(n_frames - 1)] + column]
        log_p = torch.log_softmax(self._said(frames, features).double(), -1)
        last, full = left == n_frames - 1, n_labels >= most
        blank, each = log_p[:, 0], log_p[:, 1:].masked_fill(full[:, None], -torch.inf)
        told = torch.cat([blank.masked_fill(last, -torch.inf)[:, None], each, blank.masked_fill(~last, -torch.inf)[:, None]], 1)
        return told, Writing(states, features, torch.stack([column, n_frames, left, n_labels, most], 1), labels)

    @staticmethod
    def merge(writing: Writing, scores: Tensor) -> Tensor:
        """Scores (n, width, 2 + n_classes) of what may come next, where those of the same labels are added up.

        After as many steps the same labels have left as many frames; what wrote a label last is added to what left a frame last.
        """
        n, width, _ = scores.shape
        labels, n_labels = writing.labels.view(n, width, -1), writing.places[:, 3].view(n, width)
        place = (n_labels - 1).clamp_min(0)[..., None]
        last = labels.gather(2, place)[..., 0] * (n_labels > 0)
        shorter = labels.scatter(2, place, 0)
        there = scores.amax(2) > -torch.inf
        same = (shorter[:, :, None] == labels[:, None]).all(-1) & (n_labels[:, :, None] == n_labels[:, None] + 1)
        same &= there[:, :, None] & there[:, None]
        found, parent = same.any(2), same.int().argmax(2)
        source = torch.arange(n, device=scores.device)[:, None].expand(n, width)
        written = scores[source, parent, last].masked_fill(~found, -torch.inf)
        merged = scores.clone()
        merged[..., 0] = torch.logaddexp(scores[..., 0], written)
        taken = written > -torch.inf
        merged[source[taken], parent[taken], last[taken]] = -torch.inf
        return merged


def _in_user_order(packed: PackedSequence, layout: Layout) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Steps of each sequence, and in which column it stands, in the order before packing."""
    back = np.arange(int(layout.sizes[0])) if packed.unsorted_indices is None else packed.unsorted_indices.cpu().numpy()
    return layout.lengths[back], back


def _nodes(seen: PackedSequence, pair: Pair) -> tuple[Tensor, Tensor, Tensor]:
    """The rows of the frame and of the labels before at all nodes (n_nodes,) of each sequence in the order before packing, and the next label."""
    frames, steps = (Layout.of(packed.batch_sizes.numpy()) for packed in (seen, pair.steps))
    n_frames, frame_column = _in_user_order(seen, frames)
    n_steps, step_column = _in_user_order(pair.steps, steps)
    n_nodes = n_frames * n_steps
    sequence = np.repeat(np.arange(len(n_nodes)), n_nodes)
    t, u = np.divmod(np.arange(len(sequence)) - (n_nodes.cumsum() - n_nodes)[sequence], n_steps[sequence])
    frame, label = frames.starts[t] + frame_column[sequence], steps.starts[u] + step_column[sequence]
    places = [torch.from_numpy(rows).to(seen.data.device) for rows in (frame, label)]
    following = 0 * places[1] if pair.teacher is None else pair.teacher[:, 0].long()[places[1]]
    return places[0], places[1], following
