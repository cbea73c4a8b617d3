"""Fits that begin anew, of which the best is kept."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone

from ...training import DivergenceError
from ..face._guards import seed_of
from ..face._state import fitted_names


def fit_again(model: Any, *data: Any, **more_data: Any) -> None:
    """Fit copies with other seeds, so that there are ``n_init`` fits with that of the model itself, and give it what the best of them has learned."""
    seeds = np.random.default_rng(seed_of(model.random_state)).integers(2**31, size=model.n_init - 1)
    best = model
    for seed in seeds.tolist():
        other = clone(model).set_params(n_init=1, warm_start=False, random_state=seed).set_callbacks()
        try:
            other.fit(*data, **more_data)
        except DivergenceError:
            continue  # warned of; another has not diverged
        if _loss(other) < _loss(best):
            best = other
    if best is not model:
        vars(model).update({name: vars(best)[name] for name in fitted_names(best) if name != "_fitted_with"})


def _loss(model: Any) -> float:
    """What a fit came to, with the weights that were kept."""
    return -max(model.validation_scores_) if model.validation_scores_ else model.loss_curve_[-1]
