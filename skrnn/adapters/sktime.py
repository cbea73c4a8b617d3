"""Estimators for sktime: what its pipelines, searches and benchmarks ask for, around those of this library."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from ..estimators import RNNClassifier, RNNRegressor
from ._collections import from_aeon
from ._fresh import fresh
from ._missing import stand_in

try:
    from sktime.classification.base import BaseClassifier
    from sktime.regression.base import BaseRegressor
except ModuleNotFoundError:
    BaseClassifier = BaseRegressor = stand_in("sktime")

__all__ = ["SktimeClassifier", "SktimeRegressor"]

_PANELS: dict[str, Any] = {
    "X_inner_mtype": "df-list",
    "capability:multivariate": True,
    "capability:unequal_length": True,
    "capability:missing_values": False,
    "capability:random_state": True,
    "property:randomness": "derandomized",
    "python_dependencies": None,
}


class SktimeClassifier(BaseClassifier):
    """A classifier of this library as one of sktime.

    Choose it to put a recurrent network into sktime's pipelines, searches and benchmarks. Elsewhere :class:`skrnn.RNNClassifier` itself does more.

    Parameters
    ----------
    estimator : classifier of sequences or None, default=None
        What is fitted, a clone of it; ``None`` is ``RNNClassifier()``. Its parameters are searched as ``estimator__…``.
    random_state : int, RandomState instance or None, default=None
        Replaces that of `estimator` unless it is ``None``.

    Attributes
    ----------
    estimator_ : classifier
        The fitted one.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    """

    _tags: ClassVar[dict[str, Any]] = _PANELS | {"capability:predict_proba": True}

    def __init__(self, estimator: Any = None, random_state: Any = None) -> None:
        self.estimator = estimator
        self.random_state = random_state
        super().__init__()

    def _fit(self, X: Any, y: Any) -> Self:
        self.estimator_ = fresh(self.estimator, RNNClassifier, self.random_state).fit(from_aeon(X), y)
        return self

    def _predict(self, X: Any) -> NDArray[Any]:
        return self.estimator_.predict(from_aeon(X))

    def _predict_proba(self, X: Any) -> NDArray[np.float64]:
        return self.estimator_.predict_proba(from_aeon(X))

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Settings that are fitted within a moment, for sktime's checks.

        Parameters
        ----------
        parameter_set : str, default="default"
            Not looked at.

        Returns
        -------
        params : list of dict
            Keyword arguments of the constructor.
        """
        small = {"hidden_size": 4, "max_epochs": 2}
        return [{"estimator": RNNClassifier(**small)}, {"estimator": RNNClassifier("lstm", pooling="last", **small)}]


class SktimeRegressor(BaseRegressor):
    """A regressor of this library as one of sktime.

    Choose it to put a recurrent network into sktime's pipelines, searches and benchmarks of regression on whole series. In ``make_reduction``
    :class:`skrnn.RNNRegressor` itself stands unchanged.

    Parameters
    ----------
    estimator : regressor of sequences or None, default=None
        What is fitted, a clone of it; ``None`` is ``RNNRegressor()``. Its parameters are searched as ``estimator__…``.
    random_state : int, RandomState instance or None, default=None
        Replaces that of `estimator` unless it is ``None``.

    Attributes
    ----------
    estimator_ : regressor
        The fitted one.
    """

    _tags: ClassVar[dict[str, Any]] = _PANELS

    def __init__(self, estimator: Any = None, random_state: Any = None) -> None:
        self.estimator = estimator
        self.random_state = random_state
        super().__init__()

    def _fit(self, X: Any, y: Any) -> Self:
        self.estimator_ = fresh(self.estimator, RNNRegressor, self.random_state).fit(from_aeon(X), y)
        return self

    def _predict(self, X: Any) -> NDArray[np.float64]:
        return self.estimator_.predict(from_aeon(X))

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Settings that are fitted within a moment, for sktime's checks.

        Parameters
        ----------
        parameter_set : str, default="default"
            Not looked at.

        Returns
        -------
        params : list of dict
            Keyword arguments of the constructor.
        """
        small = {"hidden_size": 4, "max_epochs": 2}
        return [{"estimator": RNNRegressor(**small)}, {"estimator": RNNRegressor("lstm", pooling="last", **small)}]
