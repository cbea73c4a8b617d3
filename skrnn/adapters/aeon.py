"""Estimators for aeon: what its benchmarks and checks ask for, around those of this library."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from ..estimators import RNNClassifier, RNNRegressor
from ._collections import from_aeon
from ._fresh import fresh
from ._missing import stand_in

try:
    from aeon.classification.base import BaseClassifier
    from aeon.regression.base import BaseRegressor
except ModuleNotFoundError:
    BaseClassifier = BaseRegressor = stand_in("aeon")

__all__ = ["AeonClassifier", "AeonRegressor"]

_COLLECTIONS: dict[str, Any] = {
    "X_inner_type": ["np-list", "numpy3D"],
    "capability:multivariate": True,
    "capability:unequal_length": True,
}


class AeonClassifier(BaseClassifier):
    """A classifier of this library as one of aeon.

    Choose it to put a recurrent network among aeon's classifiers. Elsewhere :class:`skrnn.RNNClassifier` itself does more.

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

    _tags: ClassVar[dict[str, Any]] = _COLLECTIONS

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
    def _get_test_params(cls, parameter_set: str = "default") -> dict[str, Any]:
        return {"estimator": RNNClassifier(hidden_size=4, max_epochs=2)}


class AeonRegressor(BaseRegressor):
    """A regressor of this library as one of aeon.

    Choose it to put a recurrent network among aeon's regressors of whole series. Elsewhere :class:`skrnn.RNNRegressor` itself does more.

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

    _tags: ClassVar[dict[str, Any]] = _COLLECTIONS

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
    def _get_test_params(cls, parameter_set: str = "default") -> dict[str, Any]:
        return {"estimator": RNNRegressor(hidden_size=4, max_epochs=2)}
