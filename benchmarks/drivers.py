"""A series from 81 that drive it, one step after the other: the attention in two stages beside persistence and ridge regression of the changes.

Generated, as an index of shares: the drivers are random walks, the target is a weighted sum of them and of a small random walk of its own. Errors
are in units of the target.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from sklearn.linear_model import RidgeCV

from skrnn import DualStageAttentionRegressor

from ._timing import machine, table

N_TRAIN, N_TEST, N_DRIVERS = 1800, 200, 81


def index(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Drivers (n_times, n_drivers) and what they drive."""
    rng = np.random.default_rng(seed)
    moves = 0.1 * rng.normal(size=(N_TRAIN + N_TEST, N_DRIVERS)) * rng.uniform(0.5, 1.5, size=N_DRIVERS)
    weights = rng.dirichlet(np.ones(N_DRIVERS)) * np.sqrt(N_DRIVERS)
    return moves.cumsum(axis=0), (moves @ weights + 0.02 * rng.normal(size=len(moves))).cumsum()


def compared(seed: int, **settings: Any) -> dict[str, float]:
    """Root mean squared error of each on the last steps, whose target becomes known after each."""
    X, y = index(seed)
    known, target = slice(N_TRAIN), y[N_TRAIN:]
    before, moves = y[N_TRAIN - 1 : -1], np.diff(X[N_TRAIN - 1 :], axis=0)
    ridge = RidgeCV(np.logspace(-3, 3, 13)).fit(np.diff(X[known], axis=0), np.diff(y[known]))
    network = DualStageAttentionRegressor(**{"hidden_size": 32, "n_lags": 5, "max_epochs": 20, "random_state": seed} | settings).fit(
        X[known], y[known]
    )
    predictions = {"persistence": before, "ridge": before + ridge.predict(moves), "DualStageAttentionRegressor": network.predict(X[N_TRAIN:], target)}
    return {name: float(np.sqrt(np.mean((predicted - target) ** 2))) for name, predicted in predictions.items()}


def main(argv: list[str] | None = None) -> None:
    """Print a row for each seed, with the drivers of the moment and without."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drivers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one seed, one epoch: does it run?")
    asked = parser.parse_args(argv)
    fast: dict[str, Any] = {"max_epochs": 1} if asked.quick else {}
    rows = [
        {"seed": seed, "drivers of the moment": "yes" if current else "no"} | compared(seed, include_current=current, **fast)
        for seed in range(1 if asked.quick else asked.seeds)
        for current in (True, False)
    ]
    print(machine() + "\n\nRoot mean squared error on the last 200 steps; ridge always sees the drivers of the moment.\n")
    print(table(rows))


if __name__ == "__main__":
    main()
