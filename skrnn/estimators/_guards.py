"""What every fit needs before it begins: a seed, a device, and a way back if it fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from sklearn.utils import check_random_state

_CALLBACK_STATE = ("_callback_fit_ctx", "_skl_callbacks_to_teardown")


def seed_of(random_state: Any) -> int:
    """From ``random_state``; ``None`` is new every time, and numpy's global generator is left alone."""
    if random_state is None:
        return int(np.random.default_rng().integers(2**31))
    return int(check_random_state(random_state).randint(2**31 - 1))


def device_of(estimator: Any) -> torch.device:
    """The device that the estimator's parameter names."""
    if estimator.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.empty(0, device=estimator.device).device
    except (RuntimeError, AssertionError) as error:
        raise ValueError(
            f"The 'device' parameter of {type(estimator).__name__} is {estimator.device!r}, which torch cannot use here: {error}"
        ) from error


def infinite_states() -> ValueError:
    """What is wrong when states are not finite, and what to do."""
    return ValueError("The states became infinite or NaN: use a smaller spectral_radius or input_scaling, or a bounded activation")


def require_target(estimator: Any, y: Any) -> None:
    """Refuse to learn from nothing."""
    if y is None:
        raise ValueError(f"{type(estimator).__name__} requires y to be passed, but the target y is None")


@contextmanager
def unchanged_on_error(estimator: Any) -> Iterator[None]:
    """Give the estimator back what it had if anything goes wrong."""
    before = dict(estimator.__dict__)
    try:
        yield
    except BaseException:
        callbacks = {k: estimator.__dict__[k] for k in _CALLBACK_STATE if k in estimator.__dict__}  # scikit-learn still has to tear them down
        estimator.__dict__.clear()
        estimator.__dict__.update(before | callbacks)
        raise
