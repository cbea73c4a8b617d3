"""Parameters of detectors, and what their fits leave."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from ..face._declared import TASK, parameters
from ..face._state import Fitted


@parameters
class Detection:
    """What is judged, and how strictly.

    Parameters
    ----------
    contamination : float or "auto", default="auto"
        Where the threshold is: "auto" at the score below which a thousandth of the held-out steps lies, a number at that below which this share of
        all steps of ``fit`` lies, in (0, 0.5].
    covariates : sequence of int or str, default=()
        Columns of X, by number or name, that are neither predicted nor judged, but known when the step that they belong to is.
    calibration_fraction : float, default=0.25
        Share of each series, its last part, that is not learned from but tells how large errors are where all is well.
    shrinkage : float or "auto", default=0.5
        How far the correlations of the errors are shrunk, in (0, 1]; "auto" as Ledoit & Wolf (2004). 1 looks at each error by itself, and does not
        blame the steps after a short anomaly; little of it sees errors that contradict each other, the mark of anomalies that last.
    """

    contamination: str | float = "auto"
    covariates: Sequence[int | str] = ()
    calibration_fraction: float = 0.25
    shrinkage: float | str = 0.5

    _place: ClassVar[int] = TASK
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "contamination": [StrOptions({"auto"}), Interval(Real, 0, 0.5, closed="right")],
        "covariates": ["array-like"],
        "calibration_fraction": [Interval(Real, 0, 1, closed="neither")],
        "shrinkage": [StrOptions({"auto"}), Interval(Real, 0, 1, closed="right")],
    }


class DetectionState:
    """What is normal, and the threshold."""

    offset_: float
    error_gaussian_: Any
    target_channels_: NDArray[np.intp]
    target_scale_: NDArray[np.float64]

    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted("offset_", "float", (), "Threshold of ``score_samples``."),
        Fitted(
            "error_gaussian_",
            "ErrorGaussian",
            (),
            "Mean, scale and shrunk covariance (by its Cholesky factor) of the standardised held-out errors, soonest known first.",
        ),
        Fitted("target_channels_", "ndarray", ("n_targets",), "Columns that are predicted and judged, by their numbers."),
        Fitted("target_scale_", "ndarray", ("n_targets",), "Standard deviations of the targets."),
    )
