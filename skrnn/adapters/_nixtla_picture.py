"""Series of a long frame and their forecasts in a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._optional_dependencies import check_matplotlib_support

from ..data._stepping import TIMES, Instants
from ._long_frame import LongFrame, rows_by_id, with_columns_of
from ._nixtla_models import beside_a_forecast
from ._time_axis import in_order, read_times

_N_COLUMNS = 2  # of a figure
_N_LABELS = 4  # in a row of its legend


class Forecasts(NamedTuple):
    """The columns of a frame of forecasts, and where each series has its own."""

    points: dict[str, NDArray[np.float64]]  # of each model
    intervals: dict[str, dict[float, tuple[NDArray[np.float64], NDArray[np.float64]]]]  # of each model, by percent
    pieces: dict[Any, list[NDArray[np.intp]]]  # rows of each series, one by one for each cutoff
    places: NDArray[Any]  # of the rows on the axis

    @classmethod
    def read(cls, df: Any, names: tuple[str, str, str], level: Sequence[float] | None) -> Forecasts:
        """From what ``predict`` or ``cross_validation`` gives."""
        id_col, time_col, target_col = names
        frame = with_columns_of(df, [id_col, time_col], "forecasts")
        columns = [name for name in frame.columns if name not in (id_col, time_col, target_col, "cutoff") and frame[name].dtype.is_numeric()]
        values = {name: frame[name].to_numpy().astype(float) for name in columns}
        beside = {name: found for name in columns if (found := beside_a_forecast(name)) is not None}
        points = {name: values[name] for name in columns if name not in beside}
        if not points:
            raise ValueError(f"forecasts has no column of forecasts; its columns are {frame.columns}")
        ends = {found: values[name] for name, found in beside.items()}
        percents = sorted({number for _, kind, number in ends if kind == "lo"} if level is None else np.atleast_1d(level).tolist(), reverse=True)
        intervals: dict[str, Any] = {}
        for name in points:
            there = [p for p in percents if (name, "lo", p) in ends and (name, "hi", p) in ends]
            if level is not None and len(there) < len(percents):
                raise ValueError(f"level={level} asks for intervals of {name!r} that forecasts has not; its columns are {frame.columns}")
            intervals[name] = {p: (ends[name, "lo", p], ends[name, "hi", p]) for p in there}
        clock, pieces = read_times(frame[time_col]), {}
        for name, rows in zip(*rows_by_id(frame[id_col], "forecasts"), strict=True):
            cuts = rows_by_id(frame["cutoff"][rows.tolist()], "forecasts")[1] if "cutoff" in frame.columns else [np.arange(len(rows))]
            pieces[name] = [in_order(clock, rows[cut], name) for cut in cuts]
        return cls(points, intervals, pieces, _places(clock))


def draw_series(
    frames: tuple[Any, Any],
    names: tuple[str, str, str],
    *,
    ids: Sequence[Any] | None,
    max_ids: int,
    level: Sequence[float] | None,
    n_history: int | None,
    ax: Any,
) -> Any:
    """Draw the series of a long frame, and forecasts where there are some, on one axes for each series."""
    check_matplotlib_support("NixtlaForecaster.plot")
    df, ahead = frames
    given = LongFrame.read(df, names[0], names[1], [names[2]])
    forecasts = None if ahead is None else Forecasts.read(ahead, names, level)
    known = given.ids if forecasts is None else [name for name in given.ids if name in forecasts.pieces]
    shown = known[:max_ids] if ids is None else list(ids)
    if unseen := [name for name in shown if name not in known]:
        raise ValueError(f"ids must hold series that df and forecasts have; got {unseen[:3]}")
    if not shown:
        raise ValueError(
            f"there is no series to draw: df has {given.ids[:3]}" + ("" if forecasts is None else f", forecasts {[*forecasts.pieces][:3]}")
        )
    axes = _axes(ax, len(shown))
    places, values = _places(given.clock), given.numbers([names[2]])[:, 0]
    place = dict(zip(given.ids, given.rows, strict=True))
    for name, one in zip(shown, axes, strict=True):
        rows = place[name]
        if forecasts is not None:
            rows = _shown_rows(rows, places, forecasts, name, n_history)
        elif n_history is not None:
            rows = rows[max(0, len(rows) - n_history) :]
        one.plot(places[rows], values[rows], color="0.3", label=names[2])
        if forecasts is not None:
            _draw_forecasts(one, forecasts, name)
        one.set(title=str(name), xlabel=names[1])
        if places.dtype.kind == "M":
            from matplotlib.dates import ConciseDateFormatter

            one.xaxis.set_major_formatter(ConciseDateFormatter(one.xaxis.get_major_locator()))
    if ax is None:
        axes[0].figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=_N_LABELS)
    else:
        axes[0].legend(loc="upper left")
    return axes


def _shown_rows(rows: NDArray[np.intp], places: NDArray[Any], forecasts: Forecasts, name: Any, n_history: int | None) -> NDArray[np.intp]:
    """The rows of a series from some steps before its forecasts."""
    pieces = forecasts.pieces[name]
    first = np.searchsorted(places[rows], min(forecasts.places[piece[0]] for piece in pieces))
    n_before = 4 * max(len(piece) for piece in pieces) if n_history is None else n_history
    return rows[max(0, int(first) - n_before) :]


def _draw_forecasts(ax: Any, forecasts: Forecasts, name: Any) -> None:
    for k, (model, values) in enumerate(forecasts.points.items()):
        for j, piece in enumerate(forecasts.pieces[name]):
            (line,) = ax.plot(forecasts.places[piece], values[piece], color=f"C{k}", label="_" if j else model)
            intervals = forecasts.intervals[model]
            for i, (percent, (low, high)) in enumerate(intervals.items()):
                shade, label = 0.15 + 0.3 * i / len(intervals), "_" if j else f"{model} {percent:g}%"
                ax.fill_between(forecasts.places[piece], low[piece], high[piece], color=line.get_color(), alpha=shade, lw=0, label=label)


def _places(clock: Instants) -> NDArray[Any]:
    """Where times lie on an axis; a zone's are those of its clocks."""
    return clock.wall.astype("M8[us]") if clock.kind == TIMES else clock.ticks


def _axes(ax: Any, n_axes: int) -> NDArray[Any]:
    """Those that the caller gave, or of a new figure."""
    if ax is not None:
        axes = np.ravel(ax)
        if len(axes) != n_axes:
            raise ValueError(f"ax must hold one axes for each of the {n_axes} series; got {len(axes)}")
        return axes
    from matplotlib import pyplot as plt

    n_columns = min(_N_COLUMNS, n_axes)
    n_rows = math.ceil(n_axes / n_columns)
    figure, grid = plt.subplots(n_rows, n_columns, squeeze=False, figsize=(5 * n_columns, 1 + 2.4 * n_rows), layout="constrained")
    for unused in grid.flat[n_axes:]:
        figure.delaxes(unused)
    return grid.ravel()[:n_axes]
