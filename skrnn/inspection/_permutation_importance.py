"""How much answers hang on a channel, or on a step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from inspect import signature
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import check_scoring
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch, check_random_state
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from .._constraints import COUNT, satisfies
from ..data import Laid, TableLayout, holds_texts, lay_out, rows_of_texts
from ..estimators import Seq2SeqTranslator
from ..estimators.face import as_fitted, beside

Places = NDArray[np.intp]
Draw = Callable[[np.random.RandomState], Iterator[tuple[Places, Places]]]  # again and again rows, and where their cells come from


def permutation_importance(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    per: str = "channel",
    scoring: Any = None,
    n_repeats: int = 5,
    window: int = 1,
    n_jobs: int | None = None,
    random_state: Any = None,
    sample_weight: Any = None,
    static: Any = None,
) -> Any:
    """How much worse the score of a fitted estimator is when a channel, or a step, is exchanged between the sequences (Breiman, 2001).

    scikit-learn's ``permutation_importance`` for sequences. Choose it to see which channels of the data a network goes by, or which steps, whatever
    the network is; do it on data that were not trained on. Channels that say the same share their importance, or seem to have none, as each stands in
    for the other.

    Parameters
    ----------
    estimator : estimator, Pipeline or search
        Fitted.
    X, y : as in ``score``
        Sequences and targets. X stays in its container: a list of frames, say, with its names, types and categories.
    per : {"channel", "step"}, default="channel"
        "channel": a channel is exchanged as a piece and keeps its course. Its values, sequence after sequence in a random order, take the place of
        its values in the order of X: sequences of equal lengths get that of another one, others a stretch of others, and what values
        there are stays the same. "step": all channels of the k-th step are exchanged between the sequences that have that step.
    scoring : str, callable, list, tuple, dict or None, default=None
        What scikit-learn's has; ``None`` is the estimator's ``score``. Step-level estimators take :func:`skrnn.metrics.step_scorer`.
    n_repeats : int, default=5
        How often each is exchanged.
    window : int, default=1
        With ``per="step"``: how many steps are exchanged together, counted from the first. One step may say little beside its neighbours.
    n_jobs : int or None, default=None
        How many channels or windows are looked at side by side, as in joblib.
    random_state : int, RandomState instance or None, default=None
        Source of the random orders; each channel gets the same ones.
    sample_weight : array-like, default=None
        Weights of ``score``.
    static : array-like or frame of shape (n_sequences, n_static), default=None
        As in ``predict``, of an estimator that takes it. With ``per="channel"`` each of its columns is exchanged between the sequences too; with
        ``per="step"`` they stay.

    Returns
    -------
    result : Bunch
        ``importances`` of shape (n_channels + n_static, n_repeats), or (n_windows, n_repeats), are scores of X less scores after the exchange, the
        columns of `static` behind the channels; ``importances_mean`` and ``importances_std`` are of its rows. With several scorings a dict of such
        Bunches.

    Raises
    ------
    ValueError
        If an argument is not as described, or X holds a single sequence and ``per="step"``, or pictures and ``per="channel"``.
    TypeError
        If X is no container of sequences, or holds texts that a step of a pipeline cuts into tokens; if `static` is passed for a pipeline, or for an
        estimator that takes none.

    Notes
    -----
    Of a single sequence, such as a table for a step-level estimator, a channel is shifted in a circle by a random number of steps.
    A step that one sequence alone has cannot be exchanged, and has the importance 0. Where a table's columns are one step each, or one channel each,
    the result is exactly that of scikit-learn. Columns behind a window that hold for all of its steps (``layout="lags_then_constants"``) are
    channels, and belong to no step. A score for each channel or window and repeat: n_channels × n_repeats predictions.

    References
    ----------
    L. Breiman, "Random forests", Machine Learning 45, 2001, section 10; there for the variables of a table.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNRegressor
    >>> from skrnn.inspection import permutation_importance
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(n, 3)) for n in rng.integers(5, 12, size=90)]
    >>> y = [x[:, 1].mean() for x in X]
    >>> model = RNNRegressor(hidden_size=8, max_epochs=40, random_state=0)
    >>> model = model.fit(X[:60], y[:60])
    >>> drop = permutation_importance(model, X[60:], y[60:], random_state=0)
    >>> int(drop.importances_mean.argmax())
    1
    """
    _check_arguments(per, n_repeats, window)
    check_is_fitted(estimator)
    if static is not None:
        _refuse_static(estimator)
    score = partial(_score, check_scoring(estimator, scoring=scoring), estimator, y=y, sample_weight=sample_weight)
    seed = check_random_state(random_state).randint(np.iinfo(np.int32).max + 1)
    baseline = score(X, static)  # before X is looked at here, so that what is wrong with it is said by the estimator
    laid = _laid_out(estimator, X)
    groups = [(partial(score, static=static), laid, *group) for group in (_channels(laid) if per == "channel" else _windows(laid, window))]
    if static is not None and per == "channel":
        rows = _laid_static(static)
        groups += [(partial(score, X), rows, *group) for group in _channels(rows)]
    scores = Parallel(n_jobs=n_jobs)(delayed(_scores)(*group, seed, n_repeats) for group in groups)
    if isinstance(baseline, dict):
        return {name: _drops(value, [[one[name] for one in row] for row in scores]) for name, value in baseline.items()}
    return _drops(baseline, scores)


def _check_arguments(per: str, n_repeats: int, window: int) -> None:
    if per not in ("channel", "step"):
        raise ValueError(f"per must be 'channel' or 'step'; got {per!r}")
    for name, value in {"n_repeats": n_repeats, "window": window}.items():
        if not satisfies(value, COUNT):
            raise ValueError(f"{name} must be a whole number of at least 1; got {value!r}")
    if window > 1 and per == "channel":
        raise ValueError(f"window={window} is for per='step'; a channel is exchanged as a whole")


def _refuse_static(estimator: Any) -> None:
    """Refuse what is known of sequences as wholes where nothing would read it."""
    *before, reader = _parts(estimator)
    if before:
        raise TypeError("static belongs to an estimator, not to a pipeline: pass pipeline[-1], and pipeline[:-1].transform(X)")
    if "static" not in signature(reader.predict).parameters:
        raise TypeError(f"{type(reader).__name__} takes no static in predict")


def _score(scorer: Any, estimator: Any, X: Any, static: Any, y: Any, sample_weight: Any) -> Any:
    X = beside(X, static)
    return scorer(estimator, X, y) if sample_weight is None else scorer(estimator, X, y, sample_weight=sample_weight)


def _drops(baseline: float, scores: list[list[float]]) -> Bunch:
    importances = baseline - np.array(scores, dtype=np.float64)
    return Bunch(importances_mean=importances.mean(axis=1), importances_std=importances.std(axis=1), importances=importances)


def _scores(score: Callable[[Any], Any], laid: Laid, draw: Draw, channels: Places, seed: int, n: int) -> Any:
    """What the estimator scores after each of n exchanges."""
    exchanges = draw(np.random.RandomState(seed))
    return [score(laid.taken(*next(exchanges), channels)) for _ in range(n)]


# -- exchanges -----------------------------------------------------------------------------------------------------------------------------------


def _channels(laid: Laid) -> list[tuple[Draw, Places]]:
    """What is exchanged for each channel."""
    if laid.n_channels is None:
        raise ValueError("X holds a picture at each step, and pixels are no channels to exchange; take per='step'")
    n_rows = int(laid.offsets[-1])
    if len(laid.offsets) == 2:
        if n_rows == 1:
            raise ValueError("X is one sequence of one step: there is nothing to exchange it with")
        draw: Draw = partial(_shifts, n_rows)
    else:
        draw = partial(_orders, laid.offsets[:-1], np.diff(laid.offsets))
    return [(draw, np.array([channel])) for channel in range(laid.n_channels)]


def _windows(laid: Laid, window: int) -> list[tuple[Draw, Places]]:
    """What is exchanged for each window of steps."""
    starts, lengths = laid.offsets[:-1], np.diff(laid.offsets)
    if len(lengths) == 1:
        raise ValueError("X is one sequence, whose steps cannot be exchanged with those of another one; per='channel' shifts its channels")
    channels = np.setdiff1d(np.arange(laid.n_channels or 0), laid.lasting)
    found: list[tuple[Draw, Places]] = []
    for first in range(0, int(lengths.max()), window):
        there = lengths > first
        found.append((partial(_orders, starts[there] + first, np.minimum(lengths[there] - first, window)), channels))
    return found


def _orders(starts: Places, counts: Places, random: np.random.RandomState) -> Iterator[tuple[Places, Places]]:
    """Stretches of rows in random orders, one after the other; shuffled as scikit-learn shuffles."""
    rows, shuffled, order = _runs(starts, counts), np.arange(len(starts)), np.arange(len(starts))
    while True:
        random.shuffle(shuffled)
        order = order[shuffled]
        yield rows, _runs(starts[order], counts[order])


def _shifts(n_rows: int, random: np.random.RandomState) -> Iterator[tuple[Places, Places]]:
    """One sequence, in a circle."""
    rows = np.arange(n_rows)
    while True:
        yield rows, np.roll(rows, random.randint(1, n_rows))


def _runs(starts: Places, counts: Places) -> Places:
    """The rows of stretches, one after the other."""
    ends = np.cumsum(counts)
    return np.arange(ends[-1]) + np.repeat(starts - ends + counts, counts)


# -- how the estimator reads X -------------------------------------------------------------------------------------------------------------------


def _laid_out(estimator: Any, X: Any) -> Laid:
    parts = list(_parts(estimator))
    if isinstance(parts[-1], Seq2SeqTranslator):
        X = rows_of_texts(X, "X")
    reader = next((part for part in parts if "_n_columns" in vars(part)), None)
    told = {} if reader is None else vars(as_fitted(reader))
    layout = TableLayout(**{name: told[name] for name in ("n_lags", "layout", "step_order") if "layout" in told})

    def columns(table: Any) -> Places:
        if reader is None or (reader._n_columns is not None and reader._columns is None):
            return np.arange(table.shape[1])[None]  # vectors, of one step
        return layout.columns(table, table.shape[1]) if reader._columns is None else reader._columns

    if len(parts) > 1 and holds_texts(X):
        raise TypeError(
            "X holds texts, which a step of the pipeline cuts into tokens: "
            "pass the estimator, pipeline[-1], and the tokens, pipeline[:-1].transform(X)"
        )
    return lay_out(X, rows_are_steps=reader is not None and reader._rows_are_steps, layout=layout, columns=columns)


def _laid_static(static: Any) -> Laid:
    """The rows of what is known of sequences as wholes, each as a sequence of one step."""
    table = np.array(static, dtype=object) if isinstance(static, list | tuple) else static
    return lay_out(table, rows_are_steps=False, layout=TableLayout(), columns=lambda rows: np.arange(rows.shape[1])[None])


def _parts(estimator: Any) -> Iterator[Any]:
    """Steps of pipelines, and what is inside searches and the like; X is read by the first that reads sequences."""
    inner = [step for _, step in estimator.steps] if isinstance(estimator, Pipeline) else []
    for name in ("best_estimator_", "regressor_"):
        inner += [vars(estimator)[name]] if name in vars(estimator) else []
    if not inner:
        yield estimator
    for part in inner:
        yield from _parts(part) if part is not None and part != "passthrough" else ()
