"""How good forecasts of several series are, and what may not be asked of series without a name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import r2_score

from ...data import Sequences, long_index, refuse_other_index, unmasked
from ._long import asks_by_name


def refuse_whole_series(model: Any, n_steps: int) -> None:
    """Refuse more steps than were learned where nothing tells whose they are: a split between series would get the forecasts of others."""
    nameless = model._several and model._times.clock is None and all(axis is None for axis in model._times.axes)
    if nameless and n_steps > model.horizon_:
        raise ValueError(
            f"{n_steps} steps of each series are asked for, horizon_={model.horizon_} were learned, and series in a list have no names: "
            "if X holds whole series, as after a split between series, they are not those of fit. Put panels into one long frame and split them "
            f"by time (skrnn.model_selection.PanelSplit); forecast({n_steps}, X) does forecast so many steps of the series of fit"
        )


def panel_score(model: Any, X: Any, y: Any, sample_weight: Any) -> float:
    """Mean over the series of R² within each."""
    data = y if X is None else X
    index = long_index(data) if asks_by_name(model, data) else None
    if index is None:
        parts = [np.asarray(part) for part in unmasked(y)] if not isinstance(y, Sequences) else list(y)
        if len(parts) != len(model.n_steps_):
            raise ValueError(f"y must hold what came of the {len(model.n_steps_)} series of fit; got {len(parts)}")
        longest = max(len(part) for part in parts)
        refuse_whole_series(model, longest)
        ahead = [np.asarray(part)[: len(true)] for part, true in zip(model.forecast(longest, X), parts, strict=True)]
        weights = None if sample_weight is None else list(sample_weight)
    else:
        refuse_other_index(X, y)
        ahead, parts = index.apart(model.forecast(None, data)), index.apart(unmasked(y))
        weights = None if sample_weight is None else index.apart(sample_weight)
    return mean_r2(parts, ahead, range(len(parts)), weights)


def mean_r2(parts: Sequence[NDArray[Any]], ahead: Sequence[NDArray[Any]], names: Sequence[Any], weights: Sequence[Any] | None = None) -> float:
    """Mean over series of R² within each, of what came and what was forecast; ``names`` are those of the series, for messages."""
    return float(np.mean([_score(*series) for series in zip(names, parts, ahead, weights or [None] * len(parts), strict=True)]))


def _score(name: Any, true: NDArray[Any], ahead: NDArray[Any], weight: Any) -> float:
    if len(true) < 2:
        raise ValueError(
            f"R² needs two steps or more of each series; got {len(true)} of series {name!r}: take another scoring, as 'neg_mean_absolute_error'"
        )
    true = true.reshape(ahead.shape) if true.size == ahead.size else true
    return float(r2_score(true, ahead, sample_weight=weight))
