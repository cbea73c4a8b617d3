"""What a fit of a forecaster leaves."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...data import Panel, SeriesMoments
from ..face._state import Fitted, StaticState
from ._conformal import Calibration
from ._plan import Plan
from ._reading import CovariateColumns
from ._series_frames import SeriesLabels
from ._times import SeriesTimes


class ForecasterState(StaticState):
    """What forecasts need beside a network, and what was used where the parameters leave it open."""

    n_lags_: int
    horizon_: int
    season_: int
    target_scaling_: str | None
    alpha_: float
    n_windows_: int
    n_steps_: NDArray[np.intp]
    _plan: Plan
    _covariate_columns: CovariateColumns
    _series_moments: SeriesMoments
    _history: Panel
    _calibration: Calibration | None
    _times: SeriesTimes
    _labels: SeriesLabels | None
    _ids: tuple[Any, ...] | None
    _several: bool
    _flat: bool
    _seed: int

    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted("network_", "torch.nn.Module", (), "The trained torch module, a Seq2Seq or a StepNetwork; its outputs are in units of each window."),
        Fitted("loss_curve_", "list of float", (), "Mean loss of the windows drawn in each epoch."),
        Fitted("n_lags_, horizon_, season_", "int", (), "What was used; a season of 0 is none."),
        Fitted("target_scaling_", "str or None", (), "The units that were used."),
        Fitted("alpha_", "float", (), "The alpha that was used."),
        Fitted("n_windows_", "int", (), "Windows that ``fit`` learned from."),
        Fitted("n_steps_", "ndarray", ("n_series",), "Steps of each series so far."),
        Fitted("forecaster_", "FittedForecaster", (), "What was learned, for forecasts from any step of a series.", derived=True),
        Fitted("_plan", "Plan"),
        Fitted("_covariate_columns", "CovariateColumns"),
        Fitted("_series_moments", "SeriesMoments"),
        Fitted("_history", "Panel"),
        Fitted("_calibration", "Calibration or None"),
        Fitted("_times", "SeriesTimes"),
        Fitted("_labels", "SeriesLabels or None"),
        Fitted("_ids", "tuple or None"),
        Fitted("_several, _flat", "bool"),
        Fitted("_seed", "int"),
    )
