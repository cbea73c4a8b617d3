"""ReservoirSearchCV: a grid search whose fits share reservoirs, states and sums."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.model_selection import ParameterGrid
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils.validation import check_is_fitted

from ._echo_state import EchoState
from ._shared_work import READOUT, SCALES, digest, sharing

Candidate = dict[str, Any]


class ReservoirSearchCV(BaseSearchCV):
    """Grid search for echo state networks in which nothing is computed twice (Lukoševičius & Uselis, 2021).

    Choose it in place of scikit-learn's ``GridSearchCV``, whose results it gives, for :class:`EchoStateRegressor`, :class:`EchoStateClassifier`, or
    anything that has one or an :class:`EchoStateTransformer` inside, as a ``Pipeline``. Candidates that differ in the readout alone share the states
    and the sums that the readout is solved from; reservoirs that differ in their scales alone share what was drawn, and run as one batch; and
    where a series begins with one that was run before, as from split to split of ``TimeSeriesSplit``, only the rest is run.

    Parameters
    ----------
    estimator : estimator
        What is searched; give it a ``random_state``, as every fit draws a reservoir of its own without, and next to nothing can be shared.
    param_grid : dict or list of dict
        Values to try for each parameter, all combinations; or several such grids.
    scoring : str, callable, list, tuple or dict, default=None
        How predictions are scored; ``None`` is the estimator's ``score``.
    refit : bool, str or callable, default=True
        Fit the best candidate to all data; with several scores the name of the one that decides, or a function that chooses the index.
    cv : int, splitter or iterable, default=None
        How data are split; ``None`` is 5 folds. Where rows are time steps, ``TimeSeriesSplit`` trains on what comes before.
    error_score : "raise" or float, default=np.nan
        The score of a candidate that cannot be fitted.
    return_train_score : bool, default=False
        Whether to score the training data too.

    Attributes
    ----------
    cv_results_ : dict of str to ndarray of shape (n_candidates,)
        Parameters, scores and times of all candidates in the order of the grid. Times say little: who comes first pays for those who share.
    best_estimator_ : estimator
        The best candidate, fitted to all data, if ``refit``.
    best_score_ : float
        Its mean score over the splits.
    best_params_ : dict
        Its parameters.
    best_index_ : int
        Its place in ``cv_results_``.
    scorer_ : callable or dict of str to callable
        What scored.
    n_splits_ : int
        Number of splits.
    refit_time_ : float
        Seconds that the last fit took.
    multimetric_ : bool
        Whether there are several scores.
    classes_ : ndarray of shape (n_classes,)
        The labels, of a classifier.
    n_features_in_ : int
        Channels of the sequences, or columns if X was 2-D.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names, if X was a frame of numbers.

    Raises
    ------
    TypeError
        By ``fit``, if there is no echo state network in the estimator.

    Notes
    -----
    What makes a readout: ``alpha``, ``alpha_per_target`` and ``readout``. The scales: ``spectral_radius``, ``leak_rate``, ``input_scaling`` and
    ``bias_scaling``, numbers all four, of a single reservoir without noise or feedback. Scores are those of ``GridSearchCV``: to the bit where the
    readout alone is searched, and to the rounding of the states where scales are or a series is run in pieces; a chaotic reservoir, or a tiny
    penalty, amplifies it. A series is run in pieces with ``standardize=False`` only, as each split has means of its own otherwise; states of panels
    are not shared from split to split. At most 1 GiB of states and sums is kept, and states
    of more steps are not kept at all; their sums are. All runs in one process, as processes could not share.

    References
    ----------
    M. Lukoševičius, A. Uselis, "Efficient implementations of echo state network cross-validation", Cognitive Computation, 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import TimeSeriesSplit
    >>> from skrnn import EchoStateRegressor, ReservoirSearchCV
    >>> wave = np.sin(0.2 * np.arange(500))[
    ...     :, None
    ... ] + 0.1 * np.random.default_rng(0).normal(size=(500, 1))
    >>> model = EchoStateRegressor(
    ...     30,
    ...     spectral_radius=0.9,
    ...     leak_rate=1.0,
    ...     input_scaling=0.3,
    ...     random_state=0,
    ... )
    >>> search = ReservoirSearchCV(
    ...     model, {"alpha": [1e-6, 1e6]}, cv=TimeSeriesSplit(3)
    ... )
    >>> search.fit(wave[:-1], wave[1:]).best_params_
    {'alpha': 1e-06}
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = BaseSearchCV._parameter_constraints | {"param_grid": [dict, list]}

    def __init__(
        self,
        estimator: Any,
        param_grid: Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Sequence[Any]]],
        *,
        scoring: Any = None,
        refit: bool | str | Callable[..., int] = True,
        cv: Any = None,
        error_score: float | str = np.nan,
        return_train_score: bool = False,
    ) -> None:
        super().__init__(estimator, scoring=scoring, refit=refit, cv=cv, error_score=error_score, return_train_score=return_train_score)
        self.param_grid = param_grid

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Fit and score all candidates on all splits, and the best one on all data.

        Parameters
        ----------
        X, y : as in ``fit`` of the estimator
        **params : dict of str to object
            Passed to ``fit`` of the estimator, to the scorer and to the splitter.

        Returns
        -------
        self
        """
        inside = [self.estimator, *self.estimator.get_params().values()] if isinstance(self.estimator, BaseEstimator) else []
        if not any(isinstance(part, EchoState) for part in inside):
            raise TypeError(f"The 'estimator' parameter of ReservoirSearchCV must be or hold an echo state estimator; got {self.estimator!r}")
        super().fit(X, y, **params)
        return self

    def forecast(self, n_steps: int, X: Any = None, *, state: Any = None) -> Any:
        """Let the best :class:`EchoStateRegressor` run on alone.

        Parameters
        ----------
        n_steps, X, state : as in ``forecast`` of the estimator

        Returns
        -------
        ndarray of shape (n_steps[, n_outputs]), or (n_sequences, n_steps[, n_outputs])
        """
        check_is_fitted(self)
        return self.best_estimator_.forecast(n_steps, X, state=state)

    def _run_search(self, evaluate_candidates: Callable[..., Any]) -> None:
        candidates = self._candidates()
        scales = [_named(candidate, SCALES) for _, candidate in candidates]
        distinct = [own for k, own in enumerate(scales) if own not in scales[:k]]
        with sharing(distinct, self.n_splits_):
            evaluate_candidates([candidate for _, candidate in candidates])

    def _format_results(self, candidate_params: list[Candidate], n_splits: int, out: list[Any], more_results: Any = None) -> dict[str, Any]:
        places = np.argsort([place for place, _ in self._candidates()])
        in_order = [out[i * n_splits + split] for i in places for split in range(n_splits)]
        results: dict[str, Any] = super()._format_results([candidate_params[i] for i in places], n_splits, in_order, more_results)
        return results

    def _candidates(self) -> list[tuple[int, Candidate]]:
        """All candidates and their places in the grid: those of one reservoir stand together, and so do those of other scales."""
        candidates = list(enumerate(ParameterGrid(self.param_grid)))
        others, scales = _grouped(candidates, lambda name: name not in SCALES + READOUT), _grouped(candidates, lambda name: name in SCALES)
        return sorted(candidates, key=lambda one: (others[one[0]], scales[one[0]]))


def _named(candidate: Candidate, names: Sequence[str]) -> Candidate:
    """Parameters of these names, wherever the echo state network is."""
    return {last: value for name, value in candidate.items() if (last := name.rsplit("__", 1)[-1]) in names}


def _grouped(candidates: list[tuple[int, Candidate]], chosen: Callable[[str], bool]) -> list[int]:
    """The first candidate of which the chosen parameters are those of each."""
    first: dict[Any, int] = {}
    return [first.setdefault(digest({name: v for name, v in one.items() if chosen(name.rsplit("__", 1)[-1])}), place) for place, one in candidates]
