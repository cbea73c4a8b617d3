"""The estimator inside an adapter."""

from __future__ import annotations

from typing import Any

from sklearn.base import clone


def fresh(estimator: Any, default: type, random_state: Any) -> Any:
    """A clone that is fitted in the place of `estimator`, with the random state that was asked for."""
    inner = default() if estimator is None else clone(estimator)
    return inner if random_state is None else inner.set_params(random_state=random_state)
