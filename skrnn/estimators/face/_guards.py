"""What every fit and every prediction stands in: a seed, a device, threads, and a way back if something fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from sklearn.utils import check_random_state, get_tags

from ...cells import resolve
from ...engine import limit_threads

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
    """Refuse to learn from nothing, unless that is what the estimator does."""
    if y is None and get_tags(estimator).target_tags.required:
        raise ValueError(f"{type(estimator).__name__} requires y to be passed, but the target y is None")


def with_named_cell(estimator: Any, params: dict[str, Any], resolved: Callable[[Any], Any] = resolve) -> dict[str, Any]:
    """Parameters to be set, where those of a cell that is given by its name are set in a cell of its own."""
    if not any(name.startswith("cell__") for name in params):
        return params
    cell = params.get("cell", estimator.get_params(deep=False).get("cell"))
    if cell is None:
        raise ValueError(f"Parameters cell__… of {type(estimator).__name__} are those of its cell; got {sorted(params)} with cell=None")
    return params | {"cell": resolved(cell)}


@contextmanager
def predicting(estimator: Any) -> Iterator[None]:
    """No gradients, and the threads that the estimator may use."""
    with limit_threads(estimator.n_threads), torch.inference_mode():
        yield


@contextmanager
def learning(estimator: Any) -> Iterator[None]:
    """Gradients, the threads that the estimator may use, and all as it was if anything goes wrong."""
    network = vars(estimator).get("network_")
    before = {} if network is None else {name: weight.detach().clone() for name, weight in network.state_dict().items()}
    try:
        with limit_threads(estimator.n_threads), torch.inference_mode(False), unchanged_on_error(estimator):
            yield
    except BaseException:
        if network is not None:  # it may have been trained on
            network.load_state_dict(before)
        raise


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
