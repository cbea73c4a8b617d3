"""Tokens that are read, and tokens that are written up to an end that the decoder finds itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import _check_sample_weight
from torch import Tensor

from ...cells import State
from ...data import (
    BEGIN,
    END,
    UNKNOWN,
    RowList,
    Sequences,
    StepRows,
    TokenRow,
    Vocabulary,
    all_strings,
    read_tokens,
    rows_of_texts,
    warn_of_strangers,
)
from ...engine import BeamSearch, Hypotheses
from ...training import Batches, CrossEntropy, Data, Objective, Pairs
from ..face._guards import predicting
from ..face._held_out import Part, speaking_of
from ..face._predictor import Predictor
from ..face._readers import Given, Reader, RowReader, read_pair
from ..face._state import Fitted
from ..face._targets import Target
from ._decoder import looks, written_data

Array = NDArray[np.float64]

_RESERVED = 3  # ids before those of tokens: unknown, begin, end


class Hypothesis(NamedTuple):
    """What might be written, and its score: the logarithm of its probability, with the penalties."""

    tokens: Any
    score: float


class WrittenRows(NamedTuple):
    """Rows of tokens, whether they are joined to strings, and what each could copy that no vocabulary has; ``None``: nothing is copied."""

    rows: list[TokenRow]
    joined: bool
    strangers: list[TokenRow] | None = None


class ReadTokensState:
    """The tokens that can be read."""

    _source_vocabulary: Vocabulary

    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted("_source_vocabulary", "Vocabulary"),
        Fitted("source_vocabulary_", "ndarray", ("n_tokens",), "The tokens that can be read, the most frequent first.", derived=True),
    )


class WrittenTokensState:
    """The tokens that can be written."""

    _vocabulary: Vocabulary
    _joins: bool
    _longest: int

    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted("_vocabulary", "Vocabulary"),
        Fitted("vocabulary_", "ndarray", ("n_tokens",), "The tokens that can be written, the most frequent first.", derived=True),
        Fitted("_joins", "bool"),
        Fitted("_longest", "int"),
    )


@dataclass(frozen=True)
class SourceTokens(RowReader):
    """A row of tokens for each answer; their ids are one channel, and those among what can be written a second one, if they are copied.

    Parameters
    ----------
    min_frequency : int
    refuse_unknown : bool
        Whether tokens that were not seen in ``fit`` are an error.
    shared : bool
        Whether the vocabulary is that of the targets too.
    copied : bool
        Whether tokens can be copied into the targets.
    """

    min_frequency: int = 1
    refuse_unknown: bool = False
    shared: bool = False
    copied: bool = False

    def pair(self, model: Any, X: Any, y: Any, target: Any, *, reset: bool, names: tuple[str, str] = ("", "")) -> tuple[Given, Any]:
        X, y = (list(rows) if isinstance(rows, Iterator) else rows for rows in (X, y))  # they are gone through more than once
        if reset:
            sources, written = read_tokens(X, "X"), read_tokens(y, "y") if self.shared else []
            model._source_vocabulary = Vocabulary.of([*sources, *written], self.min_frequency, _RESERVED, may_be_empty=self.copied)
            model._n_channels = model.n_features_in_ = 1
        if not self.copied:
            return read_pair(self, model, X, y, target, reset=reset, names=names)
        if reset:
            model._vocabulary = target.vocabulary_of(read_tokens(y, "y"))  # what is not in it is copied from X
        with speaking_of(names[0]):
            X = read_tokens(X, "X")
        given, read = read_pair(self, model, X, y, target, reset=reset, names=names)
        return given, read._replace(strangers=model._vocabulary.strangers(X))

    def read(self, model: Any, X: Any, *, reset: bool) -> Given:
        strict, rows = self.refuse_unknown and not reset, read_tokens(X, "X")
        sequences = model._source_vocabulary.encode(rows, "X", strict=strict)
        if self.copied:
            ids = model._vocabulary.encode(rows, "X", beside=model._vocabulary.strangers(rows))
            sequences = sequences.with_values(np.hstack([sequences.values, ids.values]))
        elif not reset and self.min_frequency == 1:  # else the unknown token has learnt something
            warn_of_strangers(sequences.values[:, 0] == UNKNOWN, sequences.offsets, "X")
        return Given(sequences, "list")

    def scales(self, sequences: Sequences, weight: Array | None) -> tuple[Array, Array]:
        return np.zeros(1), np.ones(1)  # ids have no units


@dataclass
class TokenSequences(Target, WrittenTokensState):
    """Sequences of tokens; what is written are strings if all targets were.

    Parameters
    ----------
    model : estimator
    min_frequency : int
    shared : bool
        Whether the vocabulary is that of the sources.
    copied : bool
        Whether tokens of the sources can be copied.
    """

    model: Any
    min_frequency: int = 1
    shared: bool = False
    copied: bool = False

    def read(self, y: Any, given: Given, reader: Reader) -> WrittenRows:
        y = rows_of_texts(y, "y")
        rows = read_tokens(y, "y")
        check_consistent_length(given.sequences, rows)
        return WrittenRows(rows, all_strings(y))

    def weigh(self, y: Any, weight: Array | None) -> Array | None:
        return weight

    def learn(self, y: WrittenRows, weight: Array | None, classes: Any = None) -> None:
        self._joins = y.joined
        self._longest = max(map(len, y.rows))
        self._vocabulary = self.vocabulary_of(y.rows)

    def learn_more(self, y: WrittenRows) -> None:
        self._longest = max(self._longest, *map(len, y.rows))

    def vocabulary_of(self, rows: list[TokenRow]) -> Vocabulary:
        """What can be written where ``rows`` were."""
        if self.shared:
            return self.model._source_vocabulary
        return Vocabulary.of(rows, self.min_frequency, _RESERVED, may_be_empty=self.copied)

    def encode(self, y: WrittenRows) -> StepRows:
        ids = self._vocabulary.encode(y.rows, "y", end=True, beside=y.strangers)
        return StepRows(ids.values[:, 0].astype(np.int64), ids.offsets)

    @property
    def objective(self) -> Objective:
        return CrossEntropy(len(self._vocabulary), UNKNOWN)

    def strata(self, encoded: StepRows) -> None:
        return None

    def data(self, part: Part, source: Batches, *, taught: bool = True) -> Data:
        """The teacher is asked in held-out pairs too: their cross entropy is that of each token, given the true ones before."""
        return written_data(part, source, self.first(len(part.sequences)), taught=True)

    def first(self, n: int) -> Tensor:
        """What stands for the output before the first step: the begin."""
        return torch.full((n, 1), float(BEGIN))

    def most_steps(self, max_steps: int | None) -> int:
        """Steps after which a hypothesis ends, the end counted."""
        return 1 + (2 * max(self._longest, 1) if max_steps is None else max_steps)

    def decode(self, outputs: Any, strangers: TokenRow = ()) -> Any:
        tokens = self._vocabulary.decode(outputs, strangers)
        return "".join(map(str, tokens)) if self._joins else tokens


def hypotheses(
    predictor: Predictor[TokenSequences], X: Any, coverage_penalty: float = 0.0, strangers: list[TokenRow] | None = None
) -> list[list[Hypothesis]]:
    """What might be written for each row, the best first; ``strangers`` are what each row could copy that no vocabulary has."""
    model, network, target = predictor.model, predictor.network, predictor.target
    given = predictor.read(X)
    if coverage_penalty and network.attention is None:
        raise ValueError(f"coverage_penalty={coverage_penalty} needs attention, which tells what has been looked at; got attention=None")
    search = BeamSearch(model.beam_width, model.length_penalty, coverage_penalty)
    found: list[list[Hypothesis]] = [[] for _ in range(len(given.sequences))]
    with predicting(model):
        pairs = Pairs.of_steps(predictor.source(given.sequences), np.arange(len(found) + 1), target.first(len(found)))
        for index, best in _searched(network, pairs, search, target.most_steps(model.max_steps)):
            parts = (part.cpu().tolist() for part in best)
            for i, scores, tokens, lengths in zip(index.tolist(), *parts, strict=True):
                every = zip(scores, tokens, lengths, strict=True)
                more = () if strangers is None else strangers[i]
                found[i] = [Hypothesis(target.decode(ids[:n], more), score) for score, ids, n in every if score > -np.inf]
    return found


def _searched(network: Any, pairs: Any, search: BeamSearch, n_steps: int) -> Iterator[tuple[NDArray[np.int64], Hypotheses]]:
    """The best hypotheses for the sources of one chunk after the other."""
    for index in pairs.chunks():
        pair = pairs.packed(index)
        states, inputs = network.start(pair)
        beside = inputs.repeat_interleave(search.width, 0)

        def advance(fed: Tensor, states: State, beside: Tensor = beside) -> tuple[Tensor, State]:
            outputs, states = network.step(torch.cat([beside, fed], -1), states)
            outputs[:, :END] = -torch.inf  # neither unknown nor begin are written
            return network.log_probabilities(outputs), states

        looked_at = None if network.attention is None else network.coverage
        yield index, search(advance, states, pair.first, n_steps, END, pick=network.pick, coverage=looked_at)


def looks_of_tokens(predictor: Predictor[TokenSequences], X: Any, y: Any) -> list[Array]:
    """For each row the weights of attention (n_target_tokens, n_source_steps) while y is written; what the end looks at is left out."""
    given, wanted, _ = predictor.compared(X, y)
    written = predictor.target.encode(wanted)
    teacher = of_teacher(written, predictor.source(given.sequences))
    return [weights[:-1] for weights in looks(predictor, given, written.offsets, teacher)]


def best_of(found: list[list[Hypothesis]]) -> list[Any]:
    """The best hypothesis for each row: strings, or lists that scikit-learn can put together from parts."""
    rows = [best[0].tokens for best in found]
    return rows if all(isinstance(row, str) for row in rows) else RowList(rows)


def share_of_exact(y: Any, written: Any, sample_weight: Any) -> float:
    """Weighted share of the rows that are written exactly."""
    true, given = read_tokens(y, "y"), read_tokens(written, "predictions")
    check_consistent_length(given, true)
    exact = [a == b for a, b in zip(true, given, strict=True)]
    weight = None if sample_weight is None else _check_sample_weight(sample_weight, np.zeros(len(exact)), dtype=np.float64)
    return float(np.average(exact, weights=weight))


def of_teacher(targets: StepRows, like: Batches) -> Tensor:
    """Ids as a decoder is told them."""
    return torch.from_numpy(targets.values[:, None]).to(like.device, like.dtype)
