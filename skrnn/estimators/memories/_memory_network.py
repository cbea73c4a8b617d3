"""One class for each story and question."""

from __future__ import annotations

from dataclasses import field
from math import ceil
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from ..._bases import ClassifierMixin, _fit_context
from ...engine import Rule
from ...networks import TYINGS, MemoryNetwork
from ..face._declared import parameters
from ..face._held_out import HELD_OUT
from ..face._settings import ClassWeighted, Decayed, Restarted
from ..face._state import ClassState
from ..face._targets import Classes, told_classes
from ..face._trained import Trained
from ._stories import FoundClasses, Stories, StoryState, asked, looks_at_stories

KEYS = {"keys": True}  # where scikit-learn routes metadata, they reach every method without being asked for


@parameters
class MemoryNetworkClassifier(ClassifierMixin, ClassWeighted, Decayed, Trained, Restarted, ClassState, StoryState):
    """Answer questions about stories by looking at their sentences again and again (Sukhbaatar et al., 2015).

    For answers that follow from a few of many sentences, or facts of any kind, which the question alone does not name: where the apple is follows
    from who took it, and where they went then. The sentences stay apart in a memory; each hop finds some of them by what is known so far, and adds
    what they say. A network that reads the story as one sequence of words has to keep all that might be asked for. The answer is one of some classes,
    or a set of labels.

    Parameters
    ----------
    n_hops : int, default=3
        How often the story is looked at: as often as one fact leads to the next, at least.
    embedding_size : int, default=20
        Size of the vectors of words, sentences and what is known; more can tell more words apart, and learns small training sets by heart.
    memory_size : int or None, default=50
        How many of the last sentences of a story are remembered; ``None``: all.
    position_encoding : bool, default=True
        Whether the places of words in a sentence count; ``False`` makes a sentence a bag of words.
    temporal_encoding : bool, default=True
        Whether the order of the sentences counts, by vectors of their age; ``False`` is for facts that are in no order.
    time_noise : float, default=0.3
        While training, sentences are made older as if up to this share of others stood among them, drawn at random: it keeps ages from being learned
        by heart.
    tying : {"adjacent", "layerwise"}, default="adjacent"
        Which vectors of words hops share. "adjacent": what a hop takes from sentences is what the next one finds them by; "layerwise": all hops
        are alike, as the steps of a recurrent network, with a matrix between them.
    linear_start : float, default=0.2
        Share of ``max_epochs``, at the beginning, in which sentences are weighted by their scores as they are, without a softmax. Several hops are
        learned more surely so; 0 leaves it out. Passes of ``partial_fit`` count as epochs.
    margin : float, default=0.1
        With ``facts``, by how much the score of the right sentence should be above those of the others.
    n_init : int, default=1
        Trainings from different start weights, of which that with the least loss is kept, on what is held out if anything is. More are surer and
        take as much longer.
    batch_size : int or None, default=32
        Questions a step of the optimiser sees; ``None`` is all of them.
    rule : {"bptt", "guessing"} or Rule, default="bptt"
        How the network learns: a name, or :class:`skrnn.engine.BPTT` or :class:`skrnn.engine.Guessing` with its own settings.
    penalties : None, default=None
        There are none for a network without recurrent layers.

    Notes
    -----
    ::

        m_i(k) = Σ_j l(j) ∘ A(k)[x_ij] + T_A(k)[age of i],   c_i(k) likewise with C(k) and T_C(k),    u(1) = Σ_j l(j) ∘ B[q_j]
        p(k) = softmax over i of u(k)' m_i(k)                in a linear start u(k)' m_i(k) itself
        u(k+1) = u(k) + Σ_i p_i(k) c_i(k)                    "layerwise": H u(k) + Σ …
        P = softmax(W u(K+1) + b)

    x_ij are the words of sentence i, q_j those of the question; l_k(j) = 1 + 4 (k - (d+1)/2) (j - (J+1)/2) / (d J) for the k-th of d entries, where
    the longest sentence of ``fit`` has J words. "adjacent": A(k+1) = C(k), B = A(1). W starts at zero and b at the log shares of the classes. A word
    that was not seen in ``fit`` says nothing. A question about n sentences costs O(n · n_hops · embedding_size).

    With ``keys`` sentences are found by something else than what they say, as in a key-value memory (Miller et al., 2016): m_i(k) is then made of
    key i, c_i(k) of sentence i. With ``temporal_encoding=False`` this is an associative memory, in which the question is a key that may be
    incomplete.

    With ``facts`` the network is told which sentence f each hop should find (Weston et al., 2015): p(k) is 1 for that sentence while training, for
    the one with the highest score afterwards. Σ_k Σ_{i≠f} max(0, margin - u(k)' (m_f(k) - m_i(k))) is added to the loss, which stays the cross
    entropy of the answer. There is no linear start then.

    Differs from the paper in W, which is none of the vectors of words, as classes need not be words; in three times the noise of ages, which is
    better on our stories; and in Adam and one cycle of the learning rate, where the paper has gradient descent on summed losses and halves the rate.

    References
    ----------
    S. Sukhbaatar, A. Szlam, J. Weston, R. Fergus, "End-to-end memory networks", NIPS 2015. J. Weston, S. Chopra, A. Bordes, "Memory networks",
    ICLR 2015. A. Miller, A. Fisch, J. Dodge, A.-H. Karimi, A. Bordes, J. Weston, "Key-value memory networks for directly reading documents",
    EMNLP 2016.

    Examples
    --------
    >>> from skrnn import MemoryNetworkClassifier
    >>> from skrnn.datasets import make_stories
    >>> X, y = make_stories("one_fact", 500, random_state=0)
    >>> model = MemoryNetworkClassifier(max_epochs=20, random_state=0)
    >>> model = model.fit(X[:400], y[:400])
    >>> model.score(X[400:], y[400:]) > 0.9
    True
    """

    n_hops: int = field(default=3, kw_only=False)
    embedding_size: int = 20
    memory_size: int | None = 50
    position_encoding: bool = True
    temporal_encoding: bool = True
    time_noise: float = 0.3
    tying: str = "adjacent"
    linear_start: float = 0.2
    margin: float = 0.1
    n_init: int = 1

    _built_from: ClassVar[tuple[str, ...]] = (
        "n_hops",
        "embedding_size",
        "memory_size",
        "position_encoding",
        "temporal_encoding",
        "time_noise",
        "tying",
        "margin",
    )
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_hops": [Interval(Integral, 1, None, closed="left")],
        "embedding_size": [Interval(Integral, 1, None, closed="left")],
        "memory_size": [Interval(Integral, 1, None, closed="left"), None],
        "position_encoding": ["boolean"],
        "temporal_encoding": ["boolean"],
        "time_noise": [Interval(Real, 0, 1, closed="left")],
        "tying": [StrOptions(set(TYINGS))],
        "linear_start": [Interval(Real, 0, 1, closed="both")],
        "margin": [Interval(Real, 0, None, closed="neither")],
        "rule": [StrOptions({"bptt", "guessing"}), Rule],
        "penalties": [None],
    }

    __metadata_request__fit = HELD_OUT | KEYS | {"keys_val": True, "facts": True}
    __metadata_request__partial_fit = KEYS | {"facts": True}
    __metadata_request__predict = KEYS
    __metadata_request__score = KEYS
    __metadata_request__decision_function = KEYS
    __metadata_request__predict_proba = KEYS
    __metadata_request__predict_log_proba = KEYS

    def _reader(self) -> Stories:
        return Stories(self.dtype, standardize=False, memory_size=self.memory_size, n_hops=self.n_hops)

    def _target(self) -> FoundClasses:
        return FoundClasses(self, self.dtype, class_weight=self.class_weight)

    def _assemble(self, bias: torch.Tensor, generator: torch.Generator) -> MemoryNetwork:
        n_ages = ceil((1 + self.time_noise) * self._longest_story)
        return MemoryNetwork(
            len(self.vocabulary_) + 1,
            n_ages if self.temporal_encoding else 0,
            self.embedding_size,
            bias,
            n_hops=self.n_hops,
            n_places=self._longest_sentence if self.position_encoding else 0,
            tying=self.tying,
            noise=self.time_noise,
            n_linear=round(self.linear_start * self.max_epochs),
            keyed=self._keyed,
            margin=self.margin if self._taught else None,
            generator=generator,
        )

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        X_val: Any = None,
        y_val: Any = None,
        *,
        keys: Any = None,
        keys_val: Any = None,
        facts: Any = None,
    ) -> Self:
        """Train on stories and questions about them.

        Parameters
        ----------
        X : list of n_stories (story, question), frame of these two columns, or list of arrays of shape (1 + n_sentences, n_words)
            A story is a list of sentences, or a string, which is cut behind full stops and at the ends of lines; the oldest sentence is first. A
            sentence, and a question, is a string, whose words are taken in lower case and without punctuation marks, or a list of tokens. Arrays are
            what a :class:`~skrnn.preprocessing.StoryVectorizer` gives.
        y : array-like of shape (n_stories,) or (n_stories, n_labels)
            The answer to each question: a class, or 0 and 1 for each label.
        sample_weight : array-like of shape (n_stories,), default=None
            How much each question counts.
        X_val, y_val : as X and y, default=None
            Stories and answers for early stopping.
        keys : list of n_stories lists of sentences, default=None
            What the sentences of each story are found by, in the form of stories; ``None``: themselves.
        keys_val : as keys, default=None
            Of `X_val`.
        facts : list of n_stories lists of ``n_hops`` whole numbers, default=None
            Which sentence each hop should find, counted from 0: strong supervision. ``None``: what helps to answer.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X, y or a parameter is not as described, as a story without sentences, or a question without words; the message names it, and the
            estimator is unchanged.
        TypeError
            If X holds no stories with questions.
        skrnn.training.DivergenceError
            If the loss becomes infinite or NaN again and again.
        """
        if X_val is None and keys_val is not None:
            raise ValueError("keys_val is provided, but X_val was not provided.")
        return self._fit(asked(X, keys, facts), y, sample_weight, (asked(X_val, keys_val), y_val), n_starts=self.n_init)

    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None, *, keys: Any = None, facts: Any = None) -> Self:
        """Train for one pass over some stories, at the constant learning rate; the first call fixes the words.

        Parameters
        ----------
        X, y, sample_weight, keys, facts : as in ``fit``
        classes : array-like of shape (n_classes,), default=None
            All classes that will ever come; needed in the first call.

        Returns
        -------
        self
        """
        known = self.classes_ if self.__sklearn_is_fitted__() else None
        return self._one_pass(asked(X, keys, facts), y, sample_weight, told_classes(classes, known))

    def predict(self, X: Any, *, keys: Any = None) -> NDArray[Any]:
        """The likeliest answer to each question, or its labels.

        Parameters
        ----------
        X, keys : as in ``fit``

        Returns
        -------
        ndarray of shape (n_stories,) or (n_stories, n_labels)
        """
        return self._predictor().answers(asked(X, keys))

    def decision_function(self, X: Any, *, keys: Any = None) -> NDArray[np.float64]:
        """Log odds of the second of two classes and of each label, or unnormalised log probabilities of several classes.

        Parameters
        ----------
        X, keys : as in ``fit``

        Returns
        -------
        ndarray of shape (n_stories,) or (n_stories, n_classes)
        """
        return self._predictor().answers(asked(X, keys), Classes.log_odds)

    def predict_proba(self, X: Any, *, keys: Any = None) -> NDArray[np.float64]:
        """Probabilities of the classes, or of each label.

        Parameters
        ----------
        X, keys : as in ``fit``

        Returns
        -------
        ndarray of shape (n_stories, n_classes)
            In the order of ``classes_``; rows sum to 1 unless the targets are multi-label.
        """
        return self._predictor().answers(asked(X, keys), Classes.probabilities)

    def predict_log_proba(self, X: Any, *, keys: Any = None) -> NDArray[np.float64]:
        """Logarithms of :meth:`predict_proba`, exact where the probabilities underflow.

        Parameters
        ----------
        X, keys : as in ``fit``

        Returns
        -------
        ndarray of shape (n_stories, n_classes)
        """
        return self._predictor().answers(asked(X, keys), Classes.log_probabilities)

    def attention(self, X: Any, *, keys: Any = None) -> NDArray[np.float64]:
        """How much each hop looks at each sentence.

        Parameters
        ----------
        X, keys : as in ``fit``

        Returns
        -------
        ndarray of shape (n_stories, n_hops, n_sentences)
            In the order of the story, as many as the longest has; 0 where there is no sentence, or one that is not remembered any more. The weights
            of a hop sum to 1, if training went beyond the linear start.
        """
        return looks_at_stories(self._predictor(), X, keys)

    def score(self, X: Any, y: Any, sample_weight: Any = None, *, keys: Any = None) -> float:
        """Share of the questions that are answered rightly.

        Parameters
        ----------
        X, y, sample_weight, keys : as in ``fit``

        Returns
        -------
        float
        """
        return super().score(asked(X, keys), y, sample_weight)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags._skip_test = True  # scikit-learn's checks know no stories
        tags.input_tags.three_d_array, tags.input_tags.string = False, True
        tags.classifier_tags.multi_label = True
        return tags
