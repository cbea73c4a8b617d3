"""One sequence of tokens from another."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from ..._bases import _fit_context
from ...data import UNKNOWN, Categories, read_tokens
from ...frontends import Embedding, TokenVectors
from ...networks import Encoder, Seq2Seq, Tokens
from ..face._declared import parameters
from ..face._guards import require_target
from ..face._held_out import HELD_OUT
from ..face._settings import Decayed, Directed, Recurrence, Stacked
from ..face._trained import Trained, recurrent_layers
from ._decoder import attending_network, follow_the_schedule
from ._settings import Decoding, Looking, ReadsTokens, SourceSteps, WritesTokens
from ._tokens import (
    Hypothesis,
    ReadTokensState,
    SourceTokens,
    TokenSequences,
    WrittenTokensState,
    best_of,
    hypotheses,
    looks_of_tokens,
    share_of_exact,
)


@parameters
class Seq2SeqTranslator(
    ReadsTokens,
    WritesTokens,
    Decayed,
    Decoding,
    Looking,
    SourceSteps,
    Trained,
    Directed,
    Stacked,
    Recurrence,
    ReadTokensState,
    WrittenTokensState,
):
    """Turn one sequence of tokens into another: words, characters, anything (Sutskever et al., 2014; Bahdanau et al., 2015).

    For translation, spelling, formats, formulas: whatever is a sequence of symbols on both sides, of different lengths. Rows may be lists of tokens
    (strings, whole numbers, …) or strings, whose tokens are their characters. The default looks at the source by Bahdanau's attention.

    Notes
    -----
    ::

        h(1), …, h(T) = layers of cells over the embeddings of x(1), …, x(T)
        s(k) = decoder(embedding of y(k-1), s(k-1)), which looks at h(1), …, h(T)          y(0) is the begin
        P(y(k)) = softmax(W s(k) + d)
        with copy=True:  P(y(k) = w) = p(k) softmax(W s(k) + d)(w) + (1 − p(k)) Σ_{j: x(j) = w} a_j(k)          p(k) = σ(v s(k) + b)

    The equations of attention, whose weights are a_j(k), stand at :class:`skrnn.networks.Attending`, those of copying at
    :class:`skrnn.networks.PointerGenerator`, those of the search at :class:`skrnn.engine.BeamSearch`. The end is in the loss and is scored; the
    unknown token and the begin are never written. Tokens that were not seen in ``fit`` are read as the unknown token, which has learnt something only
    if ``min_frequency`` left tokens out; a row of nothing else warns, and ``handle_unknown="error"`` refuses them. Held-out pairs are scored by their
    cross entropy with the teacher. A beam of one is greedy, whatever the penalties.

    With ``copy=True`` every token of a source can be written; one that is in no vocabulary is fed back as the unknown token, and sources of nothing
    else do not warn. A token of a target that stands neither in the vocabulary nor in its source is the unknown token for the loss.

    References
    ----------
    I. Sutskever, O. Vinyals, Q. V. Le, "Sequence to sequence learning with neural networks", NIPS 2014.
    D. Bahdanau, K. Cho, Y. Bengio, "Neural machine translation by jointly learning to align and translate", ICLR 2015.
    J. Gu, Z. Lu, H. Li, V. O. K. Li, "Incorporating copying mechanism in sequence-to-sequence learning", ACL 2016.
    A. See, P. J. Liu, C. D. Manning, "Get to the point: summarization with pointer-generator networks", ACL 2017.
    Y. Wu et al., "Google's neural machine translation system", 2016, arXiv:1609.08144.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import Seq2SeqTranslator
    >>> rng = np.random.default_rng(0)
    >>> X = [
    ...     "".join(rng.choice(list("abc"), size=n))
    ...     for n in rng.integers(2, 5, size=300)
    ... ]
    >>> y = [x.upper() for x in X]
    >>> model = Seq2SeqTranslator(
    ...     hidden_size=16, max_epochs=20, random_state=0
    ... ).fit(X[:250], y[:250])
    >>> model.score(X[250:], y[250:]) > 0.9
    True
    """

    attention: str | None = "bahdanau"

    __metadata_request__fit = HELD_OUT

    def _reader(self) -> SourceTokens:
        return SourceTokens(self.dtype, False, self.min_frequency, self.handle_unknown == "error", self.shared_vocabulary, self.copy)

    def _target(self) -> TokenSequences:
        return TokenSequences(self, self.min_frequency, self.shared_vocabulary, self.copy)

    def _assemble(self, bias: torch.Tensor, generator: torch.Generator) -> Seq2Seq:
        frontend = Embedding(self.embedding_size).build(1, generator, Categories.numbered(len(self._source_vocabulary)))
        encoder = Encoder(recurrent_layers(self, self.embedding_size, generator), frontend=frontend, reverse=self.reverse_source)
        written = frontend.vectors if self.shared_vocabulary else TokenVectors(len(self._vocabulary), self.embedding_size, generator)
        return attending_network(self, encoder, Tokens(written, UNKNOWN if self.copy else None), bias, generator, copy=self.copy)

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, X_val: Any = None, y_val: Any = None) -> Self:
        """Train on pairs of what is read and what should be written.

        Parameters
        ----------
        X : list of n_sequences lists of tokens, or of strings, whose tokens are their characters; or a frame of one column of them
            What is read.
        y : list of n_sequences lists of tokens, or of strings, whose tokens are their characters; or a frame of one column of them
            What should be written.
        sample_weight : array-like of shape (n_sequences,), default=None
            How much each pair counts.
        X_val, y_val : as X and y, default=None
            Pairs for early stopping.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X, y or a parameter is not as described; the message names it, and the estimator is unchanged.
        TypeError
            If X or y is no container of what is described.
        skrnn.training.DivergenceError
            If the loss becomes infinite or NaN again and again.
        """
        follow_the_schedule(self)
        return self._fit(X, y, sample_weight, (X_val, y_val))

    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one pass over some pairs, at the constant learning rate; the first call fixes scales and vocabularies.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``

        Returns
        -------
        self
        """
        follow_the_schedule(self)
        return self._one_pass(X, y, sample_weight)

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
        predictor = self._predictor()
        if not predictor.model.copy:
            return hypotheses(predictor, X, self.coverage_penalty)
        rows = read_tokens(X, "X")
        return hypotheses(predictor, rows, self.coverage_penalty, self._vocabulary.strangers(rows))

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
        return best_of(self.predict_hypotheses(X))

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
        return share_of_exact(y, self.predict(X), sample_weight)

    def attention_weights(self, X: Any, y: Any = None) -> list[NDArray[np.float64]]:
        """How much each written token looks at each token of the source.

        Parameters
        ----------
        X : as in ``fit``
        y : as in ``fit``, default=None
            What is written; ``None`` is what ``predict`` writes.

        Returns
        -------
        list of ndarray of shape (n_target_tokens, n_source_tokens)
            For each row; rows of the weights sum to 1. What the end looks at is left out.
        """
        return looks_of_tokens(self._predictor(), X, self.predict(X) if y is None else y)

    @property
    def vocabulary_(self) -> NDArray[Any]:
        """The tokens that can be written, the most frequent first."""
        check_is_fitted(self)
        return self._vocabulary.as_objects()

    @property
    def source_vocabulary_(self) -> NDArray[Any]:
        """The tokens that can be read, the most frequent first."""
        check_is_fitted(self)
        return self._source_vocabulary.as_objects()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags._skip_test = True  # scikit-learn's checks know no targets that are lists of tokens
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = False
        tags.input_tags.string = True
        return tags
