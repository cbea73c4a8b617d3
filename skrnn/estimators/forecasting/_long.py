"""Rows of a long frame, which say by name of which series, and when, steps are to be forecast."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...data import long_index
from ._fitted import FittedForecaster, Request, request_of
from ._reading import read_tables_to_come
from ._series_frames import dated, parts_of
from ._times import when_of


def requests_of_rows(model: Any, X: Any, n_steps: int | None) -> list[Request]:
    """What the rows of a long X ask of a forecaster: some of the series of ``fit``, in any order, each for steps of its own."""
    index: Any = long_index(X)
    fitted: FittedForecaster = model.forecaster_
    known = {name: k for k, name in enumerate(names_of(model))}
    if unknown := [name for name in index.ids if name not in known]:
        some = ", ".join(map(repr, unknown[:3])) + (" …" if len(unknown) > 3 else "")
        raise ValueError(f"series {some} were not in fit: a forecaster knows its own alone. Split by time, as PanelSplit does, not between series")
    places, lengths = np.array([known[name] for name in index.ids], dtype=np.intp), np.diff(index.offsets)
    if n_steps is not None and (lengths != n_steps).any():
        raise ValueError(f"X must hold n_steps={n_steps} steps to come of each series; got {lengths.tolist()}")
    tables = read_tables_to_come(model, dated(X, model.time_column))
    gaps = []
    for name, place, when in zip(index.ids, places, when_of(parts_of(X, True)), strict=True):
        axis = fitted.times.axes[place]
        if axis is None or when is None:
            gaps.append(0)
            continue
        gaps.append(axis.steps_to(when, f"the index of series {name!r}"))
        if gaps[-1] < 0:
            raise ValueError(f"the rows to come must go on after the end of each series; those of series {name!r} begin at {when.labels[0]}")
    rows = index.rows
    found = []
    for gap, n in sorted(set(zip(gaps, lengths.tolist(), strict=True))):
        asked = [k for k in range(len(places)) if (gaps[k], lengths[k]) == (gap, n)]
        request = request_of(fitted, places[asked], n, gap, None if tables is None else [tables[k] for k in asked])
        found.append(request._replace(rows=np.stack([rows[k] for k in asked]), index=X.index))
    return found


def names_of(model: Any) -> tuple[Any, ...]:
    """The series of ``fit`` by name; none where they came without."""
    return model._ids or ()


def asks_by_name(model: Any, X: Any) -> bool:
    """Whether X is a long frame; refuse one where ``fit`` got none, and the reverse."""
    named = long_index(X) is not None
    if model._several and X is not None and named != bool(names_of(model)):
        came, wanted = ("with an", "series without an") if named else ("without", "a long frame, with an")
        raise ValueError(f"fit got {wanted} (instance, time) index: data {came} one cannot be told to be of the same series")
    return named
