"""GridSearchCV over cells on a ragged list inside a Pipeline: wall time of two workers against one, and whether the scores are the same.

The workers are started and have compiled before the clock runs; both searches take turns.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import RNNClassifier
from skrnn.cells import LSTM
from skrnn.preprocessing import PerStep

from ._timing import Contender, machine, race, table

_GRID = [
    {"rnnclassifier__cell": ["elman", "lstm", "gru"], "rnnclassifier__hidden_size": [16, 32]},
    {"rnnclassifier__cell": [LSTM()], "rnnclassifier__cell__peephole": [False, True], "rnnclassifier__hidden_size": [16, 32]},
]


def data(n: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Which of three noisy channels of 10 to 60 steps has the largest mean."""
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=n)
    return [rng.normal(size=(rng.integers(10, 61), 3)) + 0.4 * np.eye(3)[k] for k in y], y


def _search(epochs: int, n_jobs: int) -> GridSearchCV:
    model = make_pipeline(PerStep(StandardScaler()), RNNClassifier(standardize=False, max_epochs=epochs, random_state=0))
    return GridSearchCV(model, _GRID, cv=3, n_jobs=n_jobs)


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sequences", type=int, default=300)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="few sequences, one epoch, one round: does it run?")
    arguments = parser.parse_args(argv)
    if arguments.quick:
        arguments.sequences, arguments.epochs, arguments.repeats = 30, 1, 1
    return arguments


def main(argv: list[str] | None = None) -> None:
    """Print the table and whether two workers are not slower than one."""
    asked = _arguments(argv)
    X, y = data(asked.sequences)
    done: dict[int, GridSearchCV] = {}

    def run(n_jobs: int) -> None:
        done[n_jobs] = _search(asked.epochs, n_jobs).fit(X, y)

    times = race([Contender(str(n), lambda n=n: run(n)) for n in (1, 2)], seconds=np.inf, most_rounds=asked.repeats)
    alike = all(np.array_equal(done[1].cv_results_[k], done[2].cv_results_[k]) for k in done[1].cv_results_ if k.startswith("split"))
    ratio = times["2"].ratio(times["1"])
    row: dict[str, Any] = {"fits": 3 * len(done[1].cv_results_["params"]) + 1}
    row |= {f"n_jobs={n} s": float(np.median(times[n].wall)) / 1e3 for n in ("1", "2")}
    row |= {"ratio 2 / 1": ratio, "same scores": "yes" if alike else "NO", "best score": done[2].best_score_}
    print(machine() + "\n\nGridSearchCV over a Pipeline on a ragged list; wall seconds, and the time of two workers divided by that of one.\n")
    print(table([row]))
    print("\n" + table([{"claim": "n_jobs=2 / n_jobs=1 ≤ 1, same scores", "worst": ratio, "holds": "yes" if alike and ratio <= 1 else "NO"}]))


if __name__ == "__main__":
    main()
