"""The likeliest labels of whole sequences, of what a network says about each frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from .. import kernels
from .._constraints import COUNT, check_parameters

Array = NDArray[np.float64]
Prefix = tuple[int, ...]


@dataclass(frozen=True)
class PrefixSearch:
    """Sum over alignments, and keep the ``width`` likeliest beginnings in each frame (Graves et al., 2006; Hannun et al., 2014).

    Parameters
    ----------
    width : int, default=16
        Beginnings that are kept for each sequence; as many as there are find the likeliest labels for certain.
    length_bonus : float, default=0.0
        Added to the rank for each label, so that a larger one favours longer answers.

    Notes
    -----
    ::

        p_b(l, t) = y_b(t) (p_b(l, t-1) + p_n(l, t-1))
        p_n(l c, t) = y_c(t) (p_n(l c, t-1) + p_b(l, t-1) + [c is not the last of l] p_n(l, t-1))
        rank(l) = log(p_b(l, T) + p_n(l, T)) + α Σ_k log P(l_k | l_1 … l_{k-1}) + β |l|

    y_b(t) and y_c(t) are the probabilities of the blank and of label c in frame t; p_b and p_n are those of all alignments of the first t frames
    that say l and end in a blank, or not. P is a language model, α and β are its weight and the length bonus. O(T · width · n_classes).

    References
    ----------
    A. Graves, S. Fernández, F. Gomez, J. Schmidhuber, "Connectionist temporal classification: labelling unsegmented sequence data with recurrent
    neural networks", ICML 2006, section 3.2; differs from the paper, which extends the likeliest beginning first.
    A. Y. Hannun, A. L. Maas, D. Jurafsky, A. Y. Ng, "First-pass large vocabulary continuous speech recognition using bi-directional recurrent DNNs",
    arXiv:1408.2873, 2014.
    """

    width: int = 16
    length_bonus: float = 0.0

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"width": [COUNT], "length_bonus": [Interval(Real, None, None, closed="neither")]}

    def __post_init__(self) -> None:
        check_parameters(self)

    def __call__(self, log_p: Sequence[Array], says: Callable[[list[Prefix]], Array] | None = None) -> list[list[tuple[list[int], float]]]:
        """Search.

        Parameters
        ----------
        log_p : sequence of arrays (n_frames, 1 + n_classes)
            For each sequence the logarithms of the probabilities of the blank and of labels 1, 2, … in each frame.
        says : callable, default=None
            A language model: from beginnings to α log P (n_beginnings, n_classes) of each label after them.

        Returns
        -------
        list of list of (labels, rank)
            For each sequence, the best first.
        """
        if says is None:
            return [kernels.best_first(kernels.search_prefixes(np.ascontiguousarray(frames), self.width, self.length_bonus)) for frames in log_p]
        beams = [kernels.Prefixes.start(len(frames), self.width) for frames in log_p]
        said, known = BeginningsSaid(says, {}), [dict[int, Prefix]({0: ()}) for _ in log_p]
        for t in range(max(map(len, log_p))):
            going = [k for k, frames in enumerate(log_p) if t < len(frames)]
            begun = [_kept(beams[k], known[k]) for k in going]
            said.ask([prefix for prefixes in begun for prefix in prefixes])
            for k, prefixes in zip(going, begun, strict=True):
                kernels.extend_prefixes(beams[k], np.ascontiguousarray(log_p[k][t]), said.of(prefixes) + self.length_bonus)
        return [kernels.best_first(beam) for beam in beams]


def _kept(beam: Any, known: dict[int, Prefix]) -> list[Prefix]:
    """The beginnings that a beam keeps; ``known`` are those of its nodes so far, and with a node its parent was known before."""
    nodes = beam.kept[: beam.counts[0]]
    for node, parent, label in zip(nodes.tolist(), beam.parent[nodes].tolist(), beam.label[nodes].tolist(), strict=True):
        if node not in known:
            known[node] = (*known[parent], label)
    return [known[node] for node in nodes.tolist()]


@dataclass(frozen=True)
class BeginningsSaid:
    """What a language model has said; it is asked about each beginning once."""

    says: Callable[[list[Prefix]], Array]
    rows: dict[Prefix, Array]

    def ask(self, prefixes: list[Prefix]) -> None:
        new = list(dict.fromkeys(prefix for prefix in prefixes if prefix not in self.rows))
        if new:
            self.rows.update(zip(new, self.says(new), strict=True))

    def of(self, prefixes: list[Prefix]) -> Array:
        return np.stack([self.rows[prefix] for prefix in prefixes])
