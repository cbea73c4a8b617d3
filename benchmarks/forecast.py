"""Fit, backtest and accuracy of RNNForecaster against neuralforecast's LSTM: equal sizes, windows and numbers of updates.

A series of hours with a day, a week and a wandering level; both learn with the absolute error from its first part. The backtest is that of the fitted
models, which forecast from every hour of the rest: ``backtest(FrozenEstimator(…), …)`` against ``cross_validation(use_fitted=True)``. Times are of
one thread. MASE is divided by that of the seasonal naive forecast. Needs neuralforecast; without it only our own row is there.
"""

from __future__ import annotations

import argparse
import logging
import os
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator

from skrnn import RNNForecaster, backtest

from ._timing import Contender, machine, progress, race, table, torch_threads

_SEASON = 24
_OURS, _PEER = "skrnn", "neuralforecast"


def series(n: int) -> np.ndarray:
    """Hours with a day, a week and a level that wanders."""
    rng = np.random.default_rng(0)
    hour = np.arange(n)
    return 10 + np.sin(2 * np.pi * hour / 24) + 0.5 * np.cos(2 * np.pi * hour / 168) + 0.1 * rng.normal(size=n).cumsum() + 0.2 * rng.normal(size=n)


def _ours(asked: argparse.Namespace) -> RNNForecaster:
    return RNNForecaster(
        "lstm",
        horizon=asked.horizon,
        n_lags=2 * asked.horizon,
        hidden_size=asked.hidden,
        objective="absolute",
        max_epochs=asked.updates // 16,
        windows_per_epoch=512,
        batch_size=32,
        random_state=0,
    )


def _peer(asked: argparse.Namespace) -> Any:
    from neuralforecast import NeuralForecast
    from neuralforecast.losses.pytorch import MAE
    from neuralforecast.models import LSTM

    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False, "logger": False, "accelerator": "cpu"}
    model = LSTM(
        h=asked.horizon,
        input_size=2 * asked.horizon,
        encoder_hidden_size=asked.hidden,
        encoder_n_layers=1,
        decoder_hidden_size=asked.hidden,
        decoder_layers=1,
        loss=MAE(),
        max_steps=asked.updates,
        batch_size=1,
        windows_batch_size=32,
        scaler_type="robust",
        random_seed=0,
        **quiet,
    )
    return NeuralForecast(models=[model], freq=1)


def _frame(y: np.ndarray) -> Any:
    import pandas as pd

    return pd.DataFrame({"unique_id": "a", "ds": np.arange(len(y)), "y": y})


def _works(asked: argparse.Namespace, y: np.ndarray, found: dict[str, np.ndarray]) -> dict[str, tuple[Callable[[], Any], Callable[[], None]]]:
    """For each library: learning, and forecasts of what has learned from every hour after it."""
    first = asked.steps - asked.origins - asked.horizon + 1
    ours = _ours(asked).fit(None, y[:first])

    def forecast() -> None:
        table = backtest(FrozenEstimator(ours), y, initial_window=first, as_frame=False)
        found[_OURS] = table["y_pred"].reshape(-1, asked.horizon)

    works: dict[str, tuple[Callable[[], Any], Callable[[], None]]] = {_OURS: (lambda: _ours(asked).fit(None, y[:first]), forecast)}
    if find_spec(_PEER):
        peer = _peer(asked)
        peer.fit(_frame(y[:first]))

        def forecast_too() -> None:
            cv = peer.cross_validation(_frame(y), n_windows=asked.origins, step_size=1, refit=False, use_fitted=True)
            found[_PEER] = cv.sort_values(["cutoff", "ds"])["LSTM"].to_numpy().reshape(-1, asked.horizon)

        works[_PEER] = (lambda: _peer(asked).fit(_frame(y[:first])), forecast_too)
    return works


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forecast", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=2000, help="of the series")
    parser.add_argument("--origins", type=int, default=500, help="of the backtest")
    parser.add_argument("--horizon", type=int, default=24)
    parser.add_argument("--hidden", type=int, default=32, help="units")
    parser.add_argument("--updates", type=int, default=480, help="of the weights, each on 32 windows; a multiple of 16")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="small and short: does it run?")
    arguments = parser.parse_args(argv)
    if arguments.quick:
        arguments.steps, arguments.origins, arguments.horizon, arguments.hidden, arguments.updates, arguments.repeats = 800, 20, 4, 4, 16, 1
    return arguments


def main(argv: list[str] | None = None) -> None:
    """Print the table and whether the claims hold."""
    asked = _arguments(argv)
    y, found = series(asked.steps), {}
    warnings.filterwarnings("ignore", module="pytorch_lightning|lightning|neuralforecast")
    os.environ.setdefault("NIXTLA_ID_AS_COL", "1")
    works = _works(asked, y, found)
    contenders = [
        Contender(f"{name} {what}", work, lambda: torch_threads(1))
        for name, pair in works.items()
        for what, work in zip(("fit", "backtest"), pair, strict=True)
    ]
    times = race(contenders, seconds=0.0, least_rounds=asked.repeats, most_rounds=asked.repeats)
    origins = np.arange(asked.steps - asked.origins - asked.horizon + 1, asked.steps - asked.horizon + 1)
    rows_ = origins[:, None] + np.arange(asked.horizon)
    naive = np.abs(y[rows_ - _SEASON * (1 + np.arange(asked.horizon) // _SEASON)] - y[rows_]).mean()
    rows: list[dict[str, Any]] = []
    for name in works:
        fit, test = (float(np.median(times[f"{name} {what}"].cpu)) / 1e3 for what in ("fit", "backtest"))
        error = float(np.abs(found[name] - y[rows_]).mean() / naive)
        rows.append({"library": name, "fit CPU s": fit, "backtest CPU s": test, "MASE / seasonal naive": error})
        progress(rows[-1])
    print(machine())
    print(f"\n{asked.steps} hours, {asked.origins} origins, horizon {asked.horizon}, {asked.hidden} units, {asked.updates} updates.\n")
    print(table(rows))
    print("\n" + table(_verdicts(rows)))


def _verdicts(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ours = rows[0]
    peer = rows[1] if len(rows) > 1 else None
    found = []
    for text, column, factor in (("fit ≥ 3 × faster", "fit CPU s", 3.0), ("backtest ≥ 10 × faster", "backtest CPU s", 10.0)):
        ratio = None if peer is None or None in (peer[column], ours[column]) else peer[column] / ours[column]
        found.append({"claim": text, "ratio": ratio, "holds": None if ratio is None else "yes" if ratio >= factor else "NO"})
    ratio = None if peer is None else peer["MASE / seasonal naive"] / ours["MASE / seasonal naive"]
    found.append({"claim": "accuracy no worse", "ratio": ratio, "holds": None if ratio is None else "yes" if ratio >= 1 else "NO"})
    return found


if __name__ == "__main__":
    main()
