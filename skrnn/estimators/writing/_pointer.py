"""Places in a sequence, in an order that is learned."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar, Self

import torch
from sklearn.utils._param_validation import Interval, StrOptions

from ..._bases import _fit_context
from ...cells import resolve
from ...engine import Rule
from ...networks import Pointing
from ..face._declared import parameters
from ..face._guards import require_target
from ..face._held_out import HELD_OUT
from ..face._readers import Rows
from ..face._settings import Decayed, Directed, Fronted, Recurrence, Stacked, Standardized
from ..face._trained import Trained, encoding_of, seeing_layers
from ._places import PlaceRows, PlaceState, place_hypotheses
from ._settings import Beamed
from ._tokens import Hypothesis, best_of, share_of_exact


@parameters
class PointerNetwork(Beamed, Decayed, Trained, Standardized, Directed, Fronted, Stacked, Recurrence, PlaceState):
    """Point at steps of a sequence, one after the other (Vinyals et al., 2015): to sort them, to choose some, to go a way through them.

    For answers that are parts of the question: an order, a tour, a hull, the sentences of a summary. What can be answered grows with the sequence,
    while classes would have to be known before. An encoder reads the steps, a decoder points at one, sees it, and points at the next, until it
    points at the end.

    Parameters
    ----------
    visit_once : bool, default=True
        Whether no step is pointed at twice. ``False`` lets a tour come back.
    n_glimpses : int, default=1
        How often a step of the decoder looks at all steps before it points (Bello et al., 2017); 0 is the network of 2015.
    rule : {"bptt", "guessing"} or Rule, default="bptt"
        How the network learns: a name, or :class:`skrnn.engine.BPTT` or :class:`skrnn.engine.Guessing` with its own settings.

    Notes
    -----
    ::

        h(1), …, h(T) = layers of cells over x(1), …, x(T),       h(0) stands for the end
        s(k) = decoder(x(p(k-1)), s(k-1))
        a(k) = softmax over j of v' tanh(W' s(k) + U' h(j) + b')
        q(k) = tanh(W_q s(k) + Σ_j a_j(k) V h(j))                 one glimpse; q(k) = s(k) without
        P(p(k) = j) = softmax over j of v tanh(W q(k) + U h(j) + b)

    The decoder has the cell and the layers of the encoder, and is told the true places before while training. The loss is the cross entropy of
    each place, the end among them; held-out sequences are scored by it, with the teacher. A beam of one is greedy. A step of the decoder costs
    O(T), and training holds T numbers for each unit and each place of a sequence at once. Differs from the paper, which lets places be visited
    again and has no glimpses. In a glimpse the decoder gathers what hangs on all steps at once: corners of convex hulls are learned in less
    than half the updates with one than without, the order of numbers hardly sooner. It adds about two thirds to the time of training.

    References
    ----------
    O. Vinyals, M. Fortunato, N. Jaitly, "Pointer networks", NIPS 2015. I. Bello, H. Pham, Q. V. Le, M. Norouzi, S. Bengio, "Neural combinatorial
    optimization with reinforcement learning", ICLR workshop 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import PointerNetwork
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.random((n, 1)) for n in rng.integers(2, 4, size=400)]
    >>> y = [np.argsort(x[:, 0]).tolist() for x in X]
    >>> model = PointerNetwork(
    ...     hidden_size=16, max_epochs=20, random_state=0
    ... ).fit(X[:350], y[:350])
    >>> model.score(X[350:], y[350:]) > 0.8
    True
    """

    visit_once: bool = True
    n_glimpses: int = 1

    _built_from: ClassVar[tuple[str, ...]] = ("visit_once", "n_glimpses")
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "visit_once": ["boolean"],
        "n_glimpses": [Interval(Integral, 0, None, closed="left")],
        "rule": [StrOptions({"bptt", "guessing"}), Rule],
    }

    __metadata_request__fit = HELD_OUT

    def _reader(self) -> Rows:
        return Rows(self.dtype, self.standardize, encoding=encoding_of(self))

    def _target(self) -> PlaceRows:
        return PlaceRows(self, self.visit_once)

    def _assemble(self, bias: torch.Tensor, generator: torch.Generator) -> Pointing:
        layers, frontend = seeing_layers(self, generator)
        return Pointing(
            layers,
            resolve(self.cell),
            self.hidden_size,
            len(self.mean_) if frontend is None else frontend.output_size,
            frontend=frontend,
            dropout=self.dropout,
            once=self.visit_once,
            n_glimpses=self.n_glimpses,
            generator=generator,
        )

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, X_val: Any = None, y_val: Any = None) -> Self:
        """Train on sequences, and the places that should be pointed at in each.

        Parameters
        ----------
        X : Sequences, array (n_sequences, n_steps, n_features), list of arrays (n_steps, n_features), or array (n_sequences, n_steps)
            Sequences of any lengths; the rows of a 2-D array are univariate sequences.
        y : list of n_sequences lists of int
            Places of steps, counted from 0, in order; as many as one likes.
        sample_weight : array-like of shape (n_sequences,), default=None
            How much each sequence counts.
        X_val, y_val : as X and y, default=None
            Sequences and places for early stopping.

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
        return self._fit(X, y, sample_weight, (X_val, y_val))

    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one pass over some sequences, at the constant learning rate; the first call fixes the scales.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``

        Returns
        -------
        self
        """
        return self._one_pass(X, y, sample_weight)

    def predict(self, X: Any) -> list[list[int]]:
        """Point at the places of the best hypothesis.

        Parameters
        ----------
        X : as in ``fit``
            Sequences of any lengths, with the channels seen in ``fit``.

        Returns
        -------
        list of list of int
            For each sequence places of its steps, counted from 0.
        """
        return best_of(self.predict_hypotheses(X))

    def predict_hypotheses(self, X: Any) -> list[list[Hypothesis]]:
        """What might be pointed at in each sequence: up to ``beam_width`` hypotheses, the best first.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        list of list of (tokens, score)
            Places, and the logarithm of their probability.
        """
        return place_hypotheses(self._predictor(), X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Share of sequences in which exactly the right places are pointed at, in their order.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``

        Returns
        -------
        float
        """
        require_target(self, y)
        return share_of_exact(y, self.predict(X), sample_weight)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags._skip_test = True  # scikit-learn's checks know no targets that are lists of places
        return tags
