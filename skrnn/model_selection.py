"""How data are split for a search: panels, by time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import BaseCrossValidator, TimeSeriesSplit

from .data import LongIndex, long_index

__all__ = ["PanelSplit"]


class PanelSplit(BaseCrossValidator):
    """Split a panel by time: all series are trained on before a date, and tested on after it.

    Choose it wherever a long frame, a row for each series and time, goes into ``GridSearchCV`` or ``cross_val_score``. It is scikit-learn's
    ``TimeSeriesSplit`` over the times that occur in the panel, so that no series is learned from later than another one is tested; splitting between
    series instead would ask a forecaster for series that it does not know.

    Parameters
    ----------
    n_splits : int, default=5
        Number of splits; each is tested on later times than the one before, and the last on the last ones.
    test_size : int, default=None
        Times in each test set; ``None`` is ``n_times // (n_splits + 1)``. The horizon of the forecaster is a natural choice.
    gap : int, default=0
        Times between training and test that are left out.
    max_train_size : int, default=None
        The most times to train on, the last ones; ``None``: all.
    min_train_size : int, default=1
        Steps that a series must have in a training set. A series with fewer is left out of that split, from the test set too.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from skrnn.model_selection import PanelSplit
    >>> y = pd.concat(
    ...     [pd.Series(np.arange(4.0)), pd.Series(np.arange(3.0))],
    ...     keys=["a", "b"],
    ... )
    >>> for train, test in PanelSplit(n_splits=2, test_size=1).split(y):
    ...     print(y.index[train].tolist(), y.index[test].tolist())
    [('a', 0), ('a', 1), ('b', 0), ('b', 1)] [('a', 2), ('b', 2)]
    [('a', 0), ('a', 1), ('a', 2), ('b', 0), ('b', 1), ('b', 2)] [('a', 3)]
    """

    def __init__(
        self, n_splits: int = 5, *, test_size: int | None = None, gap: int = 0, max_train_size: int | None = None, min_train_size: int = 1
    ) -> None:
        self.n_splits = n_splits
        self.test_size = test_size
        self.gap = gap
        self.max_train_size = max_train_size
        self.min_train_size = min_train_size

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Rows to train on and rows to test on, for each split.

        Parameters
        ----------
        X : pandas frame or series
            With an (instance, time) index.
        y : pandas frame or series, default=None
            Its index counts if X has none.
        groups : object, default=None
            Not looked at.

        Yields
        ------
        train, test : ndarray of int
            Positions of rows, in the order of the frame.

        Raises
        ------
        ValueError
            If neither X nor y has such an index, there are too few times, or no series is in both sets of a split.
        """
        index = _index_of(X, y)
        name = np.empty(len(index.order), dtype=np.intp)
        name[index.order] = np.repeat(np.arange(len(index.ids)), np.diff(index.offsets))
        when, times = index.times.factorize(sort=True)
        by_time = TimeSeriesSplit(self.n_splits, test_size=self.test_size, gap=self.gap, max_train_size=self.max_train_size)
        for train, test in by_time.split(np.arange(len(times))):
            before, after = np.isin(when, train), np.isin(when, test)
            enough = np.bincount(name[before], minlength=len(index.ids)) >= max(1, self.min_train_size)
            before, after = before & enough[name], after & enough[name]
            if not before.any() or not after.any():
                raise ValueError(
                    f"no series has min_train_size={self.min_train_size} steps before {times[test[0]]} and a step from then on: "
                    "take fewer n_splits, or a smaller test_size"
                )
            yield np.flatnonzero(before), np.flatnonzero(after)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Number of splits.

        Parameters
        ----------
        X, y, groups : object, default=None
            Not looked at.

        Returns
        -------
        int
        """
        return self.n_splits


def _index_of(X: Any, y: Any) -> LongIndex:
    for data in (X, y):
        if (index := long_index(data)) is not None:
            return index
    raise ValueError(
        f"PanelSplit needs a long frame, with an (instance, time) index of two levels; got {type(X).__name__}. "
        "pandas.concat(series, keys=names) makes one of several series, frame.set_index([name, time]) of a frame with columns for both"
    )
