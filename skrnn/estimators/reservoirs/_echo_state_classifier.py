"""EchoStateClassifier: a class for each sequence from the states of a fixed reservoir."""

from __future__ import annotations

import copy
from collections.abc import Callable
from operator import attrgetter
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context, clone
from sklearn.utils import check_consistent_length
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, _check_y, check_is_fitted, column_or_1d, has_fit_parameter

from ..data import Sequences, check_sequences
from ..engine import limit_threads
from ..training import NormalEquations
from ._echo_state import BaseEchoState
from ._guards import require_target, seed_of, unchanged_on_error
from ._pieces import TINY_CHANNEL, Pieces, Sums, in_pieces, mean_and_scale, split_by, sums_of
from ._pooled_states import PooledStates
from ._reservoir_parameters import parameters
from ._state_features import Averaged, Picked, Pooling
from ._targets import class_weights
from ._tuning import N_UNITS, few_sequences

Array = NDArray[np.float64]

_LEAST_PER_CLASS = 10  # sequences of each class in a trial, if there are so many
_FEWEST_UNITS = 20  # of a trial, whose readout sees the units once for each segment


def _readout_has(method: str) -> Callable[[Any], Any]:
    """Our own readout has every method; another one may not have it, and then neither have we."""
    return lambda estimator: estimator.readout is None or attrgetter(method)(estimator.readout)


class Labelled:
    """Pooled states of sequences as normal equations."""

    def __init__(self, pooling: Pooling, targets: Array, weight: Array | None, fold: NDArray[np.int64], n_folds: int) -> None:
        self._pooling, self._targets, self._weight, self._fold, self._n_folds = pooling, targets, weight, fold, n_folds
        self.see = pooling.see

    def equations(self) -> NormalEquations:
        """A row for each sequence."""
        pooled = self._pooling.result()
        return NormalEquations(pooled.shape[1], self._targets.shape[1], self._n_folds).add(pooled, self._targets, self._weight, self._fold)


@parameters
class EchoStateClassifier(ClassifierMixin, BaseEchoState, PooledStates):
    """Echo state network for a class of each sequence (Jaeger, 2001).

    A fixed random recurrent network, the reservoir, runs over each sequence; a linear readout of its last state, or of its states as a whole, tells
    the class. Choose it for small data sets and for a first answer within a second: nothing is trained but the readout, in closed form. What is left
    at "auto" is chosen before fitting by small reservoirs on the same data.

    Parameters
    ----------
    <shared parameters>

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    components_ : ndarray of shape (n_components, n_states)
        With ``pooling="model"``: the directions in which the states move most.
    readout_ : estimator
        The fitted model, if ``readout`` is one; then there are no coefficients and penalties.
    <shared attributes>

    Raises
    ------
    ValueError
        From ``fit``, if a parameter, X or y is not as described, or if the states become infinite.

    Notes
    -----
    With h the states of the reservoirs over the standardised input x (see :class:`~skrnn.cells.Reservoir`), z what ``pooling`` makes of the rows
    (x(t), h(t)), and one column of targets for each class, 1 for its own sequences and 0 for others (one column of 1 and -1 for two classes)::

        ŷ = coef z + intercept

    by ridge regression. Probabilities are the point of the simplex nearest to ŷ, as least squares on indicators estimates them. Folds for choices
    hold equal shares of the classes.

    References
    ----------
    H. Jaeger, "The 'echo state' approach to analysing and training recurrent neural networks", GMD report 148, 2001.
    H. Jaeger et al., "Optimization and applications of echo state networks with leaky-integrator neurons", Neural Networks 20(3), 2007.
    F. M. Bianchi et al., "Reservoir computing approaches for representation and classification of multivariate time series", IEEE Transactions on
    Neural Networks and Learning Systems 32(5), 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import EchoStateClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = [np.sin((0.2 + 0.2 * (k % 2)) * np.arange(n) + n) + 0.1 * rng.normal(size=n) for k, n in enumerate(rng.integers(30, 60, 100))]
    >>> y = np.array(["slow", "fast"] * 50)
    >>> EchoStateClassifier(hidden_size=50, random_state=0).fit(X[:60], y[:60]).score(X[60:], y[60:])
    1.0
    """

    class_weight: dict[Any, float] | str | None = None

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = (
        BaseEchoState._parameter_constraints
        | PooledStates._parameter_constraints
        | {
            "alpha": BaseEchoState._parameter_constraints["alpha"],
            "readout": [BaseEstimator, None],
            "class_weight": [dict, StrOptions({"balanced"}), None],
        }
    )

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Choose the scales, draw the reservoir, and solve for the readout.

        Parameters
        ----------
        X : Sequences, array (n_sequences, n_steps, n_features), list of arrays (n_steps, n_features), or array (n_sequences, n_steps)
            Sequences of any lengths; the rows of a 2-D array are univariate sequences. Of a Dask array (n_sequences, n_steps, n_features), with y a
            Dask array too, or a list of delayed pairs (X, y), with y None, the workers sum the normal equations.
        y : array-like of shape (n_sequences,)
            The class of each sequence.
        sample_weight : array-like of shape (n_sequences,), default=None
            How much each sequence counts.

        Returns
        -------
        self
        """
        with limit_threads(self.n_threads), torch.inference_mode(), unchanged_on_error(self):
            if in_pieces(X):
                self._fit_in_pieces(Pieces(X, y, sample_weight))
            else:
                sequences, weight = self._check(X, y, sample_weight, reset=True)
                labels = self._labels(y)
                self._fit(sequences, labels, self._weigh(labels, weight))
        return self

    def _weigh(self, labels: NDArray[np.int64], weight: Array | None) -> Array | None:
        if self.class_weight is None:
            return weight
        of_class = class_weights(self.class_weight, self.classes_[labels])
        return of_class if weight is None else weight * of_class

    def _check(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> tuple[Sequences, Array | None]:
        require_target(self, y)
        sequences = check_sequences(self, X, reset=reset, compute_dtype=self.dtype)
        check_consistent_length(sequences, y)
        if sample_weight is None:
            return sequences, None
        return sequences, np.asarray(_check_sample_weight(sample_weight, sequences, dtype=np.float64, ensure_non_negative=True), dtype=np.float64)

    def _labels(self, y: Any) -> NDArray[np.int64]:
        y = _check_y(column_or_1d(y, warn=True), estimator=self)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        return np.asarray(labels)

    def _fit(self, sequences: Sequences, labels: NDArray[np.int64], weight: Array | None) -> None:
        self._measure(sequences, weight)
        self._warn_of_constants(sequences)
        self._require_steps(sequences.lengths)
        targets, fold = self._coded(labels)
        self._set_up(sequences, labels, targets, weight, fold)
        if self.pooling == "model":
            self._keep_components(self._state_sums(sequences))
        pooled = self._pooled(sequences, noisy=self.noise > 0)
        if self.readout is None:
            self._solve(self._sums(pooled, targets, weight, fold))
        else:
            self._fit_model(pooled, labels, weight)

    def _sums(self, pooled: NDArray[Any], targets: Array, weight: Array | None, fold: NDArray[np.int64]) -> NormalEquations:
        return NormalEquations(pooled.shape[1], targets.shape[1], self._n_parts).add(pooled, targets, weight, self._parts(fold))

    def _coded(self, labels: NDArray[np.int64]) -> tuple[Array, NDArray[np.int64]]:
        """Targets and fold of each sequence."""
        targets = (np.eye(len(self.classes_))[labels] if len(self.classes_) > 2 else 2.0 * labels[:, None] - 1).astype(np.float64)
        return targets, _stratified(labels, self.n_folds)

    def _set_up(self, sequences: Sequences, labels: NDArray[np.int64], targets: Array, weight: Array | None, fold: NDArray[np.int64]) -> None:
        """Choose the scales and draw the reservoir."""
        seed = seed_of(self.random_state)
        n_units = N_UNITS // self.n_segments if self.pooling == "segments" else N_UNITS
        settings = self._tuned(*self._trial(sequences, labels, targets, weight, fold), (), seed, (max(_FEWEST_UNITS, n_units),))[0]
        self.spectral_radius_, self.leak_rate_, self.input_scaling_ = settings.values()
        self.network_ = self._build(settings, seed)

    def _fit_in_pieces(self, pieces: Pieces) -> None:
        """As ``_fit``, with sums that are taken where the pieces are; the scales are chosen on the first one."""
        if self.readout is not None or self.noise > 0:
            given = f"readout={self.readout}, noise={self.noise}"
            raise ValueError(f"A fit of Dask collections sums normal equations: it needs readout=None and no noise; got {given}")
        first, _ = self._check(*pieces.first(), None, reset=True)
        lengths, y = zip(*pieces.map(EchoStateClassifier._lengths_and_labels, copy.copy(self)), strict=True)
        sizes = [len(part) for part in lengths]
        self._require_steps(np.concatenate(lengths))
        labels = self._labels(np.concatenate(y))
        weight, (targets, fold) = self._weigh(labels, None), self._coded(labels)
        weights = [None] * len(sizes) if weight is None else split_by(weight, sizes)
        if self.standardize:
            self.mean_, self.scale_ = mean_and_scale(pieces.sum(EchoStateClassifier._channel_sums, copy.copy(self), weights)[0], TINY_CHANNEL)
        else:
            self.mean_, self.scale_ = np.zeros(first.n_features), np.ones(first.n_features)
        own = slice(sizes[0])
        self._set_up(first, labels[own], targets[own], weights[0], fold[own])
        if self.pooling == "model":
            self._keep_components(pieces.sum(EchoStateClassifier._component_sums, copy.copy(self))[0])
        self._solve(pieces.sum(EchoStateClassifier._pooled_sums, copy.copy(self), split_by(targets, sizes), weights, split_by(fold, sizes))[0])

    # Of a piece, on a worker.

    def _lengths_and_labels(self, X: Any, y: Any) -> tuple[NDArray[np.int64], NDArray[Any]]:
        return self._check(X, y, None, reset=False)[0].lengths, np.asarray(y)

    def _channel_sums(self, X: Any, y: Any, weight: Array | None) -> tuple[Sums, None]:
        sequences, _ = self._check(X, y, None, reset=False)
        return sums_of(sequences.values, None if weight is None else np.repeat(weight, sequences.lengths)), None

    def _component_sums(self, X: Any, y: Any) -> tuple[NormalEquations, None]:
        return self._state_sums(self._check(X, y, None, reset=False)[0]), None

    def _pooled_sums(self, X: Any, y: Any, targets: Array, weight: Array | None, fold: NDArray[np.int64]) -> tuple[NormalEquations, None]:
        pooled = self._pooled(self._check(X, y, None, reset=False)[0])
        return self._sums(pooled, targets, weight, fold), None

    def _fit_model(self, pooled: NDArray[Any], labels: NDArray[np.int64], weight: Array | None) -> None:
        if weight is not None and not has_fit_parameter(self.readout, "sample_weight"):
            raise ValueError(f"readout={self.readout} takes no sample_weight")
        self.readout_ = clone(self.readout).fit(pooled, self.classes_[labels], **({} if weight is None else {"sample_weight": weight}))

    def _trial(
        self, sequences: Sequences, labels: NDArray[np.int64], targets: Array, weight: Array | None, fold: NDArray[np.int64]
    ) -> tuple[Sequences, tuple[Any, ...]]:
        """Some standardised sequences of all classes to choose the scales on."""
        order = np.argsort(_rank(labels), kind="stable")
        index = few_sequences(sequences.lengths, order, min(len(sequences), _LEAST_PER_CLASS * len(self.classes_)))
        few = sequences[index]
        few = few.with_values((few.values - self.mean_) / self.scale_)
        return few, (few.offsets, targets[index], None if weight is None else weight[index], fold[index])

    def _gather(self, width: int, *material: Any) -> Labelled:
        offsets, targets, weight, fold = material
        if self.pooling in ("mean", "model"):
            pooling: Pooling = Averaged(offsets, self.washout if self.pooling == "mean" else 0, width, "float32")
        else:
            pooling = Picked(offsets, self.n_segments if self.pooling == "segments" else 1, width, "float32")
        return Labelled(pooling, targets, weight, fold, self.n_folds)

    def _features(self, X: Any) -> NDArray[np.floating]:
        check_is_fitted(self)
        sequences = check_sequences(self, X, reset=False, compute_dtype=self.dtype)
        with limit_threads(self.n_threads), torch.inference_mode():
            return self._pooled(sequences)

    @available_if(_readout_has("decision_function"))
    def decision_function(self, X: Any) -> Array:
        """Outputs of the readout: near 1 for a sequence of the class and near 0 for others; of two classes, near 1 and -1.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        ndarray of shape (n_sequences,) or (n_sequences, n_classes)
        """
        return self._scores(X) if self.readout is None else np.asarray(self.readout_.decision_function(self._features(X)))

    def _scores(self, X: Any) -> Array:
        outputs: Array = self._features(X) @ self.coef_.T + self.intercept_
        return outputs[:, 0] if len(self.classes_) < 3 else outputs

    def predict(self, X: Any) -> NDArray[Any]:
        """The likeliest class of each sequence.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        ndarray of shape (n_sequences,)
        """
        if self.readout is not None:
            return np.asarray(self.readout_.predict(self._features(X)))
        outputs = self._scores(X)
        return self.classes_[(outputs > 0).astype(int) if outputs.ndim == 1 else outputs.argmax(1)]

    @available_if(_readout_has("predict_proba"))
    def predict_proba(self, X: Any) -> Array:
        """Probabilities of the classes.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        ndarray of shape (n_sequences, n_classes)
            In the order of ``classes_``; rows sum to 1.
        """
        if self.readout is not None:
            return np.asarray(self.readout_.predict_proba(self._features(X)))
        outputs = self._scores(X)
        if outputs.ndim == 1:
            second = np.clip((outputs + 1) / 2, 0, 1)
            return np.column_stack([1 - second, second])[:, : len(self.classes_)]
        return _nearest_probabilities(outputs)


def _rank(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many sequences of the same class come before each."""
    order = np.argsort(labels, kind="stable")
    firsts = np.searchsorted(labels[order], labels[order])
    rank = np.empty_like(order)
    rank[order] = np.arange(len(labels)) - firsts
    return rank


def _stratified(labels: NDArray[np.int64], n_folds: int) -> NDArray[np.int64]:
    """Folds with equal shares of the classes; what is left over is spread."""
    shift = np.concatenate([[0], np.cumsum(np.bincount(labels))[:-1]])
    return (_rank(labels) + shift[labels]) % n_folds


def _nearest_probabilities(outputs: Array) -> Array:
    """The nearest point of the probability simplex to each row."""
    descending = -np.sort(-outputs, axis=1)
    excess = (np.cumsum(descending, axis=1) - 1) / np.arange(1, outputs.shape[1] + 1)
    last = (descending > excess).sum(axis=1) - 1
    return np.maximum(outputs - excess[np.arange(len(outputs)), last][:, None], 0)
