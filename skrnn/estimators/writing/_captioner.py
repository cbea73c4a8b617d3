"""A sequence of tokens from a vector."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from ..._bases import _fit_context
from ...frontends import TokenVectors
from ...networks import Regions, Seq2Seq, Tokens, Vector
from ..face._declared import parameters
from ..face._guards import require_target
from ..face._held_out import HELD_OUT
from ..face._readers import Vectors, VectorSets
from ..face._settings import Decayed, Recurrence, Stacked, Standardized
from ..face._trained import Trained
from ._decoder import decoder_network, follow_the_schedule, looking_of
from ._settings import Decoding, Looking, WritesTokens
from ._tokens import Hypothesis, TokenSequences, WrittenTokensState, best_of, hypotheses, looks_of_tokens, share_of_exact


@parameters
class RNNCaptioner(WritesTokens, Decayed, Decoding, Looking, Trained, Standardized, Stacked, Recurrence, WrittenTokensState):
    """Describe a vector, or several, by a sequence of tokens (Vinyals et al., 2015; Karpathy & Fei-Fei, 2015; Xu et al., 2015).

    For captions of pictures whose features another model has made, names of points, words for measurements. With ``attention`` each token is written
    while looking at one of several vectors: the features of a picture's regions. For numbers in place of tokens there is :class:`Vec2SeqRegressor`,
    for a source that is a sequence :class:`Seq2SeqTranslator`.

    Notes
    -----
    ::

        s(0) = tanh(V x + b)                                             context="init" or "both"
        s(k) = cell([embedding of y(k-1); x], s(k-1))                    x beside every input: context="every" or "both"
        P(y(k)) = softmax(W s(k) + d)                                    y(0) is the begin

    x is a row of X, standardised; with attention the mean of its regions, at which each step looks by the equations of
    :class:`skrnn.networks.Attending`. Regions have no order: where they lie must be among their features, if it matters.
    y holds lists of tokens, or strings, whose tokens are their characters.

    References
    ----------
    O. Vinyals, A. Toshev, S. Bengio, D. Erhan, "Show and tell: a neural image caption generator", CVPR 2015; differs from the paper in that the
    features make the first state, where they are the first input there.
    K. Xu et al., "Show, attend and tell: neural image caption generation with visual attention", ICML 2015; the soft attention; differs
    from the paper in the score and the last layer, which are those of :class:`skrnn.networks.Attending`, and has no gate on what is looked at.
    A. Karpathy, L. Fei-Fei, "Deep visual-semantic alignments for generating image descriptions", CVPR 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNCaptioner
    >>> X = np.random.default_rng(0).uniform(-1, 1, size=(300, 2))
    >>> y = [
    ...     ["lower" if b < 0 else "upper", "left" if a < 0 else "right"]
    ...     for a, b in X
    ... ]
    >>> model = RNNCaptioner(
    ...     hidden_size=16, max_epochs=30, random_state=0
    ... ).fit(X[:200], y[:200])
    >>> model.score(X[200:], y[200:]) > 0.8
    True
    """

    context: str = "both"

    __metadata_request__fit = HELD_OUT

    def _reader(self) -> Vectors | VectorSets:
        several = "; attention='bahdanau' looks at several vectors for each sample"
        return Vectors(self.dtype, self.standardize, hint=several) if self.attention is None else VectorSets(self.dtype, self.standardize)

    def _target(self) -> TokenSequences:
        return TokenSequences(self, self.min_frequency)

    def _assemble(self, bias: torch.Tensor, generator: torch.Generator) -> Seq2Seq:
        feedback = Tokens(TokenVectors(len(self._vocabulary), self.embedding_size, generator))
        encoder = Vector(len(self.mean_)) if self.attention is None else Regions(len(self.mean_))
        return decoder_network(self, encoder, feedback, bias, generator, **looking_of(self))

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, X_val: Any = None, y_val: Any = None) -> Self:
        """Train on pairs of what is read and what should be written.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features); with attention (n_samples, n_regions, n_features), or list of arrays (n_regions, n_features)
            What is read.
        y : list of n_sequences lists of tokens, or of strings, whose tokens are their characters
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
        return hypotheses(self._predictor(), X)

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
        """How much each written token looks at each region.

        Parameters
        ----------
        X : as in ``fit``
        y : as in ``fit``, default=None
            What is written; ``None`` is what ``predict`` writes.

        Returns
        -------
        list of ndarray of shape (n_tokens, n_regions)
            For each sample; rows of the weights sum to 1. What the end looks at is left out.

        Raises
        ------
        ValueError
            With ``attention=None``.
        """
        return looks_of_tokens(self._predictor(), X, self.predict(X) if y is None else y)

    @property
    def vocabulary_(self) -> NDArray[Any]:
        """The tokens that can be written, the most frequent first."""
        check_is_fitted(self)
        return self._vocabulary.as_objects()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags._skip_test = True  # scikit-learn's checks know no targets that are lists of tokens
        return tags
