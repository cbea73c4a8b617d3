"""Series in frames: taken apart one by one, and forecasts with the index that follows theirs."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data import Sequences, TimeAxis, cells_of, columns_of, has_instances, has_times, instants_of, kind_of, order_of_instances, unmasked

Array = NDArray[np.float64]


def parts_of(data: Any, several: bool) -> list[Any]:
    """Each series of a container of several, as it came; or the only one."""
    data, kind = unmasked(data), kind_of(data)
    if not several:
        return [data]
    if kind and has_instances(data, kind, "y"):
        order, offsets = order_of_instances(data)
        return [data.iloc[order[a:b]].droplevel(0) for a, b in itertools.pairwise(offsets)]
    if kind.endswith("Series"):
        return list(cells_of(data, kind) or data)
    return [unmasked(part) for part in data]


def ids_of(data: Any) -> tuple[tuple[Any, ...], Any] | None:
    """The names of the series of a frame with a two-level (instance, time) index, and what they are names of."""
    kind = kind_of(data)
    if not kind or not has_instances(data, kind, "y"):
        return None
    return tuple(data.index.get_level_values(0).unique()), data.index.names[0]


def check_ids(given: Any, known: tuple[Any, ...] | None, names: tuple[str, str]) -> None:
    """Refuse frames whose (instance, time) indexes are of other series, or of the same in another order."""
    found = ids_of(given)
    if found is not None and known is not None and found[0] != known:
        raise ValueError(
            f"the series of {names[0]} are {list(found[0])[:5]}, those of {names[1]} {list(known)[:5]}: they must be the same, in one order"
        )


@dataclass(frozen=True)
class SeriesLabels:
    """What the targets of series are called in pandas.

    Attributes
    ----------
    columns : tuple of tuple
        Of each series: the names of its targets.
    ids : tuple of tuple and str, or None
        The series, and what they are, where they came in one frame with an (instance, time) index.
    """

    columns: tuple[tuple[Any, ...], ...]
    ids: tuple[tuple[Any, ...], Any] | None

    def frame(self, k: int, values: Array, index: Any, flat: bool, extra: tuple[str, Sequence[Any]] | None) -> Any:
        """Values (n_steps, n_targets[, n_extra]) of a series; ``extra`` names the last axis and what stands along it."""
        import pandas as pd

        names = self.columns[k]
        if extra is None:
            return pd.Series(values[:, 0], index, name=names[0]) if flat else pd.DataFrame(values, index, list(names))
        if flat:
            return pd.DataFrame(values[:, 0], index, pd.Index(extra[1], name=extra[0]))
        columns = pd.MultiIndex.from_product([names, extra[1]], names=["target", extra[0]])
        return pd.DataFrame(values.reshape(len(values), -1), index, columns)

    def together(self, frames: list[Any]) -> Any:
        """The frames of all series as the series came."""
        if self.ids is None:
            return frames
        import pandas as pd

        return pd.concat(dict(zip(self.ids[0], frames, strict=True)), names=[self.ids[1]])


def labels_of(y: Any, parts: list[Any], several: bool) -> SeriesLabels | None:
    """What targets are called, where all series have an index of times; ``None`` where one has none."""
    columns = []
    for k, part in enumerate(parts):
        if not has_times(part) or TimeAxis.of(instants_of(part), f"the index of y{f'[{k}]' if several else ''}") is None:
            return None
        columns.append((part.name,) if kind_of(part) == "pandas.Series" else tuple(part.columns))
    return SeriesLabels(tuple(columns), ids_of(y))


def place_of_time(X: Any, column: Any) -> int | None:
    """Where among the columns of a frame, or of the first in a list, `column` stands, by name or place, if it holds points in time."""
    if isinstance(X, list | tuple):
        return place_of_time(X[0], column) if X else None
    kind = kind_of(X)
    if column is None or not kind.endswith("DataFrame"):
        return None
    columns = columns_of(X, kind)
    labels = [label for label, _ in columns]
    place = labels.index(column) if column in labels else int(column) if isinstance(column, Integral) else len(columns)
    if not -len(columns) <= place < len(columns):
        return None
    return place % len(columns) if _holds_times(columns[place][1]) else None


def _holds_times(column: Any) -> bool:
    named = str(column.dtype).lower().startswith(("date", "period", "timedelta", "duration"))
    return named or (column.dtype == object and len(column) > 0 and all(isinstance(value, datetime.date) for value in column))


def dated(X: Any, column: Any) -> Any:
    """Frames, or a list of them, whose time column holds points in time, in pandas and with these as their index; others as they are."""
    if isinstance(X, list | tuple):
        parts = [dated(part, column) for part in X]
        return parts if any(new is not old for new, old in zip(parts, X, strict=True)) else X
    place = place_of_time(X, column)
    if place is None:
        return X
    return X.set_index(X.columns[place]) if kind_of(X).startswith("pandas") else _in_pandas(X, X.columns[place])


def _in_pandas(frame: Any, time: str) -> Any:
    """A polars frame in pandas, with one of its columns as index."""
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(f"the points in time of column {time!r} are read by pandas: pip install pandas, or let time_column hold numbers") from error
    columns = {column.name: column.to_numpy() for column in frame.get_columns()}
    index, zone = pd.Index(columns.pop(time), name=time), getattr(frame.schema[time], "time_zone", None)
    return pd.DataFrame(columns, index.tz_localize("UTC").tz_convert(zone) if zone else index)


def timeless(data: Any) -> Any:
    """Tables without the times of their indexes."""
    if isinstance(data, list | tuple):
        return [timeless(part) for part in data]
    return data.reset_index(drop=True) if instants_of(data) is not None else data


def without_past(X: Any, model: Any) -> Any:
    """Steps to come with 0 in the columns of which only the past is known, which may hold anything or be missing."""
    past = model._covariate_columns.past
    if not past or X is None:
        return X
    if isinstance(X, list | tuple):
        return [without_past(part, model) for part in X]
    names = vars(model).get("feature_names_in_")
    if kind_of(X).endswith("DataFrame") and names is not None:
        return _frame_without_past(X, [str(name) for name in names], [str(names[c]) for c in past])
    if kind_of(X) == "pandas.DataFrame":
        return _without_past(X.to_numpy(dtype=float), past, model.n_features_in_)
    if isinstance(X, Sequences):
        return X.with_values(_without_past(X.values, past, model.n_features_in_))
    return _without_past(np.asarray(X, dtype=float), past, model.n_features_in_)


def _without_past(table: Array, past: list[int], n_features: int) -> Array:
    if table.ndim < 2 or table.shape[-1] not in (n_features, n_features - len(past)):
        return table
    filled = np.zeros((*table.shape[:-1], n_features))
    known = np.setdiff1d(np.arange(n_features), past)
    filled[..., known] = table[..., known] if table.shape[-1] == n_features else table
    return filled


def _frame_without_past(frame: Any, names: list[str], past: list[str]) -> Any:
    filled = frame.assign(**dict.fromkeys(past, 0.0)) if kind_of(frame).startswith("pandas") else frame.with_columns(**dict.fromkeys(past, 0.0))
    given = [name for name in frame.columns if name not in past]
    if len(given) + len(past) != len(names):
        return frame
    rest = iter(given)
    return filled[[name if name in past else next(rest) for name in names]]
