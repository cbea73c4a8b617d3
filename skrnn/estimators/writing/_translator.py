"""One sequence of tokens from another."""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from ..data import Sequences
from ..networks import Embedding, Encoder
from ._guards import device_of
from ._parameters import parameters
from ._vocabulary import Vocabulary, read_tokens
from ._writes_tokens import BaseTokens


@parameters
class Seq2SeqTranslator(BaseTokens):
    """Turn one sequence of tokens into another: words, characters, anything (Sutskever et al., 2014; Bahdanau et al., 2015).

    For translation, spelling, formats, formulas: whatever is a sequence of symbols on both sides, of different lengths. Rows may be lists of tokens
    (strings, whole numbers, …) or strings, whose tokens are their characters. The default looks at the source by Bahdanau's attention.

    Parameters
    ----------
    <shared parameters>

    Attributes
    ----------
    network_ : skrnn.networks.Seq2Seq
        The trained torch module; its outputs are log odds of tokens.
    vocabulary_, source_vocabulary_ : ndarray of shape (n_tokens,)
        The tokens that can be written, and read; the most frequent first.
    loss_curve_ : list of float
        Mean cross entropy of the tokens and the end, in nats, in each epoch.
    <shared attributes>

    Notes
    -----
    ::

        h(1), …, h(T) = layers of cells over the embeddings of x(1), …, x(T)
        s(k) = decoder(embedding of y(k-1), s(k-1)), which looks at h(1), …, h(T)          y(0) is the begin
        P(y(k)) = softmax(W s(k) + d)

    The equations of attention stand at :class:`skrnn.networks.Attending`, those of the search at :class:`skrnn.engine.BeamSearch`. The end is in
    the loss and is scored; the unknown token and the begin are never written. Tokens that were not seen in ``fit`` are read as the unknown token,
    which has learnt something only if ``min_frequency`` left tokens out; ``handle_unknown="error"`` refuses them. Held-out pairs are scored by their
    cross entropy with the teacher. A beam of one is greedy, whatever the penalties.

    References
    ----------
    I. Sutskever, O. Vinyals, Q. V. Le, "Sequence to sequence learning with neural networks", NIPS 2014.
    D. Bahdanau, K. Cho, Y. Bengio, "Neural machine translation by jointly learning to align and translate", ICLR 2015.
    Y. Wu et al., "Google's neural machine translation system", 2016, arXiv:1609.08144.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import Seq2SeqTranslator
    >>> rng = np.random.default_rng(0)
    >>> X = ["".join(rng.choice(list("abc"), size=n)) for n in rng.integers(2, 5, size=300)]
    >>> y = [x.upper() for x in X]
    >>> model = Seq2SeqTranslator(hidden_size=16, max_epochs=20, random_state=0).fit(X[:250], y[:250])
    >>> model.score(X[250:], y[250:]) > 0.9
    True
    """

    _: KW_ONLY
    attention: str | None = "bahdanau"
    standardize: ClassVar[bool] = False  # type: ignore[misc]  # ids are no quantities

    def _learn(self, X: Any, y: list[tuple[Any, ...]]) -> None:
        sources = read_tokens(X, "X")
        of_source = [*sources, *y] if self.shared_vocabulary else sources
        self._source_vocabulary = Vocabulary.of(of_source, self.min_frequency)
        self._vocabulary = self._source_vocabulary if self.shared_vocabulary else Vocabulary.of(y, self.min_frequency)
        self._n_channels = self.n_features_in_ = 1

    def _read(self, X: Any, *, reset: bool) -> Sequences:
        return self._source_vocabulary.encode(read_tokens(X, "X"), "X", strict=self.handle_unknown == "error" and not reset)

    def _encoder(self, generator: torch.Generator) -> Encoder:
        embedding = Embedding(len(self._source_vocabulary), self.embedding_size, generator)
        return Encoder(self._recurrent(self.embedding_size, generator), embedding=embedding, reverse=self.reverse_source)

    @property
    def source_vocabulary_(self) -> NDArray[Any]:
        """The tokens that can be read, the most frequent first."""
        check_is_fitted(self)
        return np.array(self._source_vocabulary.tokens, dtype=object)

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
        check_is_fitted(self)
        sequences = self._read(X, reset=False)
        targets = self._targets(self.predict(X) if y is None else y, reset=False)
        teacher = torch.tensor(targets.values, dtype=getattr(torch, self.dtype), device=device_of(self))
        return [weights[:-1] for weights in self._attended(sequences, targets.offsets, teacher)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = False
        tags.input_tags.string = True
        return tags
