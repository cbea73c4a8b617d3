"""Forecasts from many origins of known series, beside what came."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from ...data import long_index
from ..face._guards import predicting
from ._forecaster import RNNForecaster
from ._long import read_further
from ._reading import GivenSeries, read_panel_series


def backtest(
    forecaster: RNNForecaster | FrozenEstimator,
    y: Any,
    X: Any = None,
    *,
    initial_window: int,
    step: int = 1,
    horizon: int | None = None,
    refit: bool = False,
    coverage: float | None = None,
    quantiles: Sequence[float] | None = None,
    static: Any = None,
    as_frame: bool = True,
) -> Any:
    """Forecast from many points of a series, as if what follows were not known.

    Without ``refit`` a clone learns once, from the first ``initial_window`` steps, and then sees all steps before each origin: the forecasts from all
    origins are one batch. With ``refit`` it learns anew before every origin.

    Parameters
    ----------
    forecaster : RNNForecaster or sklearn.frozen.FrozenEstimator
        Not changed. A fitted one in a ``FrozenEstimator`` does not learn: it forecasts from origins behind what it has learned from, of the same
        series from their beginning.
    y : array-like of shape (n_steps,) or (n_steps, n_targets), a list of them, or a long frame as in :meth:`RNNForecaster.fit`
        The series.
    X : table of shape (n_steps, n_features), a list of them, or a long frame, default=None
        Covariates.
    initial_window : int
        Steps of each series before the first origin.
    step : int, default=1
        Steps from one origin to the next.
    horizon : int, default=None
        Steps to forecast from each; ``None`` is that of the forecaster.
    refit : bool, default=False
        Whether to learn anew before every origin.
    coverage : float, default=None
        Share that intervals should cover; ``None``: no intervals.
    quantiles : sequence of float, default=None
        Levels of quantiles.
    static : array-like of shape (n_series, n_static), default=None
        As in :meth:`RNNForecaster.fit`.
    as_frame : bool, default=True
        A pandas frame; else a dict of its columns, which needs no pandas.

    Returns
    -------
    frame or dict
        A row for each series, origin, step and target: ``series``, ``origin`` (row of the first step), ``step`` (from 1), ``target``, ``y_true``,
        ``y_pred``, and, where they are asked for, ``lower``, ``upper`` and a column for each quantile, as ``q0.1``.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNForecaster, backtest
    >>> y = np.sin(0.5 * np.arange(120))
    >>> model = RNNForecaster(horizon=4, random_state=0)
    >>> errors = backtest(model, y, initial_window=100, step=4, as_frame=False)
    >>> len(errors["y_pred"]), bool(np.abs(errors["y_true"] - errors["y_pred"]).mean() < 0.1)
    (20, True)
    """
    given: Any = forecaster
    frozen = isinstance(given, FrozenEstimator)
    model = given.estimator if frozen else clone(given)
    if frozen:
        check_is_fitted(model)
    horizon = (model.horizon_ if frozen else model.horizon) if horizon is None else horizon
    _check_counts(initial_window=initial_window, step=step, horizon=horizon)
    levels = [] if quantiles is None else [float(q) for q in quantiles]
    asked = [*levels, *([] if coverage is None else [(1 - coverage) / 2, (1 + coverage) / 2])]
    whole = read_further(model, X, y) if frozen else read_panel_series(model, X, y, reset=True)
    lengths = whole.lengths.tolist()
    _refuse_short(lengths, initial_window, horizon)
    origins = list(range(initial_window, max(lengths) - horizon + 1, step))

    def fitted(first: int) -> Any:
        until = [min(n, first) for n in lengths]
        return clone(forecaster).fit(_head(X, until, whole.several), _head(y, until, whole.several), static=static)

    fits: Iterable[tuple[Any, list[int]]]
    if frozen:
        _refuse_learned(model, initial_window, refit)
        fits = [(model, origins)]
    else:
        fits = ((fitted(first), [first]) for first in origins) if refit else [(fitted(initial_window), origins)]
    parts = [part for learned, few in fits for part in _from_origins(learned, whole, few, horizon, asked)]
    return _columns_of(parts, levels, coverage is not None, as_frame)


def _check_counts(**counts: Any) -> None:
    for name, value in counts.items():
        if not isinstance(value, Integral) or value < 1:
            raise ValueError(f"{name} must be a whole number from 1 up; got {value!r}")


def _refuse_short(lengths: list[int], initial_window: int, horizon: int) -> None:
    if min(lengths) < initial_window + horizon:
        shortest = int(np.argmin(lengths))
        raise ValueError(
            f"initial_window={initial_window} and horizon={horizon} need {initial_window + horizon} steps; series {shortest} has {min(lengths)}"
        )


def _refuse_learned(model: RNNForecaster, initial_window: int, refit: bool) -> None:
    """Origins among what a fitted forecaster has learned from."""
    if refit:
        raise ValueError("A FrozenEstimator does not learn: it needs refit=False; got True")
    if (most := int(model.n_steps_.max())) > initial_window:
        raise ValueError(f"The fitted forecaster knows {most} steps: it needs initial_window={most} or more; got {initial_window}")


def _head(data: Any, until: list[int], several: bool) -> Any:
    """The first steps of each series."""
    if data is None:
        return None
    if (index := long_index(data)) is not None:
        return data.iloc[np.concatenate([index.order[start : start + n] for start, n in zip(index.offsets[:-1], until, strict=True)])]
    cut = lambda part, n: part.iloc[:n] if type(part).__module__.startswith("pandas") else part[:n]  # noqa: E731
    return [cut(part, n) for part, n in zip(data, until, strict=True)] if several else cut(data, until[0])


def _from_origins(model: RNNForecaster, whole: GivenSeries, origins: list[int], horizon: int, levels: list[float]) -> list[dict[str, Any]]:
    """Forecasts of a fitted model, for each series."""
    fitted = model.forecaster_
    panel = fitted.panel(whole)
    found = []
    with predicting(model):
        for k, (start, n) in enumerate(zip(panel.offsets[:-1], panel.lengths, strict=True)):
            steps = np.array([o for o in origins if o <= n - horizon])
            places = (np.full(len(steps), k), steps + start)
            rows = places[1][:, None] + np.arange(horizon)
            true = np.where(panel.present[rows], panel.y[rows], np.nan)
            point = fitted.points(panel, places, horizon)
            bounds = fitted.quantiles_as_they_came(panel, places, horizon, levels) if levels else np.empty((*point.shape, 0))
            found.append({"series": k, "origins": steps, "y_true": true, "y_pred": point, "levels": bounds})
    return found


def _columns_of(parts: list[dict[str, Any]], levels: list[float], intervals: bool, as_frame: bool) -> Any:
    """Everything in columns."""
    columns: dict[str, list[Any]] = {}
    for part in parts:
        shape = part["y_pred"].shape
        place = np.meshgrid(part["origins"], np.arange(1, shape[1] + 1), np.arange(shape[2]), indexing="ij")
        own: dict[str, Any] = {"series": np.full(shape, part["series"])}
        own |= dict(zip(("origin", "step", "target"), place, strict=True))
        own |= {"y_true": part["y_true"], "y_pred": part["y_pred"]}
        names = [f"q{level:g}" for level in levels] + (["lower", "upper"] if intervals else [])
        own |= {name: part["levels"][..., j] for j, name in enumerate(names)}
        for name, values in own.items():
            columns.setdefault(name, []).append(np.ravel(values))
    table = {name: np.concatenate(values) for name, values in columns.items()}
    if not as_frame:
        return table
    try:
        from pandas import DataFrame
    except ImportError as error:
        raise ImportError("as_frame=True needs pandas; as_frame=False gives a dict of columns") from error
    return DataFrame(table)
