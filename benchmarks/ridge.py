"""Time of a linear readout over 25 penalties against scikit-learn's RidgeCV, and of its parts, on one BLAS thread and on all.

States are float32, as a reservoir makes them; scikit-learn gets them in float64, which it computes in. Fits are timed in turns in one run: the claims
are about the ratio of CPU times, and about wall times on all BLAS threads against one.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import numpy as np
from sklearn.linear_model import RidgeCV
from threadpoolctl import threadpool_info, threadpool_limits

from skrnn.estimators import RidgeReadout
from skrnn.training import NormalEquations, RecursiveLeastSquares, choose_alpha, contiguous_folds, solve, svd_path

from ._timing import Contender, Times, machine, progress, race, table

_LIMIT, _MARGIN = 1 / 20, 1.1
_BASE = "sklearn RidgeCV"


def states(n_rows: int, n_features: int) -> tuple[np.ndarray, np.ndarray]:
    """Correlated features with a decaying spectrum, like those of a reservoir, and one noisy target."""
    rng = np.random.default_rng(0)
    scale = np.logspace(0, -5, n_features)
    Z = np.tanh((rng.normal(size=(n_rows, n_features)) * scale) @ rng.normal(size=(n_features, n_features)) / 3)
    return Z.astype(np.float32), Z[:, :1] + Z[:, 1:2] ** 2 + 0.1 * rng.normal(size=(n_rows, 1))


def _parts(Z: np.ndarray, Y: np.ndarray, n_rls: int) -> dict[str, Callable[[], Any]]:
    """What is timed, by name."""
    n, p = Z.shape
    alphas, wide = np.logspace(-8, 4, 25), Z.astype(np.float64)
    gathered = NormalEquations(p, 1, 5).add(Z, Y, fold=contiguous_folds(n, 5))
    return {
        _BASE: lambda: RidgeCV(alphas).fit(wide, Y),
        "RidgeReadout, gcv": lambda: RidgeReadout("gcv", alphas=alphas).fit(Z, Y),
        "RidgeReadout, block_cv": lambda: RidgeReadout("block_cv", alphas=alphas).fit(Z, Y),
        "Gram, 5 folds": lambda: NormalEquations(p, 1, 5).add(Z, Y, fold=contiguous_folds(n, 5)),
        "+ 25 by gcv": lambda: choose_alpha(gathered, "gcv", alphas),
        "+ 25 by block_cv": lambda: choose_alpha(gathered, "block_cv", alphas),
        "+ one solution": lambda: solve(gathered, 1.0),
        "svd_path": lambda: svd_path(Z, Y, alphas),
        f"RLS, {n_rls} steps": lambda: RecursiveLeastSquares(p, 1).update(Z[:n_rls], Y[:n_rls]),
    }


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ridge", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", type=int, nargs="+", default=[100, 500])
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--rls-steps", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60.0, help="time budget of the rounds of one size")
    parser.add_argument("--quick", action="store_true", help="small and short: does it run?")
    arguments = parser.parse_args(argv)
    if arguments.quick:
        arguments.features, arguments.rows, arguments.rls_steps, arguments.seconds = [20], 500, 50, 0.0
    return arguments


def _compare(n_features: int, asked: argparse.Namespace) -> list[dict[str, Any]]:
    """Rows of the table: each part on one BLAS thread and on all, scikit-learn on one."""
    most = max(library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas")
    parts = _parts(*states(asked.rows, n_features), asked.rls_steps)
    limit: Callable[[int], Callable[[], AbstractContextManager[Any]]] = lambda n: partial(threadpool_limits, n, "blas")  # noqa: E731
    contenders = [Contender(name, work, limit(1), most_rounds=3 if name == _BASE else None) for name, work in parts.items()]
    contenders += [Contender(f"{name} (all threads)", work, limit(most)) for name, work in parts.items() if name != _BASE]
    times = race(contenders, seconds=asked.seconds)
    rows = []
    for name in parts:
        one, many, base = times[name], times.get(f"{name} (all threads)"), times[_BASE]
        rows.append({
            "p": n_features, "what": name, "ms": float(np.median(one.wall)), "CPU ms": float(np.median(one.cpu)),
            "CPU / RidgeCV": _cpu_ratio(one, base),
            f"wall on {most} / 1": None if many is None else many.ratio(one),
            f"CPU on {most} / 1": None if many is None else _cpu_ratio(many, one),
        })  # fmt: skip
        progress(rows[-1])
    return rows


def main(argv: list[str] | None = None) -> None:
    """Print the table and whether the claims hold."""
    asked = _arguments(argv)
    rows = [row for n_features in asked.features for row in _compare(n_features, asked)]
    print(machine())
    print(f"\n{asked.rows} rows of p features, 25 penalties; '/ RidgeCV': CPU time divided by that of scikit-learn's RidgeCV; below 1 is less.\n")
    print(table(rows))
    largest = [row for row in rows if row["p"] == max(asked.features)]
    worst = max((row for row in largest if row["what"].startswith("RidgeReadout")), key=lambda row: row["CPU / RidgeCV"])
    threads = next(name for name in rows[0] if name.startswith("wall on"))
    spread = max((row for row in rows if row[threads] is not None), key=lambda row: row[threads])
    print("\n" + table([
        _verdict("CPU / RidgeCV ≤ 1/20", worst, "CPU / RidgeCV", _LIMIT),
        _verdict("all BLAS threads are not slower (10 % for noise)", spread, threads, _MARGIN),
    ]))  # fmt: skip


def _cpu_ratio(times: Times, reference: Times) -> float:
    rounds = min(len(times.cpu), len(reference.cpu))
    return float(np.median(np.divide(times.cpu[:rounds], reference.cpu[:rounds])))


def _verdict(claim: str, row: dict[str, Any], column: str, limit: float) -> dict[str, Any]:
    return {"claim": claim, "worst": row[column], "where": f"p = {row['p']}, {row['what']}", "holds": "yes" if row[column] <= limit else "NO"}


if __name__ == "__main__":
    main()
