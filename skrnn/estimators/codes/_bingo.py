"""Clusters of sequences that are codes of bits, found by their information."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import ClassNamePrefixFeaturesOutMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions

from ..._bases import ClusterMixin, TransformerMixin, _fit_context
from ...networks import SequenceNetwork
from ...training import InformationGain
from ..face._declared import parameters
from ..face._feature_frames import by_instance
from ..face._readers import Rows
from ..face._settings import Decayed, Directed, Fronted, Pooled, Recurrence, Restarted, Stacked, Standardized
from ..face._state import Fitted
from ..face._trained import Lesson, Trained, encoding_of
from ._unlabelled import OutputUnitState, Untold, coding_network, note_units

Array = NDArray[np.float64]


class ClusterState:
    """The clusters of what was learned from."""

    codes_: NDArray[np.int64]
    labels_: NDArray[np.int64]

    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted("codes_", "ndarray", ("n_clusters", "n_bits"), "The bits of each cluster; there are as many as the sequences of ``fit`` have codes."),
        Fitted("labels_", "ndarray", ("n_sequences",), "Cluster of each sequence of ``fit``: what ``predict`` says."),
    )


@parameters
class BingoCluster(
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
    Decayed,
    Trained,
    Restarted,
    Standardized,
    Pooled,
    Directed,
    Fronted,
    Stacked,
    Recurrence,
    OutputUnitState,
    ClusterState,
):
    """Cluster whole sequences by bits that tell as much as they can about them: binary information gain optimisation (Schraudolph & Sejnowski, 1993).

    A recurrent network learns, without targets, questions with the answers yes and no, on which sequences divide clearly and about evenly
    (Klapper-Rybicka, Schraudolph & Schmidhuber, 2001). Choose it where groups differ by what happens along time, such as rhythms, and where the
    answers may mean something each: n bits find 2ⁿ clusters, of which some may stay empty. A bit that finds a minority is worth less than one that
    halves the sequences, so rare kinds are for :class:`RNNAnomalyDetector`.

    Parameters
    ----------
    n_bits : int, default=2
        Bits of a code, at most 12. There must be at least ``2**n_bits`` sequences, to have each code once; hundreds for each are a better number.
    algorithm : {"local", "joint"}, default="local"
        What the network follows: "local", that each bit tells much, and is not what the other bits tell already, as far as their correlations
        show it; or "joint", the gradient of the information of the codes as a whole. The local rule finds bits that each mean something more
        often; the joint one may divide the sequences by any code.
    gain : float, default=4.0
        How steeply a bit turns from 0 to 1, for each standard deviation of what decides it. With less all bits are unsure; with much more few
        sequences are near enough to the border to move it. Bits of clear halves come to ``expit(gain)`` and ``expit(-gain)``.

    Notes
    -----
    ::

        y(t) = layers of cells over x(1), x(2), …
        a = V pool(y(1), y(2), …) + d                      V drawn at random
        u = gain (a − mean) / sqrt(var + 1e-5)             mean and variance over the batch, over all sequences of ``fit`` afterwards
        z = sigmoid(u),    J = H(mean distribution over the codes) − mean of Σ_k H(z_k),    loss = −J in bits
        −dJ/du_k ∝ z_k (1 − z_k) (û_k − u_k),  "local":  û_k = Σ_{j ≠ k} r_kj u_j,  r the correlations of the bits' u

    With the units of the batch a bit is never the same for all sequences, from where the gradient fades. What the bits are does not depend on
    which sequences are asked about together. Which code a cluster has is accidental.

    References
    ----------
    N. N. Schraudolph, T. J. Sejnowski, "Unsupervised discrimination of clustered data via optimization of binary information gain", NIPS 5, 1993.
    M. Klapper-Rybicka, N. N. Schraudolph, J. Schmidhuber, "Unsupervised learning in LSTM recurrent neural networks", ICANN 2001.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import BingoCluster
    >>> from skrnn.datasets import make_pulse_trains
    >>> X, y = make_pulse_trains(200, random_state=0)
    >>> model = BingoCluster(n_bits=2, random_state=0).fit(X)
    >>> model.transform(X).shape
    (200, 2)
    >>> model.score(X) > 1.5
    True
    """

    n_bits: int = 2
    algorithm: str = "local"
    gain: float = 4.0
    bidirectional: bool = False
    pooling: str = "mean"
    batch_size: int | None = None

    _built_from: ClassVar[tuple[str, ...]] = ("n_bits",)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_bits": [Interval(Integral, 1, 12, closed="both")],
        "algorithm": [StrOptions({"local", "joint"})],
        "gain": [Interval(Real, 0, None, closed="neither")],
    }

    __metadata_request__fit: ClassVar[dict[str, bool]] = {"X_val": True}

    def _reader(self) -> Rows:
        return Rows(self.dtype, self.standardize, encoding=encoding_of(self))

    def _target(self) -> Untold:
        objective = InformationGain(self.n_bits, self.gain, self.algorithm == "local")
        return Untold(self, objective, 2**self.n_bits, f"n_bits={self.n_bits} tell {2**self.n_bits} clusters apart")

    def _assemble(self, bias: torch.Tensor, generator: torch.Generator) -> SequenceNetwork:
        return coding_network(self, bias, generator)

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, X_val: Any = None) -> Self:
        """Learn bits that tell sequences apart.

        Parameters
        ----------
        X : Sequences, array (n_sequences, n_steps, n_features), list of arrays (n_steps, n_features), or array (n_sequences, n_steps)
            Sequences of any lengths, at least ``2**n_bits``; the rows of a 2-D array are univariate sequences.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_sequences,), default=None
            How much each sequence counts.
        X_val : as X, default=None
            Sequences for early stopping.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X or a parameter is not as described; the message names it, and the estimator is unchanged.
        TypeError
            If X is no container of sequences.
        skrnn.training.DivergenceError
            If the loss becomes infinite or NaN again and again.

        Warns
        -----
        ConvergenceWarning
            If all sequences are in one cluster, as they are if they are all alike.
        """
        self._check_batch_size()
        return self._fit(X, None, sample_weight, (X_val, X_val), conclude=type(self)._conclude, n_starts=self.n_init)._warned()

    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Train for one pass over some sequences, at the constant learning rate; the first call fixes the scales of the channels.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``
            Clusters and bits are afterwards those of these sequences: hand over enough to have of every kind.

        Returns
        -------
        self
        """
        self._check_batch_size()
        return self._one_pass(X, None, sample_weight, conclude=type(self)._conclude)._warned()

    def _check_batch_size(self) -> None:
        if self.batch_size is not None and self.batch_size < 2**self.n_bits:
            raise ValueError(f"batch_size must be None or at least 2**n_bits = {2**self.n_bits}, or no batch has every code; got {self.batch_size}")

    def _warned(self) -> Self:
        if len(self.codes_) == 1:
            warnings.warn(f"All {len(self.labels_)} sequences are in one cluster: are they alike?", ConvergenceWarning, stacklevel=4)
        return self

    def _conclude(self, lesson: Lesson) -> None:
        note_units(self, lesson)
        u = self._predictor().answers(lesson.given[0])
        order = np.unique((u > 0) @ (1 << np.arange(u.shape[1])))
        self.codes_ = order[:, None] >> np.arange(u.shape[1]) & 1
        self.labels_ = self._nearest(u)

    def _nearest(self, u: Array) -> NDArray[np.int64]:
        return (u @ (2 * self.codes_ - 1).T).argmax(axis=1)

    def transform(self, X: Any) -> Any:
        """Probability that each bit is set.

        Parameters
        ----------
        X : as in ``fit``
            With the channels seen in ``fit``, of any lengths.

        Returns
        -------
        ndarray of shape (n_sequences, n_bits)
        """
        return by_instance(self, X, expit(self._predictor().answers(X)))

    def predict(self, X: Any) -> NDArray[np.int64]:
        """Cluster of each sequence.

        Parameters
        ----------
        X : as in ``transform``

        Returns
        -------
        ndarray of shape (n_sequences,)
            The row of ``codes_`` that its bits are likeliest to be.
        """
        return self._nearest(self._predictor().answers(X))

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Bits that the code of a sequence tells about which one it is.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``

        Returns
        -------
        float
            Information gain, from 0 to ``n_bits``; unsure bits, and clusters of different sizes, have less. It is that of these sequences together:
            of a single one 0.
        """
        predictor = self._predictor()
        given = predictor.read(X)
        weight = None if sample_weight is None else torch.from_numpy(predictor.reader.weights(sample_weight, given))
        u = predictor.target.decode(predictor.outputs(given))
        return float(predictor.target.objective.of_normalised(torch.from_numpy(u), weight)) * -1

    @property
    def _n_features_out(self) -> int:
        return len(self.output_mean_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        return tags
