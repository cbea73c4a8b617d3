"""Windows in the rows of a table: which column is which step of which channel."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ._frames import columns_of, kind_of
from ._sequences import Array, Sequences

LAYOUTS = ("ntc", "nct", "lags_then_constants")
STEP_ORDERS = ("auto", "oldest_first", "newest_first")

LAG = re.compile(r"lag_?(\d+)")


@dataclass(frozen=True)
class TableLayout:
    """How X is to be read by an estimator of whole sequences; the defaults read a row of a table as one univariate sequence.

    Parameters
    ----------
    n_lags : int or None, default=None
        Steps of the window in each row of a table.
    layout : {"ntc", "nct", "lags_then_constants"}, default="ntc"
        The order of the axes (sequences, steps, channels), and of their columns.
    step_order : {"auto", "oldest_first", "newest_first"}, default="oldest_first"
        The order of the steps; "auto" asks the names of a frame's columns.
    """

    n_lags: int | None = None
    layout: str = "ntc"
    step_order: str = "oldest_first"

    def one_channel(self, X: Any) -> bool:
        """Whether a row of a table is a sequence of one channel, and arrays have their steps before their channels."""
        return self.n_lags is None and self.layout == "ntc" and not self._lags(X)

    def _lags(self, table: Any) -> dict[int, int]:
        """The columns of a frame that are named as lags."""
        names = _names(table) if self.step_order == "auto" else []
        return {int(match[1]): k for k, name in enumerate(names) if (match := LAG.fullmatch(name))}

    def columns(self, table: Any, n_columns: int) -> npt.NDArray[np.intp]:
        """The column of a table that holds each step and channel, of shape (n_steps, n_channels)."""
        lags = self._lags(table)
        if self.n_lags is None and self.layout == "lags_then_constants":
            raise ValueError("layout='lags_then_constants' needs n_lags, the number of columns that are lags")
        if lags and self.n_lags not in (None, len(lags)):
            raise ValueError(f"n_lags={self.n_lags}, but {len(lags)} columns of X have names of lags; step_order='oldest_first' ignores the names")
        if lags:
            steps = np.array([lags[lag] for lag in sorted(lags, reverse=True)])
            return _with_constants(steps, np.setdiff1d(np.arange(n_columns), steps))
        places = self._places(n_columns)
        return places[::-1] if self.step_order == "newest_first" else places

    def _places(self, n_columns: int) -> npt.NDArray[np.intp]:
        """The columns of steps in the order in which they came."""
        every = np.arange(n_columns)
        n_lags = n_columns if self.n_lags is None else self.n_lags
        if self.layout == "lags_then_constants" and n_lags <= n_columns:
            return _with_constants(every[:n_lags], every[n_lags:])
        if n_columns % n_lags:
            raise ValueError(
                f"X has {n_columns} columns, which is no multiple of n_lags={n_lags}: each channel needs a column for each step of the window "
                "(layout='lags_then_constants' is for columns behind the window that hold for all of its steps)"
            )
        return every.reshape(n_lags, -1) if self.layout == "ntc" else every.reshape(-1, n_lags).T

    def arrange(self, given: Any) -> Any:
        """A 3-D array, or arrays of a list, with the channels last."""
        if self.layout != "nct":
            return given
        if isinstance(given, np.ndarray) and given.ndim == 3:
            return given.swapaxes(1, 2)
        return [array.T for array in given] if isinstance(given, list) else given

    def in_time(self, sequences: Sequences) -> Sequences:
        """Sequences of steps that came newest first, turned round."""
        if self.step_order != "newest_first":
            return sequences
        last = np.repeat(sequences.offsets[1:] - 1 + sequences.offsets[:-1], sequences.lengths)
        return sequences.with_values(sequences.values[last - np.arange(sequences.n_steps_total)])


def gather(table: Array, columns: npt.NDArray[np.intp]) -> Sequences:
    """A sequence of each row; a row that has its columns in order, step after step, is not copied."""
    n, (n_steps, n_channels) = len(table), columns.shape
    as_it_is = np.array_equal(columns.ravel(), np.arange(table.shape[1]))
    values = table if as_it_is else table[:, columns]
    return Sequences(np.require(values, None, ["C", "A", "E"]).reshape(n * n_steps, n_channels), np.arange(n + 1) * n_steps)


def _with_constants(steps: npt.NDArray[np.intp], constants: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Columns of one channel, and others that are the same at each step."""
    return np.column_stack([steps, *(np.full(len(steps), column) for column in constants)])


def _names(table: Any) -> list[str]:
    kind = kind_of(table)
    return [name for name, _ in columns_of(table, kind)] if kind.endswith("DataFrame") else []
