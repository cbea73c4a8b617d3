"""From errors to scores, and from scores to a verdict: what detectors of anomalies share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from sklearn.base import OutlierMixin
from sklearn.covariance import LedoitWolf, ShrunkCovariance
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from ..data import Sequences, give_steps
from ._described import Described, parameters

Array = NDArray[np.float64]

DESCRIPTIONS = """\
    contamination : float or "auto", default="auto"
        Where the threshold is: "auto" at the score below which a thousandth of the held-out steps lies, a number at that below which this share of
        all steps of ``fit`` lies, in (0, 0.5].
    covariates : sequence of int or str, default=()
        Columns of X, by number or name, that are neither predicted nor judged, but known when the step that they belong to is.
    calibration_fraction : float, default=0.25
        Share of each series, its last part, that is not learned from but tells how large errors are where all is well.
    shrinkage : float or "auto", default=0.5
        How far the correlations of the errors are shrunk, in (0, 1]; "auto" as Ledoit & Wolf (2004). 1 looks at each error by itself, and does not
        blame the steps after a short anomaly; little of it sees errors that contradict each other, the mark of anomalies that last."""

ATTRIBUTES = """\
    offset_ : float
        Threshold of ``score_samples``.
    error_gaussian_ : ErrorGaussian
        Mean, scale and shrunk covariance (by its Cholesky factor) of the standardised held-out errors, soonest known first, all targets together.
    target_channels_ : ndarray of int
        Columns that are predicted and judged.
    target_scale_ : ndarray of shape (n_targets,)
        Their standard deviations."""

FALSE_ALARMS = 1e-3  # share of the held-out steps that contamination="auto" calls anomalous
_DEAD = 1e-9  # of a target's deviation: errors that do not vary


@dataclass(frozen=True)
class ErrorGaussian:
    """A Gaussian of error vectors in units of their targets' deviations, whose covariance is shrunk.

    Components are ordered by how soon they are known: a vector may lack its last ones.
    """

    mean: Array
    scale: Array
    factor: Array  # lower Cholesky factor of the covariance of the standardised errors
    usual: Array  # mean squares of the whitened errors; 1 but for the shrinkage

    @classmethod
    def of(cls, errors: Array, shrinkage: float | str) -> Self:
        """Fit to complete vectors (n_vectors, n_components)."""
        mean, deviation = errors.mean(axis=0), errors.std(axis=0)
        dead = deviation <= _DEAD
        scale = np.where(dead, 1.0, deviation)
        standardised = (errors - mean) / scale
        if shrinkage == "auto":
            covariance = LedoitWolf(assume_centered=True).fit(standardised).covariance_
        else:
            covariance = ShrunkCovariance(assume_centered=True, shrinkage=float(shrinkage)).fit(standardised).covariance_
        covariance[dead, dead] = 1.0  # what never was wrong counts in units of its target
        gaussian = cls(mean, scale, cholesky(covariance, lower=True), np.ones_like(mean))
        return replace(gaussian, usual=gaussian._squares(errors).mean(axis=0))

    def distances(self, errors: Array) -> Array:
        """Squared Mahalanobis distances of vectors, of which NaN are missing: what is to be expected of them, given the others.

        In the order of the factor a component is whitened by those before it, so a missing one adds its usual square, whatever the others are.
        """
        missing = np.isnan(errors)
        return np.where(missing, self.usual, self._squares(np.where(missing, self.mean, errors))).sum(axis=1)

    def _squares(self, errors: Array) -> Array:
        """Of the whitened errors."""
        return solve_triangular(self.factor, ((errors - self.mean) / self.scale).T, lower=True).T ** 2


@parameters
class BaseDetector(OutlierMixin, Described, ABC):
    """Scores become +1 and -1 at a threshold."""

    _: KW_ONLY
    contamination: str | float = "auto"
    covariates: Sequence[int | str] = ()
    calibration_fraction: float = 0.25
    shrinkage: float | str = 0.5

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "contamination": [StrOptions({"auto"}), Interval(Real, 0, 0.5, closed="right")],
        "covariates": ["array-like"],
        "calibration_fraction": [Interval(Real, 0, 1, closed="neither")],
        "shrinkage": [StrOptions({"auto"}), Interval(Real, 0, 1, closed="right")],
    }

    _descriptions = DESCRIPTIONS
    _attributes = ATTRIBUTES

    @abstractmethod
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn what is normal; sets ``target_scale_``, the standard deviation of the targets."""

    @abstractmethod
    def _sequences(self, X: Any, *, reset: bool) -> tuple[Sequences, str]:
        """Checked sequences, and the container that they came in."""

    @abstractmethod
    def _errors(self, sequences: Sequences) -> Array:
        """Errors (n_steps_total, k, n_targets) that each step is judged by, soonest known first; NaN are missing."""

    def _choose_targets(self, n_features: int) -> None:
        """All columns but the covariates."""
        names, targets = list(self.__dict__.get("feature_names_in_", ())), np.ones(n_features, dtype=bool)
        for column in self.covariates:
            if isinstance(column, str) and column in names:
                targets[names.index(column)] = False
            elif isinstance(column, Integral) and -n_features <= column < n_features:
                targets[column] = False
            else:
                raise ValueError(f"covariates must name columns of X, which are {names or f'0 to {n_features - 1}'}; got {column!r}")
        if not targets.any():
            raise ValueError(f"covariates={self.covariates!r} are all {n_features} columns of X: none is left to predict")
        self.target_channels_ = np.flatnonzero(targets)

    def _held_out(self, sequences: Sequences) -> NDArray[np.bool_]:
        """Which steps are in the last part of their series."""
        lengths = sequences.lengths
        n_first = lengths - np.ceil(self.calibration_fraction * lengths).astype(int)
        step = np.arange(sequences.n_steps_total) - np.repeat(sequences.offsets[:-1], lengths)
        return np.asarray(step >= np.repeat(n_first, lengths))

    def _calibrate(self, sequences: Sequences) -> None:
        """Learn what errors are normal from steps that nothing else was learned from, and set the threshold."""
        errors = self._error_vectors(sequences)[self._held_out(sequences)]
        complete = errors[~np.isnan(errors).any(axis=1)]
        if len(complete) < 2:
            raise ValueError(
                f"calibration_fraction={self.calibration_fraction} of the series holds {len(complete)} steps for which all predictions were made; "
                "two are needed, and many are better"
            )
        self.error_gaussian_ = ErrorGaussian.of(complete, self.shrinkage)
        auto = self.contamination == "auto"
        share = FALSE_ALARMS if auto else float(self.contamination)
        self.offset_ = float(np.quantile(self._scores_of(errors) if auto else self._scores(sequences), share))

    def _error_vectors(self, sequences: Sequences) -> Array:
        return (self._errors(sequences) / self.target_scale_).reshape(sequences.n_steps_total, -1)

    def _scores_of(self, errors: Array) -> Array:
        return -0.5 * self.error_gaussian_.distances(errors)

    def _scores(self, sequences: Sequences) -> Array:
        """Scores of all steps, end to end; higher is more normal."""
        return self._scores_of(self._error_vectors(sequences))

    def _given(self, X: Any, judge: Callable[[Array], Any]) -> Any:
        """What is made of the scores, as the sequences came."""
        check_is_fitted(self)
        sequences, layout = self._sequences(X, reset=False)
        return give_steps(judge(self._scores(sequences)), sequences, layout)

    def score_samples(self, X: Any) -> Any:
        """How normal each time step is, given the steps before it: higher is more normal.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        ndarray (n_steps,) for a 2-D X, (n_sequences, n_steps) for a 3-D X, else list of ndarray (n_steps,)
        """
        return self._given(X, lambda scores: scores)

    def decision_function(self, X: Any) -> Any:
        """``score_samples`` minus ``offset_``: negative for anomalies.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        as of ``score_samples``
        """
        return self._given(X, lambda scores: scores - self.offset_)

    def predict(self, X: Any) -> Any:
        """-1 for anomalous time steps, +1 for others.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        as of ``score_samples``, of int
        """
        return self._given(X, lambda scores: np.where(scores < self.offset_, -1, 1))
