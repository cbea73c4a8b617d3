"""A sequence of tokens from a vector."""

from __future__ import annotations

from typing import Any, ClassVar

from ._decoding import ReadsVectors
from ._parameters import parameters
from ._vocabulary import Vocabulary
from ._writes_tokens import BaseTokens


@parameters
class RNNCaptioner(ReadsVectors, BaseTokens):
    """Describe a vector by a sequence of tokens: a decoder that starts from features (Vinyals et al., 2015; Karpathy & Fei-Fei, 2015).

    For captions of pictures whose features another model has made, names of points, words for measurements. For numbers in place of tokens there is
    :class:`Vec2SeqRegressor`, for a source that is a sequence :class:`Seq2SeqTranslator`.

    Parameters
    ----------
    <shared parameters>

    Attributes
    ----------
    network_ : skrnn.networks.Seq2Seq
        The trained torch module; its outputs are log odds of tokens.
    vocabulary_ : ndarray of shape (n_tokens,)
        The tokens that can be written, the most frequent first.
    loss_curve_ : list of float
        Mean cross entropy of the tokens and the end, in nats, in each epoch.
    <shared attributes>

    Notes
    -----
    ::

        s(0) = tanh(V x + b)                                             context="init" or "both"
        s(k) = cell([embedding of y(k-1); x], s(k-1))                    x beside every input: context="every" or "both"
        P(y(k)) = softmax(W s(k) + d)                                    y(0) is the begin

    x is a row of X, standardised. y holds lists of tokens, or strings, whose tokens are their characters.

    References
    ----------
    O. Vinyals, A. Toshev, S. Bengio, D. Erhan, "Show and tell: a neural image caption generator", CVPR 2015; differs from the paper in that the
    features make the first state, where they are the first input there.
    A. Karpathy, L. Fei-Fei, "Deep visual-semantic alignments for generating image descriptions", CVPR 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNCaptioner
    >>> X = np.random.default_rng(0).uniform(-1, 1, size=(300, 2))
    >>> y = [["lower" if b < 0 else "upper", "left" if a < 0 else "right"] for a, b in X]
    >>> model = RNNCaptioner(hidden_size=16, max_epochs=30, random_state=0).fit(X[:200], y[:200])
    >>> model.score(X[200:], y[200:]) > 0.8
    True
    """

    handle_unknown: ClassVar[str] = "use"  # type: ignore[misc]
    shared_vocabulary: ClassVar[bool] = False  # type: ignore[misc]
    coverage_penalty: ClassVar[float] = 0.0  # type: ignore[misc]

    def _learn(self, X: Any, y: list[tuple[Any, ...]]) -> None:
        self._vocabulary = Vocabulary.of(y, self.min_frequency)
