"""EchoStateClassifier: a class for each sequence from the states of a fixed reservoir."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import attrgetter
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ..._bases import ClassifierMixin, _fit_context
from ...data import Sequences
from ..face._declared import parameters
from ..face._guards import predicting, seed_of
from ..face._noted import as_fitted
from ..face._readers import Rows
from ..face._settings import ClassWeighted
from ..face._state import Fitted
from ..face._targets import Classes, likeliest
from ._blueprint import Blueprint
from ._drive import warn_of_constants
from ._driven_data import DrivenSequences, SequenceEquations
from ._echo_state import EchoState
from ._labelled_sequences import class_columns, nearest_probabilities, rank_in_class, read_labelled, stratified_folds
from ._learners import Learner, Model, Ridge
from ._partition_work import describe_sequences, sum_channels, sum_sequences, sum_states
from ._partitions import TINY_CHANNEL, Partitions, in_partitions, mean_and_scale, only_reading, split_by
from ._pooling import Components, ComponentState, StatePooling, sums_of_states
from ._readouts import ReadoutState, readout_of
from ._scales import N_UNITS, choose_scales, few_sequences
from ._settings import MeanWashout, PenaltyPerTarget, ReadoutSettings, Summarized, SummarySettings, TunedScales

Array = NDArray[np.float64]

_LEAST_PER_CLASS = 10  # sequences of each class in a trial, if there are so many
_FEWEST_UNITS = 20  # of a trial, whose readout sees the units once for each segment


def _readout_has(method: str) -> Callable[[Any], Any]:
    """Our own readout has every method; another one may not have it, and then neither have we."""
    return lambda estimator: as_fitted(estimator).readout is None or attrgetter(method)(as_fitted(estimator).readout)


@parameters
class EchoStateClassifier(
    ClassifierMixin,
    EchoState,
    ClassWeighted,
    PenaltyPerTarget,
    ReadoutSettings,
    MeanWashout,
    SummarySettings,
    Summarized,
    TunedScales,
    ReadoutState,
    ComponentState,
):
    """Echo state network for a class of each sequence (Jaeger, 2001).

    A fixed random recurrent network, the reservoir, runs over each sequence; a linear readout of its last state, or of its states as a whole, tells
    the class. Choose it for small data sets and for a first answer within a second: nothing is trained but the readout, in closed form. What is left
    at "auto" is chosen before fitting by small reservoirs on the same data.

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
    >>> X = [
    ...     np.sin((0.2 + 0.2 * (k % 2)) * np.arange(n) + n)
    ...     + 0.1 * rng.normal(size=n)
    ...     for k, n in enumerate(rng.integers(30, 60, 100))
    ... ]
    >>> y = np.array(["slow", "fast"] * 50)
    >>> EchoStateClassifier(hidden_size=50, random_state=0).fit(
    ...     X[:60], y[:60]
    ... ).score(X[60:], y[60:])
    1.0
    """

    _leaves: ClassVar[tuple[Fitted, ...]] = (Fitted("classes_", "ndarray", ("n_classes",), "The labels."),)

    def _reader(self) -> Rows:
        return Rows(self.dtype, self.standardize)

    def _ridge(self) -> Ridge:
        return Ridge(self.alpha, self.n_folds, self.alpha_per_target)

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
        with self._fitting():
            if in_partitions(X):
                self._learn_in_partitions(Partitions(X, y, sample_weight, self.n_threads))
            else:
                self._learn(X, y, sample_weight)
        return self

    def _encode(self, y: NDArray[Any], weight: Array | None) -> tuple[NDArray[np.int64], Array | None]:
        """The number of each label's class, and weights that count the classes in."""
        target = Classes(self, self.dtype, class_weight=self.class_weight)
        target.learn(y, weight)
        self.classes_ = target.classes_
        return target.encode(y).ravel().astype(np.int64), target.weigh(y, weight)

    def _learn(self, X: Any, y: Any, sample_weight: Any) -> None:
        given, y = read_labelled(self, X, y, reset=True)
        labels, weight = self._encode(y, None if sample_weight is None else self._reader().weights(sample_weight, given))
        sequences, fold = given.sequences, stratified_folds(labels, self.n_folds)
        self._measure(sequences, weight)
        warn_of_constants(sequences)
        StatePooling.of(self).require_steps(sequences.lengths)
        self._set_up(sequences, labels, weight, fold)
        if self.pooling == "model":
            Components.of(sums_of_states(self._drive(sequences)), self.n_components).store(self)
        learner: Learner = self._ridge() if self.readout is None else Model(self.readout)
        targets = class_columns(labels, len(self.classes_)) if self.readout is None else self.classes_[labels]
        driven = DrivenSequences(self._drive(sequences, noisy=self.noise > 0), StatePooling.of(self), targets, weight, fold)
        self.__dict__.update(learner.learn(driven).readout.fitted())

    def _set_up(self, sequences: Sequences, labels: NDArray[np.int64], weight: Array | None, fold: NDArray[np.int64]) -> None:
        """Choose the scales and draw the reservoir."""
        blueprint, n_classes = Blueprint(self, sequences.n_features, seed_of(self.random_state)), len(self.classes_)
        order = np.argsort(rank_in_class(labels), kind="stable")
        index = few_sequences(sequences.lengths, order, min(len(labels), _LEAST_PER_CLASS * n_classes))
        few = sequences[index]
        few = few.with_values((few.values - self.mean_) / self.scale_)
        gather = partial(
            SequenceEquations,
            pooling=StatePooling.of(self),
            offsets=few.offsets,
            targets=class_columns(labels[index], n_classes),
            weight=None if weight is None else weight[index],
            fold=fold[index],
            n_folds=self.n_folds,
        )
        n_units = N_UNITS // self.n_segments if self.pooling == "segments" else N_UNITS
        scales = choose_scales(blueprint, few, gather, (max(_FEWEST_UNITS, n_units),))[0]
        self.spectral_radius_, self.leak_rate_, self.input_scaling_ = scales
        self.network_ = blueprint.build(scales)

    def _learn_in_partitions(self, partitions: Partitions) -> None:
        """As ``_learn``, with sums that are taken where the partitions are; the scales are chosen on the first one."""
        if self.readout is not None or self.noise > 0:
            given = f"readout={self.readout}, noise={self.noise}"
            raise ValueError(f"A fit of Dask collections sums normal equations: it needs readout=None and no noise; got {given}")
        (first, _), _ = read_labelled(self, *partitions.first(), reset=True)
        reader, ridge = only_reading(self), self._ridge()
        lengths, y = zip(*partitions.map(partial(describe_sequences, reader)), strict=True)
        sizes = [len(part) for part in lengths]
        StatePooling.of(self).require_steps(np.concatenate(lengths))
        labels, weight = self._encode(np.concatenate(y), None)
        targets, fold = class_columns(labels, len(self.classes_)), stratified_folds(labels, self.n_folds)
        weights = [None] * len(sizes) if weight is None else split_by(weight, sizes)
        if self.standardize:
            self.mean_, self.scale_ = mean_and_scale(partitions.sum(partial(sum_channels, reader), weights)[0], TINY_CHANNEL)
        else:
            self.mean_, self.scale_ = np.zeros(first.n_features), np.ones(first.n_features)
        self._set_up(first, labels[: sizes[0]], weights[0], fold[: sizes[0]])
        network, standardisation = self.network_, (self.mean_, self.scale_)
        if self.pooling == "model":
            Components.of(partitions.sum(partial(sum_states, reader, network, standardisation))[0], self.n_components).store(self)
        work = partial(sum_sequences, reader, network, standardisation, StatePooling.of(self), ridge.n_sums)
        sums, _ = partitions.sum(work, split_by(targets, sizes), weights, split_by(fold, sizes))
        self.__dict__.update(ridge.solve(sums).fitted())

    def _features(self, X: Any) -> NDArray[np.floating]:
        check_is_fitted(self)
        model = as_fitted(self)
        sequences, _ = model._reader().read(model, X, reset=False)
        with predicting(self):
            return StatePooling.of(model).rows(self._drive(sequences))

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
        if as_fitted(self).readout is not None:
            return np.asarray(self.readout_.decision_function(self._features(X)))
        outputs = self._outputs(X)
        return outputs[:, 0] if len(self.classes_) < 3 else outputs

    def _outputs(self, X: Any) -> Array:
        """Of our own readout: a column for each class, or one of two classes."""
        features = self._features(X)
        return readout_of(self)(features)

    def predict(self, X: Any) -> NDArray[Any]:
        """The likeliest class of each sequence.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        ndarray of shape (n_sequences,)
        """
        if as_fitted(self).readout is not None:
            return np.asarray(self.readout_.predict(self._features(X)))
        outputs = self._outputs(X)
        return likeliest(outputs, self.classes_)

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
        if as_fitted(self).readout is not None:
            return np.asarray(self.readout_.predict_proba(self._features(X)))
        outputs = self._outputs(X)
        if len(self.classes_) < 3:
            second = np.clip((outputs[:, 0] + 1) / 2, 0, 1)
            return np.column_stack([1 - second, second])[:, : len(self.classes_)]
        return nearest_probabilities(outputs)
