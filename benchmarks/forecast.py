"""Fit, backtest and accuracy of RNNForecaster against neuralforecast and darts: equal cells, sizes, windows and numbers of updates.

A series of hours with a day, a week and a wandering level; all learn with the absolute error from its first part. The backtest is that of the fitted
models, which forecast from every hour of the rest: ``backtest(FrozenEstimator(…), …)`` against ``cross_validation(use_fitted=True)`` and
``historical_forecasts(retrain=False)``. Each peer has the strategy that is most like its own beside it: neuralforecast's network writes the whole
horizon, darts' RNNModel runs on its own output. EchoStateForecaster stands beside them with its defaults. MASE is divided by that of the seasonal
naive forecast, and a mean over seeds. A peer that is not installed has no rows.
"""

from __future__ import annotations

import argparse
import logging
import os
import warnings
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.frozen import FrozenEstimator

from skrnn import EchoStateForecaster, RNNForecaster, backtest

from ._timing import Contender, Times, machine, progress, race, table, torch_threads

_SEASON, _ERROR = 24, "MASE / seasonal naive"
_RESERVOIRS = "reservoirs"
_STRATEGIES = {"neuralforecast": "seq2seq", "darts": "recursive"}

Works = tuple[Callable[[], Any], Callable[[], NDArray[np.float64]]]  # learn; forecast (n_origins, horizon) from every origin


def series(n: int) -> np.ndarray:
    """Hours with a day, a week and a level that wanders."""
    rng = np.random.default_rng(0)
    hour = np.arange(n)
    return 10 + np.sin(2 * np.pi * hour / 24) + 0.5 * np.cos(2 * np.pi * hour / 168) + 0.1 * rng.normal(size=n).cumsum() + 0.2 * rng.normal(size=n)


def _first_origin(asked: argparse.Namespace) -> int:
    return int(asked.steps - asked.origins - asked.horizon + 1)


def _ours(strategy: str, asked: argparse.Namespace, y: np.ndarray, cell: str, seed: int) -> Works:
    first = _first_origin(asked)

    def network() -> RNNForecaster:
        return RNNForecaster(
            cell,
            horizon=asked.horizon,
            n_lags=2 * asked.horizon,
            strategy=strategy,
            hidden_size=asked.hidden,
            objective="absolute",
            max_epochs=asked.updates // 16,
            windows_per_epoch=512,
            batch_size=32,
            random_state=seed,
        )

    def fitted() -> Any:
        reservoirs = EchoStateForecaster(horizon=asked.horizon, n_lags=2 * asked.horizon, random_state=seed)
        return (reservoirs if strategy == _RESERVOIRS else network()).fit(None, y[:first])

    model = fitted()

    def forecast() -> NDArray[np.float64]:
        return backtest(FrozenEstimator(model), y, initial_window=first, as_frame=False)["y_pred"].reshape(-1, asked.horizon)

    return fitted, forecast


def _neuralforecast(asked: argparse.Namespace, y: np.ndarray, cell: str, seed: int) -> Works:
    import pandas as pd
    from neuralforecast import NeuralForecast
    from neuralforecast.losses.pytorch import MAE
    from neuralforecast.models import GRU, LSTM

    os.environ.setdefault("NIXTLA_ID_AS_COL", "1")
    frame = pd.DataFrame({"unique_id": "a", "ds": np.arange(len(y)), "y": y})
    first = _first_origin(asked)

    def fitted() -> NeuralForecast:
        model = {"lstm": LSTM, "gru": GRU}[cell](
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
            random_seed=seed,
            accelerator="cpu",
            **_QUIET,
        )
        peer = NeuralForecast(models=[model], freq=1)
        peer.fit(frame[:first])
        return peer

    peer = fitted()

    def forecast() -> NDArray[np.float64]:
        table = peer.cross_validation(frame, n_windows=asked.origins, step_size=1, refit=False, use_fitted=True)
        return table.sort_values(["cutoff", "ds"])[cell.upper()].to_numpy().reshape(-1, asked.horizon)

    return fitted, forecast


def _darts(asked: argparse.Namespace, y: np.ndarray, cell: str, seed: int) -> Works:
    from darts import TimeSeries
    from darts.models import RNNModel
    from torch import nn

    first = _first_origin(asked)
    center, spread = y[:first].mean(), y[:first].std()  # darts' networks do not scale
    whole = TimeSeries.from_values(((y - center) / spread).astype(np.float32))

    def fitted() -> RNNModel:
        return RNNModel(
            input_chunk_length=2 * asked.horizon,
            training_length=3 * asked.horizon,
            model=cell.upper(),
            hidden_dim=asked.hidden,
            loss_fn=nn.L1Loss(),
            batch_size=32,
            n_epochs=asked.updates,
            random_state=seed,
            pl_trainer_kwargs={"max_steps": asked.updates, "accelerator": "cpu", **_QUIET},
        ).fit(whole[:first])

    peer = fitted()

    def forecast() -> NDArray[np.float64]:
        table = peer.historical_forecasts(
            whole, start=first, start_format="position", forecast_horizon=asked.horizon, retrain=False, last_points_only=False
        )
        return np.stack([part.values()[:, 0] for part in table]) * spread + center

    return fitted, forecast


_QUIET: dict[str, Any] = {"enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False, "logger": False}
_PEERS: dict[str, Callable[[argparse.Namespace, np.ndarray, str, int], Works]] = {"neuralforecast": _neuralforecast, "darts": _darts}


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forecast", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=2000, help="of the series")
    parser.add_argument("--origins", type=int, default=500, help="of the backtest")
    parser.add_argument("--horizon", type=int, default=24)
    parser.add_argument("--hidden", type=int, default=32, help="units")
    parser.add_argument("--updates", type=int, default=480, help="of the weights, each on 32 windows; a multiple of 16")
    parser.add_argument("--cells", nargs="+", default=["lstm", "gru"], choices=["lstm", "gru"])
    parser.add_argument("--seeds", type=int, default=3, help="fits whose errors are averaged")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="small and short: does it run?")
    arguments = parser.parse_args(argv)
    if arguments.quick:
        arguments.steps, arguments.origins, arguments.horizon, arguments.hidden, arguments.updates, arguments.repeats = 800, 20, 4, 4, 16, 1
        arguments.threads, arguments.seeds = [1], 1
    return arguments


def main(argv: list[str] | None = None) -> None:
    """Print the tables and whether the claims hold."""
    asked = _arguments(argv)
    y = series(asked.steps)
    warnings.filterwarnings("ignore", module="pytorch_lightning|lightning|neuralforecast|darts")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    origins = _first_origin(asked) + np.arange(asked.origins)
    ahead = np.arange(asked.horizon)
    rows_ = origins[:, None] + ahead
    truth = y[rows_]
    naive = np.abs(y[rows_ - _SEASON * (1 + ahead // _SEASON)] - truth).mean()
    print(machine())
    print(f"\n{asked.steps} hours, {asked.origins} origins, horizon {asked.horizon}, {asked.hidden} units, {asked.updates} updates.\n")
    makers = {_name(strategy): partial(_ours, strategy) for strategy in (*_STRATEGIES.values(), _RESERVOIRS)}
    makers |= {name: maker for name, maker in _PEERS.items() if find_spec(name)}
    for cell in asked.cells:
        several = {name: [maker(asked, y, cell, seed) for seed in range(asked.seeds)] for name, maker in makers.items()}
        errors = {name: float(np.mean([np.abs(forecast() - truth).mean() for _, forecast in works]) / naive) for name, works in several.items()}
        for threads in asked.threads:
            contenders = [
                Contender(f"{name} {what}", work, partial(torch_threads, threads))
                for name, works in several.items()
                for what, work in zip(("fit", "backtest"), works[0], strict=True)
            ]
            times = race(contenders, seconds=0.0, least_rounds=asked.repeats, most_rounds=asked.repeats)
            rows = [_row(name, cell, threads, times, errors[name]) for name in makers]
            print(table(rows) + "\n\n" + table([verdict for name in _PEERS for verdict in _verdicts(rows, name)]) + "\n")


def _name(strategy: str) -> str:
    return f"skrnn, {strategy}"


def _row(name: str, cell: str, threads: int, times: dict[str, Times], error: float) -> dict[str, Any]:
    row: dict[str, Any] = {"library": name, "cell": cell, "threads": threads}
    for what in ("fit", "backtest"):
        measured = times[f"{name} {what}"]
        row |= {f"{what} s": float(np.median(measured.wall)) / 1e3, f"{what} CPU s": float(np.median(measured.cpu)) / 1e3}
    row[_ERROR] = error
    progress(row)
    return row


def _verdicts(rows: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    of = {row["library"]: row for row in rows}
    ours, peer = of[_name(_STRATEGIES[name])], of.get(name)
    found: list[dict[str, Any]] = []
    for text, column, least in (("fit ≥ 3 × faster", "fit", 3.0), ("backtest ≥ 10 × faster", "backtest", 10.0), ("accuracy no worse", "", 1.0)):
        columns = (f"{column} CPU s", f"{column} s") if column else (_ERROR,)
        ratios = [None if peer is None else peer[c] / ours[c] for c in columns]
        holds = None if ratios[0] is None else "yes" if ratios[0] >= least else "NO"
        found.append({"against": name, "claim": text, "ratio": ratios[0], "of wall times": ratios[1] if column else None, "holds": holds})
    return found


if __name__ == "__main__":
    main()
