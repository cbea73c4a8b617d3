"""The long frame of Nixtla's libraries, one row for each series and time, in and out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from ..data import index_of
from ..data._sequences import Array
from ..data._stepping import TIMES, Stepping
from ._long_frame import LongFrame, rows_by_id, with_columns_of
from ._time_axis import find_frequency, like_column, read_times


def from_nixtla(df: Any, *, id_col: str = "unique_id", time_col: str = "ds", target_col: str = "y", freq: str | int | None = None) -> NixtlaPanel:
    """Read the series of a long frame: a row for each series and time.

    Choose it to fit one global model of many series that stand in a pandas or polars frame (anything that narwhals reads).

    Parameters
    ----------
    df : frame
        Columns of ids, of times (datetimes, dates or whole numbers) and of targets; all others are numeric covariates. Rows may stand in any
        order, but the times of each series must be those of even steps, or of a calendar's (months, business days …), without a gap.
    id_col, time_col, target_col : str
        Names of the columns.
    freq : str, int or None, default=None
        The step of the time: "15min", "1d", "MS", "B" …, or a whole number for times that are; ``None`` is that of the times.

    Returns
    -------
    panel : NixtlaPanel
        Its ``X`` and ``series`` go into ``fit``; where nobody asks for dates, its ``y`` will do.

    Raises
    ------
    ValueError, TypeError
        If a column is missing or holds something else, or a time is missing, occurs twice or skips a step; the message names the series and the
        place.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrnn.adapters import from_nixtla
    >>> days = pd.date_range("2024-01-30", periods=3)
    >>> df = pd.DataFrame(
    ...     {
    ...         "unique_id": ["a"] * 3 + ["b"] * 2,
    ...         "ds": [*days, *days[:2]],
    ...         "y": [1.0, 2.0, 3.0, 10.0, 20.0],
    ...     }
    ... )
    >>> panel = from_nixtla(df)
    >>> panel.y
    [array([1., 2., 3.]), array([10., 20.])]
    >>> panel.frame({"model": [[4.0], [30.0]]})
      unique_id         ds  model
    0         a 2024-02-02    4.0
    1         b 2024-02-01   30.0
    """
    return panel_of_rows(LongFrame.read(df, id_col, time_col, [target_col]), id_col, time_col, target_col, freq)


def panel_of_rows(given: LongFrame, id_col: str, time_col: str, target_col: str, freq: str | int | None) -> NixtlaPanel:
    """The series of a long frame that has been read."""
    features = [name for name in given.frame.columns if name not in (id_col, time_col, target_col)]
    times = given.times()
    frequency = find_frequency(times, given.ids, freq)
    target, table = given.numbers([target_col])[:, 0], given.numbers(features)
    return NixtlaPanel(
        ids=given.ids,
        y=given.apart(target),
        X=given.apart(table) if features else None,
        features=features,
        last=[int(when.ticks[-1]) for when in times],
        steps=frequency,
        keys=given.frame.select(id_col, time_col)[[int(row[0]) for row in given.rows]],
    )


@dataclass(frozen=True, eq=False)
class NixtlaPanel:
    """The series of a long frame, as `from_nixtla` gives them.

    Attributes
    ----------
    ids : list
        The series, in the order of their first rows.
    y : list of ndarray of shape (n_steps,)
        The target of each.
    X : list of ndarray of shape (n_steps, n_features), or None
        Its covariates; None if there are none.
    features : list of str
        Their names.
    last : list of int
        The last time of each series: microseconds since 1970 in UTC, or the number that it is.
    steps : object
        How the time goes on.
    keys : frame
        The first id and time of each series, for narwhals.
    """

    ids: list[Any]
    y: list[Array]
    X: list[Array] | None
    features: list[str]
    last: list[int]
    steps: Stepping
    keys: Any

    @property
    def series(self) -> list[Any]:
        """The targets of each series with its times as the index, by which a season is counted; bare where the times are whole numbers."""
        time_col = self.keys.columns[1]
        if read_times(self.keys[time_col]).is_count:
            return self.y
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError(f"the points in time of column {time_col!r} are read by pandas: pip install pandas, or let them be numbers") from error
        unit, zone = self.steps.unit, self.steps.zone
        return [pd.Series(y, index_of(TIMES, ticks, unit, zone, time_col)) for y, ticks in zip(self.y, self._ticks(), strict=True)]

    def of(self, ids: Sequence[Any]) -> NixtlaPanel:
        """Some of the series.

        Parameters
        ----------
        ids : sequence
            Which, in this order.

        Returns
        -------
        panel : NixtlaPanel

        Raises
        ------
        ValueError
            If there is no such series, or it is asked for twice.
        """
        wanted, where = list(ids), {name: k for k, name in enumerate(self.ids)}
        unseen = [name for name in wanted if name not in where]
        if unseen or len(set(wanted)) < len(wanted) or not wanted:
            raise ValueError(f"ids must hold series that are there, each once; got {(unseen or wanted)[:3]}")
        place = [where[name] for name in wanted]
        X = None if self.X is None else [self.X[k] for k in place]
        return replace(self, ids=wanted, y=[self.y[k] for k in place], X=X, last=[self.last[k] for k in place], keys=self.keys[place])

    def of_features(self, features: Sequence[str]) -> NixtlaPanel:
        """The same with covariates in another order.

        Parameters
        ----------
        features : sequence of str
            Their names.

        Returns
        -------
        panel : NixtlaPanel

        Raises
        ------
        ValueError
            If these are not the names of its covariates.
        """
        if sorted(features) != sorted(self.features):
            raise ValueError(f"df has the covariates {self.features}, that of fit {list(features)}")
        place = [self.features.index(name) for name in features]
        return replace(self, features=list(features), X=None if self.X is None else [table[:, place] for table in self.X])

    def future(self, df: Any, n_steps: int | None = None, past: Sequence[str] = (), ids: Sequence[Any] | None = None) -> list[NDArray[np.float64]]:
        """Read covariates of the steps to come.

        Parameters
        ----------
        df : frame
            The columns of ids and times, and those of ``features``; for each series the times that follow its last.
        n_steps : int or None, default=None
            How many steps; None is as many as the first series has rows.
        past : sequence of str, default=()
            Those of ``features`` of which only the past is known: their columns may be missing, and are 0.
        ids : sequence, default=None
            Of which series, in this order; None is all. Rows of the others are not looked at.

        Returns
        -------
        X : list of ndarray of shape (n_steps, n_features)
            In the order of ``ids``; it goes into ``predict``.

        Raises
        ------
        ValueError
            If a series is missing, was not seen in ``fit``, has too few rows, or a time is not the one that follows.
        """
        known = [name for name in self.features if name not in past]
        id_col, time_col = self.keys.columns
        given = LongFrame.read(df, id_col, time_col, known, "X_df")
        table = np.zeros((len(given.frame), len(self.features)))
        table[:, [self.features.index(name) for name in known]] = given.numbers(known)
        return [table[row] for row in self._rows_to_come(given, len(given.rows[0]) if n_steps is None else n_steps, ids)]

    def following(self, df: Any, target_col: str) -> tuple[list[Array] | None, list[Array]]:
        """Read steps that came after.

        Parameters
        ----------
        df : frame
            As in `from_nixtla`; for each series the times that follow its last, any number of them, none too.
        target_col : str
            Name of the column of targets.

        Returns
        -------
        X : list of ndarray of shape (n_steps, n_features), or None
            In the order of ``ids``; None if there are no covariates.
        y : list of ndarray of shape (n_steps,)

        Raises
        ------
        ValueError
            If a series is none of these, or a time is not the one that follows.
        """
        id_col, time_col = self.keys.columns
        given = LongFrame.read(df, id_col, time_col, [target_col, *self.features])
        target, table = given.numbers([target_col])[:, 0], given.numbers(self.features)
        rows = self._rows_to_come(given, None)
        return [table[row] for row in rows] if self.features else None, [target[row] for row in rows]

    def followed_by(self, X: list[Array] | None, y: list[Array]) -> NixtlaPanel:
        """The series with new steps behind them.

        Parameters
        ----------
        X, y : as `following` gives them

        Returns
        -------
        panel : NixtlaPanel
        """
        last = [int(self.steps.after(end, len(new))[-1]) if len(new) else end for end, new in zip(self.last, y, strict=True)]
        tables = None if self.X is None or X is None else [np.concatenate(pair) for pair in zip(self.X, X, strict=True)]
        return replace(self, X=tables, y=[np.concatenate(pair) for pair in zip(self.y, y, strict=True)], last=last)

    def _rows_to_come(self, given: LongFrame, n_steps: int | None, ids: Sequence[Any] | None = None) -> list[NDArray[np.intp]]:
        """Rows of each series that follow its last, ``n_steps`` of each or all that are there."""
        ends = dict(zip(self.ids, self.last, strict=True))
        unseen = [name for name in given.ids if name not in ends]
        if unseen:
            raise ValueError(f"{given.what} has the series {unseen[0]!r}, which is none of those that are forecast")
        place, found = dict(zip(given.ids, given.rows, strict=True)), []
        for name, last in ends.items() if ids is None else [(name, ends[name]) for name in ids]:
            row = place.get(name, np.arange(0))
            if n_steps is not None and len(row) < n_steps:
                raise ValueError(f"{given.what} has {len(row)} steps of series {name!r}, expected {n_steps}")
            row = row[:n_steps]
            wrong = given.clock.ticks[row] != self.steps.after(last, len(row))
            if wrong.any():
                k = int(np.argmax(wrong))
                expected = self._times_of(self.steps.after(last, k + 1))[k]
                where = f"step {k} of series {name!r} in {given.what} (row {row[k]})"
                raise ValueError(f"{where} is at {given.clock.labels[row[k]]}, expected {expected}")
            found.append(row)
        return found

    def _times_of(self, ticks: Array) -> list[Any]:
        """Times as the frame has them, for messages."""
        return like_column(ticks, self.keys[self.keys.columns[1]], self.keys.implementation).to_list()

    def static(self, df: Any) -> Any:
        """Read what holds for each series as a whole.

        Parameters
        ----------
        df : frame
            The column of ids, and numbers or categories; one row for each series.

        Returns
        -------
        static : frame of shape (n_series, n_static)
            In the order of ``ids``; it goes into ``fit``.

        Raises
        ------
        ValueError
            If a series is missing, or has several rows.
        """
        id_col = self.keys.columns[0]
        frame = with_columns_of(df, [id_col], "static_df")
        place = dict(zip(*rows_by_id(frame[id_col], "static_df"), strict=True))
        for name in self.ids:
            if len(place.get(name, ())) != 1:
                raise ValueError(f"static_df has {len(place.get(name, ()))} rows of series {name!r}, expected one")
        rows = [int(place[name][0]) for name in self.ids]
        return frame.drop(id_col)[rows].to_native()

    def frame(self, forecasts: Mapping[str, Sequence[Any]]) -> Any:
        """Write forecasts into a long frame.

        Parameters
        ----------
        forecasts : dict of str to list of array-like of shape (n_steps,)
            For each column, as "RNNForecaster" or "RNNForecaster-lo-90", the steps behind the end of each series.

        Returns
        -------
        frame : frame
            Of the library of the frame that came: ids, times, and a column for each entry.
        """
        if not forecasts:
            raise ValueError("forecasts must have an entry; got none")
        lengths = {name: [len(part) for part in parts] for name, parts in forecasts.items()}
        counts = next(iter(lengths.values()))
        for name, found in lengths.items():
            if len(found) != len(self.ids) or found != counts:
                raise ValueError(f"{name!r} has forecasts of {found} steps, expected {counts} of the {len(self.ids)} series")
        return self._written([self.steps.after(last, n) for last, n in zip(self.last, counts, strict=True)], forecasts)

    def history(self, target_col: str = "y") -> Any:
        """Write the series themselves into a long frame.

        Parameters
        ----------
        target_col : str, default="y"
            Name of the column of targets.

        Returns
        -------
        frame : frame
            Of the library of the frame that came: ids, times and targets, series by series in the order of time.
        """
        return self._written(self._ticks(), {target_col: self.y})

    def _ticks(self) -> list[Array]:
        """The times of each series."""
        first = read_times(self.keys[self.keys.columns[1]]).ticks
        return [np.append(start, self.steps.after(int(start), len(y) - 1)) for start, y in zip(first, self.y, strict=True)]

    def _written(self, ticks: Sequence[Array], columns: Mapping[str, Sequence[Any]]) -> Any:
        """Columns of values of each series at its times."""
        rows = np.repeat(np.arange(len(self.ids)), [len(part) for part in ticks])
        frame = nw.maybe_reset_index(self.keys[rows.tolist()])
        series = [like_column(np.concatenate(ticks), frame[self.keys.columns[1]], frame.implementation)]
        for name, parts in columns.items():
            values = np.concatenate([np.asarray(part, dtype=float) for part in parts])
            series.append(nw.new_series(name, values, backend=frame.implementation))
        return frame.with_columns(*series).to_native()
