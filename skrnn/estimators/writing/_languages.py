"""What a language model reads and tells: tokens of some level, or frames; what is read, as a corpus, and answers, as it came."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from ..._constraints import refusal
from ...data import ROWS, Corpus, Sequences, Vocabulary, give_steps
from ...engine import BPTT, resolve_rule
from ...training import BinaryCrossEntropy, CrossEntropy, Likelihood
from ..face._state import Fitted
from ._following import TextState
from ._texts import SPELLINGS, CutTexts, Spelling, as_corpus, given_vocabulary, learned, read_frames

Array = NDArray[np.float64]

_RAREST = 1e-3  # times as often as in a uniform text: what has never been seen


class VocabularyState:
    """The tokens that are known."""

    _vocabulary: Vocabulary
    _ends: bool

    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted("_vocabulary", "Vocabulary"),
        Fitted("vocabulary_", "ndarray", ("n_tokens",), "The tokens that are known, the most frequent first; none of frames.", derived=True),
        Fitted("_ends", "bool"),
    )


@dataclass(frozen=True)
class Reading:
    """A corpus; what gives rows for each of its places in the user's container; whether it is a single text, and its characters."""

    corpus: Corpus
    give: Callable[[NDArray[Any]], Any]
    single: bool
    n_chars: int = 0


class Language(ABC):
    """What is read and told.

    Attributes
    ----------
    n_outputs : int
        Tokens, the unknown and the end among them, or features of a frame.
    of_frames : bool
        Whether it is frames, and no tokens.
    """

    n_outputs: int
    of_frames: ClassVar[bool] = False

    @abstractmethod
    def read(self, X: Any, name: str = "X", *, ends: bool = False, empty: bool = False) -> Reading:
        """Texts as a corpus; ``ends`` tells whether their ends are to be told, if that is learned, ``empty`` whether they may have no token."""

    @abstractmethod
    def nothing(self) -> Reading:
        """A text without a token."""

    @abstractmethod
    def objective(self, corpus: Corpus) -> Likelihood:
        """The loss, and how often each token comes."""

    @abstractmethod
    def stops(self, stop: Any) -> list[list[int]]:
        """The ids of what texts end with: of the end, and of one or several stops of a token or more."""

    @property
    def unknown(self) -> int | None:
        """The id of the unknown; ``None`` where there is none."""
        return None

    @abstractmethod
    def written(self, rows: NDArray[Any], cut: Callable[[list[int]], list[int]]) -> list[Any]:
        """Texts of ids (n_texts, n_steps, 1), each up to its end, or of frames (n_texts, n_steps, n_features)."""

    def from_state(self, reading: Reading, state: Any) -> Reading:
        """The same texts, which go on from those before."""
        if state is None:
            return reading
        if not isinstance(state, TextState):
            raise TypeError(f"state must be what an earlier call with return_state=True gave; got {type(state).__name__}")
        if np.shape(state.before) != np.shape(reading.corpus.before):
            raise ValueError(f"state is of {len(state.before)} texts; X holds {len(reading.corpus)}")
        return replace(reading, corpus=replace(reading.corpus, before=state.before))


@dataclass(frozen=True)
class OfTokens(Language):
    """Tokens that have an id, in the order of the vocabulary; behind them the unknown and the end, where there are such."""

    spelling: Spelling
    vocabulary: Vocabulary
    has_unknown: bool
    has_end: bool

    @property
    def n_outputs(self) -> int:  # type: ignore[override]
        return len(self.vocabulary) + self.has_unknown + self.has_end

    @property
    def unknown(self) -> int | None:
        return len(self.vocabulary) if self.has_unknown else None

    @property
    def end(self) -> int | None:
        """The id of the end."""
        return self.n_outputs - 1 if self.has_end else None

    def read(self, X: Any, name: str = "X", *, ends: bool = False, empty: bool = False) -> Reading:
        return self.of(self.spelling.read(X, name, empty=empty), name, ends=ends)

    def of(self, tokens: CutTexts, name: str, *, ends: bool = False) -> Reading:
        """Texts that are cut into tokens."""
        corpus = as_corpus(tokens, self.spelling, self.vocabulary, self.unknown, self.n_outputs, name)
        corpus = replace(corpus, end=self.end if ends else None)
        borders = np.cumsum(corpus.lengths)[:-1]
        return Reading(corpus, lambda rows: rows if tokens.single else np.split(rows, borders), tokens.single, tokens.n_chars)

    def nothing(self) -> Reading:
        return Reading(Corpus(np.zeros(0, np.int64), np.zeros(2, np.int64), np.full(1, self.n_outputs)), lambda rows: rows, single=True)

    def objective(self, corpus: Corpus) -> Likelihood:
        shares = corpus.shares(self.n_outputs).clip(_RAREST / self.n_outputs)
        return Likelihood(CrossEntropy(self.n_outputs), torch.from_numpy(np.log(shares)))

    def stops(self, stop: Any) -> list[list[int]]:
        ends = [] if self.end is None else [[self.end]]
        if stop is None:
            return ends
        several = list(stop) if isinstance(stop, list | tuple) else [stop]
        if self.spelling is SPELLINGS["token"]:
            several = [one if isinstance(one, list | tuple) else [one] for one in several]
        corpus = self.of(self.spelling.read(several, "stop"), "stop").corpus
        ends += [corpus.ids(np.arange(low, high)).tolist() for low, high in pairwise(corpus.offsets.tolist())]
        return ends

    def written(self, rows: NDArray[Any], cut: Callable[[list[int]], list[int]]) -> list[Any]:
        return [self.spelling.spell([self.vocabulary.tokens[k] for k in cut(ids)]) for ids in rows[..., 0].tolist()]


@dataclass(frozen=True)
class OfFrames(Language):
    """Frames of zeros and ones, which are compared with those of the fit of ``model``; before the first stand zeros."""

    n_outputs: int
    model: Any
    of_frames: ClassVar[bool] = True

    def read(self, X: Any, name: str = "X", *, ends: bool = False, empty: bool = False) -> Reading:
        return self.of(*read_frames(self.model, X, reset=False))

    def of(self, sequences: Sequences, layout: Any) -> Reading:
        """Sequences, and the container that they came in."""
        corpus = Corpus(sequences.values, sequences.offsets, np.zeros((len(sequences), self.n_outputs), sequences.values.dtype))
        return Reading(corpus, lambda rows: give_steps(rows, sequences, layout), layout == ROWS)

    def nothing(self) -> Reading:
        none = np.zeros((1, self.n_outputs))
        return Reading(Corpus(none[:0], np.zeros(2, np.int64), none), lambda rows: rows, single=True)

    def objective(self, corpus: Corpus) -> Likelihood:
        shares = corpus.shares(self.n_outputs).clip(_RAREST, 1 - _RAREST)
        return Likelihood(BinaryCrossEntropy(), torch.from_numpy(np.log(shares / (1 - shares))))

    def stops(self, stop: Any) -> list[list[int]]:
        if stop is not None:
            raise ValueError(f"stop is for texts of tokens; got {stop!r} with level='binary'")
        return []

    def written(self, rows: NDArray[Any], cut: Callable[[list[int]], list[int]]) -> list[Any]:
        return list(rows)


def language_of(model: Any) -> Language:
    """What a fitted estimator reads."""
    if model.level == "binary":
        return OfFrames(model.n_features_in_, model)
    return OfTokens(SPELLINGS[model.level], model._vocabulary, model.handle_unknown == "use", model._ends)


def gone_on(model: Any, X: Any) -> Reading:
    """More texts, from which an estimator learns with the vocabulary that it has."""
    language = language_of(model)
    if isinstance(language, OfTokens) and model.vocabulary is not None:
        told = given_vocabulary(model.vocabulary, language.spelling)
        if told.tokens != language.vocabulary.tokens:
            raise ValueError("vocabulary is not that of the first fit, to which training goes on; use warm_start=False and fit")
    return language.read(X, ends=True)


def begun(model: Any, X: Any) -> Reading:
    """X, from which an estimator learns what there is to read and tell."""
    check_settings(model)
    model.mean_, model.scale_ = np.zeros(1), np.ones(1)
    if model.level == "binary":
        model._ends = False
        sequences, layout = read_frames(model, X, reset=True)
        model.mean_, model.scale_ = np.zeros(sequences.n_features), np.ones(sequences.n_features)
        return OfFrames(sequences.n_features, model).of(sequences, layout)
    spelling = SPELLINGS[model.level]
    tokens = spelling.read(X, "X")
    if not tokens.single and len(tokens.lengths) > 1 and tokens.n_chars == len(tokens.lengths):
        raise ValueError(
            f"X holds {len(tokens.lengths)} texts of one character: nothing comes after it. A single text cannot be split by indices, as a search "
            "does: cut it into a list of texts"
        )
    model._ends = not tokens.single if model.end_of_text == "auto" else model.end_of_text
    model._vocabulary = learned(tokens, spelling, model.vocabulary, model.min_frequency)
    model._n_channels = model.n_features_in_ = 1
    language = language_of(model)
    assert isinstance(language, OfTokens)
    return language.of(tokens, "X", ends=True)


def check_settings(model: Any) -> None:
    """Refuse settings that contradict each other."""
    if not isinstance(resolve_rule(model.rule), BPTT):
        raise refusal(model, "rule", "'bptt' or a skrnn.engine.BPTT: streams go on from piece to piece by themselves (bptt_steps)")
    if model.min_frequency > 1 and model.handle_unknown == "error":
        raise refusal(model, "min_frequency", "1 with handle_unknown='error', which has no place for the tokens that are rarer")
    if model.tie_weights:
        if model.level == "binary":
            raise refusal(model, "tie_weights", "False with level='binary', where there are no vectors of tokens")
        if model.embedding_size not in (None, model.hidden_size):
            raise refusal(model, "embedding_size", f"None or hidden_size={model.hidden_size} with tie_weights=True")
        if model.softmax == "adaptive":
            raise refusal(model, "softmax", "'auto' or 'full' with tie_weights=True")
    if model.level == "binary":
        for name, plain in (("vocabulary", None), ("embedding_size", None), ("end_of_text", "auto")):
            if model.get_params(deep=False)[name] not in (plain, False):
                raise refusal(model, name, f"{plain!r} with level='binary', where there are no tokens")
