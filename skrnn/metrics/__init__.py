"""Scores of forecasts, of their uncertainty, and of symbols; whatever is not here stands in ``sklearn.metrics``.

Numpy in, floats out. A row is a time step (or a sequence), a column an output. All are errors, the smaller the better, but `coverage`, which
should be what was promised, and `valid_time` and `bleu`, which should be large. `step_scorer` makes scorers for searches.
"""

from ._edits import edit_distance, label_error_rate
from ._forecasts import mase, nrmse, smape, valid_time
from ._steps import step_scorer
from ._symbols import symbol_error_rate
from ._text import bleu
from ._uncertainty import coverage, crps, pinball

__all__ = [
    "bleu",
    "coverage",
    "crps",
    "edit_distance",
    "label_error_rate",
    "mase",
    "nrmse",
    "pinball",
    "smape",
    "step_scorer",
    "symbol_error_rate",
    "valid_time",
]
