"""Estimators for sktime: what its pipelines, searches and benchmarks ask for, around those of this library."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from ..estimators import EchoStateForecaster, RNNClassifier, RNNForecaster, RNNRegressor
from ._collections import from_aeon
from ._fresh import fresh
from ._missing import stand_in

try:
    from sktime.classification.base import BaseClassifier
    from sktime.forecasting.base import BaseForecaster
    from sktime.regression.base import BaseRegressor
except ModuleNotFoundError:
    BaseClassifier = BaseForecaster = BaseRegressor = stand_in("sktime")

__all__ = ["SktimeClassifier", "SktimeForecaster", "SktimeRegressor"]

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

    Examples
    --------
    >>> from sktime.datasets import load_unit_test  # doctest: +SKIP
    >>> from skrnn.adapters.sktime import SktimeClassifier  # doctest: +SKIP
    >>> model = SktimeClassifier(random_state=0).fit(
    ...     *load_unit_test("train")
    ... )  # doctest: +SKIP
    >>> model.score(*load_unit_test("test"))  # doctest: +SKIP
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
        small: dict[str, Any] = {"hidden_size": 4, "max_epochs": 2}
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

    Examples
    --------
    >>> from sktime.datasets import load_covid_3month  # doctest: +SKIP
    >>> from skrnn.adapters.sktime import SktimeRegressor  # doctest: +SKIP
    >>> model = SktimeRegressor(random_state=0).fit(
    ...     *load_covid_3month("train")
    ... )  # doctest: +SKIP
    >>> model.score(*load_covid_3month("test"))  # doctest: +SKIP
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
        small: dict[str, Any] = {"hidden_size": 4, "max_epochs": 2}
        return [{"estimator": RNNRegressor(**small)}, {"estimator": RNNRegressor("lstm", pooling="last", **small)}]


class SktimeForecaster(BaseForecaster):
    """A forecaster of this library as one of sktime's: `y` comes first, and a forecasting horizon says which steps.

    Choose it for sktime's pipelines, reconcilers, evaluation and tuning. Panels and hierarchies get one model for each series, as sktime does it; one
    model of all series is :class:`skrnn.RNNForecaster` or :class:`skrnn.EchoStateForecaster` on a list, or `NixtlaForecaster`. Covariates are needed
    for every step up to the last one of the horizon; where sktime hands only those of the steps that are asked for, a step between has those of the
    next one.

    Parameters
    ----------
    estimator : RNNForecaster, EchoStateForecaster or None, default=None
        What is fitted, a clone of it; ``None`` is ``RNNForecaster()``. If ``fit`` is told the horizon, its ``horizon`` becomes the last step of that.
    random_state : int, RandomState instance or None, default=None
        Replaces that of `estimator` unless it is ``None``.

    Attributes
    ----------
    estimator_ : forecaster
        The fitted one.

    Examples
    --------
    >>> from sktime.datasets import load_airline  # doctest: +SKIP
    >>> from skrnn.adapters.sktime import SktimeForecaster  # doctest: +SKIP
    >>> model = SktimeForecaster(random_state=0).fit(
    ...     load_airline(), fh=range(1, 13)
    ... )  # doctest: +SKIP
    >>> model.predict_interval(coverage=0.9)  # doctest: +SKIP
    """

    _tags: ClassVar[dict[str, Any]] = {
        "y_inner_mtype": ["pd.Series", "pd.DataFrame"],
        "X_inner_mtype": "pd.DataFrame",
        "capability:multivariate": True,
        "capability:exogenous": True,
        "capability:missing_values": False,
        "capability:insample": False,
        "capability:pred_int": True,
        "capability:pred_int:insample": False,
        "capability:random_state": True,
        "property:randomness": "derandomized",
        "requires-fh-in-fit": False,
        "X-y-must-have-same-index": True,
        "enforce_index_type": None,
    }

    def __init__(self, estimator: Any = None, random_state: Any = None) -> None:
        self.estimator = estimator
        self.random_state = random_state
        super().__init__()

    def _fit(self, y: Any, X: Any = None, fh: Any = None) -> Self:
        estimator = fresh(self.estimator, RNNForecaster, self.random_state)
        if fh is not None:
            estimator.set_params(horizon=max(1, int(max(fh.to_relative(self.cutoff)))))
        self.estimator_ = estimator.fit(_table(X), y.to_numpy(dtype=float))
        self._note(y)
        return self

    def _update(self, y: Any, X: Any = None, update_params: bool = True) -> Self:
        new = y.index > self._last  # what comes may overlap with what is known
        if new.any():
            self.estimator_.update(_table(X if X is None else X[new]), y[new].to_numpy(dtype=float), learn=update_params)
            self._note(y)
        return self

    def _predict(self, fh: Any, X: Any = None) -> Any:
        steps, table = self._steps(fh, X)
        values = self.estimator_.forecast(int(steps.max()) + 1, table)[steps]
        like = self._like
        named = {"name": like.name} if values.ndim == 1 else {"columns": like.columns}
        return type(like)(values, index=fh.to_absolute_index(self.cutoff), **named)

    def _predict_quantiles(self, fh: Any, X: Any, alpha: list[float]) -> Any:
        from pandas import DataFrame, MultiIndex

        steps, table = self._steps(fh, X)
        rows = np.zeros((int(steps.max()) + 1, 1)) if table is None else table
        values = self.estimator_.predict_quantiles(rows, alpha)[steps]
        names = self._get_varnames()
        columns = MultiIndex.from_product([names, alpha])
        return DataFrame(values.reshape(len(steps), -1), index=fh.to_absolute_index(self.cutoff), columns=columns)

    def _note(self, y: Any) -> None:
        """Remember where the series ends, and what it is called."""
        self._last, self._like = y.index[-1], y.iloc[:0]

    def _steps(self, fh: Any, X: Any) -> tuple[NDArray[np.int64], NDArray[np.float64] | None]:
        """Which of the steps to come are asked for, from 0, and the covariates of all up to the last."""
        steps = fh.to_relative(self.cutoff).to_numpy().astype(int) - 1
        if X is None:
            return steps, None
        every = type(fh)(np.arange(1, steps.max() + 2), is_relative=True).to_absolute_index(self.cutoff)
        known = X.reindex(every).bfill()
        missing = known.isna().any(axis=1)
        if missing.any():
            raise ValueError(f"X must hold a row for each step up to the last one of fh; {every[missing.to_numpy()][0]} is missing")
        return steps, _table(known)

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
        small: dict[str, Any] = {"hidden_size": 4, "max_epochs": 1, "horizon": 12, "n_lags": 3}
        reservoirs = EchoStateForecaster(4, horizon=12, n_lags=3)
        recursive = RNNForecaster("lstm", strategy="recursive", objective="gaussian", **small)
        return [{"estimator": estimator} for estimator in (RNNForecaster(**small), recursive, reservoirs)]


def _table(X: Any) -> NDArray[np.float64] | None:
    return None if X is None else X.to_numpy(dtype=float)
