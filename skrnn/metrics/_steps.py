"""scikit-learn's scorers over the steps of sequences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.metrics import get_scorer
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if

from ..data import is_missing


def step_scorer(scoring: str | Callable[..., float], missing_label: Any = None) -> Callable[..., float]:
    """Make a scorer that looks at all steps of all sequences as scikit-learn's looks at samples.

    Choose it for `RNNTagger`, `RNNSequenceRegressor` and others with an answer for each step, in ``cross_val_score`` and ``GridSearchCV``: scorers of
    scikit-learn do not take ragged targets, and read those of a 3-D array as several outputs of a sequence. (A long frame has a row for each step;
    they do what they should there.)

    Parameters
    ----------
    scoring : str or callable
        A scorer of scikit-learn or its name, as "f1_macro", "roc_auc_ovr" or "neg_mean_absolute_error".
    missing_label : int, str or None, default=None
        The label of steps without a target, which are left out; so are those of NaN and None.

    Returns
    -------
    scorer : callable
        From an estimator, X and y to a number.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import cross_val_score
    >>> from skrnn import RNNTagger
    >>> from skrnn.metrics import step_scorer
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(n, 1)) for n in rng.integers(5, 15, size=60)]
    >>> y = [np.where(x[:, 0] > 0, "up", "down") for x in X]
    >>> bool(
    ...     cross_val_score(
    ...         RNNTagger(hidden_size=8, max_epochs=60, random_state=0),
    ...         X,
    ...         y,
    ...         cv=3,
    ...         scoring=step_scorer("f1_macro"),
    ...     ).min()
    ...     > 0.9
    ... )
    True
    """
    return partial(_score, scorer=get_scorer(scoring), missing_label=missing_label)


def _score(estimator: Any, X: Any, y: Any, *, scorer: Any, missing_label: Any) -> float:
    rows = _rows(y, X)
    present = np.array([_has_target(row, missing_label) for row in rows], dtype=bool)
    if not present.any():
        raise ValueError("y holds no target to score: every step is marked as missing")
    rows = rows[present]
    rows = np.array(rows.tolist()) if rows.dtype == object else rows
    return float(scorer(_StepAnswers(estimator, present), X, rows))


def _rows(values: Any, X: Any) -> NDArray[Any]:
    """A row for each step, from what is there for each sequence."""
    if isinstance(values, Sequence) or (isinstance(values, np.ndarray) and values.dtype == object and values.ndim == 1):
        parts = list(values)
        return np.concatenate([np.asarray(part) for part in parts]) if np.ndim(parts[0]) else np.asarray(values)
    array = np.asarray(values)
    return array.reshape(-1, *array.shape[2:]) if len(getattr(X, "shape", ())) == 3 else array


def _has_target(row: Any, missing_label: Any) -> bool:
    cells = np.ravel(np.asarray(row, dtype=object))
    return not any(is_missing(cell) or (missing_label is not None and cell == missing_label) for cell in cells)


def _can(method: str) -> Callable[[Any], bool]:
    return lambda answers: callable(getattr(answers.estimator, method))


class _StepAnswers(BaseEstimator):
    """A fitted estimator whose answers are rows, of the steps that have a target."""

    def __init__(self, estimator: Any, present: Any) -> None:
        self.estimator = estimator
        self.present = present

    @property
    def classes_(self) -> Any:
        return self.estimator.classes_

    def predict(self, X: Any) -> NDArray[Any]:
        return _rows(self.estimator.predict(X), X)[self.present]

    @available_if(_can("predict_proba"))
    def predict_proba(self, X: Any) -> NDArray[Any]:
        return _rows(self.estimator.predict_proba(X), X)[self.present]

    @available_if(_can("decision_function"))
    def decision_function(self, X: Any) -> NDArray[Any]:
        return _rows(self.estimator.decision_function(X), X)[self.present]

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        return get_tags(self.estimator)
