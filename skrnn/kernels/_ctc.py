"""Compiled searches among the alignments of connectionist temporal classification: for the likeliest labels, and for where given labels stand.

Rows of ``log_p`` (n_frames, 1 + n_classes) are logarithms of the probabilities of the blank and of labels 1, 2, …
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ._jit import EXACT

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Prefixes(NamedTuple):
    """The beginnings that a prefix search keeps, nodes of a tree, so that each is kept once; all arrays are written in place.

    ``parent``, ``label``, ``child``, ``sibling`` and ``place`` (n_nodes,) are the tree: the node before, the label of the node, 0 at the root, the
    last one made after it, one with the same parent, and where it stands among those that are kept; -1 is none.
    ``bonus`` (n_nodes,) is what the rank of a node has beside its probability. ``kept``, ``blank`` and ``spoken`` (width,) are the nodes that are
    kept and the logarithms of the probabilities of the alignments that end in a blank, and in the label of the node. ``counts`` are those kept, and
    the nodes that were made. The rest is room to work in.
    """

    parent: Ints
    label: Ints
    child: Ints
    sibling: Ints
    place: Ints
    bonus: Floats
    kept: Ints
    blank: Floats
    spoken: Floats
    counts: Ints
    next_kept: Ints
    next_blank: Floats
    next_spoken: Floats

    @classmethod
    def start(cls, n_frames: int, width: int) -> Self:
        """Before the first frame: nothing has been said."""
        n = 1 + n_frames * width
        tree = [np.empty(n, np.int64) for _ in range(5)]  # of which most is never touched, however wide the beam may be
        rooms = [(np.full(width, -1), np.full(width, -np.inf), np.full(width, -np.inf)) for _ in range(2)]
        begun = cls._make([*tree, np.empty(n), *rooms[0], np.ones(2, np.int64), *rooms[1]])
        begun.label[0] = begun.place[0] = begun.kept[0] = begun.bonus[0] = begun.blank[0] = 0
        begun.child[0] = -1
        return begun


@njit(**EXACT)
def log_add(a, b):
    if a < b:
        a, b = b, a
    return a if b == -np.inf else a + np.log1p(np.exp(b - a))


@njit(**EXACT)
def _candidates(beam: Any, log_p, extra):
    """Ranks of the beginnings that are kept as they are, and then of each with each label; those that are among the former are added to them."""
    n, n_classes = beam.counts[0], len(log_p) - 1
    said = np.empty((n, n_classes))
    for i in range(n):
        last, total = beam.label[beam.kept[i]], log_add(beam.blank[i], beam.spoken[i])
        beam.next_blank[i] = total + log_p[0]
        beam.next_spoken[i] = beam.spoken[i] + log_p[last] if last > 0 else -np.inf
        for c in range(n_classes):
            said[i, c] = (beam.blank[i] if c + 1 == last else total) + log_p[c + 1]
    for i in range(n):
        node = beam.child[beam.kept[i]]
        while node >= 0:
            j, c = beam.place[node], beam.label[node] - 1
            if j >= 0:
                beam.next_spoken[j] = log_add(beam.next_spoken[j], said[i, c])
                said[i, c] = -np.inf
            node = beam.sibling[node]
    ranks = np.empty(n * (1 + n_classes))
    for i in range(n):
        bonus = beam.bonus[beam.kept[i]]
        ranks[i] = log_add(beam.next_blank[i], beam.next_spoken[i]) + bonus
        for c in range(n_classes):
            ranks[n + i * n_classes + c] = said[i, c] + bonus + extra[i, c]
    return said, ranks


@njit(**EXACT)
def _node(beam: Any, parent, label, bonus):
    """The node of a label after others, which is made if there is none."""
    node = beam.child[parent]
    while node >= 0 and beam.label[node] != label:
        node = beam.sibling[node]
    if node < 0:
        node = beam.counts[1]
        beam.counts[1] += 1
        beam.parent[node], beam.label[node] = parent, label
        beam.sibling[node], beam.child[parent], beam.child[node], beam.place[node] = beam.child[parent], node, -1, -1
        beam.bonus[node] = beam.bonus[parent] + bonus
    return node


@njit(nogil=True, cache=True, **EXACT)
def extend_prefixes(beam: Any, log_p, extra) -> None:
    """One frame (1 + n_classes,); ``extra`` (width, n_classes) is added to the rank of a kept beginning when a label comes behind it."""
    n, width, n_classes = beam.counts[0], len(beam.kept), len(log_p) - 1
    said, ranks = _candidates(beam, log_p, extra)
    least, ties = -np.inf, 0  # of those that rank lowest among the kept, only some may have room
    if len(ranks) > width:
        least = np.partition(ranks, len(ranks) - width)[len(ranks) - width]
        ties = width - np.sum(ranks > least)
    m = 0
    for i in range(n):
        beam.place[beam.kept[i]] = -1
    for k in range(len(ranks)):
        if ranks[k] == -np.inf or not ranks[k] >= least or (ranks[k] == least and ties == 0):  # NaN is no rank
            continue
        ties -= ranks[k] == least
        if k < n:
            beam.next_kept[m], blank, spoken = beam.kept[k], beam.next_blank[k], beam.next_spoken[k]
        else:
            i, c = divmod(k - n, n_classes)
            beam.next_kept[m], blank, spoken = _node(beam, beam.kept[i], c + 1, extra[i, c]), -np.inf, said[i, c]
        beam.next_blank[m], beam.next_spoken[m] = blank, spoken  # never before it is read: those that stay come first, in their order
        m += 1
    beam.counts[0] = m
    for i in range(m):
        beam.kept[i], beam.blank[i], beam.spoken[i] = beam.next_kept[i], beam.next_blank[i], beam.next_spoken[i]
        beam.place[beam.kept[i]] = i


@njit(nogil=True, cache=True, **EXACT)
def _search(beam: Any, log_p, extra) -> None:
    for t in range(len(log_p)):
        extend_prefixes(beam, log_p[t], extra)


def search_prefixes(log_p: Floats, width: int, bonus: float) -> Prefixes:
    """All frames, where each label counts ``bonus`` beside its probability."""
    beam = Prefixes.start(len(log_p), width)
    _search(beam, log_p, np.full((width, log_p.shape[1] - 1), bonus))
    return beam


def best_first(beam: Prefixes) -> list[tuple[list[int], float]]:
    """The labels of what is kept, with their ranks."""
    kept = beam.kept[: beam.counts[0]]
    ranks = np.logaddexp(beam.blank[: len(kept)], beam.spoken[: len(kept)]) + beam.bonus[kept]
    return [(_labels_of(beam, kept[k]), float(ranks[k])) for k in np.argsort(-ranks, kind="stable")]


def _labels_of(beam: Prefixes, node: int) -> list[int]:
    """The labels of a node, from the root on."""
    labels = []
    while node > 0:
        labels.append(int(beam.label[node]))
        node = int(beam.parent[node])
    return labels[::-1]


@njit(nogil=True, cache=True, **EXACT)
def align_labels(log_p, labels):
    """The first frame of each label, and the one after its last, in the likeliest alignment: (n_labels, 2).

    There must be one: as many frames as labels, and one more for each that is the same as the one before.
    """
    n_frames, n_states = len(log_p), 2 * len(labels) + 1
    score, before = np.full(n_states, -np.inf), np.full(n_states, -np.inf)
    moves = np.zeros((n_frames, n_states), np.int8)
    before[0] = 0.0  # as if there had been a blank before the first frame
    for t in range(n_frames):
        for s in range(n_states):
            move, best = 0, before[s]
            if s > 0 and before[s - 1] > best:
                move, best = 1, before[s - 1]
            if s > 1 and s % 2 and labels[s // 2] != labels[s // 2 - 1] and before[s - 2] > best:
                move, best = 2, before[s - 2]
            moves[t, s] = move
            score[s] = best + log_p[t, labels[s // 2] if s % 2 else 0]
        before, score = score, before
    spans = np.zeros((len(labels), 2), np.int64)
    s = n_states - 1
    if n_states > 1 and before[s - 1] > before[s]:
        s -= 1
    for t in range(n_frames - 1, -1, -1):
        if s % 2:
            spans[s // 2, 0] = t
            spans[s // 2, 1] = max(spans[s // 2, 1], t + 1)
        s -= moves[t, s]
    return spans
