"""The faces of networks whose X may be windows of series, flattened into the rows of a table."""

from __future__ import annotations

from abc import ABC
from dataclasses import KW_ONLY
from numbers import Integral
from typing import Any, ClassVar

from sklearn.utils._param_validation import Interval, StrOptions

from ..data import LAYOUTS, STEP_ORDERS, TableLayout
from ._base import BaseRecurrent
from ._parameters import TrainedParameters, parameters


@parameters
class BaseWindowed(BaseRecurrent, ABC):
    """A row of a 2-D X is a sequence, and the parameters say how it is to be read."""

    _: KW_ONLY
    n_lags: int | None = None
    layout: str = "ntc"
    step_order: str = "auto"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = TrainedParameters._parameter_constraints | {
        "n_lags": [Interval(Integral, 1, None, closed="left"), None],
        "layout": [StrOptions(set(LAYOUTS))],
        "step_order": [StrOptions(set(STEP_ORDERS))],
    }

    def _windows(self) -> TableLayout:
        return TableLayout(self.n_lags, self.layout, self.step_order)
