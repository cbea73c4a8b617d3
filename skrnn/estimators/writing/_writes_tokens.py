"""What is written are tokens, up to an end that the decoder finds itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import KW_ONLY
from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils import check_consistent_length
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from ..cells import State
from ..data import Sequences, StepRows
from ..engine import BeamSearch, Hypotheses, limit_threads
from ..networks import Embedding, Encoder, Feedback, Tokens, Vector
from ..training import CrossEntropy
from ._decoding import BaseDecoding
from ._guards import require_target
from ._parameters import parameters
from ._targets import Encoded
from ._vocabulary import BEGIN, END, all_strings, read_tokens

_DESCRIPTIONS = """
    embedding_size : int, default=32
        Numbers that stand for each token.
    min_frequency : int, default=1
        How often a token must occur in ``fit`` to be known; those that are rarer are read as the unknown token, from which the network learns
        what to do with tokens that it has never seen, and are never written.
    handle_unknown : {"use", "error"}, default="use"
        What happens with tokens of X that are not known: read as the unknown token, or refused with their place.
    shared_vocabulary : bool, default=False
        Whether sources and targets have the same tokens, with the same embedding.
    beam_width : int, default=1
        Beginnings that ``predict`` keeps in each step; 1 is greedy.
    length_penalty : float, default=0.0
        α of Wu et al. (2016): larger favours longer hypotheses; 0.6 to 1 are usual.
    coverage_penalty : float, default=0.0
        β of Wu et al. (2016): larger favours hypotheses that have looked at all of the source; with attention.
    max_steps : int or None, default=None
        The most tokens that are written; ``None`` is twice as many as the longest target in ``fit`` has."""


class Hypothesis(NamedTuple):
    """What might be written, and its score: the logarithm of its probability, with the penalties."""

    tokens: Any
    score: float


@parameters
class BaseTokens(BaseDecoding, ABC):
    """predict and score for targets of tokens."""

    _: KW_ONLY
    embedding_size: int = 32
    min_frequency: int = 1
    handle_unknown: str = "use"
    shared_vocabulary: bool = False
    beam_width: int = 1
    length_penalty: float = 0.0
    coverage_penalty: float = 0.0
    max_steps: int | None = None

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = BaseDecoding._parameter_constraints | {
        "embedding_size": [Interval(Integral, 1, None, closed="left")],
        "min_frequency": [Interval(Integral, 1, None, closed="left")],
        "handle_unknown": [StrOptions({"use", "error"})],
        "shared_vocabulary": ["boolean"],
        "beam_width": [Interval(Integral, 1, None, closed="left")],
        "length_penalty": [Interval(Real, 0, None, closed="left")],
        "coverage_penalty": [Interval(Real, 0, None, closed="left")],
        "max_steps": [Interval(Integral, 1, None, closed="left"), None],
    }
    _descriptions = BaseDecoding._descriptions + _DESCRIPTIONS
    _built_from: ClassVar[tuple[str, ...]] = (*BaseDecoding._built_from, "embedding_size", "shared_vocabulary")

    @abstractmethod
    def _learn(self, X: Any, y: list[tuple[Any, ...]]) -> None:
        """Make the vocabularies."""

    def _check(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> tuple[Sequences, Sequences, NDArray[np.float64] | None]:
        require_target(self, y)
        if reset:
            rows = read_tokens(y, "y")
            self._joins, self._longest = all_strings(y), max(map(len, rows))
            self._learn(X, rows)
        return super()._check(X, y, sample_weight, reset=reset)

    def _targets(self, y: Any, *, reset: bool) -> Sequences:
        return self._vocabulary.encode(read_tokens(y, "y"), "y", end=True)

    def _encode(self, y: Sequences, weight: NDArray[np.float64] | None, *, reset: bool, classes: Any = None) -> Encoded:
        return Encoded(StepRows(y.values[:, 0].astype(np.int64), y.offsets), CrossEntropy(len(self._vocabulary)))

    def _feedback(self, encoder: Encoder | Vector, generator: torch.Generator) -> Feedback:
        shared = encoder.embedding if self.shared_vocabulary and isinstance(encoder, Encoder) else None
        return Tokens(Embedding(len(self._vocabulary), self.embedding_size, generator) if shared is None else shared)

    def _first(self, n: int) -> torch.Tensor:
        return torch.full((n, 1), float(BEGIN))

    @property
    def vocabulary_(self) -> NDArray[Any]:
        """The tokens that can be written, the most frequent first."""
        check_is_fitted(self)
        return _objects(self._vocabulary.tokens)

    def _decode(self, outputs: Any) -> Any:
        tokens = self._vocabulary.decode(outputs)
        return "".join(tokens) if self._joins else tokens

    def _search(self, sequences: Sequences) -> Iterator[tuple[NDArray[np.int64], Hypotheses]]:
        """The best hypotheses for the sources of one chunk after the other."""
        network: Any = self.network_
        search = BeamSearch(self.beam_width, self.length_penalty, self.coverage_penalty)
        if self.coverage_penalty and self.attention is None:
            raise ValueError(f"coverage_penalty={self.coverage_penalty} needs attention, which tells what has been looked at; got attention=None")
        n_steps = 1 + (2 * max(self._longest, 1) if self.max_steps is None else self.max_steps)
        pairs = self._pairs(sequences, np.arange(len(sequences) + 1))
        for index in pairs.chunks():
            pair = pairs.packed(index)
            states, inputs = network.start(pair)
            beside = inputs.repeat_interleave(search.width, 0)

            def advance(fed: torch.Tensor, states: State, beside: torch.Tensor = beside) -> tuple[torch.Tensor, State]:
                outputs, states = network.step(torch.cat([beside, fed], -1), states)
                outputs[:, :END] = -torch.inf  # neither unknown nor begin are written
                return torch.log_softmax(outputs, -1), states

            looks = None if self.attention is None else network.coverage
            yield index, search(advance, states, pair.first, n_steps, END, pick=network.pick, coverage=looks)

    def predict_hypotheses(self, X: Any) -> list[list[Hypothesis]]:
        """What might be written for each row: up to ``beam_width`` hypotheses, the best first.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        list of list of (tokens, score)
            The score is the logarithm of the probability, divided by the length penalty, with the coverage penalty.
        """
        check_is_fitted(self)
        sequences = self._read(X, reset=False)
        found: list[list[Hypothesis]] = [[] for _ in range(len(sequences))]
        with limit_threads(self.n_threads), torch.inference_mode():
            for index, best in self._search(sequences):
                parts = (part.cpu().tolist() for part in best)
                for i, scores, tokens, lengths in zip(index.tolist(), *parts, strict=True):
                    every = zip(scores, tokens, lengths, strict=True)
                    found[i] = [Hypothesis(self._decode(ids[:n]), score) for score, ids, n in every if score > -np.inf]
        return found

    def predict(self, X: Any) -> list[Any]:
        """Write the best hypothesis for each row.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        list of lists of tokens, or of strings
            As the targets of ``fit`` were.
        """
        return [best[0].tokens for best in self.predict_hypotheses(X)]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Share of rows that are written exactly.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``

        Returns
        -------
        float
            For partial agreement see :func:`skrnn.metrics.bleu`.
        """
        require_target(self, y)
        true, written = read_tokens(y, "y"), read_tokens(self.predict(X), "predictions")
        check_consistent_length(written, true)
        exact = [a == b for a, b in zip(true, written, strict=True)]
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, np.zeros(len(exact)), dtype=np.float64)
        return float(np.average(exact, weights=weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags._skip_test = True  # scikit-learn's checks know no targets that are lists of tokens
        return tags


def _objects(tokens: tuple[Any, ...]) -> NDArray[Any]:
    cells = np.empty(len(tokens), dtype=object)
    cells[:] = tokens
    return cells
