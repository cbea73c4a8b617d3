"""Parameters as they were at fit: what is set afterwards counts from the next fit on."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

from ..._constraints import check_parameters

Estimator = TypeVar("Estimator")


def note_parameters(model: Any) -> None:
    """Keep the parameters that a fit goes by, for the predictions that follow it."""
    model._fitted_with = {name: value for name, value in model.get_params(deep=False).items() if name not in model._may_change}


def as_fitted(model: Estimator) -> Estimator:
    """A fitted estimator with the parameters of its fit: itself, or a copy, which is to be asked only.

    Those that count at once, as they are now, are checked here, for no fit comes behind them.
    """
    check_parameters(model, model._may_change)  # type: ignore[attr-defined]
    then = vars(model).get("_fitted_with", {})
    if all(vars(model)[name] is value for name, value in then.items()):
        return model
    twin = copy.copy(model)
    vars(twin).update(then)
    return twin
