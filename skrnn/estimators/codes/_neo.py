"""Codes of sequences that crowd together, or spread out, by their entropy."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions

from ..._bases import TransformerMixin, _fit_context
from ...networks import SequenceNetwork
from ...training import ParzenEntropy, shares
from ..face._declared import parameters
from ..face._feature_frames import by_instance
from ..face._readers import Rows
from ..face._settings import Decayed, Directed, Fronted, Pooled, Recurrence, Restarted, Stacked, Standardized
from ..face._state import Fitted
from ..face._trained import Lesson, Trained, encoding_of
from ._unlabelled import OutputUnitState, Untold, coding_network, note_units

Array = NDArray[np.float64]


class BandwidthState:
    """How near to each other features count as the same."""

    bandwidth_: float

    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted("bandwidth_", "float", (), "Width of the kernels for all sequences of ``fit``, in standard deviations; 0 if they are all alike."),
    )


@parameters
class NeoTransformer(
    ClassNamePrefixFeaturesOutMixin,
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
    BandwidthState,
):
    """Learn features of whole sequences that crowd into groups: nonparametric entropy optimisation (Viola, Schraudolph & Sejnowski, 1996).

    A recurrent network learns, without targets, outputs of the least entropy for their variances and correlations (Klapper-Rybicka, Schraudolph &
    Schmidhuber, 2001): points near each other, and far from other such groups, which a clustering behind it then tells apart. Choose it over
    :class:`BingoCluster` where there are groups of any number and size, to be counted and named afterwards. ``objective="maximize"`` makes outputs
    normally distributed instead.

    Parameters
    ----------
    n_components : int, default=2
        Features. There must be at least two sequences more.
    objective : {"minimize", "maximize"}, default="minimize"
        Whether features have the least entropy, which makes groups, or the most, which spreads them evenly.
    bandwidth : float or "ml", default="ml"
        Width of the kernels by which the density of the features is judged, in standard deviations of the features: what lies nearer together counts
        as the same. "ml" is the likeliest for every batch, of at least 0.05.

    Notes
    -----
    ::

        y(t) = layers of cells over x(1), x(2), …
        a = V pool(y(1), y(2), …) + d                      V drawn at random
        w = L⁻¹ (a − mean),  L Lᵀ = covariance             of the batch, of all sequences of ``fit`` afterwards
        H = −mean over i of log Σ_{j ≠ i} K(w_i − w_j) / (n − 1),  K normal with the standard deviation σ

    H estimates the entropy of a less ½ log det of its covariance, which is the same for every linear map of a that has an inverse; so the network
    gains nothing from outputs that are only smaller or larger. Features have the mean 0, the variance 1 and no correlations over the sequences of
    ``fit``; they are found but for a rotation. A batch of n sequences costs O(n²).

    References
    ----------
    P. Viola, N. N. Schraudolph, T. J. Sejnowski, "Empirical entropy manipulation for real-world problems", NIPS 8, 1996.
    N. N. Schraudolph, "Gradient-based manipulation of nonparametric entropy estimates", IEEE Transactions on Neural Networks 15(4), 2004.
    M. Klapper-Rybicka, N. N. Schraudolph, J. Schmidhuber, "Unsupervised learning in LSTM recurrent neural networks", ICANN 2001.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn.pipeline import make_pipeline
    >>> from skrnn import NeoTransformer
    >>> from skrnn.datasets import make_pulse_trains
    >>> X, y = make_pulse_trains(200, random_state=0)
    >>> groups = KMeans(4, n_init=10, random_state=0)
    >>> model = make_pipeline(NeoTransformer(random_state=0), groups).fit(X)
    >>> model.predict(X).shape
    (200,)
    """

    n_components: int = 2
    objective: str = "minimize"
    bandwidth: float | str = "ml"
    bidirectional: bool = False
    pooling: str = "mean"
    batch_size: int | None = 256

    _built_from: ClassVar[tuple[str, ...]] = ("n_components",)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "objective": [StrOptions({"minimize", "maximize"})],
        "bandwidth": [Interval(Real, 0, None, closed="neither"), StrOptions({"ml"})],
    }

    __metadata_request__fit: ClassVar[dict[str, bool]] = {"X_val": True}

    def _reader(self) -> Rows:
        return Rows(self.dtype, self.standardize, encoding=encoding_of(self))

    def _target(self) -> Untold:
        width = None if isinstance(self.bandwidth, str) else float(self.bandwidth)
        objective = ParzenEntropy(self.n_components, width, self.objective == "maximize")
        return Untold(self, objective, objective.fewest, f"n_components={self.n_components} have a density only among more")

    def _assemble(self, bias: torch.Tensor, generator: torch.Generator) -> SequenceNetwork:
        return coding_network(self, bias, generator)

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, X_val: Any = None) -> Self:
        """Learn features of the least entropy, or of the most.

        Parameters
        ----------
        X : Sequences, array (n_sequences, n_steps, n_features), list of arrays (n_steps, n_features), or array (n_sequences, n_steps)
            Sequences of any lengths, at least ``n_components + 2``; the rows of a 2-D array are univariate sequences.
        y : None
            Ignored.
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
            If all sequences have the same features, as they do if they are all alike.
        """
        self._check_batch_size()
        return self._fit(X, None, None, (X_val, X_val), conclude=type(self)._conclude, n_starts=self.n_init)._warned()

    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Train for one pass over some sequences, at the constant learning rate; the first call fixes the scales of the channels.

        Parameters
        ----------
        X, y : as in ``fit``
            Features have afterwards the mean 0 and the variance 1 over these sequences: hand over enough to have of every kind.

        Returns
        -------
        self
        """
        self._check_batch_size()
        return self._one_pass(X, None, conclude=type(self)._conclude)._warned()

    def _check_batch_size(self) -> None:
        if self.batch_size is not None and self.batch_size < self.n_components + 2:
            raise ValueError(f"batch_size must be None or at least n_components + 2 = {self.n_components + 2}; got {self.batch_size}")

    def _warned(self) -> Self:
        if self.bandwidth_ == 0:
            warnings.warn("All sequences have the same features: are they alike?", ConvergenceWarning, stacklevel=4)
        return self

    def _conclude(self, lesson: Lesson) -> None:
        note_units(self, lesson)
        predictor = self._predictor()
        features = torch.from_numpy(predictor.answers(lesson.given[0]))
        spread = float(features.square().mean())  # 1, but for outputs that rounding alone tells apart
        self.bandwidth_ = predictor.target.objective.width(features, shares(features, None)) if spread > 0.1 else 0.0

    def transform(self, X: Any) -> Any:
        """Features of sequences.

        Parameters
        ----------
        X : as in ``fit``
            With the channels seen in ``fit``, of any lengths.

        Returns
        -------
        ndarray of shape (n_sequences, n_components)
        """
        return by_instance(self, X, self._predictor().answers(X))

    def score(self, X: Any, y: Any = None) -> float:
        """Less the entropy of the features of these sequences together, in nats; with ``objective="maximize"`` the entropy itself.

        Parameters
        ----------
        X, y : as in ``fit``
            At least ``n_components + 2`` sequences.

        Returns
        -------
        float
            In units in which the features of these sequences have the variance 1: normally distributed ones have 1.42 nats for each.
        """
        predictor = self._predictor()
        given = predictor.read(X)
        n = len(given.sequences)
        if n < predictor.target.n_needed:
            raise ValueError(f"X must hold at least n_components + 2 = {predictor.target.n_needed} sequences to have an entropy; got {n}")
        outputs = torch.from_numpy(predictor.outputs(given))
        return -float(predictor.target.objective.mean(outputs, outputs, None))

    @property
    def _n_features_out(self) -> int:
        return len(self.output_mean_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        return tags
