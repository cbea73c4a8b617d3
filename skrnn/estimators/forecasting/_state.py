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
    """What forecasts need beside what is learned, and what was used where the parameters leave it open."""

    n_lags_: int
    horizon_: int
    season_: int
    target_scaling_: str | None
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
        Fitted("n_lags_, horizon_, season_", "int", (), "What was used; a season of 0 is none."),
        Fitted("target_scaling_", "str or None", (), "The units that were used."),
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


class WindowTrainingState:
    """What the training of a network on windows leaves."""

    alpha_: float
    n_windows_: int

    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted("network_", "torch.nn.Module", (), "The trained torch module, a Seq2Seq or a StepNetwork; its outputs are in units of each window."),
        Fitted("loss_curve_", "list of float", (), "Mean loss of the windows drawn in each epoch."),
        Fitted("alpha_", "float", (), "The alpha that was used."),
        Fitted("n_windows_", "int", (), "Windows that ``fit`` learned from."),
    )


class ReservoirForecasterState:
    """Readouts of reservoirs."""

    coef_: NDArray[np.float64]
    intercept_: NDArray[np.float64]
    covariate_coef_: NDArray[np.float64]
    error_quantiles_: NDArray[np.float64]
    alpha_: float
    alphas_: NDArray[np.float64]
    scores_: NDArray[np.float64] | None
    n_reservoirs_: int
    washout_: int
    n_rows_: int
    _learned: Any

    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted(
            "spectral_radius_, leak_rate_, input_scaling_",
            "float, tuple or None",
            (),
            'The values in use: those given, or chosen where "auto" was; None where ``cell`` has its own.',
        ),
        Fitted("coef_", "ndarray", ("n_outputs", "n_states"), "Weights of the mean readout: for the past, the last input, and the states."),
        Fitted("intercept_", "ndarray", ("n_outputs",), "Not penalised. Outputs are the targets of the first step ahead, of the second, …"),
        Fitted("covariate_coef_", "ndarray", ("n_targets", "n_covariates"), "By how much covariates of a step lift it, in units of a series."),
        Fitted("error_quantiles_", "ndarray", ("n_outputs", "n_levels"), "Quantiles of the errors of what was held out, in units of a window."),
        Fitted("alpha_", "float", (), "The penalty in use."),
        Fitted("alphas_", "ndarray", ("n_alphas",), "The penalties that were compared."),
        Fitted("scores_", "ndarray or None", ("n_alphas",), "Their estimated errors; None for a penalty that was given."),
        Fitted("n_reservoirs_", "int", (), "How many there are."),
        Fitted("washout_", "int", (), 'Steps at the beginning of each series that "recursive" did not learn from.'),
        Fitted("n_rows_", "int", (), 'Windows, or with "recursive" steps, that ``fit`` learned from.'),
        Fitted("_learned", "NormalEquations"),
    )
